"""Arrays that grow in place."""

import resource

import numpy as np
import pytest

from jina_cli.store.growing import Growing


def test_rows_stay_when_an_array_grows() -> None:
    growing = Growing(np.float32, 3)
    growing.grow(5)
    growing.rows[:] = np.arange(15).reshape(5, 3)

    growing.grow(100_000)

    assert growing.rows.shape == (100_000, 3)
    assert growing.rows[:5].tolist() == np.arange(15).reshape(5, 3).tolist()
    assert not growing.rows[5:].any()


def test_an_array_somebody_looks_at_is_copied_and_theirs_stays() -> None:
    growing = Growing(np.int64)
    growing.grow(4)
    growing.rows[:] = 7
    theirs = growing.rows[:2]

    growing.grow(1000)
    growing.rows[:] = 8

    assert theirs.tolist() == [7, 7]
    assert growing.rows.tolist() == [8] * 1000


def test_no_room_leaves_an_array_as_it_was() -> None:
    growing = Growing(np.float32, 2)
    growing.grow(3)
    growing.rows[:] = 1

    with pytest.raises(MemoryError, match=r"no room for .* MiB of vectors"):
        growing.grow(1 << 50)

    assert growing.rows.tolist() == [[1, 1]] * 3


def test_growing_takes_memory_for_what_is_written_only() -> None:
    growing = Growing(np.float32, 256)
    growing.grow(1000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    growing.grow(1 << 20)  # a GiB
    growing.rows[:1000] = 1

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # KiB
