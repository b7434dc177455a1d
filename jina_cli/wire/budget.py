"""One bound on the bytes of all requests that a process has in hand, whatever they came by."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

FULL = "the requests under way fill the memory that is set aside for them: try again later"


def too_large(what: str, size: int, limit: int) -> str:
    """Return what to say of a message over the limit."""
    return (
        f"{what} has {size} bytes, over the limit of {limit}:"
        " send fewer documents at a time, or raise 'max_message_bytes' of the gateway"
    )


class OverBudget(Exception):
    """There is no room for a request now; later there may be."""


class Budget:
    """Counts the bytes of requests from when they are here until they are answered.

    A single request always has room, however large: its own limit is another one.

    Args:
        max_bytes: Of all requests together.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._given = asyncio.Event()
        self.held = 0

    def take(self, size: int) -> bool:
        """Take room for `size` bytes, to be given back; False if there is none."""
        if self.held and self.held + size > self._max_bytes:
            return False
        self.held += size
        return True

    async def wait(self, size: int) -> None:
        """Take room for `size` bytes as soon as there is some."""
        while not self.take(size):
            self._given.clear()
            await self._given.wait()

    def give(self, size: int) -> None:
        """Give back room that was taken."""
        self.held -= size
        self._given.set()

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Give the room of one request, which is given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self.give(share.held)


class Share:
    """The room of one request, taken piece by piece as it arrives."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.held = 0

    def grow(self, size: int) -> None:
        """Take room for `size` more bytes.

        Raises:
            OverBudget: There is none.
        """
        if not self._fits(size):
            raise OverBudget(FULL)
        self.held += size

    def _fits(self, size: int) -> bool:
        # Who alone holds all there is may go on: its own limit is another one.
        if self.held and self.held == self._budget.held:
            self._budget.held += size
            return True
        return self._budget.take(size)
