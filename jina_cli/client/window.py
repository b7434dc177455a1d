"""Many requests under way, never more than a window of them, and never too many bytes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import Any, Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Window(Generic[Q, A]):
    """Ask questions as they come, and yield the answers in their order.

    A question is taken when fewer than `width` are under way or wait to be yielded, so
    endless questions need bounded memory, and a consumer that is slow slows the source.

    Args:
        ask: Answers one question.
        width: At least 1.
        weigh: The bytes of a question.
        max_bytes: Another question is asked while those under way are shorter together, or
            while there is but one.
        ordered: Whether answers are yielded in the order of the questions; else as they come.
    """

    def __init__(
        self,
        ask: Callable[[Q], Awaitable[A]],
        width: int,
        *,
        weigh: Callable[[Q], int] | None = None,
        max_bytes: int = 0,
        ordered: bool = True,
    ) -> None:
        self._ask = ask
        self._width = width
        self._weigh = weigh
        self._max_bytes = max_bytes
        self._ordered = ordered
        self._held: dict[asyncio.Future[A], tuple[Q, int]] = {}
        self._bytes = 0
        self._answers: deque[asyncio.Future[A]] = deque()
        self._is_fed = False
        self._room: asyncio.Future[None] | None = None
        self._news: asyncio.Future[None] | None = None

    async def run(self, questions: AsyncIterable[Q]) -> AsyncGenerator[tuple[Q, A], None]:
        """Yield each question with its answer.

        Raises:
            Exception: What the source or the first failing question raised, after the
                answers before it; all that was under way is cancelled.
        """
        feeder = asyncio.ensure_future(self._feed(questions))
        try:
            while True:
                while not self._answers:
                    if self._is_fed and not self._held:
                        await feeder
                        return
                    self._news = asyncio.get_running_loop().create_future()
                    await self._news
                future = self._answers.popleft()
                answer = await future
                question = self._release(future)
                yield question, answer
        finally:
            left: list[asyncio.Future[Any]] = [feeder, *self._held]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _feed(self, questions: AsyncIterable[Q]) -> None:
        loop = asyncio.get_running_loop()
        try:
            async for question in questions:
                size = self._weigh(question) if self._weigh is not None else 0
                self._begin(question, size, loop)
                if self._is_full:
                    await self._have_room()
        finally:
            self._is_fed = True
            _wake(self._news)
            if isinstance(questions, AsyncGenerator):
                await questions.aclose()

    def _begin(self, question: Q, size: int, loop: asyncio.AbstractEventLoop) -> None:
        future = asyncio.ensure_future(self._ask(question), loop=loop)
        self._held[future] = (question, size)
        self._bytes += size
        if self._ordered:
            self._came(future)
        else:
            future.add_done_callback(self._came)

    def _came(self, future: asyncio.Future[A]) -> None:
        self._answers.append(future)
        _wake(self._news)

    @property
    def _is_full(self) -> bool:
        count = len(self._held)
        is_heavy = count > 1 and self._weigh is not None and self._bytes >= self._max_bytes
        return is_heavy or count >= self._width

    async def _have_room(self) -> None:
        while self._is_full:
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    def _release(self, future: asyncio.Future[A]) -> Q:
        question, size = self._held.pop(future)
        self._bytes -= size
        _wake(self._room)
        return question


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
