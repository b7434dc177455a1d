"""How many requests that came by streams are worked on at a time."""

from __future__ import annotations

from collections import deque
from typing import Protocol


class Waiter(Protocol):
    """A stream that has requests to begin.

    Attributes:
        is_queued: Whether it waits for a slot; `Slots` keeps it.
    """

    is_queued: bool

    def advance(self) -> None:
        """Begin what there is room for."""
        ...


class Slots:
    """Places shared by all streams, so that many of them do not fill the Pods' queues.

    Args:
        count: Requests that have a place at a time.
        max_bytes: Another request has a place while those that have one are shorter together.
    """

    def __init__(self, count: int, max_bytes: int) -> None:
        self._free = count
        self._max_bytes = max_bytes
        self._held = 0
        self._waiting: deque[Waiter] = deque()
        self._is_giving = False

    def take(self, waiter: Waiter, size: int) -> bool:
        """Take a slot for `size` bytes, or have `waiter.advance` called when there is one."""
        if self._has_room:
            self._free -= 1
            self._held += size
            return True
        if not waiter.is_queued:
            waiter.is_queued = True
            self._waiting.append(waiter)
        return False

    def give(self, size: int) -> None:
        """Give back a slot, and have those that wait take it, in the order in which they came."""
        self._free += 1
        self._held -= size
        if self._is_giving:
            return  # a waiter that could not use its slot gives it back: the loop below goes on
        self._is_giving = True
        try:
            while self._has_room and self._waiting:
                waiter = self._waiting.popleft()
                waiter.is_queued = False
                waiter.advance()
        finally:
            self._is_giving = False

    @property
    def _has_room(self) -> bool:
        return self._free > 0 and self._held < self._max_bytes
