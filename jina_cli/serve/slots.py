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
        max_bytes: Of all that have one; a request alone has one whatever its size.
    """

    def __init__(self, count: int, max_bytes: int) -> None:
        self._free = count
        self._max_bytes = max_bytes
        self._held = 0
        self._waiting: deque[Waiter] = deque()
        self._is_giving = False
        self._is_short = False
        self._taken = 0

    def take(self, waiter: Waiter, size: int) -> bool:
        """Take a slot for `size` bytes, or have `waiter.advance` called when there is one."""
        # Nobody overtakes those that wait, or a large request might wait without end.
        is_next = self._is_giving or not self._waiting
        if is_next and self._free > 0 and self._has_room(size):
            self._free -= 1
            self._held += size
            self._taken += 1
            return True
        self._is_short = True
        if not waiter.is_queued:
            waiter.is_queued = True
            if self._is_giving and not self._taken:
                self._waiting.appendleft(waiter)
            else:
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
            while self._free > 0 and self._waiting:
                waiter = self._waiting.popleft()
                waiter.is_queued = False
                self._is_short, self._taken = False, 0
                waiter.advance()
                if self._is_short and not self._taken:
                    break
        finally:
            self._is_giving = False

    def _has_room(self, size: int) -> bool:
        return not self._held or self._held + size <= self._max_bytes
