"""The order of answers, and what requests hold until they have one."""

from __future__ import annotations

import asyncio

from jina_cli.serve.slots import Slots
from jina_cli.serve.turns import Turn, Turns
from jina_cli.wire.budget import Budget


def turns_of(*held: int) -> tuple[Turns[str], list[Turn[str]], Budget]:
    budget = Budget(1000)
    turns: Turns[str] = Turns(Slots(10, 1000), budget)
    begun = [Turn[str](size) for size in held]
    for turn in begun:
        assert budget.take(turn.held)
        turns.add(turn)
    return turns, begun, budget


def test_an_answer_waits_for_those_before_it() -> None:
    turns, (first, second), _ = turns_of(1, 1)
    second.answer = "b"
    assert turns.next() is None

    first.answer = "a"
    sent = []
    while (answer := turns.next()) is not None:
        sent.append((answer, len(turns)))
        turns.sent()

    assert sent == [("a", 2), ("b", 1)]
    assert len(turns) == 0


def test_what_a_request_holds_is_given_back_once() -> None:
    turns, (turn, _), budget = turns_of(300, 200)

    turns.release(turn)
    turns.release(turn)

    assert budget.held == 200


def test_giving_up_cancels_the_work_and_gives_all_back() -> None:
    async def scenario() -> None:
        turns, (first, second), budget = turns_of(300, 200)
        first.task = asyncio.create_task(asyncio.sleep(60))
        turns.release(second)

        turns.give_up()
        await asyncio.gather(first.task, return_exceptions=True)

        assert first.task.cancelled()
        assert (len(turns), budget.held) == (0, 0)
        turns.sent()  # of an answer that was just on its way

    asyncio.run(scenario())
