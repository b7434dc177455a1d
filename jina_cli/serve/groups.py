"""Work done side by side, of which one failure is enough."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

E = TypeVar("E", bound=Exception)


async def all_done(works: Iterable[Coroutine[Any, Any, Any]], expected: type[E]) -> None:
    """Return when all works have; the first that fails ends the others.

    Raises:
        Exception: What is `expected`, by itself; all else in a group.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as errors:
        raise first_of(errors, expected) from None


def first_of(errors: BaseExceptionGroup[Any], expected: type[E]) -> BaseException:
    """Return the first of the exceptions, if all are of the kind that is expected; else all."""
    found, others = errors.split(expected)
    if found is None or others is not None:
        return errors
    first: BaseException = found
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
