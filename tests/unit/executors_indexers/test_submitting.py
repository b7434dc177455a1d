"""In what order changes to an index are made ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from jina_cli.executors.indexers.submitting import Submitter

pytestmark = pytest.mark.anyio


async def test_an_update_waits_for_changes_that_nobody_waits_for_any_more() -> None:
    submitter = Submitter()
    first, second = Future[int](), Future[int]()
    called, is_called = [], asyncio.Event()

    def read() -> Future[int]:
        called.append((first.done(), second.done()))
        return _over(3)

    try:
        waiting = asyncio.ensure_future(submitter(_queues(first, asyncio.Event())))
        left = asyncio.ensure_future(submitter(_queues(second, is_called)))
        await is_called.wait()
        await asyncio.sleep(0)  # it waits for the change now
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        reading = asyncio.ensure_future(submitter(read, after_all=True))

        # As the writer does, which takes all that wait before it makes one.
        assert first.set_running_or_notify_cancel()
        assert second.set_running_or_notify_cancel()
        first.set_result(1)
        second.set_result(2)

        assert [await waiting, await reading] == [1, 3]
        assert called == [(True, True)]
    finally:
        submitter.close()


def _queues(change: Future[int], is_called: asyncio.Event) -> Callable[[], Future[int]]:
    loop = asyncio.get_running_loop()

    def submit() -> Future[int]:
        loop.call_soon_threadsafe(is_called.set)
        return change

    return submit


def _over(result: int) -> Future[int]:
    over = Future[int]()
    over.set_result(result)
    return over
