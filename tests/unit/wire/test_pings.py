"""Pings, without a connection."""

from __future__ import annotations

import asyncio

import pytest

from jina_cli.wire.pings import Pings

pytestmark = pytest.mark.anyio


async def test_each_ping_waits_for_its_own_answer() -> None:
    pings = Pings()
    first, second = (asyncio.create_task(pings.wait(id, 5)) for id in (1, 2))
    await asyncio.sleep(0)

    pings.answered(2)
    pings.answered(3)

    assert await second < 5
    assert not first.done()
    pings.answered(1)
    await first


async def test_a_ping_that_nobody_answers_is_over_in_time_and_forgotten() -> None:
    pings = Pings()

    with pytest.raises(TimeoutError):
        await pings.wait(1, 0.01)

    pings.answered(1)


async def test_pings_fail_with_their_connection() -> None:
    pings = Pings()
    waiting = asyncio.create_task(pings.wait(1, 5))
    await asyncio.sleep(0)

    pings.fail(ConnectionError("gone"))

    with pytest.raises(ConnectionError, match="gone"):
        await waiting
