"""A thread of our own for user code that may be slow, so that the event loop stays awake."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Job:
    """`work` is None once nobody waits for it: what it holds must not wait for its turn."""

    work: Callable[[], Any] | None
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    is_brief: bool


class Lane:
    """Runs functions in order, in one thread or in a few.

    The threads are daemons: one that hangs does not keep the process from ending.

    Args:
        threads: How many functions may run at once.
    """

    def __init__(self, threads: int = 1) -> None:
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._limit = threads
        self._started = 0
        self._pending = 0
        self._long = 0
        self._changed = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs or waits here."""
        return self._pending == 0

    @property
    def is_brief(self) -> bool:
        """Whether all that runs or waits here is known to be fast."""
        return self._long == 0

    async def changed(self) -> None:
        """Return when this is idle, or no longer brief."""
        await self._changed.wait()

    async def run(self, work: Callable[[], T], *, is_brief: bool = False) -> T:
        """Return what `work` returns, once its turn came.

        Cancelled before its turn, it is not run at all; cancelled later, it runs on and its
        result is dropped.

        Args:
            is_brief: Whether it is known to be fast.

        Raises:
            BaseException: Whatever it raised.
        """
        job = self._put(work, is_brief)
        try:
            result: T = await job.future
            return result
        finally:
            job.work = None

    def post(self, work: Callable[[], None]) -> None:
        """Let `work`, which raises nothing, be done once its turn came; nobody waits for it."""
        self._put(work)

    def _put(self, work: Callable[[], Any], is_brief: bool = False) -> _Job:
        loop = asyncio.get_running_loop()
        self._count(1, is_brief)
        if self._started < min(self._limit, self._pending):
            self._started += 1
            threading.Thread(target=self._work, name="executor", daemon=True).start()
        # What stands in the context of the request, a span for one, is there in the thread too.
        job = _Job(partial(copy_context().run, work), loop.create_future(), loop, is_brief)
        self._jobs.put(job)
        return job

    def _count(self, more: int, is_brief: bool) -> None:
        self._pending += more
        if not is_brief:
            self._long += more
        if self._pending and not self._long:
            self._changed.clear()
        else:
            self._changed.set()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            result: Any = None
            error: BaseException | None = None
            work = job.work
            if work is not None:
                try:
                    result = work()
                except BaseException as raised:  # SystemExit too: the loop's thread raises it again
                    error = raised
            try:
                job.loop.call_soon_threadsafe(self._finish, job, result, error)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more

    def _finish(self, job: _Job, result: Any, error: BaseException | None) -> None:
        future = job.future
        self._count(-1, job.is_brief)
        if isinstance(error, SystemExit | KeyboardInterrupt):
            raise error
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)


class Begun(Generic[T]):
    """A coroutine that has run as far as it does without waiting: to its end, as a rule.

    It may be begun in any thread; awaiting it gives the result, and runs the rest of it where
    there is one.

    Attributes:
        is_over: Whether it has returned.

    Raises:
        BaseException: Whatever it raised so far.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self.is_over = False
        self._take(coroutine.send, None)

    @property
    def result(self) -> T:
        """What it returned, once it is over."""
        return self._result

    def __await__(self) -> Generator[Any, Any, T]:
        while not self.is_over:
            try:
                sent = yield self._awaited
            except BaseException as error:
                self._take(self._coroutine.throw, error)
            else:
                self._take(self._coroutine.send, sent)
        return self._result

    def _take(self, step: Callable[[Any], Any], given: Any) -> None:
        try:
            self._awaited = step(given)
        except StopIteration as end:
            self._result: T = end.value
            self.is_over = True


@dataclass(slots=True)
class Pace:
    """How long the calls of one endpoint take.

    Attributes:
        mean_s: Moving average, in seconds.
        calls: Calls so far.
    """

    mean_s: float = 0.0
    calls: int = 0

    def add(self, seconds: float) -> None:
        """Take note of a call.

        One that took some milliseconds counts for few of them: as likely as not the machine
        was busy with something else, and if not, the next calls tell.
        """
        self.calls += 1
        if _SLOW_S < seconds < _ENDLESS_S:
            seconds = _SLOW_S
        self.mean_s += (seconds - self.mean_s) / min(self.calls, _WINDOW)

    @property
    def is_fast(self) -> bool:
        """Whether the event loop can wait for it. Nobody is fast before it is known."""
        return self.calls >= _WINDOW and self.mean_s < _FAST_S


_WINDOW = 8
_FAST_S = 0.001
_SLOW_S = 4 * _FAST_S
_ENDLESS_S = 50 * _FAST_S
