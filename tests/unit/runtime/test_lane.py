"""The thread for user code that may be slow."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import pytest

from jina_cli.drivers.base import settled
from jina_cli.runtime.lane import Begun, Lane, Pace

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


class Body:
    """Something that a request holds."""


async def test_what_a_cancelled_request_holds_is_freed_while_another_hangs() -> None:
    lane, gate = Lane(), threading.Event()
    hanging = asyncio.create_task(lane.run(gate.wait))
    body = Body()
    held = weakref.ref(body)
    waiting = asyncio.create_task(lane.run(lambda body=body: body))  # type: ignore[misc]
    del body
    await asyncio.sleep(0)
    assert held() is not None

    waiting.cancel()
    await asyncio.wait([waiting])
    del waiting
    gc.collect()

    assert held() is None
    assert not lane.is_idle
    gate.set()
    await hanging


async def test_what_never_waits_is_over_as_soon_as_it_is_begun() -> None:
    done = []

    async def answer() -> int:
        done.append(1)
        return 3

    begun = Begun(answer())

    assert done == [1]
    assert await begun == 3


async def test_what_was_begun_in_a_thread_goes_on_in_the_loop() -> None:
    main = threading.current_thread()

    async def answer() -> list[bool]:
        places = [threading.current_thread() is main]
        await settled(asyncio.sleep(0))
        return [*places, threading.current_thread() is main]

    assert await (await Lane().run(lambda: Begun(answer()))) == [False, True]


async def test_what_was_begun_can_be_cancelled_and_can_catch_it() -> None:
    async def answer() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "tidied up"
        return ""

    async def wait(begun: Begun[str]) -> str:
        return await begun

    waiting = asyncio.create_task(wait(Begun(answer())))
    await asyncio.sleep(0)
    waiting.cancel()

    assert await waiting == "tidied up"


def test_one_call_that_the_machine_held_up_makes_nobody_slow_and_three_do() -> None:
    pace = Pace()
    for _ in range(8):
        pace.add(0.0001)

    pace.add(0.03)

    assert pace.is_fast
    pace.add(0.03)
    pace.add(0.03)
    assert not pace.is_fast


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
