"""Calls under way, in the three shapes that Jina's services have.

Each is told of its stream's bytes, has the work done in tasks, and sends what comes of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from jina_cli.serve import grpc_framing as framing
from jina_cli.serve.grpc_framing import Abort, CallHead, Message, MessageReader, Packed, TooLong
from jina_cli.serve.guarded import told_of
from jina_cli.serve.http2.stream import Stream
from jina_cli.serve.limits import BODY_IDLE_S, RETRY_AFTER_S, too_large
from jina_cli.wire.budget import FULL, Budget
from jina_cli.wire.messages import GRPC_STATUS_KEY, Buffer, StatusCode

log = logging.getLogger(__name__)

WIDE_BYTES = 4 * 2**20
"""How far a client may be ahead in a message that is known to be long."""

UNREAD_BYTES = 4 * 2**20
"""What may wait to be read by the client before no more is worked on for it."""

_LOOP_BYTES = 256 * 1024
"""Larger messages are compressed and the like in a thread."""

_COMPRESSED_BYTES = 1024
"""Smaller answers are not worth it."""

_TOO_LARGE = ((GRPC_STATUS_KEY, StatusCode.TOO_LARGE.value),)
_OVERLOADED = ((GRPC_STATUS_KEY, StatusCode.OVERLOADED.value), ("retry-after", str(RETRY_AFTER_S)))

Parts = tuple[Buffer, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """One message of an answer.

    Attributes:
        parts: Its bytes, one after the other.
        trailing: Metadata for the end of the call.
    """

    parts: Parts
    trailing: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, kw_only=True, eq=False)
class Desk:
    """What calls share.

    Attributes:
        limit: Of a message.
        window: Requests of one stream that are worked on, or wait to be sent, at a time.
        stream_window: Bytes of one stream that come before any was consumed.
        budget: Room for the bytes of requests.
        compression: How answers are compressed where the client reads that; empty for not.
        calls: Those under way.
    """

    loop: asyncio.AbstractEventLoop
    limit: int
    window: int
    stream_window: int
    budget: Budget
    compression: bytes = b""
    calls: set[Call] = field(default_factory=set)


Unary = Callable[["Call", Buffer], Awaitable[Reply]]
"""Answers a message; an `Abort` out of it ends the call."""

Work = Callable[["Call", Buffer | TooLong], Awaitable[Reply]]
"""Answers one message of many; an `Abort` out of it ends the call."""

Streamed = Callable[["Call", Buffer], AsyncIterator[Reply]]
"""Answers a message by several."""


class Call:
    """One call. Its subclasses take in what the client sends.

    Attributes:
        deadline: By which the client wants its answer, on the loop's clock; None for never.
        heard_at: When the last bytes came, where more are awaited; None where not.
        metadata: Of the client, as far as it is passed on.
        last_read: When the client last said anything, where that matters for a drain.
    """

    last_read = 0.0

    def __init__(self, desk: Desk, stream: Stream, head: CallHead) -> None:
        self.desk = desk
        self.stream = stream
        self.head = head
        self.metadata = head.metadata
        self.heard_at: float | None = None
        self.deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._compression = desk.compression if desk.compression in head.accepts else b""
        self._is_begun = False
        self._is_ended = False
        if head.timeout_s is not None:
            self.deadline = desk.loop.time() + head.timeout_s
            self._timer = desk.loop.call_at(self.deadline, self._expire)

    @property
    def under_way(self) -> int:
        """Requests that have no answer yet."""
        return 1

    def lost(self) -> None:
        """The client has cancelled, or is gone."""
        self.end()

    def writable(self) -> None:
        """All that waited to be sent has been."""

    def tick(self, now: float) -> None:
        """Give up a client that does not end its message."""
        if self.heard_at is not None and now - self.heard_at > BODY_IDLE_S:
            self.abort(Abort(framing.CANCELLED, f"nothing came for {BODY_IDLE_S:.0f} s"))

    def abort(self, reason: Abort) -> None:
        """End the call with a status, after what is sent already."""
        if self._is_begun:
            self.stream.finish(reason.trailers())
        else:
            self.stream.refuse(reason.alone())
        self.end()

    def end(self) -> None:
        """Give up what is under way, and give back what is held."""
        if not self._is_ended:
            self._is_ended = True
            self.heard_at = None
            if self._timer is not None:
                self._timer.cancel()
            self._give_up()
            self.desk.calls.discard(self)

    def bug(self, error: Exception) -> Abort:
        """Log an error that is none of the client's, and return how the call ends."""
        log.error("%s failed in the Gateway", self.head.path, exc_info=error)
        return Abort(framing.INTERNAL, told_of(error))

    def _give_up(self) -> None:
        raise NotImplementedError

    def _expire(self) -> None:
        self._timer = None
        self.abort(Abort(framing.DEADLINE_EXCEEDED, "the deadline is over"))

    async def _plain(self, message: Message) -> Buffer | TooLong:
        """Return the bytes of a message that may be compressed or too long."""
        if isinstance(message, Packed):
            encoding, limit = self.head.encoding, self.desk.limit
            if len(message.data) <= _LOOP_BYTES and limit <= _LOOP_BYTES:
                return framing.unpacked(message, encoding, limit)
            return await asyncio.to_thread(framing.unpacked, message, encoding, limit)
        return message

    async def _framed(self, parts: Parts) -> Parts:
        """Return a message as it is sent."""
        size = sum(map(len, parts))
        if not self._compression or size < _COMPRESSED_BYTES:
            return framing.framed(parts)
        if size <= _LOOP_BYTES:
            data = framing.compressed(parts, self._compression)
        else:
            data = await asyncio.to_thread(framing.compressed, parts, self._compression)
        return framing.framed((data,), packed=True)

    def _head_block(self) -> bytes:
        return framing.HEADS[self._compression] if self._compression else framing.HEAD

    def _begin(self) -> None:
        if not self._is_begun:
            self._is_begun = True
            self.stream.send_head(self._head_block())


class SingleCall(Call):
    """A call whose client sends one message. Its subclasses say how it is answered."""

    def __init__(self, desk: Desk, stream: Stream, head: CallHead) -> None:
        super().__init__(desk, stream, head)
        self._reader: MessageReader | None = None
        self._message: Message | None = None
        self._task: asyncio.Task[None] | None = None
        self._held = 0

    def received(self, data: bytes, ended: bool) -> None:
        if self._is_ended:
            return
        if not self._may_hold(len(data)):
            self.abort(Abort(framing.RESOURCE_EXHAUSTED, FULL, _OVERLOADED))
            return
        try:
            message = framing.only_message(data) if ended and self._reader is None else None
            if message is not None and len(message) <= self.desk.limit:
                self._start(message)
            else:
                self._feed(data, ended)
        except Abort as abort:
            self.abort(abort)

    def _may_hold(self, size: int) -> bool:
        budget = self.desk.budget
        # Who alone holds all there is may go on: its own limit is another one.
        if self._held and self._held == budget.held:
            budget.held += size
        elif not budget.take(size):
            return False
        self._held += size
        return True

    def _feed(self, data: bytes, ended: bool) -> None:
        if self._reader is None:
            self._reader = MessageReader(self.desk.limit)
        messages = self._reader.feed(data)
        if self._reader.left and self._reader.size > self.desk.limit:
            raise Abort(framing.RESOURCE_EXHAUSTED, too_large(self.desk.limit), _TOO_LARGE)
        if len(messages) + (self._message is not None) > 1:
            raise Abort(framing.INVALID_ARGUMENT, "more than one message in a call of one")
        if messages:
            self._message = messages[0]
        if not ended:
            self.heard_at = self.desk.loop.time()
            self.stream.widen(min(WIDE_BYTES, self._reader.left))
            self.stream.consume(len(data))
        elif self._reader.is_midway or self._message is None:
            raise Abort(framing.INTERNAL, "the call has no whole message")
        else:
            self._start(self._message)

    def _start(self, message: Message) -> None:
        self.heard_at = None
        self._task = self.desk.loop.create_task(self._run(message))

    async def _run(self, message: Message) -> None:
        try:
            data = await self._plain(message) if type(message) is not bytes else message
            if isinstance(data, TooLong):
                raise Abort(framing.RESOURCE_EXHAUSTED, too_large(self.desk.limit), _TOO_LARGE)
            await self._answer(data)
        except Abort as abort:
            self._task = None
            self.abort(abort)
        except Exception as error:
            self._task = None
            self.abort(self.bug(error))
        else:
            self._task = None
            self.end()

    async def _answer(self, data: Buffer) -> None:
        raise NotImplementedError

    def _give_up(self) -> None:
        if self._task is not None:
            self._task.cancel()
        # What is here of a message is not left to the collector.
        self._reader = self._message = None
        self.desk.budget.give(self._held)
        self._held = 0


class UnaryCall(SingleCall):
    """One message, one answer."""

    def __init__(self, desk: Desk, stream: Stream, head: CallHead, handler: Unary) -> None:
        super().__init__(desk, stream, head)
        self._handler = handler

    async def _answer(self, data: Buffer) -> None:
        reply = await self._handler(self, data)
        if self._compression:
            parts = await self._framed(reply.parts)
        else:
            parts = framing.framed(reply.parts)
        end = framing.trailers(reply.trailing) if reply.trailing else framing.OK_TRAILERS
        self.stream.answer(self._head_block(), parts, end)


class StreamedCall(SingleCall):
    """One message, answered by several.

    Args:
        is_endless: Whether the answers go on until the client has enough: nobody waits for
            the end of such a call.
    """

    def __init__(
        self, desk: Desk, stream: Stream, head: CallHead, handler: Streamed, *, is_endless: bool
    ) -> None:
        super().__init__(desk, stream, head)
        self._handler = handler
        self._is_endless = is_endless
        self._is_writable = asyncio.Event()

    @property
    def under_way(self) -> int:
        return 0 if self._is_endless else 1

    def writable(self) -> None:
        self._is_writable.set()

    async def _answer(self, data: Buffer) -> None:
        trailing: tuple[tuple[str, str], ...] = ()
        replies = self._handler(self, data)
        try:
            async for reply in replies:
                parts = await self._framed(reply.parts)
                self._begin()
                self._is_writable.clear()
                self.stream.send(parts)
                trailing = reply.trailing or trailing
                if self.stream.pending:
                    await self._is_writable.wait()
        finally:
            close = getattr(replies, "aclose", None)
            if close is not None:
                await close()
        self._begin()
        self.stream.finish(framing.trailers(trailing))
