"""Where Executors are called: in the event loop, or beside it in the lane."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, TypeVar

from jina_cli.drivers.base import Done
from jina_cli.executors.calls import Call, Handler
from jina_cli.runtime.lane import Begun, Lane, Pace

log = logging.getLogger(__name__)

T = TypeVar("T")

_IN_A_ROW = 8
"""Steps of a generator that the event loop takes before it looks after others."""


class Places:
    """Calls asynchronous handlers in the loop, and synchronous ones so that it is not held up.

    A synchronous one runs in the loop while it is known to be fast and nothing else of its
    kind is at work, else in the lane.

    Args:
        lane: For synchronous handlers.
        allow_concurrent: Whether several may be at work at once.
    """

    def __init__(self, lane: Lane, *, allow_concurrent: bool = False) -> None:
        self._lane = lane
        self._allow_concurrent = allow_concurrent
        self._paces: dict[Handler, Pace] = {}

    async def call(self, handler: Handler, call: Call) -> Done:
        if handler.is_async:
            return await handler(call)
        return await self.run(self.pace_of(handler), lambda: handler(call))

    async def parts(self, handler: Handler, call: Call) -> AsyncGenerator[Done, None]:
        """Yield what a handler yields, step by step, each asked for when it is wanted.

        Closing this ends it: an asynchronous one at once, a synchronous one as soon as the
        step that it is at is over; nobody waits for that.
        """
        stream = handler.stream(call)
        if handler.is_async:
            try:
                async for done in stream:
                    yield done
            finally:
                await stream.aclose()
            return
        steps = _Steps(stream)
        pace = self.pace_of(handler)
        try:
            while True:
                for _ in range(_IN_A_ROW):
                    part = await self.run(pace, steps.next)
                    if part is None:
                        return
                    yield part
                await asyncio.sleep(0)
        finally:
            if not steps.is_over:
                self._lane.post(steps.close)

    async def run(
        self, pace: Pace, work: Callable[[], Coroutine[Any, Any, T]], *, is_small: bool = True
    ) -> T:
        """Return what a coroutine returns that suspends only if user code returns an awaitable.

        Args:
            pace: How long the like of it takes.
            work: Makes the coroutine.
            is_small: Whether it may be worked on in the loop at all.
        """

        # Fast work that came into the lane does not keep what comes after it out of the loop.
        while is_small and pace.is_fast and self._lane.is_brief and not self.is_free(pace):
            await self._lane.changed()
        if is_small and self.is_free(pace):
            return await begun(pace, work)
        is_brief = is_small and pace.is_fast
        return await (await self._lane.run(lambda: begun(pace, work), is_brief=is_brief))

    def is_free(self, pace: Pace) -> bool:
        """Say whether work of such a pace may be done in the loop now."""
        return pace.is_fast and (self._allow_concurrent or self._lane.is_idle)

    def pace_of(self, handler: Handler) -> Pace:
        """Return how long the calls of a handler take."""
        pace = self._paces.get(handler)
        if pace is None:
            pace = self._paces[handler] = Pace()
        return pace


def begun(pace: Pace, work: Callable[[], Coroutine[Any, Any, T]]) -> Begun[T]:
    """Return a coroutine that has run as far as it does at once, which took part in the pace."""
    start = time.perf_counter()
    try:
        return Begun(work())
    finally:
        pace.add(time.perf_counter() - start)


class _Steps:
    """A synchronous stream, taken step by step in any thread, and closed by any other."""

    def __init__(self, stream: AsyncGenerator[Done, None]) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self.is_over = False

    async def next(self) -> Done | None:
        """Return the next part; None at the end."""
        with self._lock:
            try:
                return await anext(self._stream)
            except BaseException as error:
                self.is_over = True
                if isinstance(error, StopAsyncIteration):
                    return None
                raise

    def close(self) -> None:
        """End the stream, once the step is over that it is at."""
        with self._lock:
            try:
                self._stream.aclose().send(None)
            except StopIteration:
                pass
            except Exception:
                log.exception("a generator failed when it was closed")
            self.is_over = True
