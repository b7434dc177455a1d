"""The room for the bytes of all requests."""

from __future__ import annotations

import asyncio

import pytest

from jina_cli.wire.budget import Budget, OverBudget


def test_what_is_given_back_can_be_taken_again() -> None:
    budget = Budget(10)

    assert budget.take(6)
    assert not budget.take(5)
    budget.give(6)
    assert budget.take(5)


def test_a_single_request_has_room_however_large() -> None:
    budget = Budget(10)

    with budget.share() as share:
        share.grow(8)
        share.grow(8)
        assert (budget.held, budget.take(1)) == (16, False)

    assert budget.held == 0


def test_a_share_that_finds_no_room_gives_back_what_it_had() -> None:
    budget = Budget(10)
    budget.take(5)

    with budget.share() as share:
        share.grow(4)
        with pytest.raises(OverBudget, match="try again later"):
            share.grow(4)

    assert budget.held == 5


def test_who_waits_goes_on_when_there_is_room() -> None:
    async def scenario() -> int:
        budget = Budget(10)
        budget.take(8)
        waiting = [asyncio.create_task(budget.wait(5)) for _ in range(2)]
        await asyncio.sleep(0)
        assert budget.held == 8
        budget.give(8)
        await asyncio.gather(*waiting)
        return budget.held

    assert asyncio.run(asyncio.wait_for(scenario(), 5)) == 10
