"""The side of our own protocol that accepts connections and answers."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from jina_cli.wire.budget import FULL, Budget
from jina_cli.wire.connection import Connection
from jina_cli.wire.frames import BadFrame, Frame, Kind, Oversized
from jina_cli.wire.messages import (
    Hello,
    Request,
    Response,
    Status,
    StatusCode,
)
from jina_cli.wire.native import decode_request, encode_hello, encode_response, encode_signal

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]

MAX_CONNECTIONS = 1024
_BACKLOG = 1024
_LONGEST_S = 1e6
"""Timers of the event loop do not take every number that a peer may send."""

_ACKNOWLEDGE_S = 1.0
"""How long an idle client is given to take note that we are going away."""


@dataclass(slots=True)
class _Job:
    """A request that is worked on, of `size` bytes."""

    size: int
    task: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None
    is_answered: bool = False


@dataclass(slots=True)
class _Peer:
    """A connected client."""

    jobs: dict[int, _Job] = field(default_factory=dict)
    knows_we_go: bool = False


class Server:
    """Answer the requests of many connections, a bounded number at a time.

    Each request is a task of its own: answers go out in the order in which they are ready.
    When a client cancels a request or goes away, its task is cancelled; when the deadline
    passes, the client is told so at once and the task is cancelled.

    Args:
        handler: Answers one request. What it raises is answered with `INTERNAL`.
        hello: What to say of ourselves on each new connection.
        max_queue: Requests that may be worked on; one more is answered `OVERLOADED`.
        max_message_bytes: The longest request; a longer one is answered `TOO_LARGE`.
        max_connections: Connections that may be open; one more is closed.
        budget: Room for the bytes of requests; one that finds none is answered `OVERLOADED`.
    """

    def __init__(
        self,
        handler: Handler,
        hello: Callable[[], Hello],
        *,
        max_queue: int,
        max_message_bytes: int,
        max_connections: int = MAX_CONNECTIONS,
        budget: Budget | None = None,
    ) -> None:
        self._handler = handler
        self._hello = hello
        self._max_queue = max_queue
        self._max_message_bytes = max_message_bytes
        self._max_connections = max_connections
        self._budget = budget
        self._listener: asyncio.AbstractServer | None = None
        self._peers: dict[Connection, _Peer] = {}
        self._pending = 0
        self._is_draining = False
        self._changed = asyncio.Event()

    @property
    def pending(self) -> int:
        """Requests that are worked on."""
        return self._pending

    async def start(self, sock: socket.socket) -> None:
        """Accept connections on a bound socket, which is ours from now on."""
        loop = asyncio.get_running_loop()
        sock.setblocking(False)
        if sock.family == socket.AF_UNIX:
            self._listener = await _unix_server(loop, self._protocol, sock)
        else:
            self._listener = await loop.create_server(self._protocol, sock=sock, backlog=_BACKLOG)

    async def drain(self, timeout_s: float) -> int:
        """Take no more connections, tell clients to go, and finish what was asked.

        Requests that were on their way are still answered. Returns how many were not, after
        `timeout_s`; their tasks run until `close`.
        """
        self._is_draining = True
        if self._listener is not None:
            self._listener.close()
        for connection in tuple(self._peers):
            connection.send(0, encode_signal(Kind.GOAWAY))
        end = time.monotonic() + timeout_s
        acknowledged_by = time.monotonic() + min(timeout_s, _ACKNOWLEDGE_S)
        while self._peers and time.monotonic() < end:
            waits_for_idle = not self._pending
            if waits_for_idle and time.monotonic() >= acknowledged_by:
                break
            self._changed.clear()
            until = acknowledged_by if waits_for_idle else end
            await _wait(self._changed, until - time.monotonic())
        left = self._pending
        if not left:
            for connection in tuple(self._peers):
                connection.close()
        return left

    async def close(self) -> None:
        """Close all connections and cancel what is still worked on."""
        self._is_draining = True
        if self._listener is not None:
            self._listener.close()
        tasks = [job.task for peer in self._peers.values() for job in peer.jobs.values()]
        for connection in tuple(self._peers):
            connection.close()
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)

    def made(self, connection: Connection) -> None:
        if len(self._peers) >= self._max_connections or self._is_draining:
            connection.abort()
            return
        self._peers[connection] = _Peer()
        connection.send(0, encode_hello(self._hello()))

    def lost(self, connection: Connection) -> None:
        peer = self._peers.pop(connection, None)
        if peer is not None:
            for job in tuple(peer.jobs.values()):
                _abandon(job)
        self._changed.set()

    def frame_received(self, connection: Connection, frame: Frame | Oversized) -> None:
        peer = self._peers.get(connection)
        if peer is None:
            return
        match frame.kind:
            case Kind.REQUEST:
                self._ask(connection, peer, frame)
            case Kind.CANCEL:
                if job := peer.jobs.get(frame.id):
                    _abandon(job)
            case Kind.PING:
                connection.send(0, encode_signal(Kind.PONG, frame.id))
            case Kind.GOAWAY:
                peer.knows_we_go = True
                self._close_if_done(connection, peer)
            case _:
                raise BadFrame(f"a client does not say {frame.kind.name}")

    def _protocol(self) -> Connection:
        return Connection(self, self._max_message_bytes, throttles_reading=True)

    def _ask(self, connection: Connection, peer: _Peer, frame: Frame | Oversized) -> None:
        if isinstance(frame, Oversized):
            limit = self._max_message_bytes
            problem = f"the request has {frame.size} bytes, over the limit of {limit}"
            _answer(connection, frame.id, _failed(StatusCode.TOO_LARGE, problem))
            return
        request = decode_request(frame)
        if frame.id in peer.jobs:
            raise BadFrame(f"two requests at a time have the id {frame.id}")
        if self._pending >= self._max_queue:
            problem = f"{self._pending} requests are waiting, which is the limit"
            _answer(connection, frame.id, _failed(StatusCode.OVERLOADED, problem, request))
            return
        left = None
        if request.deadline is not None:
            left = min(request.deadline - time.monotonic(), _LONGEST_S)
        if left is not None and left <= 0:
            _answer(connection, frame.id, _overdue(request))
            return
        size = len(frame.payload)
        if self._budget is not None and not self._budget.take(size):
            _answer(connection, frame.id, _failed(StatusCode.OVERLOADED, FULL, request))
            return
        peer.jobs[frame.id] = _Job(size=size)
        self._begin(connection, peer, frame.id, request, left)

    def _begin(
        self, connection: Connection, peer: _Peer, id: int, request: Request, left: float | None
    ) -> None:
        job = peer.jobs[id]
        self._pending += 1
        loop = asyncio.get_running_loop()
        job.task = loop.create_task(self._work(connection, id, request, job))
        if left is not None:
            job.timer = loop.call_later(left, self._expire, connection, id, request, job)

        # Not in `_work`: a task that is cancelled before its first step runs none of it.
        def ended(_: asyncio.Task[None]) -> None:
            self._pending -= 1
            del peer.jobs[id]
            if self._budget is not None:
                self._budget.give(job.size)
            if job.timer is not None:
                job.timer.cancel()
            self._close_if_done(connection, peer)
            self._changed.set()

        job.task.add_done_callback(ended)

    async def _work(self, connection: Connection, id: int, request: Request, job: _Job) -> None:
        try:
            response = await self._handler(request)
            parts = encode_response(id, response)
        except Exception as error:
            log.exception("a request to %s failed", request.endpoint)
            problem = f"{type(error).__name__}: {error}"
            parts = encode_response(id, _failed(StatusCode.INTERNAL, problem, request))
        if not job.is_answered:
            job.is_answered = True
            connection.send(id, parts)

    def _expire(self, connection: Connection, id: int, request: Request, job: _Job) -> None:
        if not job.is_answered:
            _answer(connection, id, _overdue(request))
        _abandon(job)

    def _close_if_done(self, connection: Connection, peer: _Peer) -> None:
        if self._is_draining and peer.knows_we_go and not peer.jobs:
            connection.close()


def _abandon(job: _Job) -> None:
    """Cancel a job whose answer nobody waits for."""
    job.is_answered = True
    if job.task is not None:
        job.task.cancel()


def _answer(connection: Connection, id: int, response: Response) -> None:
    connection.send(id, encode_response(id, response))


def _failed(code: StatusCode, problem: str, request: Request | None = None) -> Response:
    status = Status(code=code, description=problem)
    return Response(request_id=request.request_id if request else "", status=status)


def _overdue(request: Request) -> Response:
    return _failed(StatusCode.DEADLINE, "the deadline passed", request)


async def _unix_server(
    loop: asyncio.AbstractEventLoop, protocol: Callable[[], Connection], sock: socket.socket
) -> asyncio.AbstractServer:
    """Accept on a unix socket whose file belongs to who bound it, and stays when we close."""
    options: dict[str, Any] = {}
    if sys.version_info >= (3, 13) and isinstance(loop, asyncio.BaseEventLoop):
        options["cleanup_socket"] = False
    return await loop.create_unix_server(protocol, sock=sock, backlog=_BACKLOG, **options)


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), max(0.0, timeout_s))
    except TimeoutError:
        pass
