"""Grouping requests: the groups are pure, the batcher runs them in a loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from jina_cli.runtime.batching import Batcher, Groups


def test_a_group_goes_when_it_has_enough_documents() -> None:
    groups: Groups[str] = Groups(enough=3, patience_s=10)

    assert groups.add("k", "a", 2, now=0) is None
    full = groups.add("k", "b", 1, now=1)

    assert full is not None
    assert (full.items, full.count) == (["a", "b"], 3)
    assert groups.next_due is None


def test_items_of_different_keys_do_not_go_together() -> None:
    groups: Groups[str] = Groups(enough=2, patience_s=10)

    assert groups.add("k", "a", 1, now=0) is None
    assert groups.add("l", "b", 1, now=0) is None


def test_a_group_goes_when_its_first_item_has_waited_long_enough() -> None:
    groups: Groups[str] = Groups(enough=9, patience_s=10)
    groups.add("k", "a", 1, now=0)
    groups.add("k", "b", 1, now=9)
    groups.add("l", "c", 1, now=5)

    assert groups.next_due == 10
    assert groups.take_due(9.9) == []
    assert [group.items for group in groups.take_due(10)] == [["a", "b"]]
    assert groups.next_due == 15


class Upper:
    """Answers in capitals, and keeps what it was called with."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    async def __call__(self, items: Sequence[str]) -> list[str]:
        self.calls.append(list(items))
        return [item.upper() for item in items]


async def test_each_gets_the_answer_to_its_own_item() -> None:
    upper = Upper()
    batcher: Batcher[str, str] = Batcher(upper, enough=3, patience_s=60)

    answers = await asyncio.gather(*(batcher.submit("k", item, 1) for item in "abc"))

    assert answers == ["A", "B", "C"]
    assert upper.calls == [["a", "b", "c"]]


async def test_nobody_waits_longer_than_they_have_patience() -> None:
    upper = Upper()
    batcher: Batcher[str, str] = Batcher(upper, enough=99, patience_s=0.01)

    assert await asyncio.wait_for(batcher.submit("k", "a", 1), 5) == "A"


async def test_a_flush_lets_all_go() -> None:
    batcher: Batcher[str, str] = Batcher(Upper(), enough=99, patience_s=60)
    waiting = asyncio.create_task(batcher.submit("k", "a", 1))
    await asyncio.sleep(0)

    batcher.flush()

    assert await asyncio.wait_for(waiting, 5) == "A"


async def test_who_gave_up_is_not_called_for() -> None:
    upper = Upper()
    batcher: Batcher[str, str] = Batcher(upper, enough=2, patience_s=60)
    gone = asyncio.create_task(batcher.submit("k", "a", 1))
    await asyncio.sleep(0)
    gone.cancel()

    assert await batcher.submit("k", "b", 1) == "B"
    assert upper.calls == [["b"]]


async def test_a_failure_reaches_all_of_its_group() -> None:
    async def fail(items: Sequence[str]) -> list[str]:
        raise LookupError("no")

    batcher: Batcher[str, str] = Batcher(fail, enough=2, patience_s=60)

    answers = await asyncio.gather(
        batcher.submit("k", "a", 1), batcher.submit("k", "b", 1), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [LookupError, LookupError]


pytestmark = pytest.mark.anyio
