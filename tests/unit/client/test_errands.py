"""What the waiting thread does for the event loop."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from jina_cli.client.errands import Background, Errands


@pytest.fixture
def background() -> Iterator[Background]:
    found = Background()
    yield found
    found.stop()


def test_an_errand_runs_in_the_thread_that_waits(background: Background) -> None:
    errands = Errands()

    async def work() -> tuple[str, str]:
        there = await errands.do(lambda: threading.current_thread().name)
        return there, threading.current_thread().name

    waiting, loop = errands.wait(background.submit(work()))

    assert waiting == threading.current_thread().name != loop


def test_an_iterator_is_read_in_the_thread_that_waits_and_as_far_as_it_is_wanted(
    background: Background,
) -> None:
    errands = Errands()
    threads: list[str] = []

    def endless() -> Iterator[int]:
        number = 0
        while True:
            threads.append(threading.current_thread().name)
            yield (number := number + 1)

    async def work() -> list[int]:
        found: list[int] = []
        async for number in errands.iterate(endless()):
            found.append(number)
            if number == 3:
                break
        return found

    assert errands.wait(background.submit(work())) == [1, 2, 3]
    assert threads == [threading.current_thread().name] * 3


def test_what_an_errand_raises_is_raised_where_it_was_asked_for(background: Background) -> None:
    errands = Errands()

    def fail() -> None:
        raise ValueError("no")

    async def work() -> str:
        with pytest.raises(ValueError, match="no"):
            await errands.do(fail)
        return "caught"

    assert errands.wait(background.submit(work())) == "caught"


def test_ctrl_c_in_an_errand_ends_the_wait_and_cancels_the_work(background: Background) -> None:
    errands = Errands()
    cancelled = threading.Event()

    def interrupt() -> None:
        raise KeyboardInterrupt

    async def work() -> None:
        doing = asyncio.ensure_future(errands.do(interrupt))
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        finally:
            doing.cancel()

    with pytest.raises(KeyboardInterrupt):
        errands.wait(background.submit(work()))
    assert cancelled.wait(5)


def test_a_loop_that_nobody_holds_ends() -> None:
    background = Background()

    async def thread() -> threading.Thread:
        return threading.current_thread()

    running = background.run(thread())
    held = weakref.ref(background)
    del background
    gc.collect()

    running.join(5)
    assert held() is None
    assert not running.is_alive()


def test_a_stopped_loop_is_made_anew(background: Background) -> None:
    async def one() -> int:
        return 1

    assert background.run(one()) == 1
    background.stop()
    assert background.loop is None
    assert background.run(one()) == 1
