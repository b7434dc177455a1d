"""One timer of the event loop for the deadlines of many requests.

A timer for each request costs more than the rest of its bookkeeping, and hardly any ever
fires: this one is set to the nearest deadline, and when it fires who owns it looks through
its requests and says when to look again.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

NEVER = math.inf
LONGEST_S = 1e6
"""Timers of the event loop do not take every number that a peer may send."""

EARLY_S = 0.001
"""Timers of event loops count milliseconds, and may fire as much too early."""


class Alarm:
    """Calls `ring` when the nearest deadline has come.

    Args:
        ring: Given the time (`time.monotonic`) up to which deadlines are over; acts on them,
            and returns the nearest of the others, or `NEVER`.
    """

    __slots__ = ("_at", "_ring", "_timer")

    def __init__(self, ring: Callable[[float], float]) -> None:
        self._ring = ring
        self._at = NEVER
        self._timer: asyncio.TimerHandle | None = None

    def set(self, when: float) -> None:
        """Have it ring at `when`, on the clock of `time.monotonic`, or earlier."""
        if when < self._at:
            self._arm(when)

    def stop(self) -> None:
        """Ring no more."""
        self._at = NEVER
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, when: float) -> None:
        self.stop()
        self._at = when
        left = min(max(0.0, when - time.monotonic()), LONGEST_S)
        self._timer = asyncio.get_running_loop().call_later(left, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._at = NEVER
        self.set(self._ring(time.monotonic() + EARLY_S))
