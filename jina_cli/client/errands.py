"""Work of the event loop that the thread which waits for it does meanwhile.

A caller's generators and callbacks run where the caller's other code runs, so that they may
use what belongs to one thread, as a connection to SQLite does.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

T = TypeVar("T")

_DONE = None


class _Exhausted(Exception):
    """Stands for StopIteration, which cannot be a future's."""


class Errands:
    """Hands work from an event loop to a thread that waits for the loop's answer."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    async def do(self, work: Callable[[], T]) -> T:
        """Have the waiting thread do something, and return its result; raises what it raises."""
        result: Future[T] = Future()

        def run() -> None:
            if not result.set_running_or_notify_cancel():
                return
            try:
                result.set_result(work())
            except Exception as error:
                result.set_exception(error)
            except BaseException:
                # Ctrl-C is for the waiting thread: in the loop's it would end the loop.
                result.cancel()
                raise

        self._work.put(run)
        return await asyncio.wrap_future(result)

    async def iterate(self, items: Iterator[T]) -> AsyncGenerator[T, None]:
        """Yield what an iterator gives, each item taken by the waiting thread."""

        def take() -> T:
            try:
                return next(items)
            except StopIteration:
                raise _Exhausted from None

        while True:
            try:
                item = await self.do(take)
            except _Exhausted:
                return
            yield item

    def wait(self, result: Future[T]) -> T:
        """Do what the loop hands over until `result` is there, and return it."""
        result.add_done_callback(lambda _: self._work.put(_DONE))
        try:
            while not result.done() or not self._work.empty():
                work = self._work.get()
                if work is not _DONE:
                    work()
        except BaseException:  # Ctrl-C, or SystemExit of a callback
            result.cancel()
            raise
        return result.result()


class Background:
    """An event loop in a thread of its own, started when it is first needed.

    It ends with `stop`, or when nobody holds it any more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: Callable[[], Any] = lambda: None

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin to run something on the loop; any thread may call this."""
        with self._lock:
            if self._loop is None:
                self._loop = _new_loop()
                thread = threading.Thread(
                    target=self._loop.run_forever, name="jina-client", daemon=True
                )
                self._end = weakref.finalize(self, _end, self._loop, thread)
                thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the loop, and return its result."""
        result = self.submit(work)
        try:
            return result.result()
        except CancelledError:
            raise
        except BaseException:
            result.cancel()
            raise

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop, while it runs."""
        return self._loop

    def stop(self) -> None:
        """End the loop; what runs on it is cancelled."""
        with self._lock:
            self._loop = None
            self._end()


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def _end(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    if thread is threading.current_thread():  # let go by something on the loop itself
        loop.stop()
        return
    asyncio.run_coroutine_threadsafe(_cancel_all(), loop)
    thread.join(5.0)
    if not thread.is_alive():
        loop.close()


async def _cancel_all() -> None:
    loop = asyncio.get_running_loop()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await loop.shutdown_asyncgens()
    loop.call_soon(loop.stop)
