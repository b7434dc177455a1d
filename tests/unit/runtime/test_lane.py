"""The thread for user code that may be slow."""

from __future__ import annotations

import asyncio
import threading

import pytest

from jina_cli.runtime.lane import Lane, Pace, run_through

pytestmark = pytest.mark.anyio


async def test_work_is_done_in_order_by_one_thread() -> None:
    lane, done = Lane(), list[tuple[int, str]]()

    def work(n: int) -> None:
        done.append((n, threading.current_thread().name))

    await asyncio.gather(*(lane.run(lambda n=n: work(n)) for n in range(5)))  # type: ignore[misc]

    assert done == [(n, "executor") for n in range(5)]
    assert lane.is_idle


async def test_the_loop_goes_on_while_work_hangs() -> None:
    lane, gate = Lane(), threading.Event()

    waiting = asyncio.create_task(lane.run(gate.wait))
    await asyncio.sleep(0.01)

    assert not lane.is_idle
    assert not waiting.done()
    gate.set()
    assert await waiting


async def test_several_threads_work_at_once() -> None:
    lane, both = Lane(threads=2), threading.Barrier(2)

    places = await asyncio.gather(lane.run(both.wait), lane.run(both.wait))

    assert sorted(places) == [0, 1]


async def test_what_work_raises_comes_out() -> None:
    with pytest.raises(LookupError, match="no"):
        await Lane().run(lambda: _raise(LookupError("no")))


async def test_work_that_nobody_waits_for_is_not_begun() -> None:
    lane, gate, begun = Lane(), threading.Event(), list[int]()
    first = asyncio.create_task(lane.run(gate.wait))
    second = asyncio.create_task(lane.run(lambda: begun.append(1)))
    await asyncio.sleep(0)

    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    gate.set()
    await first
    await lane.run(lambda: None)

    assert begun == []


def test_a_coroutine_that_never_suspends_is_run_through() -> None:
    async def answer() -> int:
        return 3

    async def suspends() -> None:
        await asyncio.sleep(0)

    assert run_through(answer()) == 3
    with pytest.raises(RuntimeError, match="use 'async def'"):
        run_through(suspends())


def test_nobody_is_fast_before_it_is_known() -> None:
    pace = Pace()

    for _ in range(7):
        pace.add(0.0001)
        assert not pace.is_fast
    pace.add(0.0001)
    assert pace.is_fast
    pace.add(1.0)
    assert not pace.is_fast


def _raise(error: Exception) -> None:
    raise error
