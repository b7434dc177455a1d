"""Gives memory back to the system that the C library would keep for later.

A process that has passed on some large messages holds what they took for as long as it lives:
freed memory goes back only from the end of the heap, and something small usually lies there.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_WORTH_S = 0.01
"""CPU a process must have used since the last time for another look to be worth it."""


def trimmer() -> Callable[[], None] | None:
    """Return a function that gives back what is free; None where the C library has none.

    It takes some tenths of a millisecond, and may be called from any thread.
    """
    try:
        import ctypes

        trim = ctypes.CDLL(None).malloc_trim
    except (ImportError, OSError, AttributeError):
        return None
    trim.argtypes = (ctypes.c_size_t,)

    def give_back() -> None:
        trim(0)

    return give_back


class Tidy:
    """Gives back what is free now and then, where there was work in between.

    Args:
        give_back: As from `trimmer`.
        cpu_s: CPU time of the process so far, in seconds.
    """

    def __init__(
        self, give_back: Callable[[], None], cpu_s: Callable[[], float] = time.process_time
    ) -> None:
        self._give_back = give_back
        self._cpu_s = cpu_s
        self._done_at = cpu_s()

    def __call__(self) -> None:
        used = self._cpu_s()
        if used - self._done_at >= _WORTH_S:
            self._give_back()
            self._done_at = self._cpu_s()


__all__ = ["Tidy", "trimmer"]
