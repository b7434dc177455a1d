"""Exact search against float64 brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.store.exact import prepare
from jina_cli.store.records import BadVectors, as_vectors
from jina_cli.store.vectors import VectorTable
from jina_cli.vocabulary import Metric

# Around the limits where another way of finding candidates is taken.
SHAPES = [(1, 1), (3, 2), (63, 5), (64, 5), (65, 7), (1500, 3), (5000, 64)]


def brute_force(ids: list[str], vectors, query, top_k: int, metric: Metric) -> list:
    """Return `(id, score)` of the best, by the definition of each metric in float64."""
    rows = prepare(vectors, metric).astype(np.float64)
    wanted = prepare(query[None], metric)[0].astype(np.float64)
    if metric is Metric.L2:
        scores = -np.sqrt(((rows - wanted) ** 2).sum(axis=1))
    else:
        scores = (rows * wanted).sum(axis=1)
    if metric is Metric.COSINE:
        lengths = np.sqrt((rows**2).sum(axis=1) * (wanted**2).sum())
        scores = np.divide(scores, lengths, out=scores, where=lengths > 0).clip(-1, 1)
    pairs = zip(ids, scores.astype(np.float32).tolist(), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:top_k]


def a_table(ids: list[str], vectors, metric: Metric) -> VectorTable:
    table = VectorTable(metric)
    rows = np.arange(len(ids))
    table.put(rows, ids, None, rows, vectors)
    return table


def pairs_of(table: VectorTable, query, top_k: int) -> list:
    found = table.search(query[None], top_k, None)
    return list(zip(found.ids[0], found.scores[0].tolist(), strict=True))


@pytest.mark.parametrize("top_k", [1, 10, 7000])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("metric", Metric, ids=lambda m: m.value)
def test_the_best_are_those_of_brute_force(metric: Metric, shape: tuple, top_k: int) -> None:
    rng = np.random.default_rng(7)
    # Rounded, so that many scores are equal and the order of ids decides.
    vectors = rng.standard_normal(shape).round(1).astype(np.float32)
    ids = [f"d{i}" for i in rng.permutation(len(vectors))]
    table = a_table(ids, vectors, metric)

    for query in rng.standard_normal((3, shape[1])).round(1).astype(np.float32):
        assert pairs_of(table, query, top_k) == brute_force(ids, vectors, query, top_k, metric)


@settings(max_examples=60, deadline=None)
@given(
    metric=st.sampled_from(Metric),
    scale=st.sampled_from([1e-30, 1e-20, 1e-6, 1.0, 1e6, 1e18, 1e30]),
    offset=st.sampled_from([0.0, 1.0, 1000.0]),
    seed=st.integers(0, 2**32 - 1),
    top_k=st.integers(1, 20),
)
def test_no_scale_of_numbers_hides_a_match(
    metric: Metric, scale: float, offset: float, seed: int, top_k: int
) -> None:
    rng = np.random.default_rng(seed)
    with np.errstate(over="ignore"):
        vectors = ((rng.standard_normal((3000, 4)) + offset) * scale).astype(np.float32)
        query = ((rng.standard_normal(4) + offset) * scale).astype(np.float32)
    ids = [f"d{i}" for i in range(len(vectors))]

    with np.errstate(over="ignore"):
        found = pairs_of(a_table(ids, vectors, metric), query, top_k)
        expected = brute_force(ids, vectors, query, top_k, metric)

    assert found == expected


def test_a_score_depends_on_the_pair_alone() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((4097, 33)).astype(np.float32)
    queries = rng.standard_normal((17, 33)).astype(np.float32)
    ids = [f"d{i}" for i in range(len(vectors))]
    whole = a_table(ids, vectors, Metric.COSINE).search(queries, 4097, None)

    alone = a_table(ids[:5], vectors[:5], Metric.COSINE).search(queries[3:4], 5, None)

    among_all = dict(zip(whole.ids[3], whole.scores[3].tolist(), strict=True))
    assert {id_: among_all[id_] for id_ in ids[:5]} == dict(
        zip(alone.ids[0], alone.scores[0].tolist(), strict=True)
    )


def test_a_zero_vector_scores_zero_by_cosine() -> None:
    vectors = np.array([[0, 0], [1, 1], [-1, -1]], np.float32)
    table = a_table(["zero", "same", "opposite"], vectors, Metric.COSINE)

    assert pairs_of(table, np.array([2, 2], np.float32), 3) == [
        ("same", 1.0),
        ("zero", 0.0),
        ("opposite", -1.0),
    ]
    assert pairs_of(table, np.zeros(2, np.float32), 3) == [
        ("opposite", 0.0),
        ("same", 0.0),
        ("zero", 0.0),
    ]


def test_an_empty_table_finds_nothing() -> None:
    found = VectorTable(Metric.L2).search(np.zeros((2, 5), np.float32), 3, None)

    assert found.ids == [[], []]
    assert [len(scores) for scores in found.scores] == [0, 0]


def test_a_query_of_another_length_is_refused() -> None:
    table = a_table(["a"], np.ones((1, 3), np.float32), Metric.COSINE)

    with pytest.raises(BadVectors, match=r"^queries have 4 dimensions, the index has 3, made by"):
        table.search(np.ones((1, 4), np.float32), 1, None)


def test_a_removed_vector_leaves_no_gap() -> None:
    table = a_table(["a", "b", "c"], np.eye(3, dtype=np.float32), Metric.INNER_PRODUCT)

    table.remove(np.array([0, 9]))
    rows = np.array([3, 1])
    table.put(rows, ["d", "b"], None, rows, np.array([[2, 0, 0], [3, 0, 0]], np.float32))

    assert len(table) == 3
    assert pairs_of(table, np.array([1, 0, 0], np.float32), 9) == [
        ("b", 3.0),
        ("d", 2.0),
        ("c", 0.0),
    ]


BAD_VECTORS = {
    "vectors must have shape (n, dim), these have (3,)": [1.0, 2.0, 3.0],
    "vectors must have shape (n, dim), these have (1, 1, 2)": [[[1.0, 2.0]]],
    "vectors must be finite, row 1 has NaN or infinity": [[1.0], [float("nan")]],
    "vectors must be finite, row 0 has NaN or infinity": np.array([[1e300]]),
    "vectors must be numbers, these are <U1": [["a"]],
    "vectors must be numbers, these are complex128": [[1j]],
}


@pytest.mark.parametrize("message", BAD_VECTORS)
def test_vectors_that_cannot_be_searched_are_refused(message: str) -> None:
    with pytest.raises(BadVectors) as caught:
        as_vectors(BAD_VECTORS[message])

    assert str(caught.value) == message
