"""The side of our own protocol that accepts connections and answers."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from types import CoroutineType
from typing import Any, cast

from jina_cli.wire.alarm import NEVER, Alarm
from jina_cli.wire.budget import FULL, Budget, too_large
from jina_cli.wire.connection import Connection
from jina_cli.wire.frames import BadFrame, Frame, Kind, Oversized
from jina_cli.wire.jobs import Job, Peer, answer, bug, overdue
from jina_cli.wire.messages import Hello, Request, Respond, Response, StatusCode, Stream, failed
from jina_cli.wire.native import (
    decode_credit,
    decode_request,
    encode_hello,
    encode_response,
    encode_signal,
)
from jina_cli.wire.parts import Window, closing

MAX_CONNECTIONS = 1024
_BACKLOG = 1024
_REQUEST = Kind.REQUEST
_ACKNOWLEDGE_S = 1.0
"""How long an idle client is given to take note that we are going away."""


class Server:
    """Answer the requests of many connections, a bounded number at a time.

    Requests are worked on side by side: answers go out in the order in which they are ready.
    What the handler answers at once goes out before more is read, and is never `pending`.
    When a client cancels a request or goes away, its work is cancelled; when the deadline
    passes, the client is told so at once and the work is cancelled.

    Args:
        handler: Answers one request, at once or in a task. What it raises is answered with
            `INTERNAL`.
        stream: Answers in parts where the asker takes them; None answers whole even then.
        hello: What to say of ourselves on each new connection.
        max_queue: Requests that may be worked on; one more is answered `OVERLOADED`.
        max_message_bytes: The longest request; a longer one is answered `TOO_LARGE`.
        max_connections: Connections that may be open; one more is closed.
        budget: Room for the bytes of requests; one that finds none is answered `OVERLOADED`.
    """

    def __init__(
        self,
        handler: Respond,
        hello: Callable[[], Hello],
        *,
        max_queue: int,
        max_message_bytes: int,
        max_connections: int = MAX_CONNECTIONS,
        budget: Budget | None = None,
        stream: Stream | None = None,
    ) -> None:
        self._handler = handler
        self._stream = stream
        self._hello = hello
        self._max_queue = max_queue
        self._max_message_bytes = max_message_bytes
        self._max_connections = max_connections
        self._budget = budget
        self._listener: asyncio.AbstractServer | None = None
        self._peers: dict[Connection, Peer] = {}
        self._alarm = Alarm(self._expire)
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

    def announce(self) -> None:
        """Say `hello` again to all, since it has changed."""
        for connection in self._peers:
            connection.send(0, encode_hello(self._hello()))

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
        for job in [job for peer in self._peers.values() for job in peer.jobs.values()]:
            job.abandon()
        for connection in tuple(self._peers):
            connection.close()
        while self._pending:
            self._changed.clear()
            await self._changed.wait()
        self._alarm.stop()

    def made(self, connection: Connection) -> None:
        if len(self._peers) >= self._max_connections or self._is_draining:
            connection.abort()
            return
        self._peers[connection] = Peer()
        connection.send(0, encode_hello(self._hello()))

    def lost(self, connection: Connection) -> None:
        peer = self._peers.pop(connection, None)
        if peer is not None:
            for job in tuple(peer.jobs.values()):
                job.abandon()
        self._changed.set()

    def frame_received(self, connection: Connection, frame: Frame | Oversized) -> None:
        peer = self._peers.get(connection)
        if peer is None:
            return
        if type(frame) is Frame:
            if frame.kind is _REQUEST:
                self._ask(connection, peer, frame)
                return
            self._give(frame.held)
        match frame.kind:
            case Kind.REQUEST:
                answer(connection, frame.id, self._not_taken(cast(Oversized, frame)))
            case Kind.CANCEL:
                if job := peer.jobs.get(frame.id):
                    job.abandon()
            case Kind.CREDIT if isinstance(frame, Frame):
                job = peer.jobs.get(frame.id)
                if job is not None and job.window is not None:
                    job.window.taken(*decode_credit(frame))
            case Kind.PING:
                connection.send(0, encode_signal(Kind.PONG, frame.id))
            case Kind.GOAWAY:
                peer.knows_we_go = True
                self._close_if_done(connection, peer)
            case _:
                raise BadFrame(f"a client does not say {frame.kind.name}")

    def _protocol(self) -> Connection:
        limit, budget = self._max_message_bytes, self._budget
        return Connection(self, limit, throttles_reading=True, budget=budget)

    def _ask(self, connection: Connection, peer: Peer, frame: Frame) -> None:
        request = decode_request(frame)
        if frame.id in peer.jobs:
            raise BadFrame(f"two requests at a time have the id {frame.id}")
        size = frame.held or len(frame.payload)
        refused = self._refusal(request, 0 if frame.held else size)
        if refused is not None:
            self._give(frame.held)
            answer(connection, frame.id, refused)
            return
        job = Job(peer, connection, frame.id, request, size)
        if request.streamed and self._stream is not None:
            job.window = Window()
            self._begin(job, self._work_in_parts(job, self._stream, job.window))
            return
        try:
            answered = self._handler(request)
        except Exception as error:
            answered = bug(request, error)
        if isinstance(answered, Response):
            self._give(size)
            job.answer(answered)
        else:
            if isinstance(answered, CoroutineType):
                job.answering = answered
            self._begin(job, self._work(job, answered))

    def _refusal(self, request: Request, size: int) -> Response | None:
        """Return why a request is not worked on; None after room for `size` bytes was taken."""
        if self._pending >= self._max_queue:
            problem = f"{self._pending} requests are waiting, which is the limit"
            return failed(request, StatusCode.OVERLOADED, problem)
        if request.deadline is not None and request.deadline <= time.monotonic():
            return overdue(request)
        if self._budget is not None and size and not self._budget.take(size):
            return failed(request, StatusCode.OVERLOADED, FULL)
        return None

    def _begin(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        self._pending += 1
        job.peer.jobs[job.id] = job
        if job.request.deadline is not None:
            self._alarm.set(job.request.deadline)
        # Not at the end of the work: a task that is cancelled before it begins runs none of it.
        job.task = task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(lambda _: self._over(job))

    def _over(self, job: Job) -> None:
        self._pending -= 1
        del job.peer.jobs[job.id]
        # Its exception knows the frames that know the job: a circle that would outlive us both.
        job.task = None
        self._give(job.size)
        if self._is_draining:
            self._close_if_done(job.connection, job.peer)
        self._changed.set()

    def _give(self, size: int) -> None:
        if self._budget is not None and size:
            self._budget.give(size)

    async def _work(self, job: Job, answer: Awaitable[Response]) -> None:
        try:
            response = await answer
        except Exception as error:
            response = bug(job.request, error)
        job.answer(response)

    async def _work_in_parts(self, job: Job, stream: Stream, window: Window) -> None:
        end = Response(request_id=job.request.request_id)
        try:
            async with closing(stream(job.request)) as parts:
                async for part in parts:
                    if not part.status.ok:
                        end = part
                        break
                    frame = encode_response(job.id, part, Kind.PART)
                    await window.enter(len(part.body.data))
                    await job.connection.writable()
                    job.connection.send(job.id, frame)
        except Exception as error:
            end = bug(job.request, error)
        job.answer(end)

    def _expire(self, now: float) -> float:
        nearest = NEVER
        for peer in self._peers.values():
            for job in tuple(peer.jobs.values()):
                deadline = job.request.deadline
                if deadline is None or job.is_answered:
                    continue
                if deadline > now:
                    nearest = min(nearest, deadline)
                    continue
                job.answer(overdue(job.request))
                job.abandon()
        return nearest

    def _not_taken(self, frame: Oversized) -> Response:
        if frame.has_no_room:
            return failed(None, StatusCode.OVERLOADED, FULL)
        problem = too_large("the request", frame.size, self._max_message_bytes)
        return failed(None, StatusCode.TOO_LARGE, problem)

    def _close_if_done(self, connection: Connection, peer: Peer) -> None:
        if self._is_draining and peer.knows_we_go and not peer.jobs:
            connection.close()


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
        async with asyncio.timeout(max(0.0, timeout_s)):
            await event.wait()
    except TimeoutError:
        pass
