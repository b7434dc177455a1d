"""Events cut out of bytes, however they arrive."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.client.sse import Event, EventReader, EventTooLong

STREAM = (
    b': a comment\r\n\r\nevent: update\r\ndata: {"a": 1}\r\n\r\n'
    b"data: one\ndata: two\n\nevent:end\r\n\r\n"
)
EVENTS = [Event("update", b'{"a": 1}'), Event("message", b"one\ntwo"), Event("end", b"")]


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_events_do_not_depend_on_how_their_bytes_are_cut(cuts: list[int]) -> None:
    reader = EventReader(1000)
    places = [0, *sorted(cuts), len(STREAM)]

    found = [event for start, end in pairwise(places) for event in reader.feed(STREAM[start:end])]

    assert found == EVENTS


@pytest.mark.parametrize("data", [b"data: " + b"x" * 100, b"data: xxxxxxxxxx\n" * 10])
def test_an_endless_event_is_refused(data: bytes) -> None:
    reader = EventReader(50)

    with pytest.raises(EventTooLong):
        list(reader.feed(data))
