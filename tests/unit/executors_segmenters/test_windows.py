"""Windows over words and tokens."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.executors.segmenters.windows import windows_over, words_of


def windows(text: str, size: int, stride: int) -> list[str]:
    return [text[a:b] for a, b in windows_over(words_of(text), size=size, stride=stride)]


@pytest.mark.parametrize(
    ("size", "stride", "found"),
    [
        (2, 1, ["a b", "b c", "c d", "d e"]),
        (2, 2, ["a b", "c d", "e"]),
        (3, 2, ["a b c", "c d e"]),
        (4, 3, ["a b c d", "d e"]),
        (5, 5, ["a b c d e"]),
        (9, 4, ["a b c d e"]),
    ],
)
def test_windows_overlap_by_what_the_stride_leaves(
    size: int, stride: int, found: list[str]
) -> None:
    assert windows("a b c d e", size, stride) == found


def test_a_character_is_a_word_where_there_are_no_spaces() -> None:
    assert windows("我们 use Python在家", 2, 2) == ["我们", "use Python", "在家"]


@given(count=st.integers(0, 60), size=st.integers(1, 12), stride=st.integers(1, 12))
def test_every_word_is_in_a_window_and_no_window_in_another(
    count: int, size: int, stride: int
) -> None:
    stride = min(size, stride)
    units = [(2 * i, 2 * i + 1) for i in range(count)]

    found = windows_over(units, size=size, stride=stride)

    assert {u for u in units if any(a <= u[0] and u[1] <= b for a, b in found)} == set(units)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(found))
