"""Slots that streams share."""

from __future__ import annotations

from collections.abc import Callable

from jina_cli.serve.slots import Slots


class Stream:
    """Takes a slot when it is its turn, and does with it what the test says."""

    def __init__(self, slots: Slots, use: Callable[[Stream], None], size: int = 1) -> None:
        self.size = size
        self.is_queued = False
        self.turns = 0
        self._slots = slots
        self._use = use

    def advance(self) -> None:
        if self._slots.take(self, self.size):
            self.turns += 1
            self._use(self)


def keep(stream: Stream) -> None:
    """Hold the slot."""


def test_streams_wait_for_a_slot_and_get_it_in_turn() -> None:
    slots = Slots(1, 100)
    streams = [Stream(slots, keep) for _ in range(3)]
    for stream in streams:
        stream.advance()
    assert [stream.turns for stream in streams] == [1, 0, 0]

    slots.give(1)

    assert [stream.turns for stream in streams] == [1, 1, 0]
    assert [stream.is_queued for stream in streams] == [False, False, True]


def test_a_slot_that_thousands_of_streams_cannot_use_goes_from_one_to_the_next() -> None:
    slots = Slots(1, 100)
    first = Stream(slots, keep)
    first.advance()
    others = [Stream(slots, lambda _: slots.give(1)) for _ in range(5000)]
    last = Stream(slots, keep)
    for stream in (*others, last):
        stream.advance()

    slots.give(1)

    assert {stream.turns for stream in (*others, last)} == {1}
    assert not slots.take(first, 1)


def test_when_those_with_a_slot_have_enough_bytes_the_next_waits_whatever_its_size() -> None:
    slots = Slots(8, 100)
    first, large, small, last = (Stream(slots, keep, size) for size in (60, 500, 10, 1))
    for stream in (first, large, small, last):
        stream.advance()
    assert [stream.turns for stream in (first, large, small, last)] == [1, 1, 0, 0]

    slots.give(60)
    assert [stream.turns for stream in (small, last)] == [0, 0]
    slots.give(500)

    assert [stream.turns for stream in (small, last)] == [1, 1]
