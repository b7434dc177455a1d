"""Vectors of documents with any number of them, beside a dict: exact searches of what changes."""

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.store.exact import prepare
from jina_cli.store.vectors import VectorTable
from jina_cli.vocabulary import Metric

DIM = 3
Model = dict[int, tuple[list[int], np.ndarray]]
"""Keys and vectors of each document."""


def scores_of(vectors: np.ndarray, query: np.ndarray, metric: Metric) -> list[float]:
    """Return the scores of vectors by the definition of each metric in float64."""
    rows = prepare(vectors, metric).astype(np.float64)
    wanted = prepare(query[None], metric)[0].astype(np.float64)
    if metric is Metric.L2:
        return (-np.sqrt(((rows - wanted) ** 2).sum(axis=1))).astype(np.float32).tolist()
    scores = (rows * wanted).sum(axis=1)
    if metric is Metric.COSINE:
        lengths = np.sqrt((rows**2).sum(axis=1) * (wanted**2).sum())
        scores = np.divide(scores, lengths, out=scores, where=lengths > 0).clip(-1, 1)
    return scores.astype(np.float32).tolist()


def expected(
    model: Model, query: np.ndarray, top_k: int, allowed: np.ndarray | None, metric: Metric
) -> list[tuple[str, float, int]]:
    """Return id, score and key of the best: the best vector of each document, ties by key."""
    found = []
    for document, (keys, vectors) in model.items():
        is_allowed = allowed is None or (document < len(allowed) and allowed[document])
        if keys and is_allowed:
            pairs = zip(scores_of(vectors, query, metric), keys, strict=True)
            score, key = min(pairs, key=lambda pair: (-pair[0], pair[1]))
            found.append((f"d{document}", score, key))
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:top_k]


def hits_of(table: VectorTable, query: np.ndarray, top_k: int, allowed: np.ndarray | None) -> list:
    hits = table.search(query[None], top_k, allowed)
    columns = (hits.ids[0], hits.scores[0].tolist(), hits.keys[0].tolist())
    return list(zip(*columns, strict=True))


def put(table: VectorTable, vectors: Mapping[int, np.ndarray], keys: Mapping[int, list]) -> None:
    documents = list(vectors)
    table.put(
        np.array(documents, np.int64),
        [f"d{document}" for document in documents],
        np.array([len(vectors[d]) for d in documents], np.int64),
        np.array([key for d in documents for key in keys[d]], np.int64),
        np.concatenate([np.zeros((0, DIM), np.float32), *vectors.values()]),
    )


@settings(max_examples=40, deadline=None)
@given(metric=st.sampled_from(Metric), seed=st.integers(0, 2**32 - 1))
def test_a_table_finds_what_a_dict_holds(metric: Metric, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table, model, fresh = VectorTable(metric), Model(), itertools.count()
    for _ in range(12):
        some = rng.choice(60, rng.integers(0, 30), replace=False).tolist()
        if rng.random() < 0.7:
            # Rounded, so that many scores are equal and ids and keys decide.
            vectors = {
                d: rng.standard_normal((rng.integers(0, 4), DIM)).round().astype(np.float32)
                for d in some
            }
            keys = {d: [next(fresh) for _ in vectors[d]] for d in some}
            put(table, vectors, keys)
            model |= {d: (keys[d], vectors[d]) for d in some}
        else:
            table.remove(np.array([*some, 999], np.int64))
            model = {d: held for d, held in model.items() if d not in some}

        query = rng.standard_normal(DIM).round().astype(np.float32)
        allowed = None if rng.random() < 0.5 else rng.random(rng.integers(0, 70)) < rng.random()
        top_k = int(rng.integers(1, 12))

        assert len(table) == sum(len(keys) for keys, _ in model.values())
        found = hits_of(table, query, top_k, allowed)
        assert found == expected(model, query, top_k, allowed, metric)


@pytest.mark.parametrize("metric", Metric, ids=lambda m: m.value)
def test_a_document_with_very_many_parts_does_not_hide_the_others(metric: Metric) -> None:
    rng = np.random.default_rng(5)
    near = (rng.standard_normal((3000, DIM)) * 0.01 + 1).astype(np.float32)
    far = [rng.standard_normal((2, DIM)).astype(np.float32) for _ in range(40)]
    table, vectors = VectorTable(metric), dict(enumerate([near, *far]))
    fresh = itertools.count()
    keys = {d: [next(fresh) for _ in vectors[d]] for d in vectors}
    put(table, vectors, keys)
    query = np.ones(DIM, np.float32)

    found = hits_of(table, query, 10, None)

    model = {d: (keys[d], vectors[d]) for d in vectors}
    assert found == expected(model, query, 10, None, metric)


def test_the_score_of_a_document_is_that_of_its_best_vector() -> None:
    table = VectorTable(Metric.INNER_PRODUCT)
    put(
        table,
        {1: np.array([[1, 0, 0], [3, 0, 0]], np.float32), 4: np.array([[2, 0, 0]], np.float32)},
        {1: [10, 11], 4: [40]},
    )

    scores = table.scores(np.array([1, 0, 0], np.float32), np.array([4, 1, 1, 2, 77]))

    assert scores[:3].tolist() == [2.0, 3.0, 3.0]
    assert np.isnan(scores[3:]).all()
    assert np.isnan(VectorTable(Metric.L2).scores(np.ones(2, np.float32), np.array([1]))).all()


def test_nothing_is_kept_of_the_names_of_documents_that_are_gone() -> None:
    table = VectorTable(Metric.COSINE)
    put(table, {n: np.ones((1, DIM), np.float32) for n in range(4)}, {n: [n] for n in range(4)})

    table.remove(np.array([1, 3, 9]))

    assert table.columns.ids == ["d0", "", "d2", ""]


def test_nobody_is_allowed_by_an_empty_filter() -> None:
    table = VectorTable(Metric.COSINE)
    put(table, {1: np.ones((1, DIM), np.float32)}, {1: [10]})

    assert hits_of(table, np.ones(DIM, np.float32), 3, np.zeros(0, np.bool_)) == []
    assert hits_of(table, np.ones(DIM, np.float32), 3, np.zeros(9, np.bool_)) == []
