"""A store that only reads, beside the one that writes."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from jina_cli.documents.condition import condition_of
from jina_cli.errors import StorageFailed
from jina_cli.store import changelog
from jina_cli.store.records import Parts, Records
from jina_cli.store.store import Store
from jina_cli.vocabulary import Metric


def records(*ids: str, value: float = 1) -> Records:
    return Records(
        ids=ids,
        bodies=[b'{"tags":{"n":%d}}' % len(id_) for id_ in ids],
        texts=["word"] * len(ids),
        vectors=np.full((len(ids), 2), value, np.float32),
    )


def test_a_reader_sees_what_was_committed_before_it_asks(tmp_path: Path) -> None:
    query = np.ones((1, 2), np.float32)
    with Store.open(tmp_path) as writer, Store.open(tmp_path, read_only=True) as reader:
        assert reader.search_vectors(query, 9).ids == [[]]

        writer.upsert(records("a", "bb"))

        assert reader.search_vectors(query, 9).ids == [["a", "bb"]]
        assert reader.search_vectors(query, 9, where=condition_of("n = 2")).ids == [["bb"]]
        assert reader.search_text(["word"], 9).ids == [["a", "bb"]]

        writer.delete(["a"])
        writer.upsert(records("c", value=2))
        part = Parts(
            offsets=np.array([0, 1]), ids=["p"], bodies=[b""], vectors=np.ones((1, 2), np.float32)
        )
        writer.upsert(Records(ids=["d"], bodies=[b""], parts=part))

        found = reader.search_vectors(query, 9)
        assert (found.ids, found.parts) == ([["bb", "c", "d"]], [["", "", "p"]])
        assert reader.count() == 3
        assert np.isnan(reader.score_vectors(query[0], ["a", "nobody"])).all()


def test_a_reader_that_is_far_behind_reads_everything_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changelog, "KEPT_BYTES", 200)
    monkeypatch.setattr(changelog, "_TRIMMED_AT_ONCE_BYTES", 100)
    query = np.ones((1, 2), np.float32)
    with Store.open(tmp_path) as writer, Store.open(tmp_path, read_only=True) as reader:
        assert reader.search_vectors(query, 9).ids == [[]]
        for i in range(30):
            writer.upsert(records(f"d{i:02}"))
        writer.delete(["d00"])

        assert reader.search_vectors(query, 99).ids == [[f"d{i:02}" for i in range(1, 30)]]
        writer.verify()
    connection = sqlite3.connect(tmp_path / "documents.sqlite")
    assert connection.execute("SELECT count(*) FROM log").fetchone()[0] < 10
    connection.close()


def test_a_reader_writes_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path, read_only=True) as reader:
        for change in (
            lambda: reader.upsert(records("a")),
            lambda: reader.delete(["a"]),
        ):
            with pytest.raises(StorageFailed) as caught:
                change()

            assert str(caught.value) == f"the index {reader.path} was opened to read only"


def test_a_reader_asks_for_the_metric_of_the_index(tmp_path: Path) -> None:
    Store.open(tmp_path, metric=Metric.L2).close()

    with pytest.raises(StorageFailed, match=r"compares by l2, not by cosine"):
        Store.open(tmp_path, read_only=True)


def test_an_entry_of_the_log_that_changed_is_found(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.upsert(records("a"))
        store.upsert(records("bb"))
    connection = sqlite3.connect(tmp_path / "documents.sqlite", isolation_level=None)
    connection.execute("UPDATE log SET documents = x'00' WHERE change = 2")
    connection.close()

    with (
        Store.open(tmp_path) as store,
        pytest.raises(StorageFailed, match="entry 2 of its log is not what was written"),
    ):
        store.verify()
