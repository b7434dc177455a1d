"""Blocking sources read in a thread of their own, a little ahead of who wants them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Stopped(Exception):
    """Nobody wants more."""


class Pump(Generic[T]):
    """Iterate over something that blocks, such as stdin, without blocking the event loop.

    The thread is a daemon: one that hangs in a read does not keep the process alive.

    Args:
        items: Iterated over in the thread, and closed there if it can be.
        ahead: How many items may wait.
    """

    def __init__(self, items: Iterable[T], *, ahead: int = 2) -> None:
        self._items = items
        self._places = threading.Semaphore(ahead)
        self._stop = threading.Event()

    async def run(self) -> AsyncIterator[T]:
        """Yield the items; raises what iterating raised."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Callable[[], T]] = asyncio.Queue()

        def hand_over(give: Callable[[], T]) -> None:
            try:
                loop.call_soon_threadsafe(queue.put_nowait, give)
            except RuntimeError as error:  # the loop is closed
                raise _Stopped from error

        thread = threading.Thread(target=self._pump, args=(hand_over,), name="reader", daemon=True)
        thread.start()
        try:
            while True:
                give = await queue.get()
                try:
                    item = give()
                except StopAsyncIteration:
                    return
                yield item
                self._places.release()
        finally:
            self._stop.set()
            self._places.release()

    def _pump(self, hand_over: Callable[[Callable[[], T]], None]) -> None:
        try:
            for item in self._items:
                self._places.acquire()
                if self._stop.is_set():
                    return
                hand_over(lambda item=item: item)  # type: ignore[misc]
            hand_over(_raiser(StopAsyncIteration()))
        except _Stopped:
            pass
        except Exception as error:
            try:
                hand_over(_raiser(error))
            except _Stopped:
                pass
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()


def _raiser(error: Exception) -> Callable[[], Any]:
    def give() -> Any:
        raise error

    return give
