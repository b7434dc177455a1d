"""Work side by side, and the one failure of it that is told."""

from __future__ import annotations

import asyncio

import pytest

from jina_cli.serve.groups import all_done


async def fails(error: Exception) -> None:
    raise error


def test_the_first_failure_that_is_expected_comes_by_itself_and_ends_the_others() -> None:
    was_cancelled: list[bool] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            was_cancelled.append(True)
            raise

    async def scenario() -> None:
        with pytest.raises(ValueError, match="no"):
            await all_done([waits(), fails(ValueError("no"))], ValueError)

    asyncio.run(scenario())
    assert was_cancelled == [True]


def test_what_nobody_expects_comes_as_a_group() -> None:
    async def scenario() -> None:
        with pytest.raises(ExceptionGroup) as raised:
            await all_done([fails(ValueError("no")), fails(OSError("bug"))], ValueError)
        assert [str(error) for error in raised.value.exceptions] == ["no", "bug"]

    asyncio.run(scenario())
