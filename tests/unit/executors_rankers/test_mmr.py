"""Maximal marginal relevance, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.batch import BadField, DocumentBatch, MissingField
from jina_cli.documents.column import DocsColumn, TensorColumn, ValuesColumn
from jina_cli.drivers.base import BadParameter
from jina_cli.executors.rankers.mmr import MmrRanker, marginal_order

ROOT_HALF = 2**-0.5


def matches_of(*vectors: list[float], scores: list[float] | None = None) -> DocsColumn:
    columns = {
        "embedding": TensorColumn(np.array(vectors, np.float32)),
        "score": ValuesColumn(scores or [1.0] * len(vectors)),
    }
    ids = [chr(ord("a") + i) for i in range(len(vectors))]
    return DocsColumn(np.array([0, len(ids)]), DocumentBatch(ids, columns))


def query(*vector: float) -> DocumentBatch:
    return DocumentBatch(["q"], {"embedding": TensorColumn(np.array([vector], np.float32))})


# a and b are the same; c is at 45 degrees to the query, and to them.
MATCHES = matches_of([1, 0], [2, 0], [1, 1])


@pytest.mark.parametrize(
    ("relevance", "ids", "scores"),
    [
        (1.0, ["a", "b", "c"], [1, 1, ROOT_HALF]),
        # c: 0.5 * 0.71 - 0.5 * 0.71 = 0; b: 0.5 - 0.5 = 0. The earlier one is taken.
        (0.5, ["a", "b", "c"], [0.5, 0, 0]),
        # c: 0.25 * 0.71 - 0.75 * 0.71; b: 0.25 - 0.75.
        (0.25, ["a", "c", "b"], [0.25, -0.5 * ROOT_HALF, -0.5]),
    ],
)
def test_what_repeats_comes_later(relevance: float, ids: list[str], scores: list[float]) -> None:
    made = MmrRanker(relevance=relevance).rank(query(1, 0), MATCHES, top_k=3)

    assert list(made.docs.ids) == ids
    assert made.docs.values("score") == pytest.approx(scores)


def test_a_request_may_ask_for_fewer_and_for_more_difference() -> None:
    made = MmrRanker(relevance=1.0).rank(query(1, 0), MATCHES, top_k=2, relevance=0.25)

    assert list(made.docs.ids) == ["a", "c"]
    assert made.offsets.tolist() == [0, 2]


def test_a_query_without_vector_goes_by_scores() -> None:
    matches = matches_of([1, 0], [1, 0], [0, 1], scores=[30.0, 20.0, 10.0])

    made = MmrRanker(relevance=0.5).rank(DocumentBatch(["q"]), matches, top_k=3)

    # Scores from 0 to 1: 1, 0.5, 0. Then b: 0.25 - 0.5, c: 0 - 0.
    assert list(made.docs.ids) == ["a", "c", "b"]
    assert made.docs.values("score") == pytest.approx([0.5, 0, -0.25])


def test_matches_without_vectors_are_named() -> None:
    matches = DocsColumn(np.array([0, 1]), DocumentBatch(["a"]))

    with pytest.raises(MissingField, match=r"document 'a' has no 'matches\.embedding'"):
        MmrRanker().rank(query(1, 0), matches, top_k=1)


@pytest.mark.parametrize("relevance", [-0.1, 1.5, True, "half"])
def test_a_relevance_that_is_no_share_is_refused(relevance: float) -> None:
    with pytest.raises(BadParameter, match="must be a number from 0 to 1"):
        MmrRanker().rank(query(1, 0), MATCHES, top_k=1, relevance=relevance)


def test_a_query_of_another_length_is_refused() -> None:
    with pytest.raises(BadField, match="of a query has 3 numbers, and that of its matches 2"):
        MmrRanker().rank(query(1, 0, 0), MATCHES, top_k=1)


@given(
    seed=st.integers(0, 2**32 - 1), count=st.integers(1, 12), relevance=st.floats(0, 1, width=32)
)
def test_scores_never_rise_and_all_are_there(seed: int, count: int, relevance: float) -> None:
    made = np.random.default_rng(seed)
    vectors = made.normal(size=(count, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    chosen = marginal_order(made.normal(size=count), vectors, relevance, count)

    assert sorted(place for place, _ in chosen) == list(range(count))
    values = [value for _, value in chosen]
    assert values == sorted(values, reverse=True)
