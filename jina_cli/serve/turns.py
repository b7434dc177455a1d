"""Requests of one stream: worked on side by side, answered in the order in which they came."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from jina_cli.serve.slots import Slots
from jina_cli.wire.budget import Budget

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Turn(Generic[T]):
    """One request, and its place among the answers.

    Attributes:
        held: What of the budget and of the slots it takes, until it is released.
        answer: As it is to be sent, once it is there.
        task: Of the work, as long as it goes on.
    """

    held: int
    answer: T | None = None
    task: asyncio.Task[None] | None = None
    is_released: bool = False


class Turns(Generic[T]):
    """The requests of a stream that were begun and whose answers are not sent.

    Args:
        slots: One of them belongs to each request until it is released.
        budget: In which it is counted as long.
    """

    def __init__(self, slots: Slots, budget: Budget) -> None:
        self._slots = slots
        self._budget = budget
        self._turns: deque[Turn[T]] = deque()

    def __len__(self) -> int:
        return len(self._turns)

    def add(self, turn: Turn[T]) -> None:
        """Have a request answered after those that were added before."""
        self._turns.append(turn)

    def release(self, turn: Turn[T]) -> None:
        """Give back what a request holds; only the first time does."""
        if not turn.is_released:
            turn.is_released = True
            self._budget.give(turn.held)
            self._slots.give(turn.held)

    def next(self) -> T | None:
        """Return the answer that is to be sent now; None while it is not there."""
        return self._turns[0].answer if self._turns else None

    def sent(self) -> None:
        """Go on to the request after the one whose answer was sent.

        Not before: sending may call back who asks whether any request is left.
        """
        if self._turns:  # all may have been given up meanwhile
            self._turns.popleft()

    def give_up(self) -> None:
        """Cancel all work, and release what it holds: nobody waits for answers."""
        turns = list(self._turns)
        self._turns.clear()
        for turn in turns:
            if turn.task is not None:
                turn.task.cancel()
            self.release(turn)
