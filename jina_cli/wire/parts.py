"""Parts of an answer on their way: how many may be, and those that have come.

A server sends PARTs of an answer until so many are under way that were not taken yet; the
asker says with CREDIT which it took. So neither a slow client nor a slow Pod fills anybody's
memory, however long the answer is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from jina_cli.wire.frames import BadFrame
from jina_cli.wire.messages import Response

T = TypeVar("T")

WINDOW_PARTS = 16
"""Parts of one answer that may be under way."""

WINDOW_BYTES = 2 * 1024 * 1024
"""Another part may follow while less than this is under way, however large the part is.

The asker gives credit once it took as much: a server that waits is always given some.
"""


@asynccontextmanager
async def closing(parts: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Give the parts of an answer, and have the work on it end afterwards, taken or not."""
    try:
        yield parts
    finally:
        close = getattr(parts, "aclose", None)
        if close is not None:
            await close()


async def merged(sources: Sequence[AsyncIterator[T]]) -> AsyncIterator[T]:
    """Yield what several sources yield, as it comes, no more than one ahead of each.

    Closing this, or what one of them raises, closes all of them.
    """
    steps: dict[asyncio.Future[T], AsyncIterator[T]] = {}
    try:
        for source in sources:
            steps[asyncio.ensure_future(anext(source))] = source
        while steps:
            done, _ = await asyncio.wait(steps, return_when=asyncio.FIRST_COMPLETED)
            for step in done:
                source = steps.pop(step)
                try:
                    item = step.result()
                except StopAsyncIteration:
                    continue
                yield item
                steps[asyncio.ensure_future(anext(source))] = source
    finally:
        for step in steps:
            step.cancel()
        await asyncio.gather(*steps, return_exceptions=True)
        for source in sources:
            async with closing(source):
                pass


class Window:
    """The sending side: what is under way of one answer, and whether more may follow."""

    def __init__(self) -> None:
        self._parts = 0
        self._size = 0
        self._taken = asyncio.Event()

    @property
    def has_room(self) -> bool:
        """Whether a part may be sent now."""
        return self._parts < WINDOW_PARTS and self._size < WINDOW_BYTES

    async def enter(self, size: int) -> None:
        """Wait until a part of `size` bytes may be sent, and count it as sent."""
        while not self.has_room:
            self._taken.clear()
            await self._taken.wait()
        self._parts += 1
        self._size += size

    def taken(self, parts: int, size: int) -> None:
        """Take note of parts that the asker took.

        Raises:
            BadFrame: It took more than was sent.
        """
        if parts > self._parts or size > self._size:
            raise BadFrame("more parts of an answer were taken than were sent")
        self._parts -= parts
        self._size -= size
        self._taken.set()


class Inbox:
    """The asking side: parts that have come and are not taken yet, and then the end.

    Args:
        give_credit: Called with the number of parts that were taken, and their bytes.
    """

    def __init__(self, give_credit: Callable[[int, int], None]) -> None:
        self._give_credit = give_credit
        self._parts: deque[tuple[Response, int]] = deque()
        self._end: Response | Exception | None = None
        self._arrived = asyncio.Event()
        self._taken_parts = 0
        self._taken_size = 0

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self._end is not None

    def put(self, part: Response, size: int) -> None:
        """Add a part that came, of `size` bytes.

        Raises:
            BadFrame: The peer sends more than it may.
        """
        if len(self._parts) >= WINDOW_PARTS:
            raise BadFrame("more parts of an answer came than were asked for")
        self._parts.append((part, size))
        self._arrived.set()

    def end(self, how: Response | Exception) -> None:
        """Take note that no more parts come: an answer that ends, or what broke."""
        if self._end is None:
            self._end = how
            self._arrived.set()

    async def next(self) -> Response | None:
        """Return the next part, or None after the last.

        What ends an answer is a part of it where it has documents, failed, or has marks.

        Raises:
            Exception: What `end` was told, once, after the parts that came before it.
        """
        while not self._parts and self._end is None:
            self._arrived.clear()
            await self._arrived.wait()
        if self._parts:
            part, size = self._parts.popleft()
            self._count(size)
            return part
        end, self._end = self._end, _OVER
        if isinstance(end, Exception):
            raise end
        says_something = end is not None and (end.body.format or end.marks or not end.status.ok)
        return end if says_something else None

    def _count(self, size: int) -> None:
        self._taken_parts += 1
        self._taken_size += size
        is_due = self._taken_parts * 2 >= WINDOW_PARTS or self._taken_size >= WINDOW_BYTES
        if is_due and self._end is None:
            self._give_credit(self._taken_parts, self._taken_size)
            self._taken_parts = self._taken_size = 0


_OVER = Response()
