"""The result page says where the encoder comes from."""

from __future__ import annotations

import pytest

from jina_cli.hello.dataset import read_sample
from jina_cli.hello.fashion import Match, Outcome
from jina_cli.hello.judge import judge
from jina_cli.hello.page import result_page


@pytest.mark.parametrize(
    ("taught", "said"),
    [
        (True, "was taught with the classes of images that are indexed here"),
        (False, "has seen pictures only, never their classes"),
    ],
)
def test_what_the_search_has_seen_is_said(taught: bool, said: str) -> None:
    data = read_sample()
    found = tuple((Match(place=0, score=1.0),) for _ in data.queries.labels)
    places = [[match.place for match in matches] for matches in found]
    outcome = Outcome(
        documents=4500,
        queries=500,
        train_s=0.0,
        index_s=1.0,
        search_s=1.0,
        found=found,
        verdict=judge(places, data.queries.labels, data.index.labels, depths=[1]),
    )

    page = result_page(data, outcome, taught=taught)

    assert said in page
    assert "<b>10.0%</b><span>1-NN accuracy</span>" in page  # one class of ten is always found
