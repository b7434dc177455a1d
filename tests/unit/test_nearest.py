"""What somebody most likely meant."""

from __future__ import annotations

import pytest

from jina_cli.nearest import nearest


@pytest.mark.parametrize(
    ("word", "found"), [("replcias", "replicas"), ("shard", "shards"), ("xyz", ""), ("", "")]
)
def test_the_word_that_is_most_like_it_is_found_or_none(word: str, found: str) -> None:
    assert nearest(word, {"replicas", "shards", "uses"}) == found


def test_what_is_not_like_enough_is_not_proposed() -> None:
    assert nearest("shard", ["shards"], 0.95) == ""
