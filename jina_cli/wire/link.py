"""The side of our own protocol that connects and asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from jina_cli.wire.connection import Connection
from jina_cli.wire.frames import BadFrame, Frame, Kind, Oversized
from jina_cli.wire.messages import Hello, Request, Response, Status, StatusCode
from jina_cli.wire.native import decode_hello, decode_response, encode_request, encode_signal

T = TypeVar("T")

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
HELLO_S = 30.0
"""How long a peer may take to say hello: it may be loading its Executor."""

SILENT_S = 10.0
"""A peer from which nothing is heard for so long, though it was pinged, is stopped or stuck.

User code that does not let go of the interpreter keeps a Pea silent too, so it is not short.
"""

_PINGS_IN_SILENCE = 5
"""How often a peer is pinged in the time after which it would count as silent."""

CONNECT_S = 5.0
_LONGEST_S = 1e6
_FIRST_BACKOFF_S = 0.01
_LAST_BACKOFF_S = 1.0


class LinkDown(ConnectionError):
    """There is no connection, or it broke while an answer was awaited.

    Attributes:
        was_sent: Whether the peer may have seen the request.
    """

    def __init__(self, was_sent: bool, *, address: str = "", reason: str = "") -> None:
        self.was_sent = was_sent
        self.address = address
        what = "broke" if was_sent else "is down"
        super().__init__(f"the connection to {address} {what}" + (f": {reason}" if reason else ""))


@dataclass(slots=True)
class _Waiter:
    """A request that waits for its answer."""

    answer: asyncio.Future[Response]
    request: Request


class Link:
    """One connection to a peer, kept up, on which many requests are under way at a time.

    It reconnects by itself, after 10 ms at first and up to 1 s. A peer that says it goes away
    is sent nothing new, answers what it has, and is then connected to again.

    Args:
        address: `unix:/path` or `tcp:host:port`.
        max_pending: Requests that may be under way; one more is answered `OVERLOADED`.
        max_message_bytes: The longest message; a longer one is answered `TOO_LARGE`.
        on_change: Called after `is_up` changed.
        silent_s: After how long without an answer to a ping the link counts as not up, until
            the peer is heard again; None pings nobody. What is under way goes on meanwhile.
    """

    def __init__(
        self,
        address: str,
        *,
        max_pending: int = 256,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        on_change: Callable[[Link], None] | None = None,
        silent_s: float | None = None,
    ) -> None:
        self.address = address
        self._target = parse_address(address)
        self._max_pending = max_pending
        self._max_message_bytes = max_message_bytes
        self._on_change = on_change
        self._silent_s = silent_s
        self._heard = 0
        self._is_leaving = False
        self._connection: Connection | None = None
        self._hello: Hello | None = None
        self._waiters: dict[int, _Waiter] = {}
        self._pings: dict[int, asyncio.Future[None]] = {}
        self._last_id = 0
        self._greeted: asyncio.Future[Hello] | None = None
        self._lost = asyncio.Event()
        self._up = asyncio.Event()
        self._problem = "it was not started"
        self._task: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        """Whether a request would be sent at once."""
        return self._up.is_set()

    @property
    def hello(self) -> Hello | None:
        """What the peer last said of itself; None before it did."""
        return self._hello

    @property
    def outstanding(self) -> int:
        """Requests that are under way."""
        return len(self._waiters)

    def start(self) -> None:
        """Begin to connect, and to stay connected."""
        if self._task is None:
            self._problem = "it is being made"
            self._task = asyncio.get_running_loop().create_task(self._stay_connected())

    async def wait_up(self, timeout_s: float) -> Hello:
        """Return the peer's hello as soon as the connection is up.

        Raises:
            TimeoutError: It was not up in time; the message says what stands in the way.
        """
        try:
            await asyncio.wait_for(self._up.wait(), timeout_s)
        except TimeoutError:
            raise TimeoutError(f"{self.address} is not up: {self._problem}") from None
        if self._hello is None:
            raise TimeoutError(f"{self.address} is not up: {self._problem}")
        return self._hello

    async def request(self, request: Request) -> Response:
        """Ask, and return the answer; cancelling this tells the peer to stop.

        A full link, a message over the limit and a deadline that passed are answers too, with
        the status that says so.

        Raises:
            LinkDown: There is no connection, or it broke. See its `was_sent`.
            BadFrame: The request's parameters cannot be written.
        """
        connection = self._connection
        if connection is None or not self.is_up:
            raise self._down(was_sent=False)
        if len(self._waiters) >= self._max_pending:
            problem = f"{len(self._waiters)} requests wait for {self.address}"
            return _failed(request, StatusCode.OVERLOADED, problem)
        id = self._new_id()
        parts = encode_request(id, request)
        size = sum(map(len, parts))
        if size > self._max_message_bytes:
            problem = f"the request has {size} bytes, over the limit of {self._max_message_bytes}"
            return _failed(request, StatusCode.TOO_LARGE, problem)
        loop = asyncio.get_running_loop()
        waiter = self._waiters[id] = _Waiter(loop.create_future(), request)
        timer = None
        if request.deadline is not None:
            left = min(max(0.0, request.deadline - time.monotonic()), _LONGEST_S)
            timer = loop.call_later(left, self._expire, id)
        connection.send(id, parts)
        try:
            return await waiter.answer
        except asyncio.CancelledError:
            self._take_back(id)
            raise
        finally:
            self._waiters.pop(id, None)
            if timer is not None:
                timer.cancel()

    async def ping(self, timeout_s: float) -> float:
        """Return how many seconds the peer's event loop takes to answer.

        Raises:
            LinkDown: There is no connection, or it broke.
            TimeoutError: No answer came in time.
        """
        connection = self._connection
        if connection is None:
            raise self._down(was_sent=False)
        id = self._new_id()
        begin = time.monotonic()
        self._pings[id] = pong = asyncio.get_running_loop().create_future()
        connection.send(0, encode_signal(Kind.PING, id))
        try:
            await asyncio.wait_for(pong, timeout_s)
        finally:
            self._pings.pop(id, None)
        return time.monotonic() - begin

    async def close(self) -> None:
        """Close the connection; what waits for an answer raises `LinkDown`."""
        self._problem = "it was closed"
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._connection is not None:
            self._connection.close()
        self._fail_all()
        self._set_up(False)

    def made(self, connection: Connection) -> None:
        self._connection = connection
        self._is_leaving = False

    def lost(self, connection: Connection) -> None:
        if connection is not self._connection:
            return
        if self._greeted is not None and not self._greeted.done():
            self._greeted.set_exception(ConnectionError("it was closed before the peer's hello"))
        self._problem = "the peer closed it"
        self._fail_all(connection.unsent())
        self._connection = None
        self._set_up(False)
        self._lost.set()

    def frame_received(self, connection: Connection, frame: Frame | Oversized) -> None:
        self._heard += 1
        match frame:
            case Frame(kind=Kind.RESPONSE):
                if waiter := self._waiters.get(frame.id):
                    _set(waiter.answer, decode_response(frame))
            case Oversized(kind=Kind.RESPONSE):
                if waiter := self._waiters.get(frame.id):
                    problem = f"the answer has {frame.size} bytes, over the limit"
                    _set(waiter.answer, _failed(waiter.request, StatusCode.TOO_LARGE, problem))
            case Frame(kind=Kind.HELLO):
                self._greet(decode_hello(frame))
            case Frame(kind=Kind.PONG):
                if pong := self._pings.get(frame.id):
                    _set(pong, None)
            case Frame(kind=Kind.GOAWAY):
                self._problem = "the peer is going away"
                self._is_leaving = True
                self._set_up(False)
                connection.send(0, encode_signal(Kind.GOAWAY))
            case _:
                raise BadFrame(f"a server does not say {frame.kind.name}")

    async def _stay_connected(self) -> None:
        backoff_s = _FIRST_BACKOFF_S
        while True:
            try:
                await self._connect()
            except (OSError, TimeoutError, BadFrame) as error:
                self._problem = str(error) or type(error).__name__
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, _LAST_BACKOFF_S)
                continue
            backoff_s = _FIRST_BACKOFF_S
            if self._silent_s is not None:
                await self._watch(self._silent_s)
            await self._lost.wait()
            await asyncio.sleep(backoff_s)

    async def _watch(self, silent_s: float) -> None:
        """Count the peer as up only while it is heard; return when the connection is lost."""
        while not self._lost.is_set():
            try:
                await asyncio.wait_for(self._lost.wait(), silent_s / _PINGS_IN_SILENCE)
            except TimeoutError:
                await self._look_after(silent_s)

    async def _look_after(self, silent_s: float) -> None:
        heard_before = self._heard
        try:
            await self.ping(silent_s)
        except LinkDown:
            return
        except TimeoutError:
            # The answer to the ping may stand behind others that come in.
            if self._heard == heard_before and self._connection is not None:
                self._problem = f"nothing was heard of the peer for {silent_s:g} s"
                self._set_up(False)
                return
        if self._connection is not None and not self._is_leaving:
            self._set_up(True)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._lost.clear()
        self._greeted = loop.create_future()

        def protocol() -> Connection:
            return Connection(self, self._max_message_bytes, throttles_reading=False)

        async with asyncio.timeout(CONNECT_S):
            if isinstance(self._target, str):
                _, connection = await loop.create_unix_connection(protocol, self._target)
            else:
                _, connection = await loop.create_connection(protocol, *self._target)
        try:
            async with asyncio.timeout(HELLO_S):
                await self._greeted
        except BaseException:
            connection.abort()
            raise

    def _greet(self, hello: Hello) -> None:
        self._hello = hello
        if self._greeted is not None and not self._greeted.done():
            self._greeted.set_result(hello)
        self._set_up(True)

    def _set_up(self, is_up: bool) -> None:
        if is_up == self.is_up:
            return
        if is_up:
            self._up.set()
        else:
            self._up.clear()
        if self._on_change is not None:
            self._on_change(self)

    def _new_id(self) -> int:
        while True:
            self._last_id = self._last_id % 0xFFFF_FFFF + 1
            if self._last_id not in self._waiters:
                return self._last_id

    def _expire(self, id: int) -> None:
        if waiter := self._waiters.get(id):
            self._take_back(id)
            _set(waiter.answer, _failed(waiter.request, StatusCode.DEADLINE, "the deadline passed"))

    def _take_back(self, id: int) -> None:
        connection = self._connection
        if connection is not None and not connection.take_back(id):
            connection.send(0, encode_signal(Kind.CANCEL, id))

    def _down(self, *, was_sent: bool) -> LinkDown:
        return LinkDown(was_sent, address=self.address, reason=self._problem)

    def _fail_all(self, unsent: frozenset[int] = frozenset()) -> None:
        for id, waiter in self._waiters.items():
            if not waiter.answer.done():
                down = self._down(was_sent=id not in unsent)
                waiter.answer.set_exception(down)
        for pong in self._pings.values():
            if not pong.done():
                pong.set_exception(self._down(was_sent=True))


def parse_address(address: str) -> str | tuple[str, int]:
    """Return the path of `unix:/path`, or host and port of `tcp:host:port`.

    Raises:
        ValueError: It is neither.
    """
    kind, _, rest = address.partition(":")
    if kind == "unix" and rest:
        return rest
    host, _, port = rest.rpartition(":")
    if kind == "tcp" and host and port.isdecimal() and len(port) < 6 and int(port) < 65_536:
        return host.strip("[]"), int(port)
    raise ValueError(f"{address!r} is neither 'unix:/path' nor 'tcp:host:port'")


def _set(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _failed(request: Request, code: StatusCode, problem: str) -> Response:
    status = Status(code=code, description=problem)
    return Response(request_id=request.request_id, status=status)
