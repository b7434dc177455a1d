"""Which replica is next, and whether a request may be sent again."""

from __future__ import annotations

import pytest

from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.balance import least_outstanding, may_repeat

NEXT: dict[str, tuple[list[int | None], int, int | None]] = {
    "the one with the least to do": ([3, 1, 2], 0, 1),
    "the one whose turn it is among equals": ([1, 1, 1], 2, 2),
    "the next one after a turn that is busy": ([1, 0, 0], 0, 1),
    "the first again after the last": ([0, 0, 1], 2, 0),
    "nobody that is down": ([None, 5], 0, 1),
    "nobody where all are down": ([None, None], 0, None),
    "nobody where there is none": ([], 0, None),
}


@pytest.mark.parametrize("who", NEXT)
def test_the_next_replica_is(who: str) -> None:
    loads, turn, expected = NEXT[who]

    assert least_outstanding(loads, turn) == expected


@pytest.mark.parametrize(
    ("endpoint", "was_sent", "expected"),
    [
        ("/search", True, True),
        (DRY_RUN_ENDPOINT, True, True),
        ("/index", False, True),
        ("/index", True, False),
        ("/mine", True, False),
    ],
)
def test_only_what_does_no_harm_twice_is_sent_again(
    endpoint: str, was_sent: bool, expected: bool
) -> None:
    assert may_repeat(endpoint, was_sent) is expected
