"""Arrays that grow without being copied."""

from __future__ import annotations

import contextlib
import mmap
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Growing:
    """Rows of numbers in memory that the system moves page by page when it grows.

    So growing never needs the memory of old and new at once, and rows that were never written
    take none. Zero until they are written.

    Args:
        width: Numbers in each row, at least 1; None for an array of one axis.

    Attributes:
        rows: Shape `(capacity, width)` or `(capacity,)`. Not to be kept beyond the next `grow`.
    """

    def __init__(self, dtype: DTypeLike, width: int | None = None) -> None:
        self._shape = (0,) if width is None else (0, width)
        self._memory: mmap.mmap | None = None
        self.rows: NDArray[Any] = np.zeros(self._shape, dtype)

    def grow(self, capacity: int) -> None:
        """Make room for at least `capacity` rows. What is in them stays.

        Raises:
            MemoryError: There is none. Nothing changed.
        """
        if capacity <= len(self.rows):
            return
        dtype = self.rows.dtype
        size = capacity * dtype.itemsize * int(np.prod(self._shape[1:]))
        self.rows = np.zeros(self._shape, dtype)  # memory that an array looks at stays where it is
        try:
            self._memory = _anonymous(size) if self._memory is None else _grown(self._memory, size)
        except OSError as error:
            raise MemoryError(f"no room for {size >> 20} MiB of vectors") from error
        finally:
            if self._memory is not None:
                self.rows = np.frombuffer(self._memory, dtype).reshape(-1, *self._shape[1:])


def _anonymous(size: int) -> mmap.mmap:
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # Rows are read here and there: with pages of 4 KiB each would cost a walk of their table.
        with contextlib.suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def _grown(memory: mmap.mmap, size: int) -> mmap.mmap:
    try:
        memory.resize(size)
    except (BufferError, SystemError):
        # Somebody still looks at it, or this system cannot move pages.
        fresh = _anonymous(size)
        with memoryview(memory) as old, memoryview(fresh) as new:
            new[: len(old)] = old
        return fresh
    return memory
