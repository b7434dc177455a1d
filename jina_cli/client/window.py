"""Many requests under way, answers in order, never more than a window of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import Any, Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class _End:
    """Stands behind the last question."""


class Window(Generic[Q, A]):
    """Ask questions as they come, and yield the answers in their order.

    A question is taken when fewer than `width` are under way or wait to be yielded, so
    endless questions need bounded memory, and a consumer that is slow slows the source.

    Args:
        ask: Answers one question.
        width: At least 1.
    """

    def __init__(self, ask: Callable[[Q], Awaitable[A]], width: int) -> None:
        self._ask = ask
        self._places = asyncio.Semaphore(width)
        self._asked: asyncio.Queue[asyncio.Future[A] | _End] = asyncio.Queue()

    async def run(self, questions: AsyncIterable[Q]) -> AsyncGenerator[tuple[Q, A], None]:
        """Yield each question with its answer.

        Raises:
            Exception: What the source or the first failing question raised, after the
                answers before it; all that was under way is cancelled.
        """
        held: dict[asyncio.Future[A], Q] = {}
        feeder = asyncio.ensure_future(self._feed(questions, held))
        try:
            while not isinstance(future := await self._asked.get(), _End):
                answer = await future
                yield held.pop(future), answer
                self._places.release()
            await feeder
        finally:
            left: list[asyncio.Future[Any]] = [feeder, *held]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _feed(self, questions: AsyncIterable[Q], held: dict[asyncio.Future[A], Q]) -> None:
        try:
            await self._places.acquire()
            async for question in questions:
                future = asyncio.ensure_future(self._ask(question))
                held[future] = question
                self._asked.put_nowait(future)
                await self._places.acquire()
        finally:
            self._asked.put_nowait(_End())
            if isinstance(questions, AsyncGenerator):
                await questions.aclose()
