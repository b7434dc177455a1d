"""The measures against those of trec_eval itself."""

import math

import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.evaluate.measures import (
    average_precision,
    mean,
    ndcg_at,
    precision_at,
    recall_at,
    reciprocal_rank,
    relevant,
)

KNOWN = [f"d{i}" for i in range(30)]
MEASURES = {"P.1,5,10", "recall.5,100", "recip_rank", "map", "ndcg_cut.3,10"}


@settings(max_examples=300, deadline=None)
@given(
    ranking=st.lists(st.sampled_from(KNOWN), unique=True, min_size=1),
    judged=st.dictionaries(st.sampled_from(KNOWN), st.integers(-1, 5), min_size=1),
)
def test_they_are_those_of_trec_eval(ranking: list[str], judged: dict[str, int]) -> None:
    run = {"q": {id_: float(-rank) for rank, id_ in enumerate(ranking)}}
    expected = pytrec_eval.RelevanceEvaluator({"q": judged}, MEASURES).evaluate(run)["q"]

    ours = {
        "P_1": precision_at(1, ranking, judged),
        "P_5": precision_at(5, ranking, judged),
        "P_10": precision_at(10, ranking, judged),
        "recall_5": recall_at(5, ranking, judged),
        "recall_100": recall_at(100, ranking, judged),
        "recip_rank": reciprocal_rank(ranking, judged),
        "map": average_precision(ranking, judged),
        "ndcg_cut_3": ndcg_at(3, ranking, judged),
        "ndcg_cut_10": ndcg_at(10, ranking, judged),
    }

    # Sums of at most 30 doubles near 1, added in another order.
    assert ours == pytest.approx(expected, abs=1e-12)


def test_nothing_found_and_nothing_relevant_score_zero() -> None:
    for ranking, judged in (([], relevant(["a"])), (["a"], {}), (["a"], {"a": 0})):
        assert precision_at(10, ranking, judged) == 0
        assert recall_at(10, ranking, judged) == 0
        assert reciprocal_rank(ranking, judged) == 0
        assert average_precision(ranking, judged) == 0
        assert ndcg_at(10, ranking, judged) == 0


def test_a_perfect_ranking_scores_one() -> None:
    judged = {"a": 3, "b": 2, "c": 1, "d": 0}

    assert ndcg_at(10, ["a", "b", "c"], judged) == 1
    assert average_precision(["a", "b", "c"], judged) == 1
    assert recall_at(3, ["a", "b", "c"], judged) == 1


def test_a_graded_gain_is_discounted_by_rank() -> None:
    assert ndcg_at(2, ["b", "a"], {"a": 2, "b": 1}) == pytest.approx(
        (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3)), abs=1e-15
    )


def test_the_mean_of_nothing_is_zero() -> None:
    assert mean([]) == 0
    assert mean([0.1] * 10) == 0.1
