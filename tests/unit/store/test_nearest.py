"""A graph of neighbours against exact search, on sizes where the graph is used."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from jina_cli.store.exact import count_of
from jina_cli.store.vectors import VectorTable
from jina_cli.vocabulary import Metric
from tests.testing.processes import wait_until

COUNT, DIM, TOP_K = 9000, 8, 10
RECALL = 0.95


def some_vectors(seed: int, count: int = COUNT) -> np.ndarray:
    """Return vectors in clusters, as those of real documents lie, of unequal lengths."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((20, DIM)) * 2
    found = centres[rng.integers(0, 20, count)] + rng.standard_normal((count, DIM))
    return (found * rng.uniform(0.5, 2, (count, 1))).astype(np.float32)


def put(table: VectorTable, documents: np.ndarray, vectors: np.ndarray, counts=None) -> None:
    keys = np.arange(len(vectors)) + (int(documents[0]) << 20)
    table.put(documents, [f"d{d}" for d in documents.tolist()], counts, keys, vectors)


def has_graph_of_all(table: VectorTable) -> bool:
    with table.lock:
        graph = table.graph
        return (
            graph is not None
            and table.draft is None
            and count_of(graph.tail(table.columns.end)) == graph.unfit
        )


@contextmanager
def tables(metric: Metric, folder: Path) -> Iterator[tuple[VectorTable, VectorTable]]:
    """Lend an exact table and one with a graph, both empty."""
    exact, quick = VectorTable(metric), VectorTable(metric, folder / "graph", threshold=COUNT // 2)
    try:
        yield exact, quick
    finally:
        quick.close()


def is_used(table: VectorTable, query: np.ndarray) -> bool:
    """Return whether a search asks the graph: whom it forgot is then not found."""
    (best, *_) = table.search(query[None], 1, None).ids[0]
    graph = table.graph
    assert graph is not None
    with table.lock:
        place = table.columns.places_of(np.array([int(best[1:])]))
        graph.forget(place)
    is_found = table.search(query[None], 1, None).ids[0][0] == best
    with table.lock:
        graph.expect(place, table.columns.capacity)
    return not is_found


def recall_of(exact: VectorTable, quick: VectorTable, queries: np.ndarray, allowed=None) -> float:
    """Return the share of the best that are found, after a look at their scores."""
    right, found = exact.search(queries, TOP_K, allowed), quick.search(queries, TOP_K, allowed)
    shares = []
    for i in range(len(queries)):
        scores = dict(zip(right.ids[i], right.scores[i].tolist(), strict=True))
        keys = dict(zip(right.ids[i], right.keys[i].tolist(), strict=True))
        for id_, score, key in zip(found.ids[i], found.scores[i], found.keys[i], strict=True):
            assert scores.get(id_, float(score)) == float(score)
            assert keys.get(id_, int(key)) == int(key)
        shares.append(len(scores.keys() & set(found.ids[i])) / max(1, len(scores)))
    return float(np.mean(shares))


@pytest.mark.parametrize("metric", Metric, ids=lambda m: m.value)
def test_a_graph_finds_what_an_exact_search_finds(metric: Metric, tmp_path: Path) -> None:
    vectors, queries = some_vectors(1), some_vectors(2, 50)
    with tables(metric, tmp_path) as (exact, quick):
        for table in (exact, quick):
            put(table, np.arange(COUNT), vectors)
            table.committed(1)
        wait_until(lambda: has_graph_of_all(quick))

        assert is_used(quick, queries[0])
        assert recall_of(exact, quick, queries) >= RECALL
        for i in range(5):
            alone = quick.search(queries[i : i + 1], TOP_K, None)
            together = quick.search(queries, TOP_K, None)
            assert alone.ids[0] == together.ids[i]
            assert alone.scores[0].tolist() == together.scores[i].tolist()


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.0005])
@pytest.mark.parametrize("metric", Metric, ids=lambda m: m.value)
def test_filters_leave_nobody_out(metric: Metric, share: float, tmp_path: Path) -> None:
    vectors, queries = some_vectors(1), some_vectors(2, 50)
    with tables(metric, tmp_path) as (exact, quick):
        for table in (exact, quick):
            put(table, np.arange(COUNT), vectors)
            table.committed(1)
        wait_until(lambda: has_graph_of_all(quick))

        by_chance = np.random.default_rng(3).random(COUNT) < share
        assert recall_of(exact, quick, queries, by_chance) >= RECALL
        # Those that are farthest from the queries: a walk ends before it comes to them.
        against = vectors @ queries.mean(axis=0)
        farthest = against <= np.quantile(against, share)
        assert recall_of(exact, quick, queries, farthest) >= RECALL


@pytest.mark.parametrize("metric", Metric, ids=lambda m: m.value)
def test_changes_are_found_at_once_and_after_the_graph_has_them(
    metric: Metric, tmp_path: Path
) -> None:
    queries = some_vectors(2, 50)
    with tables(metric, tmp_path) as (exact, quick):
        for table in (exact, quick):
            put(table, np.arange(COUNT), some_vectors(1))
            table.committed(1)
        wait_until(lambda: has_graph_of_all(quick))

        for step in range(3):
            documents = np.random.default_rng(step).choice(COUNT + 500, 700, replace=False)
            for table in (exact, quick):
                put(table, documents, some_vectors(10 + step, 700))
                table.remove(np.arange(step * 300, step * 300 + 200))
                table.committed(2 + step)

            assert recall_of(exact, quick, queries) >= RECALL
            wait_until(lambda: has_graph_of_all(quick))
            assert recall_of(exact, quick, queries) >= RECALL
            assert is_used(quick, queries[0])


@pytest.mark.parametrize("metric", Metric, ids=lambda m: m.value)
def test_documents_with_several_vectors_are_found_by_their_best(
    metric: Metric, tmp_path: Path
) -> None:
    queries = some_vectors(2, 50)
    counts = np.random.default_rng(4).integers(0, 6, 4000)
    counts[17] = 2000  # one document fills the whole neighbourhood of some queries
    with tables(metric, tmp_path) as (exact, quick):
        for table in (exact, quick):
            put(table, np.arange(4000), some_vectors(1, int(counts.sum())), counts)
            table.committed(1)
        wait_until(lambda: has_graph_of_all(quick))

        assert is_used(quick, queries[0]) or metric is not Metric.L2
        assert recall_of(exact, quick, queries) >= RECALL
        allowed = np.random.default_rng(3).random(4000) < 0.3
        assert recall_of(exact, quick, queries, allowed) >= RECALL


def test_zero_vectors_are_found_where_nothing_better_is(tmp_path: Path) -> None:
    vectors = np.abs(some_vectors(1))
    vectors[::3] = 0
    with tables(Metric.COSINE, tmp_path) as (exact, quick):
        for table in (exact, quick):
            put(table, np.arange(COUNT), vectors)
            table.committed(1)
        wait_until(lambda: has_graph_of_all(quick))
        queries = np.array([[1] * DIM, [-1] * DIM, [0] * DIM], np.float32)

        assert recall_of(exact, quick, queries) == 1
        assert quick.search(queries, 1, None).ids[1:] == [["d0"], ["d0"]]
        assert is_used(quick, queries[0])


def test_vectors_no_graph_has_a_place_for_are_searched_exactly(tmp_path: Path) -> None:
    with tables(Metric.INNER_PRODUCT, tmp_path) as (exact, quick):
        vectors = some_vectors(1)
        for table in (exact, quick):
            put(table, np.arange(COUNT), vectors)
            table.committed(1)
        wait_until(lambda: has_graph_of_all(quick))

        for table in (exact, quick):
            put(table, np.array([COUNT]), vectors[:1] * 1e6)
            table.committed(2)
        wait_until(lambda: has_graph_of_all(quick))

        assert quick.graph is not None
        assert quick.graph.unfit
        assert quick.search(vectors[:1], 1, None).ids == [[f"d{COUNT}"]]
        assert recall_of(exact, quick, some_vectors(2, 50)) >= RECALL
