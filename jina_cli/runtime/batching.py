"""Grouping requests until there are enough documents, or the first has waited long enough."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class Group(Generic[T]):
    """Items that go together.

    Attributes:
        due: When it goes at the latest, on the caller's clock.
        items: In the order they came.
        count: Documents in all of them.
    """

    due: float
    items: list[T] = field(default_factory=list)
    count: int = 0


class Groups(Generic[T]):
    """Collects items under keys. No clock, no task: the caller says what time it is.

    Args:
        enough: Documents with which a group is full.
        patience_s: How long the first item of a group waits.
    """

    def __init__(self, enough: int, patience_s: float) -> None:
        self._enough = enough
        self._patience_s = patience_s
        self._groups: dict[Hashable, Group[T]] = {}

    def add(self, key: Hashable, item: T, count: int, now: float) -> Group[T] | None:
        """Put an item to those with the same key; return the group if it is full now."""
        group = self._groups.setdefault(key, Group(now + self._patience_s))
        group.items.append(item)
        group.count += count
        if group.count < self._enough:
            return None
        return self._groups.pop(key)

    def take_due(self, now: float) -> list[Group[T]]:
        """Return the groups that have waited long enough, the longest first."""
        due = [key for key, group in self._groups.items() if group.due <= now]
        return [self._groups.pop(key) for key in due]

    @property
    def next_due(self) -> float | None:
        """When the next group goes; None if there is none."""
        return min((group.due for group in self._groups.values()), default=None)


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T, R]):
    item: T
    future: asyncio.Future[R]


class Batcher(Generic[T, R]):
    """Lets one call answer several requests.

    Args:
        run: Answers a group: one answer for each item, in order.
        enough: Documents with which a group goes at once.
        patience_s: How long the first item of a group waits.
    """

    def __init__(
        self,
        run: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        *,
        enough: int,
        patience_s: float,
    ) -> None:
        self._run = run
        self._groups: Groups[_Waiting[T, R]] = Groups(enough, patience_s)
        self._timer: asyncio.TimerHandle | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def submit(self, key: Hashable, item: T, count: int) -> R:
        """Return the answer to an item, after its group was full or had waited long enough.

        Raises:
            Exception: Whatever `run` raised for its group.
        """
        loop = asyncio.get_running_loop()
        waiting: _Waiting[T, R] = _Waiting(item, loop.create_future())
        full = self._groups.add(key, waiting, count, loop.time())
        if full is not None:
            self._start(full)
        self._set_timer()
        return await waiting.future

    def flush(self) -> None:
        """Let all groups go now."""
        for group in self._groups.take_due(float("inf")):
            self._start(group)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._groups.next_due
        if due is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._on_time)

    def _on_time(self) -> None:
        for group in self._groups.take_due(asyncio.get_running_loop().time()):
            self._start(group)
        self._set_timer()

    def _start(self, group: Group[_Waiting[T, R]]) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(group.items))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _answer(self, items: Sequence[_Waiting[T, R]]) -> None:
        asked = [waiting for waiting in items if not waiting.future.cancelled()]
        if not asked:
            return
        try:
            answers = await self._run([waiting.item for waiting in asked])
        except Exception as error:
            for waiting in asked:
                if not waiting.future.done():
                    waiting.future.set_exception(error)
            return
        for waiting, answer in zip(asked, answers, strict=True):
            if not waiting.future.done():
                waiting.future.set_result(answer)
