"""Grouping requests that one call answers: those that wait for company, and those that don't."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


@dataclass(slots=True)
class Group(Generic[T]):
    """Items that go together.

    Attributes:
        due: When it goes at the latest, on the caller's clock.
        items: In the order they came.
        count: Documents in all of them, or what they weigh.
    """

    due: float
    items: list[T] = field(default_factory=list)
    count: float = 0


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

    def add(self, key: Hashable, item: T, count: float, now: float) -> Group[T] | None:
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


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[T, R]):
    item: T
    count: float
    future: asyncio.Future[R]


def stretches_of(weights: Sequence[float], most: float) -> list[slice]:
    """Return the documents of each call: each but the last weighs `most` or more.

    With documents that weigh 1, each call gets `most` of them at most.
    """
    found, begin, weight = list[slice](), 0, 0.0
    for place, one in enumerate(weights, 1):
        weight += one
        if weight >= most:
            found.append(slice(begin, place))
            begin, weight = place, 0.0
    if begin < len(weights) or not found:
        found.append(slice(begin, len(weights)))
    return found


class Company(Protocol[T_contra, R_co]):
    """Lets one call answer several requests."""

    async def submit(self, key: Hashable, item: T_contra, count: float) -> R_co:
        """Return the answer to an item; those with equal keys may go together.

        Raises:
            Exception: Whatever `run` raised for its group.
        """

    def flush(self) -> None:
        """Let all groups go now."""


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

    async def submit(self, key: Hashable, item: T, count: float) -> R:
        """Return the answer to an item, after its group was full or had waited long enough."""
        loop = asyncio.get_running_loop()
        waiting: _Waiting[T, R] = _Waiting(item, count, loop.create_future())
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
        if asked:
            await _settle(self._run, asked)


class Convoy(Generic[T, R]):
    """Lets what has come while others were worked on go together; nobody waits for company.

    Args:
        run: Answers a group: one answer for each item, in order. One group is at it at a time.
        enough: Documents of a group, unless its first item has more.
    """

    def __init__(
        self, run: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, enough: int
    ) -> None:
        self._run = run
        self._enough = enough
        self._waiting: dict[Hashable, deque[_Waiting[T, R]]] = {}
        self._is_busy = False
        self._running: set[asyncio.Task[None]] = set()

    async def submit(self, key: Hashable, item: T, count: float) -> R:
        """Return the answer to an item: now if nothing is worked on, else with the next group."""
        waiting: _Waiting[T, R] = _Waiting(item, count, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(key, deque()).append(waiting)
        if self._is_busy:
            return await waiting.future
        self._is_busy = True
        try:
            await asyncio.sleep(0)  # for those that came in the same breath
        except asyncio.CancelledError:
            waiting.future.cancel()
            self._go_on()
            raise
        group = self._take()
        if group != [waiting]:
            self._start(group)
            return await waiting.future
        try:  # as most are where there is no hurry: it needs no task of its own
            return (await self._run([item]))[0]
        finally:
            self._go_on()

    def flush(self) -> None:
        """Nobody is held back."""

    def _take(self) -> list[_Waiting[T, R]]:
        """Return the next group: those that wait longest with equal keys."""
        while self._waiting:
            key, queue = next(iter(self._waiting.items()))
            group, count = list[_Waiting[T, R]](), 0.0
            while queue and (not group or count + queue[0].count <= self._enough):
                waiting = queue.popleft()
                if not waiting.future.cancelled():
                    group.append(waiting)
                    count += waiting.count
            del self._waiting[key]
            if queue:
                self._waiting[key] = queue  # behind the others
            if group:
                return group
        return []

    def _go_on(self) -> None:
        group = self._take()
        if group:
            self._start(group)
        else:
            self._is_busy = False

    def _start(self, group: Sequence[_Waiting[T, R]]) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(group))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _answer(self, group: Sequence[_Waiting[T, R]]) -> None:
        try:
            await _settle(self._run, group)
        finally:
            self._go_on()


async def _settle(
    run: Callable[[Sequence[T]], Awaitable[Sequence[R]]], group: Sequence[_Waiting[T, R]]
) -> None:
    """Give each item its answer, or what was raised for all."""
    try:
        answers = await run([waiting.item for waiting in group])
    except Exception as error:
        for waiting in group:
            if not waiting.future.done():
                waiting.future.set_exception(error)
        return
    for waiting, answer in zip(group, answers, strict=True):
        if not waiting.future.done():
            waiting.future.set_result(answer)
