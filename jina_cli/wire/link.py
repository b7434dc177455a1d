"""The side of our own protocol that connects and asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from jina_cli.wire.address import LinkDown, parse_address
from jina_cli.wire.alarm import Alarm
from jina_cli.wire.asked import WINDOW_REQUESTS, Asked, InParts, Waiter, Whole
from jina_cli.wire.budget import too_large
from jina_cli.wire.connection import Connection
from jina_cli.wire.dialing import HELLO_S, Backoff, dial
from jina_cli.wire.frames import BadFrame, Frame, Kind, Oversized
from jina_cli.wire.messages import Hello, Request, Response, StatusCode, failed
from jina_cli.wire.native import (
    decode_hello,
    decode_response,
    encode_credit,
    encode_request,
    encode_signal,
)
from jina_cli.wire.parts import Inbox
from jina_cli.wire.pings import Pings

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
SILENT_S = 10.0
"""A peer from which nothing is heard for so long, though it was pinged, is stopped or stuck.

User code that does not let go of the interpreter keeps a Pea silent too, so it is not short.
"""

_PINGS_IN_SILENCE = 5
"""How often a peer is pinged in the time after which it would count as silent."""

_RESPONSE = Kind.RESPONSE


class Link:
    """One connection to a peer, kept up, on which many requests are under way at a time.

    It reconnects by itself, after 10 ms at first and up to 1 s; so it does, too, where the peer
    greets and is gone again. A peer that says it goes away
    is sent nothing new, answers what it has, and is then connected to again.

    Args:
        address: `unix:/path` or `tcp:host:port`.
        max_pending: Requests that may be under way; one more is answered `OVERLOADED`.
        max_message_bytes: The longest message; a longer one is answered `TOO_LARGE`.
        on_change: Called after `is_up` or `hello` changed.
        silent_s: After how long without an answer to a ping the link counts as not up, until
            the peer is heard again; None pings nobody. What is under way goes on meanwhile.
        with_routes: Whether anybody looks at the steps that an answer took.
    """

    def __init__(
        self,
        address: str,
        *,
        max_pending: int = 256,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        on_change: Callable[[Link], None] | None = None,
        silent_s: float | None = None,
        with_routes: bool = True,
    ) -> None:
        self.address = address
        self._with_routes = with_routes
        self._target = parse_address(address)
        self._max_pending = max_pending
        self._max_message_bytes = max_message_bytes
        self._on_change = on_change
        self._silent_s = silent_s
        self._heard = 0
        self._is_leaving = False
        self._connection: Connection | None = None
        self._hello: Hello | None = None
        self._asked = Asked()
        self._alarm = Alarm(self._expire)
        self._pings = Pings()
        self._last_id = 0
        self._greeted: asyncio.Future[Hello] | None = None
        self._lost = asyncio.Event()
        self._up = asyncio.Event()
        self._problem = "it was not started"
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop
        self.is_up = False
        """Whether a request would be sent at once."""

    @property
    def is_ready(self) -> bool:
        """Whether a request would be sent at once, and the peer has all that it needs."""
        return self.is_up and self._hello is not None and self._hello.is_ready

    @property
    def hello(self) -> Hello | None:
        """What the peer last said of itself; None before it did."""
        return self._hello

    @property
    def outstanding(self) -> int:
        """Requests that are under way."""
        return self._asked.count

    def start(self) -> None:
        """Begin to connect, and to stay connected."""
        if self._task is None:
            self._problem = "it is being made"
            self._loop = asyncio.get_running_loop()
            self._task = self._loop.create_task(self._stay_connected())

    async def wait_up(self, timeout_s: float) -> Hello:
        """Return the peer's hello as soon as the connection is up.

        Raises:
            TimeoutError: It was not up in time; the message says what stands in the way.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._up.wait()
        except TimeoutError:
            raise TimeoutError(f"{self.address} is not up: {self._problem}") from None
        if self._hello is None:
            raise TimeoutError(f"{self.address} is not up: {self._problem}")
        return self._hello

    async def request(self, request: Request, *, is_patient: bool = True) -> Response:
        """Ask, and return the answer; cancelling this tells the peer to stop.

        A full link, a message over the limit and a deadline that passed are answers too, with
        the status that says so. Where the peer has no room the request waits for it.

        Args:
            is_patient: Whether to wait on for a peer that falls silent.

        Raises:
            LinkDown: There is no connection, or it broke. See its `was_sent`.
            BadFrame: The request's parameters cannot be written.
        """
        refused = self._refusal(request)
        if refused is not None:
            return refused
        waiter = Whole(request, self._loop, is_patient)
        self._ask(waiter)
        try:
            return await waiter.answer
        finally:
            self._forget(waiter)

    async def stream(self, request: Request, *, is_patient: bool = True) -> AsyncIterator[Response]:
        """Ask, and yield the answer's parts as they come; closing this tells the peer to stop.

        The peer sends no more than a few parts that were not taken. A part whose status is
        not OK is the last; the last one may also have marks and no documents.

        Args:
            is_patient: Whether to wait on for a peer that falls silent before its first part.

        Raises:
            LinkDown: There is no connection, or it broke. See its `was_sent`.
            BadFrame: The request's parameters cannot be written.
        """
        refused = self._refusal(request)
        if refused is not None:
            yield refused
            return
        inbox = Inbox(lambda parts, size: self._give_credit(waiter, parts, size))
        waiter = InParts(request, inbox, is_patient)
        self._ask(waiter)
        try:
            while (part := await inbox.next()) is not None:
                yield part
                if not part.status.ok:
                    return
        finally:
            self._forget(waiter)

    async def ping(self, timeout_s: float) -> float:
        """Return how many seconds the peer's event loop takes to answer.

        Raises:
            LinkDown: There is no connection, or it broke.
            TimeoutError: No answer came in time.
        """
        connection = self._connection
        if connection is None:
            raise self._down(was_sent=False)
        id = self._asked.new_id()
        connection.send(0, encode_signal(Kind.PING, id))
        return await self._pings.wait(id, timeout_s)

    async def close(self) -> None:
        """Close the connection; what waits for an answer raises `LinkDown`."""
        self._problem = "it was closed"
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._connection is not None:
            self._connection.close()
        self._fail_all()
        self._alarm.stop()
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
        if type(frame) is Frame and frame.kind is _RESPONSE:
            if (waiter := self._asked.get(frame.id)) is not None:
                waiter.end(decode_response(frame, with_routes=self._with_routes))
            return
        match frame:
            case Frame(kind=Kind.PART):
                if waiter := self._asked.get(frame.id):
                    part = decode_response(frame, with_routes=self._with_routes)
                    waiter.part(part, len(frame.payload))
                    self._asked.release(waiter)
                    self._send_waiting()
            case Oversized(kind=Kind.RESPONSE | Kind.PART):
                if waiter := self._asked.get(frame.id):
                    problem = too_large("the answer", frame.size, self._max_message_bytes)
                    waiter.end(failed(waiter.request, StatusCode.TOO_LARGE, problem))
            case Frame(kind=Kind.HELLO):
                self._greet(decode_hello(frame))
            case Frame(kind=Kind.PONG):
                self._pings.answered(frame.id)
            case Frame(kind=Kind.GOAWAY):
                self._problem = "the peer is going away"
                self._is_leaving = True
                self._set_up(False)
                self._let_go(sent=False)
                connection.send(0, encode_signal(Kind.GOAWAY))
            case _:
                raise BadFrame(f"a server does not say {frame.kind.name}")

    async def _stay_connected(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._connect()
            except (OSError, TimeoutError, BadFrame) as error:
                self._problem = str(error) or type(error).__name__
            else:
                began = time.monotonic()
                if self._silent_s is not None:
                    await self._watch(self._silent_s)
                await self._lost.wait()
                backoff.lasted(time.monotonic() - began)
            await backoff.wait()

    async def _watch(self, silent_s: float) -> None:
        """Count the peer as up only while it is heard; return when the connection is lost."""
        while not self._lost.is_set():
            try:
                # Not `wait_for`: before Python 3.12 it may swallow being cancelled.
                async with asyncio.timeout(silent_s / _PINGS_IN_SILENCE):
                    await self._lost.wait()
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
                self._let_go(sent=True)
                return
        if self._connection is not None and not self._is_leaving:
            self._set_up(True)

    async def _connect(self) -> None:
        self._lost.clear()
        self._greeted = asyncio.get_running_loop().create_future()
        connection = await dial(
            self._target,
            lambda: Connection(self, self._max_message_bytes, throttles_reading=False),
        )
        try:
            async with asyncio.timeout(HELLO_S):
                await self._greeted
        except BaseException:
            connection.abort()
            raise

    def _greet(self, hello: Hello) -> None:
        is_news = self._hello is not None and self._hello != hello and self.is_up
        self._hello = hello
        self._asked.window = hello.window or WINDOW_REQUESTS
        if self._greeted is not None and not self._greeted.done():
            self._greeted.set_result(hello)
        if is_news and self._on_change is not None:
            self._on_change(self)
        if not self._is_leaving:
            self._set_up(True)

    def _set_up(self, is_up: bool) -> None:
        if is_up == self.is_up:
            return
        self.is_up = is_up
        if is_up:
            self._up.set()
        else:
            self._up.clear()
        if self._on_change is not None:
            self._on_change(self)

    def _refusal(self, request: Request) -> Response | None:
        """Return why `request` cannot even wait here.

        Raises:
            LinkDown: There is no connection.
        """
        if self._connection is None or not self.is_up:
            raise self._down(was_sent=False)
        if self._asked.count >= self._max_pending:
            problem = f"{self._asked.count} requests wait for {self.address}"
            return failed(request, StatusCode.OVERLOADED, problem)
        return None

    def _ask(self, waiter: Waiter) -> None:
        if waiter.request.deadline is not None:
            self._alarm.set(waiter.request.deadline)
        if self._asked.add(waiter):
            self._send(waiter)

    def _send(self, waiter: Waiter) -> None:
        """Send what has room now; what cannot be sent is over."""
        request = waiter.request
        try:
            parts = encode_request(waiter.id, request)
        except BadFrame as error:
            waiter.end(error)
            return
        size = len(parts[0]) if len(parts) == 1 else sum(map(len, parts))
        if size > self._max_message_bytes:
            problem = too_large("the request", size, self._max_message_bytes)
            waiter.end(failed(request, StatusCode.TOO_LARGE, problem))
        elif self._connection is not None:
            self._connection.send(waiter.id, parts, is_alone=self._asked.count == 1)

    def _forget(self, waiter: Waiter) -> None:
        """Take `waiter` out, and tell the peer where it still works on it."""
        if waiter.is_sent and not waiter.is_settled:
            self._take_back(waiter.id)
        if self._asked.remove(waiter):
            self._send_waiting()

    def _send_waiting(self) -> None:
        while (waiter := self._asked.next()) is not None:
            self._send(waiter)

    def _give_credit(self, waiter: Waiter, parts: int, size: int) -> None:
        if self._connection is not None:
            self._connection.send(waiter.id, encode_credit(waiter.id, parts, size))

    def _expire(self, now: float) -> float:
        overdue, nearest = self._asked.overdue(now)
        for waiter in overdue:
            waiter.give_up(failed(waiter.request, StatusCode.DEADLINE, "the deadline passed"))
        return nearest

    def _take_back(self, id: int) -> None:
        connection = self._connection
        if connection is not None and not connection.take_back(id):
            connection.send(0, encode_signal(Kind.CANCEL, id))

    def _down(self, *, was_sent: bool) -> LinkDown:
        return LinkDown(was_sent, address=self.address, reason=self._problem)

    def _fail_all(self, unsent: frozenset[int] = frozenset()) -> None:
        for waiter in self._asked:
            waiter.end(self._down(was_sent=waiter.is_sent and waiter.id not in unsent))
        self._pings.fail(self._down(was_sent=True))

    def _let_go(self, *, sent: bool) -> None:
        """Let go what was not sent, or also what need not wait for a peer that is not heard."""
        for waiter in self._asked:
            if not waiter.is_sent or (sent and not waiter.is_patient):
                waiter.give_up(self._down(was_sent=waiter.is_sent))
