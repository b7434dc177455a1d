"""Many questions at a time, answers in order, bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from jina_cli.client.pump import Pump
from jina_cli.client.window import Window


async def _numbers(taken: list[int], count: int = 10**9) -> AsyncIterator[int]:
    for number in range(count):
        taken.append(number)
        yield number


def test_answers_come_in_the_order_of_the_questions() -> None:
    gates = [asyncio.Event() for _ in range(3)]

    async def ask(number: int) -> int:
        if number < 2:
            await gates[number + 1].wait()  # the last is answered first
        gates[number].set()
        return number * 10

    async def run() -> list[tuple[int, int]]:
        window = Window(ask, 3)
        return [pair async for pair in window.run(_numbers([], 3))]

    assert asyncio.run(run()) == [(0, 0), (1, 10), (2, 20)]


def test_no_more_questions_are_taken_than_the_window_is_wide() -> None:
    taken: list[int] = []
    running = 0
    most = 0

    async def ask(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return number

    async def run() -> None:
        async with aclosing(Window(ask, 3).run(_numbers(taken))) as answers:
            async for question, _ in answers:
                assert len(taken) <= question + 4
                if question == 50:
                    return

    asyncio.run(run())

    assert most <= 3


def test_an_answer_is_not_held_back_until_the_next_question() -> None:
    async def run() -> None:
        more = asyncio.Event()

        async def slow() -> AsyncIterator[int]:
            yield 1
            await more.wait()
            yield 2

        async def ask(number: int) -> int:
            return number

        answers = Window(ask, 4).run(slow())
        assert await anext(answers) == (1, 1)
        more.set()
        assert await anext(answers) == (2, 2)
        await answers.aclose()

    asyncio.run(asyncio.wait_for(run(), 5))


def test_a_failing_question_ends_all_after_the_answers_before_it() -> None:
    cancelled: list[int] = []
    seen: list[int] = []

    async def ask(number: int) -> int:
        if number == 1:
            raise ValueError("no")
        if number > 1:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(number)
                raise
        return number

    async def run() -> None:
        async for question, _ in Window(ask, 3).run(_numbers([])):
            seen.append(question)

    with pytest.raises(ValueError, match="no"):
        asyncio.run(run())

    assert seen == [0]
    assert cancelled[:1] == [2]


def test_what_the_source_raises_comes_after_its_last_answer() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise OSError("disk")

    async def ask(number: int) -> int:
        return number

    seen: list[int] = []

    async def run() -> None:
        async for question, _ in Window(ask, 2).run(Pump(source()).run()):
            seen.append(question)

    with pytest.raises(OSError, match="disk"):
        asyncio.run(run())

    assert seen == [1]


def test_a_pump_reads_only_a_little_ahead_and_closes_its_source() -> None:
    taken: list[int] = []
    closed: list[bool] = []

    def endless() -> Iterator[int]:
        number = 0
        try:
            while True:
                number += 1
                taken.append(number)
                yield number
        finally:
            closed.append(True)

    async def run() -> None:
        async with aclosing(Pump(endless(), ahead=2).run()) as items:
            async for item in items:
                assert taken[-1] <= item + 3
                if item == 20:
                    break
        while not closed:
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(run(), 5))


def test_no_question_is_asked_while_two_of_enough_bytes_are_under_way() -> None:
    sizes = [4, 4, 4, 50, 40, 30, 1, 1]
    under_way: list[int] = []
    before: list[tuple[int, ...]] = []

    async def ask(size: int) -> int:
        before.append(tuple(under_way))
        under_way.append(size)
        await asyncio.sleep(0)
        under_way.remove(size)
        return size

    async def source() -> AsyncIterator[int]:
        for size in sizes:
            yield size

    async def run() -> list[int]:
        window = Window(ask, 10, weigh=lambda size: size, max_bytes=10)
        return [answer async for _, answer in window.run(source())]

    assert asyncio.run(asyncio.wait_for(run(), 5)) == sizes
    assert all(len(those) < 2 or sum(those) < 10 for those in before)
    assert max(map(sum, before)) == 50


def test_answers_come_as_they_are_there_where_order_is_not_wanted() -> None:
    gates = [asyncio.Event() for _ in range(4)]

    async def ask(number: int) -> int:
        if number < 3:
            await gates[number + 1].wait()  # the last is answered first
        gates[number].set()
        return number

    async def run() -> list[int]:
        window = Window(ask, 4, ordered=False)
        return [answer async for _, answer in window.run(_numbers([], 4))]

    assert asyncio.run(asyncio.wait_for(run(), 5)) == [3, 2, 1, 0]


@pytest.mark.parametrize("ordered", [True, False])
def test_no_questions_have_no_answers(ordered: bool) -> None:
    async def ask(number: int) -> int:
        return number

    async def run() -> list[int]:
        window = Window(ask, 4, ordered=ordered)
        return [answer async for _, answer in window.run(_numbers([], 0))]

    assert asyncio.run(asyncio.wait_for(run(), 5)) == []
