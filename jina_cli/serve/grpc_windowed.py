"""A stream of requests: many at a time, answers in the order of the requests."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass

from jina_cli.serve import grpc_framing as framing
from jina_cli.serve.grpc_calls import UNREAD_BYTES, WIDE_BYTES, Call, Desk, Parts, Work
from jina_cli.serve.grpc_framing import Abort, CallHead, Message, MessageReader, Packed
from jina_cli.serve.http2.stream import Stream
from jina_cli.serve.slots import Slots
from jina_cli.serve.turns import Turn, Turns
from jina_cli.wire.budget import FULL

log = logging.getLogger(__name__)

QUIET_S = 0.25
"""A stream without a request for this long, and with nothing under way, ends in a drain."""

_ROOM_S = 10.0
"""How long a message may wait, half here, for memory to take in the rest."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A message that is here and not yet worked on.

    Attributes:
        held: What of it is counted in the budget.
        rest: What of it is not, and was not given back to the client as room either.
    """

    message: Message
    held: int
    rest: int


class StreamCall(Call):
    """A call whose client sends any number of messages, each answered by one.

    Args:
        work: Answers one message; an `Abort` out of it ends the call.
        slots: Shared by all streams.
    """

    def __init__(
        self, desk: Desk, stream: Stream, head: CallHead, *, work: Work, slots: Slots
    ) -> None:
        super().__init__(desk, stream, head)
        self._work = work
        self._slots = slots
        self._reader = MessageReader(desk.limit)
        self._waiting: deque[_Waiting] = deque()
        self._turns: Turns[Parts] = Turns(slots, desk.budget)
        self._all_read = False
        # Of the message that is only half here: given back to the client, and counted.
        self._passed = 0
        self._held = 0
        self._waiter: asyncio.Task[None] | None = None
        self._trailing: dict[str, str] = {}
        self._is_sending = False
        self.is_queued = False
        self.last_read = desk.loop.time()

    @property
    def under_way(self) -> int:
        """Requests that have no answer yet."""
        return len(self._turns) + len(self._waiting)

    def received(self, data: bytes, ended: bool) -> None:
        if self._is_ended:
            return
        self._all_read = ended
        self.last_read = self.desk.loop.time()
        try:
            if data:
                self._cut(data)
            if ended and self._reader.is_midway:
                raise Abort(framing.INTERNAL, "the stream ends within a message")
        except Abort as abort:
            self.abort(abort)
            return
        self.heard_at = self.last_read if self._reader.is_midway else None
        self.advance()

    def advance(self) -> None:
        """Begin as many of the messages that wait as there is room for."""
        waiting = self._waiting
        while waiting and not self._is_ended:
            if len(self._turns) >= self.desk.window or self.stream.pending > UNREAD_BYTES:
                return
            size = waiting[0].held + waiting[0].rest
            if not self._slots.take(self, size):
                return
            if not self._admit(waiting[0]):
                self._slots.give(size)
                return
            self._begin_turn(waiting.popleft())
        self._take_part()
        if self._all_read and not self._turns and not self._is_ended:
            self._begin()
            trailing = tuple(self._trailing.items())
            end = framing.trailers(trailing) if trailing else framing.OK_TRAILERS
            self.stream.finish(end)
            self.end()

    def writable(self) -> None:
        self._send_answers()
        self.advance()

    def tick(self, now: float) -> None:
        if self._waiter is None and not self._waiting:
            super().tick(now)
        elif self.heard_at is not None:
            self.heard_at = now  # it is us who does not let more come

    def _cut(self, data: bytes) -> None:
        for message in self._reader.feed(data):
            rest = framing.wire_size(message) - self._passed
            self._waiting.append(_Waiting(message, self._held, rest))
            self._passed = self._held = 0
        self._take_part()

    def _take_part(self) -> None:
        """Let more of a long message come, when there is memory for what is here of it.

        No more of it comes while others wait before it.
        """
        if self._waiting or self._is_ended:
            return
        reader = self._reader
        if not reader.left or reader.size * 2 < self.desk.stream_window or self._waiter is not None:
            return
        part = framing.PREFIX_BYTES + reader.size - reader.left - self._passed
        if reader.size > self.desk.limit:
            self._pass_on(part)  # its bytes are not kept
        elif self.desk.budget.take(part):
            self._held += part
            self._pass_on(part)
        else:
            self._waiter = self.desk.loop.create_task(self._wait_to_take(part))

    def _pass_on(self, size: int) -> None:
        self._passed += size
        self.stream.widen(min(WIDE_BYTES, self._reader.left))
        self.stream.consume(size)

    async def _wait_to_take(self, size: int) -> None:
        budget, before = self.desk.budget, self._passed
        try:
            async with asyncio.timeout(_ROOM_S):
                await budget.wait(size)
        except TimeoutError:
            self._waiter = None
            self.abort(Abort(framing.RESOURCE_EXHAUSTED, FULL))
            return
        self._waiter = None
        if self._reader.left and self._passed == before:
            self._held += size
            self._pass_on(size)
        else:
            budget.give(size)  # the message was short of no more than this, and is here
        self._take_part()
        self.advance()

    def _admit(self, waiting: _Waiting) -> bool:
        """Count a message, and let the client send as much more; False while there is no room."""
        if self._waiter is not None:
            return False
        if not self.desk.budget.take(waiting.rest):
            self._waiter = self.desk.loop.create_task(self._wait_to_admit(waiting))
            return False
        self._admitted(waiting)
        return True

    def _admitted(self, waiting: _Waiting) -> None:
        waiting.held += waiting.rest
        self.stream.consume(waiting.rest)
        waiting.rest = 0

    async def _wait_to_admit(self, waiting: _Waiting) -> None:
        await self.desk.budget.wait(waiting.rest)
        self._waiter = None
        self._admitted(waiting)
        self._take_part()
        self.advance()

    def _begin_turn(self, waiting: _Waiting) -> None:
        turn: Turn[Parts] = Turn(waiting.held)
        self._turns.add(turn)
        turn.task = self.desk.loop.create_task(self._run(turn, waiting.message))

    async def _run(self, turn: Turn[Parts], message: Message) -> None:
        try:
            data = await self._plain(message) if isinstance(message, Packed) else message
            reply = await self._work(self, data)
            if self._compression:
                turn.answer = await self._framed(reply.parts)
            else:
                turn.answer = framing.framed(reply.parts)
            if reply.trailing:
                self._trailing.update(reply.trailing)
        except Abort as abort:
            turn.task = None
            self.abort(abort)
        except Exception as error:
            turn.task = None
            self.abort(self.bug(error))
        else:
            turn.task = None
            self._send_answers()
        finally:
            self._turns.release(turn)
        self.advance()

    def _send_answers(self) -> None:
        if self._is_sending:
            return  # the stream calls `writable` back while it is given a long answer
        self._is_sending = True
        while self.stream.pending <= UNREAD_BYTES and (answer := self._turns.next()) is not None:
            self._begin()
            self.stream.send(answer)
            self._turns.sent()
        self._is_sending = False

    def _give_up(self) -> None:
        if self._waiter is not None:
            self._waiter.cancel()
        self._turns.give_up()
        held = self._held + sum(waiting.held for waiting in self._waiting)
        if held:
            self.desk.budget.give(held)
        self._waiting.clear()
        self._reader = MessageReader(self.desk.limit)  # what is half here is not kept
        self._held = 0
