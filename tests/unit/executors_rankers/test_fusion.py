"""Fusion of rankings, worked out by hand."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, ValuesColumn
from jina_cli.drivers.base import Done, Inputs
from jina_cli.drivers.fuse import FuseDriver
from jina_cli.executors.rankers.fusion import ReciprocalRankFusion, ScoreFuser, WeightedFusion

NONE = np.nan
# One query and three matches: a is in both lists, b in the first, c in the second.
RANKS = np.array([[1, 2, NONE], [2, NONE, 1]])
SCORES = np.array([[4.0, 2.0, NONE], [0.25, NONE, 0.75]])
OFFSETS = np.array([0, 3])


def fused(fuser: ScoreFuser, inputs: tuple[str, ...] = ()) -> list[float]:
    return fuser.fuse(RANKS, SCORES, OFFSETS, inputs=inputs).tolist()


def test_reciprocal_ranks_are_added() -> None:
    assert fused(ReciprocalRankFusion()) == pytest.approx([1 / 61 + 1 / 62, 1 / 62, 1 / 61])
    assert fused(ReciprocalRankFusion(k=0)) == pytest.approx([1.5, 0.5, 1])


def test_lists_count_by_their_weights() -> None:
    expected = pytest.approx([3 + 0.5, 1.5, 1])

    assert fused(ReciprocalRankFusion(k=0, weights=[3, 1])) == expected
    assert fused(ReciprocalRankFusion(k=0, weights={"words": 3}), ("words", "near")) == expected


def test_scores_are_scaled_from_the_lowest_to_the_highest_of_each_list() -> None:
    assert fused(WeightedFusion()) == pytest.approx([1 + 0, 0, 1])


def test_scores_are_scaled_by_their_deviation_and_what_is_missing_counts_as_the_last() -> None:
    # Of two scores one lies a standard deviation above the mean, the other one below.
    assert fused(WeightedFusion(normalize="z")) == pytest.approx([1 - 1, -1 - 1, -1 + 1])


def test_scores_may_be_taken_as_they_are() -> None:
    assert fused(WeightedFusion(normalize="none")) == pytest.approx([4.25, 2, 0.75])


@pytest.mark.parametrize(("normalize", "value"), [("min_max", 1), ("z", 0), ("none", 2)])
def test_scores_that_are_all_equal_have_a_scale_too(normalize: str, value: float) -> None:
    fuser = WeightedFusion(normalize=normalize)  # type: ignore[arg-type]

    made = fuser.fuse(np.ones((1, 2)), np.full((1, 2), 2.0), np.array([0, 2]))

    assert made.tolist() == [value, value]


def test_each_query_has_a_scale_of_its_own() -> None:
    scores = np.array([[1.0, 3.0, 10.0, 20.0]])

    made = WeightedFusion().fuse(scores * 0 + 1, scores, np.array([0, 2, 4]))

    assert made.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([1.0], "there are 1 weights for 2 lists"),
        ({"other": 2.0}, "a weight is for 'other', and there are words, near"),
    ],
)
def test_weights_for_other_lists_are_refused(weights: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fused(ReciprocalRankFusion(weights=weights), ("words", "near"))  # type: ignore[arg-type]


def test_weights_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="must not be below 0"):
        WeightedFusion(weights=[-1.0])


def found(**matches: float) -> DocumentBatch:
    scores = ValuesColumn(list(matches.values()))
    column = DocsColumn(
        np.array([0, len(matches)]), DocumentBatch(list(matches), {"score": scores})
    )
    return DocumentBatch(["q"], {"matches": column})


def test_what_several_pods_found_becomes_one_list() -> None:
    inputs = Inputs(parts=(found(a=4.0, b=2.0), found(c=0.75, a=0.25)), names=("words", "near"))

    async def run() -> Done:
        return await FuseDriver().join(ReciprocalRankFusion(), inputs, {"top_k": 2})

    matches = asyncio.run(run()).docs.docs("matches")

    assert matches is not None
    assert list(matches.docs.ids) == ["a", "c"]
    assert matches.docs.values("score") == pytest.approx([1 / 61 + 1 / 62, 1 / 61])


def test_several_scores_of_each_match_are_fused_too() -> None:
    rows = [{"words": 4.0, "near": 0.25}, {"words": 2.0}, None, {"near": 0.75}]
    docs = DocumentBatch(["a", "b", "x", "c"], {"scores": ValuesColumn(rows)})
    matches = DocsColumn(np.array([0, 3, 4]), docs)
    queries = DocumentBatch(["q", "r"])

    made = ReciprocalRankFusion().rank(queries, matches, top_k=2)

    assert made.offsets.tolist() == [0, 2, 3]
    assert list(made.docs.ids) == ["a", "b", "c"]
    assert made.docs.values("score") == pytest.approx([2 / 61, 1 / 62, 1 / 61])


def test_matches_without_several_scores_stay_as_they_are() -> None:
    matches = found(a=1.0).docs("matches")
    assert matches is not None

    assert ReciprocalRankFusion().rank(DocumentBatch(["q"]), matches, top_k=1) is matches
