"""What is freed goes back to the system, where there was work to free it."""

from __future__ import annotations

import sys

import pytest

from jina_cli.memory import Tidy, trimmer


class Clock:
    """CPU time that a test sets."""

    def __init__(self) -> None:
        self.cpu_s = 1.0

    def __call__(self) -> float:
        return self.cpu_s


def test_nothing_is_given_back_while_a_process_rests() -> None:
    calls: list[int] = []
    tidy = Tidy(lambda: calls.append(1), Clock())

    tidy()
    tidy()

    assert not calls


def test_what_is_free_is_given_back_once_for_each_piece_of_work() -> None:
    calls: list[int] = []
    clock = Clock()
    tidy = Tidy(lambda: calls.append(1), clock)

    clock.cpu_s += 0.5
    tidy()
    tidy()
    clock.cpu_s += 0.5
    tidy()

    assert len(calls) == 2


def test_what_giving_back_takes_is_no_work() -> None:
    clock = Clock()
    calls: list[int] = []

    def give_back() -> None:
        clock.cpu_s += 1.0
        calls.append(1)

    tidy = Tidy(give_back, clock)
    clock.cpu_s += 0.5
    tidy()
    tidy()

    assert len(calls) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="others have no malloc_trim")
def test_large_blocks_below_a_small_one_are_given_back() -> None:
    give_back = trimmer()
    if give_back is None:
        pytest.skip("this C library has no malloc_trim")
    # Below the size from which on the allocator asks the system for each block by itself.
    blocks = [bytearray(100_000) for _ in range(200)]
    kept = blocks[-1]
    held = _held_bytes()
    blocks.clear()

    give_back()

    assert held - _held_bytes() > 10_000_000
    assert len(kept) == 100_000


def _held_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096
