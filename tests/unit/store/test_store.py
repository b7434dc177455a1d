"""What a store promises to one caller."""

import os
import sqlite3
import stat
from pathlib import Path

import numpy as np
import pytest

from jina_cli.errors import StorageFailed
from jina_cli.store.records import BadRecords, BadVectors, Records
from jina_cli.store.store import Store
from jina_cli.vocabulary import Metric


def records(*ids: str, dim: int = 0, text: str | None = None) -> Records:
    return Records(
        ids=ids,
        bodies=[f"body of {id_}".encode() for id_ in ids],
        texts=None if text is None else [text] * len(ids),
        vectors=np.ones((len(ids), dim), np.float32) if dim else None,
    )


def test_what_was_stored_is_there_after_reopening(tmp_path: Path) -> None:
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3)
    with Store.open(tmp_path) as store:
        store.upsert(
            Records(ids=["a", "b"], bodies=[b"A", b"\0\xff"], texts=["x", None], vectors=vectors)
        )

    with Store.open(tmp_path) as store:
        found = store.get(["b", "nobody", "a"])
        ids_in_order = [stored.id for stored in store]

        assert (store.count(), store.dim, ids_in_order) == (2, 3, ["a", "b"])
        assert sorted(found) == ["a", "b"]
        assert (found["a"].body, found["a"].text) == (b"A", "x")
        assert (found["b"].body, found["b"].text) == (b"\0\xff", None)
        assert found["b"].vector is not None
        assert found["b"].vector.tolist() == [3, 4, 5]
        assert store.search_vectors(vectors[1:], 1).ids == [["b"]]
        assert store.search_text(["x"], 1).ids == [["a"]]


def test_a_new_store_is_empty(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        assert (store.count(), store.dim, list(store)) == (0, 0, [])
        assert store.get(["a"]) == {}
        assert store.delete(["a"]) == 0
        assert store.search_text(["x"], 5).ids == [[]]
        assert store.search_vectors(np.ones((1, 9)), 5).ids == [[]]
        assert store.upsert(records()) == 0


def test_the_folders_of_a_new_index_are_on_the_disk_before_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, sync = list[str](), os.fsync

    def watched(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    folder = tmp_path / "pod" / "shard-0"

    Store.open(folder).close()

    assert {str(tmp_path), str(folder.parent), str(folder)} <= set(synced)
    synced.clear()
    Store.open(folder).close()
    assert synced == []


def test_the_last_record_of_an_id_wins(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        count = store.upsert(Records(ids=["a", "b", "a"], bodies=[b"1", b"2", b"3"]))

        assert (count, store.count(), store.get(["a"])["a"].body) == (2, 2, b"3")


def test_a_replaced_text_is_no_longer_found(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.upsert(records("a", "b", text="old words"))
        store.upsert(records("a", text="new words"))
        store.upsert(records("b"))

        assert store.search_text(["old", "new"], 9).ids == [[], ["a"]]
        store.verify()


def test_vectors_of_another_length_are_refused_and_nothing_is_added(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.upsert(records("a", dim=3))

        with pytest.raises(
            BadVectors, match=r"^vectors have 2 dimensions, the index has 3, made by"
        ):
            store.upsert(records("b", "c", dim=2))

        assert store.count() == 1
        assert store.upsert(records("b", dim=3)) == 1


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"vectors": np.array([[np.inf]])}, "vectors must be finite, row 0 has NaN or infinity"),
        ({"vectors": np.zeros((1, 0))}, "vectors must have at least one dimension"),
        ({"ids": ["\ud800"]}, "an id has half of a surrogate pair, which no UTF-8 can hold"),
        ({"ids": ["a", "b"]}, "1 bodies for 2 ids"),
        ({"texts": []}, "0 texts for 1 ids"),
        ({"rests": []}, "0 rests for 1 ids"),
        ({"vectors": np.zeros((2, 1))}, "2 vectors for 1 ids"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_records_are_refused(tmp_path: Path, bad: dict, message: str) -> None:
    with Store.open(tmp_path) as store:
        with pytest.raises(BadRecords) as caught:
            store.upsert(Records(**{"ids": ["a"], "bodies": [b""], **bad}))

        assert str(caught.value) == message
        assert store.count() == 0


def test_top_k_below_one_is_refused(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, pytest.raises(ValueError, match=r"^top_k must be at least"):
        store.search_text(["x"], 0)


@pytest.mark.parametrize("id_", ["", "a\0b", "é", "e\u0301", "🚤", "'", "x" * 10_000])
def test_any_string_is_an_id(tmp_path: Path, id_: str) -> None:
    with Store.open(tmp_path) as store:
        store.upsert(records("a", id_, dim=2, text="word"))
        store.upsert(records(id_, dim=2, text="word"))

        assert store.count() == 2
        assert list(store.get([id_])) == [id_]
        assert store.delete([id_]) == 1
        store.verify()


def test_the_metric_is_fixed_when_the_index_is_made(tmp_path: Path) -> None:
    Store.open(tmp_path, metric=Metric.L2).close()

    with pytest.raises(StorageFailed) as caught:
        Store.open(tmp_path, metric=Metric.COSINE)

    assert str(caught.value) == (
        f"the index {tmp_path}/documents.sqlite compares by l2, not by cosine:"
        " say the metric it was made with, or use another workspace"
    )
    Store.open(tmp_path, metric=Metric.L2).close()


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    with Store.open(tmp_path):
        with pytest.raises(StorageFailed) as caught:
            Store.open(tmp_path)

        assert str(caught.value) == (
            f"the index in {tmp_path} is being written by process {os.getpid()}:"
            " stop it, or use another workspace; an index has one writer"
        )
    Store.open(tmp_path).close()


def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "store"
    with Store.open(folder) as store:
        store.upsert(records("a", dim=2))

        assert {path.name for path in folder.iterdir()} == {
            "documents.sqlite",
            "documents.sqlite-shm",
            "documents.sqlite-wal",
            "lock",
        }
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.close()
    store.close()

    with pytest.raises(StorageFailed, match=r"is closed$"):
        store.upsert(records("a"))
    with pytest.raises(StorageFailed, match=r"is closed$"):
        store.count()


def test_closing_finishes_what_was_submitted(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    futures = [store.submit(records(f"d{i}")) for i in range(200)]

    store.close()

    assert [future.result(0) for future in futures] == [1] * 200
    with Store.open(tmp_path) as store:
        assert store.count() == 200


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, b"SQLite format 3\0" + b"\0" * 10])
def test_a_file_that_is_no_index_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "documents.sqlite"
    path.write_bytes(content)

    with pytest.raises(StorageFailed) as caught:
        Store.open(tmp_path)

    assert str(caught.value) == (
        f"the index {path} is damaged (it does not begin like one):"
        " put back a copy of it, or move it away and index again"
    )
    assert path.read_bytes() == content


def test_the_database_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "documents.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE documents (a)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(StorageFailed, match=r"is not an index: use another workspace$"):
        Store.open(tmp_path)

    assert path.read_bytes() == before


@pytest.mark.parametrize("read_only", [True, False])
def test_a_schema_that_is_no_text_any_more_is_damage(tmp_path: Path, read_only: bool) -> None:
    Store.open(tmp_path).close()
    path = tmp_path / "documents.sqlite"
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE meta", b"CREATE TABL\xff meta"))

    with pytest.raises(StorageFailed, match=r"is damaged \(its schema is not what was written\)"):
        Store.open(tmp_path, read_only=read_only)


def test_a_later_format_is_refused_untouched(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    path = tmp_path / "documents.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(StorageFailed) as caught:
        Store.open(tmp_path)

    assert str(caught.value) == (
        f"the index {path} has format 3, this version reads up to 2:"
        " install the version of jina that wrote it, or a later one"
    )
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["documents.sqlite", "lock"]


def test_a_log_without_its_file_is_not_taken_for_an_empty_index(tmp_path: Path) -> None:
    (tmp_path / "documents.sqlite-wal").write_bytes(b"log")

    with pytest.raises(StorageFailed, match="it is gone and only its log is left"):
        Store.open(tmp_path)


def test_a_body_that_changed_on_the_disk_is_not_given_out(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.upsert(records("a", "b", dim=2))
    _edit(tmp_path, "UPDATE documents SET body = x'00' WHERE id = 'a'")

    with Store.open(tmp_path) as store:
        assert list(store.get(["b"])) == ["b"]
        with pytest.raises(StorageFailed, match="document 'a' is not what was written"):
            store.get(["a"])
        with pytest.raises(StorageFailed, match="document 'a' is not what was written"):
            store.verify()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rests SET rest = x'00'",
        "DELETE FROM rests",
        "UPDATE documents SET rest_crc = NULL",
        "UPDATE documents SET rest_crc = 5",
    ],
)
def test_a_rest_that_changed_on_the_disk_is_not_given_out(tmp_path: Path, statement: str) -> None:
    with Store.open(tmp_path) as store:
        store.upsert(Records(ids=["a"], bodies=[b""], rests=[b"large"]))
    _edit(tmp_path, statement)

    with Store.open(tmp_path) as store:
        with pytest.raises(StorageFailed, match="document 'a' is not what was written"):
            store.get(["a"])
        with pytest.raises(StorageFailed, match="document 'a' is not what was written"):
            store.verify()


def test_a_snapshot_does_not_change_while_others_write(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.upsert(Records(ids=["a"], bodies=[b"old"], rests=[b"old"]))
        with store.snapshot() as then:
            before = then.briefs(["a", "b"])
            store.upsert(Records(ids=["a", "b"], bodies=[b"new", b"new"], rests=[b"new", None]))

            assert then.briefs(["a", "b"]) == before
            assert then.get(["a"])["a"].rest == b"old"
        assert store.get(["a"])["a"].rest == b"new"


def test_a_vector_that_went_missing_is_seen_when_opening(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.upsert(records("a", dim=2))
    _edit(tmp_path, "DELETE FROM vectors")

    with pytest.raises(StorageFailed, match="the vector of 'a' is not what was written"):
        Store.open(tmp_path)


def test_a_vector_that_changed_on_the_disk_is_seen_when_opening(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.upsert(records("a", dim=2))
    _edit(tmp_path, "UPDATE vectors SET vector = x'0000000000000000'")

    with pytest.raises(StorageFailed, match="the vector of 'a' is not what was written"):
        Store.open(tmp_path)


def test_a_document_that_went_missing_is_seen_when_opening(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.upsert(records("a", "b"))
    _edit(tmp_path, "DELETE FROM documents WHERE id = 'a'")

    with pytest.raises(StorageFailed, match="it holds 1 documents instead of 2"):
        Store.open(tmp_path)


def test_words_that_do_not_fit_the_texts_are_found_by_verify(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.upsert(records("a", text="word"))
    _edit(tmp_path, "INSERT INTO terms(terms) VALUES ('delete-all')")

    with Store.open(tmp_path) as store, pytest.raises(StorageFailed, match="is damaged"):
        store.verify()


def _edit(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "documents.sqlite", isolation_level=None)
    connection.execute(statement)
    connection.close()
