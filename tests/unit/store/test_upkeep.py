"""A graph is made while nobody writes, saved, and used again as far as it is true."""

import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from jina_cli.store.hnsw import EXPANSION_SEARCH
from jina_cli.store.vectors import VectorTable
from jina_cli.vocabulary import Metric
from tests.testing.processes import wait_until
from tests.unit.store.test_nearest import (
    COUNT,
    DIM,
    RECALL,
    has_graph_of_all,
    put,
    recall_of,
    some_vectors,
)

Opening = Callable[..., VectorTable]


@pytest.fixture
def opening(tmp_path: Path) -> Iterator[Opening]:
    """Make tables with the vectors of a seed, which are closed at the end."""
    tables: list[VectorTable] = []

    def make(vectors: np.ndarray, path: Path = tmp_path / "graph", **options) -> VectorTable:
        options.setdefault("metric", Metric.COSINE)
        options.setdefault("threshold", COUNT // 2)
        table = VectorTable(sidecar=path, **options)
        tables.append(table)
        table.reserve(len(vectors), vectors.shape[1])
        put(table, np.arange(len(vectors)), vectors)
        table.committed(1)
        return table

    yield make
    for table in tables:
        table.close()


def exact_of(vectors: np.ndarray) -> VectorTable:
    table = VectorTable(Metric.COSINE)
    put(table, np.arange(len(vectors)), vectors)
    return table


def size_and_stale(table: VectorTable) -> tuple[int, int]:
    assert table.graph is not None
    return table.graph.size, table.graph.stale


def saved_at(opening: Opening, tmp_path: Path) -> Path:
    """Save the graph of the vectors of seed 1."""
    table = opening(some_vectors(1))
    wait_until(lambda: has_graph_of_all(table))
    table.close()
    return tmp_path / "graph"


def test_few_vectors_have_no_graph(opening: Opening, tmp_path: Path) -> None:
    table = opening(some_vectors(1)[:100])
    table.close()

    assert table.graph is None
    assert list(tmp_path.iterdir()) == []


def test_a_saved_graph_is_used_at_once(opening: Opening, tmp_path: Path) -> None:
    saved_at(opening, tmp_path)

    table = opening(some_vectors(1))
    wait_until(lambda: has_graph_of_all(table))

    assert size_and_stale(table) == (COUNT, 0)
    assert recall_of(exact_of(some_vectors(1)), table, some_vectors(2, 50)) >= RECALL


def test_a_graph_that_lacks_changes_is_caught_up(opening: Opening, tmp_path: Path) -> None:
    saved_at(opening, tmp_path)
    # Other vectors under the same keys, some gone and some new.
    vectors = some_vectors(1)
    vectors[100:200] = some_vectors(3, 100)
    vectors = np.concatenate([vectors[:-50], some_vectors(4, 80)])

    table = opening(vectors)
    wait_until(lambda: has_graph_of_all(table))

    assert size_and_stale(table) == (COUNT + 180, 150)
    assert recall_of(exact_of(vectors), table, some_vectors(2, 50)) >= RECALL


def test_a_graph_of_another_store_is_made_again(opening: Opening, tmp_path: Path) -> None:
    saved_at(opening, tmp_path)

    table = opening(some_vectors(5))
    wait_until(lambda: has_graph_of_all(table) and size_and_stale(table) == (COUNT, 0))

    assert recall_of(exact_of(some_vectors(5)), table, some_vectors(2, 50)) >= RECALL


@pytest.mark.parametrize("how", ["cut", "changed", "empty", "a folder"])
def test_a_damaged_graph_is_made_again(
    how: str, opening: Opening, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = saved_at(opening, tmp_path)
    whole = path.read_bytes()
    path.unlink()
    if how == "a folder":
        path.mkdir()
    else:
        middle = len(whole) // 2
        changed = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        path.write_bytes({"cut": whole[:middle], "changed": changed, "empty": b""}[how])

    table = opening(some_vectors(1))
    wait_until(lambda: has_graph_of_all(table))

    assert recall_of(exact_of(some_vectors(1)), table, some_vectors(2, 50)) >= RECALL
    assert [f"the graph {path} is made again: " in line for line in caplog.messages[:1]] == [True]


def test_a_graph_most_of_which_leads_nowhere_is_made_again(opening: Opening) -> None:
    table = opening(some_vectors(1))
    wait_until(lambda: has_graph_of_all(table))

    put(table, np.arange(3000), some_vectors(3, 3000))
    table.committed(2)
    wait_until(lambda: has_graph_of_all(table) and size_and_stale(table) == (COUNT, 0))

    vectors = np.concatenate([some_vectors(3, 3000), some_vectors(1)[3000:]])
    assert recall_of(exact_of(vectors), table, some_vectors(2, 50)) >= RECALL


def test_a_graph_is_put_away_when_few_vectors_are_left(opening: Opening) -> None:
    table = opening(some_vectors(1))
    wait_until(lambda: has_graph_of_all(table))

    table.remove(np.arange(COUNT - 100))
    table.committed(2)
    wait_until(lambda: table.graph is None)

    found = table.search(some_vectors(2, 1), 200, None)
    assert len(found.ids[0]) == 100


def test_a_reader_uses_what_the_writer_saved_and_leaves_it(
    opening: Opening, tmp_path: Path
) -> None:
    path = saved_at(opening, tmp_path)
    before = path.stat()
    vectors = np.concatenate([some_vectors(1), some_vectors(4, 80)])

    reader = opening(vectors, read_only=True)
    wait_until(lambda: reader.graph is not None)

    assert recall_of(exact_of(vectors), reader, some_vectors(2, 50)) >= RECALL
    put(reader, np.arange(50), some_vectors(6, 50))
    reader.committed(2)
    reader.close()
    after = path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert [entry.name for entry in tmp_path.iterdir()] == ["graph"]


def test_a_reader_takes_the_graph_that_is_saved_later(opening: Opening, tmp_path: Path) -> None:
    reader = opening(some_vectors(1), tmp_path / "later", read_only=True)
    path = saved_at(opening, tmp_path)

    shutil.copy(path, tmp_path / "draft")
    (tmp_path / "draft").rename(tmp_path / "later")
    reader.committed(2)

    wait_until(lambda: reader.graph is not None)
    assert size_and_stale(reader) == (COUNT, 0)


def test_a_reader_takes_a_new_graph_when_much_of_its_own_leads_nowhere(
    opening: Opening, tmp_path: Path
) -> None:
    path, left = saved_at(opening, tmp_path), COUNT * 2 // 3
    reader = opening(some_vectors(1), read_only=True)
    wait_until(lambda: reader.graph is not None)
    made_again = opening(some_vectors(1)[:left], tmp_path / "draft")
    wait_until(lambda: has_graph_of_all(made_again))
    made_again.close()
    (tmp_path / "draft").rename(path)

    reader.remove(np.arange(left, COUNT))
    reader.committed(2)

    wait_until(lambda: size_and_stale(reader) == (left, 0))


def test_without_usearch_all_is_searched_exactly_and_said_once(
    opening: Opening, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "usearch", None)
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    caplog.set_level(logging.INFO)

    table = opening(some_vectors(1))
    wait_until(lambda: caplog.messages)
    for change in range(2, 5):
        table.committed(change)
    table.close()

    (line,) = caplog.messages
    assert "pip install 'jina[ann]'" in line
    assert recall_of(exact_of(some_vectors(1)), table, some_vectors(2, 50)) == 1


def test_a_graph_that_cannot_be_saved_is_used_all_the_same(
    opening: Opening, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = opening(some_vectors(1), tmp_path / "gone" / "graph")
    wait_until(lambda: has_graph_of_all(table) and caplog.messages)

    assert "is not saved: " in caplog.messages[0]
    assert recall_of(exact_of(some_vectors(1)), table, some_vectors(2, 50)) >= RECALL


def test_a_graph_waits_while_a_transaction_is_on_its_way(opening: Opening) -> None:
    table = VectorTable(Metric.COSINE)  # no graph of its own
    assert not table.is_writing

    table.reserve(10, DIM)

    assert table.is_writing
    table.committed(1)
    assert not table.is_writing


def test_vectors_at_random_which_lie_in_no_clusters_are_found_too(opening: Opening) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((COUNT, 48)).astype(np.float32)
    queries = rng.standard_normal((50, 48)).astype(np.float32)

    table = opening(vectors)
    wait_until(lambda: has_graph_of_all(table), 30)

    exact = exact_of(vectors)
    wait_until(lambda: recall_of(exact, table, queries) >= RECALL)
    assert table.graph is not None
    assert table.graph.expansion >= EXPANSION_SEARCH
