"""Rankings put together; expected numbers were worked out by hand."""

from __future__ import annotations

import math

import pytest

from jina_cli.drivers.base import BadParameter
from jina_cli.executors.indexers.asking import Asked, Mode
from jina_cli.executors.indexers.fusion import best, reciprocal_ranks, reordered


def test_a_document_gets_a_share_for_each_rank_that_it_has() -> None:
    scores = reciprocal_ranks([["a", "b", "c"], ["c", "a"]])

    assert scores == {
        "a": pytest.approx(1 / 61 + 1 / 62),
        "b": pytest.approx(1 / 62),
        "c": pytest.approx(1 / 63 + 1 / 61),
    }


def test_with_a_constant_of_none_the_first_place_is_worth_twice_the_second() -> None:
    assert reciprocal_ranks([["a", "b"]], 0) == {"a": 1.0, "b": 0.5}
    assert reciprocal_ranks([[], []]) == {}


def test_equal_scores_are_in_the_order_of_ids() -> None:
    assert best({"c": 0.5, "a": 0.5, "b": 0.7}, 2) == ["b", "a"]


def test_only_the_first_are_put_into_another_order() -> None:
    assert reordered(["a", "b", "c", "d"], [0.1, 0.3, 0.2], 3) == ["b", "c", "a", "d"]
    assert reordered(["a", "b"], [0.1, 0.3], 9) == ["b", "a"]
    assert reordered(["a", "b"], [], 0) == ["a", "b"]


def test_equal_scores_keep_their_order_and_what_has_none_goes_behind() -> None:
    assert reordered(["a", "b", "c", "d"], [math.nan, 0.5, 0.5, -1.0], 4) == ["b", "c", "d", "a"]


def test_a_request_says_how_to_search_over_the_constructor() -> None:
    asked = Asked(depth=50).over({"mode": "lexical", "rerank": 20.0, "rrf_k": None})

    assert asked == Asked(mode=Mode.LEXICAL, depth=50, rerank=20)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("mode", "both", "mode is 'both', and must be one of auto, hybrid, lexical, vector"),
        ("rrf_k", -1, "rrf_k is -1, and must be a number from 0"),
        ("rrf_k", math.nan, "rrf_k is nan, and must be a number from 0"),
        ("depth", 0, "depth is 0, and must be a number from 1 to 100000"),
        ("rerank", 1.5, "rerank is 1.5, and must be a number from 0 to 100000"),
        ("explain", "yes", "explain is 'yes', and must be true or false"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(
    name: str, value: object, problem: str
) -> None:
    with pytest.raises(BadParameter) as caught:
        Asked().over({name: value})

    assert str(caught.value) == problem
    assert caught.value.args[1] == f"parameters.{name}"
