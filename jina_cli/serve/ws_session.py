"""What is said on one WebSocket: many requests at a time, answers in their order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from jina_cli.serve.guarded import guarded
from jina_cli.serve.limits import too_large
from jina_cli.serve.slots import Slots
from jina_cli.serve.turns import Turn, Turns
from jina_cli.serve.ws_dialect import Dialect, refusal
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.budget import Budget
from jina_cli.wire.jina3_status import write_status
from jina_cli.wire.messages import Answer, BadMessage, Request, Response, Status, StatusCode

log = logging.getLogger(__name__)


class Line(Protocol):
    """The connection below a session."""

    @property
    def is_clogged(self) -> bool:
        """Whether the client does not read what it was sent."""
        ...

    def send(self, data: bytes) -> None: ...

    def read_on(self) -> None:
        """Give more messages to the session, which waits for some."""
        ...

    def end(self) -> None:
        """Close, as all is said."""
        ...


class Session(Protocol):
    """What a WebSocket is used for."""

    @property
    def under_way(self) -> int:
        """Requests that have no answer yet."""
        ...

    @property
    def wants_more(self) -> bool:
        """Whether there is room for another message."""
        ...

    def begin(self, line: Line) -> None: ...

    def received(self, message: bytes, held: int) -> None:
        """Take a message; `held` of the budget is given back when it is answered."""
        ...

    def advance(self) -> None:
        """Go on, where something stood in the way that may be gone."""
        ...

    def cancel(self) -> None:
        """Give up all work: nobody waits for it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Bounds of a session.

    Attributes:
        window: Requests of one WebSocket that are worked on at a time.
        max_message_bytes: The limit of an answer.
        deadline_s: For requests that bring none.
    """

    window: int
    max_message_bytes: int
    deadline_s: float


class RequestSession:
    """Requests in, answers out, until the client says that no other follows.

    Args:
        answer: Carries a request through the Flow.
        dialect: How messages are written.
        slots: Shared by all sessions.
        budget: In which messages are counted.
        metadata: What the handshake had to be passed on with each request.
    """

    def __init__(
        self,
        answer: Answer,
        dialect: Dialect,
        settings: SessionSettings,
        *,
        slots: Slots,
        budget: Budget,
        metadata: Mapping[str, str],
    ) -> None:
        self._answer = answer
        self._dialect = dialect
        self._settings = settings
        self._slots = slots
        self._budget = budget
        self._metadata = metadata
        self._line: Line | None = None
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._turns: Turns[bytes] = Turns(slots, budget)
        self._all_read = False
        self.is_queued = False

    @property
    def under_way(self) -> int:
        return len(self._turns) + len(self._waiting)

    @property
    def wants_more(self) -> bool:
        return not self._waiting

    def begin(self, line: Line) -> None:
        self._line = line

    def received(self, message: bytes, held: int) -> None:
        if self._all_read or self._line is None:
            self._budget.give(held)
            return
        self._waiting.append((message, held))
        self.advance()

    def advance(self) -> None:
        """Begin as many of the messages that wait as there is room for."""
        line, waiting = self._line, self._waiting
        if line is None:
            return
        while waiting and not line.is_clogged and len(self._turns) < self._settings.window:
            if not self._slots.take(self, waiting[0][1]):
                break
            self._begin_turn(*waiting.popleft())
        self._send_answers(line)
        if self._all_read and not self._turns:
            line.end()
        elif not waiting:
            line.read_on()

    def cancel(self) -> None:
        self._line = None
        waiting = list(self._waiting)
        self._waiting.clear()
        for _, held in waiting:
            self._budget.give(held)
        self._turns.give_up()

    def _begin_turn(self, message: bytes, held: int) -> None:
        turn: Turn[bytes] = Turn(held)
        deadline_s = self._settings.deadline_s
        try:
            request = self._dialect.read(message, metadata=self._metadata, deadline_s=deadline_s)
        except BadMessage as error:
            status = Status(code=StatusCode.INVALID, description=str(error))
            turn.answer = refusal(self._dialect, status)
        else:
            if request is None:
                self._end_of_input()
            else:
                turn.task = asyncio.get_running_loop().create_task(self._run(turn, request))
                self._turns.add(turn)
                return
        if turn.answer is not None:
            self._turns.add(turn)
        self._turns.release(turn)

    def _end_of_input(self) -> None:
        self._all_read = True
        for _, held in self._waiting:
            self._budget.give(held)
        self._waiting.clear()

    async def _run(self, turn: Turn[bytes], request: Request) -> None:
        try:
            response = await guarded(self._answer, request)
            turn.answer = self._written(request, response)
        finally:
            turn.task = None
            self._turns.release(turn)
        self.advance()

    def _written(self, request: Request, response: Response) -> bytes:
        limit = self._settings.max_message_bytes
        try:
            answer = self._dialect.write(request, response)
        except ValueError as error:
            log.exception("the answer to %s cannot be written", request.request_id)
            status = Status(code=StatusCode.INTERNAL, description=str(error), pod="gateway")
        else:
            if len(answer) <= limit:
                return answer
            status = Status(code=StatusCode.TOO_LARGE, description=too_large(limit))
        return refusal(self._dialect, status, request)

    def _send_answers(self, line: Line) -> None:
        while not line.is_clogged and (answer := self._turns.next()) is not None:
            line.send(answer)
            self._turns.sent()


class DryRunSession:
    """Tells once whether the whole Flow answers, as a serialised StatusProto.

    Args:
        answer: Carries the dry run through the Flow.
        budget: In which messages are counted.
    """

    wants_more = True

    def __init__(self, answer: Answer, budget: Budget) -> None:
        self._answer = answer
        self._budget = budget
        self._task: asyncio.Task[None] | None = None
        self._line: Line | None = None

    @property
    def under_way(self) -> int:
        return int(self._task is not None)

    def begin(self, line: Line) -> None:
        self._line = line
        self._task = asyncio.get_running_loop().create_task(self._tell(line))

    def received(self, message: bytes, held: int) -> None:
        """Jina's client sends an empty message, before or after it has its answer."""
        self._budget.give(held)

    def advance(self) -> None:
        if self._line is not None:
            self._line.read_on()

    def cancel(self) -> None:
        self._line = None
        if self._task is not None:
            self._task.cancel()

    async def _tell(self, line: Line) -> None:
        try:
            response = await guarded(self._answer, Request(endpoint=DRY_RUN_ENDPOINT))
        finally:
            self._task = None
        line.send(write_status(response.status))
        line.end()
