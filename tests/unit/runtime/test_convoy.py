"""Requests that came while others were worked on, and what goes together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from jina_cli.runtime.batching import Convoy, stretches_of

pytestmark = pytest.mark.anyio


class Kitchen:
    """Works on a group until it is let go; keeps what it was given."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.gate = asyncio.Semaphore(0)

    async def __call__(self, items: Sequence[str]) -> Sequence[str]:
        self.groups.append(list(items))
        await self.gate.acquire()
        if "bad" in items:
            raise LookupError("bad")
        return [item.upper() for item in items]

    def let_all_go(self) -> None:
        for _ in range(100):
            self.gate.release()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_first_does_not_wait_for_company() -> None:
    kitchen = Kitchen()
    kitchen.let_all_go()

    assert await Convoy(kitchen, enough=8).submit("k", "a", 1) == "A"


async def test_what_comes_in_the_same_breath_goes_together() -> None:
    kitchen = Kitchen()
    kitchen.let_all_go()
    convoy = Convoy(kitchen, enough=8)

    answers = await asyncio.gather(*(convoy.submit("k", item, 1) for item in "abc"))

    assert (answers, kitchen.groups) == (["A", "B", "C"], [["a", "b", "c"]])


async def test_what_comes_meanwhile_goes_next_as_much_as_is_enough() -> None:
    kitchen = Kitchen()
    convoy = Convoy(kitchen, enough=3)
    first = asyncio.create_task(convoy.submit("k", "a", 1))
    await settle()
    rest = [asyncio.create_task(convoy.submit("k", item, 1)) for item in "bcdef"]
    await settle()
    assert kitchen.groups == [["a"]]

    kitchen.let_all_go()
    await asyncio.gather(first, *rest)

    assert kitchen.groups == [["a"], ["b", "c", "d"], ["e", "f"]]


async def test_keys_take_turns_and_one_with_more_than_enough_goes_alone() -> None:
    kitchen = Kitchen()
    convoy = Convoy(kitchen, enough=2)
    first = asyncio.create_task(convoy.submit("x", "a", 1))
    await settle()
    asked = [("x", "b", 5), ("y", "c", 1), ("x", "d", 1), ("y", "e", 1)]
    rest = [asyncio.create_task(convoy.submit(*one)) for one in asked]
    await settle()

    kitchen.let_all_go()
    await asyncio.gather(first, *rest)

    assert kitchen.groups == [["a"], ["b"], ["c", "e"], ["d"]]


async def test_what_goes_wrong_is_told_to_the_group_alone() -> None:
    kitchen = Kitchen()
    convoy = Convoy(kitchen, enough=2)
    first = asyncio.create_task(convoy.submit("k", "a", 1))
    await settle()
    rest = [asyncio.create_task(convoy.submit("k", item, 1)) for item in ("bad", "b", "c")]
    await settle()

    kitchen.let_all_go()
    answers = await asyncio.gather(first, *rest, return_exceptions=True)

    assert [str(answer) for answer in answers] == ["A", "bad", "bad", "C"]


@pytest.mark.parametrize("late", [False, True])
async def test_who_leaves_holds_up_nobody(late: bool) -> None:
    kitchen = Kitchen()
    convoy = Convoy(kitchen, enough=2)
    first = asyncio.create_task(convoy.submit("k", "a", 1))
    if late:
        await settle()
    second = asyncio.create_task(convoy.submit("k", "b", 1))
    gone = asyncio.create_task(convoy.submit("k", "c", 1))
    await asyncio.sleep(0)

    first.cancel()
    gone.cancel()
    await settle()
    kitchen.let_all_go()

    assert await asyncio.wait_for(second, 5) == "B"
    assert await asyncio.wait_for(convoy.submit("k", "d", 1), 5) == "D"


def test_a_call_ends_with_the_document_that_makes_it_heavy_enough() -> None:
    def lengths(weights: Sequence[float], most: float) -> list[int]:
        return [part.stop - part.start for part in stretches_of(weights, most)]

    assert lengths([1] * 5, 2) == [2, 2, 1]
    assert lengths([1] * 4, 2) == [2, 2]
    assert lengths([5, 1, 1, 3], 4) == [1, 3]
    assert lengths([], 4) == [0]
