"""Group commit, and what is left when the disk fails."""

import math
import sqlite3
import threading
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import ValuesColumn
from jina_cli.documents.condition import Compare, Op
from jina_cli.errors import StorageFailed
from jina_cli.executors.indexers.bodies import records_of
from jina_cli.store import writer
from jina_cli.store.records import BadVectors, Records
from jina_cli.store.store import Store


class Gated(sqlite3.Connection):
    """Waits before each commit until the test lets it."""

    gate: ClassVar[threading.Event]
    reached: ClassVar[threading.Event]

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            self.reached.set()
            self.gate.wait(10)
        return super().execute(sql, *arguments)


class Failing(sqlite3.Connection):
    """Fails the next statement that begins with `statement`, with the error `code`."""

    statement: ClassVar[str] = ""
    code: ClassVar[int] = 0

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        if self.statement and sql.startswith(self.statement):
            type(self).statement = ""
            error = sqlite3.OperationalError("disk trouble")
            error.sqlite_errorcode = self.code
            error.sqlite_errorname = "SQLITE_TROUBLE"
            raise error
        return super().execute(sql, *arguments)


def record(id_: str, dim: int = 2) -> Records:
    return Records(ids=[id_], bodies=[b""], vectors=np.ones((1, dim), np.float32))


@pytest.fixture
def gated(tmp_path: Path):
    Gated.gate, Gated.reached = threading.Event(), threading.Event()
    with Store.open(tmp_path, factory=Gated) as store:
        yield store
        Gated.gate.set()


@pytest.fixture
def failing(tmp_path: Path):
    Failing.statement = ""
    with Store.open(tmp_path, factory=Failing) as store:
        store.upsert(record("before"))
        yield store
        Failing.statement = ""


def test_what_waits_for_a_commit_shares_the_next(gated: Store) -> None:
    first = gated.submit(record("first"))
    assert Gated.reached.wait(10)
    rest = [gated.submit(record(f"d{i}")) for i in range(100)]

    Gated.gate.set()

    assert [future.result(10) for future in [first, *rest]] == [1] * 101
    assert gated.transactions == 2
    assert gated.meta().changes == 101


def test_nothing_is_answered_or_seen_before_it_is_committed(gated: Store) -> None:
    future = gated.submit(record("a"))
    assert Gated.reached.wait(10)

    assert not future.done()
    assert gated.count() == 0
    assert gated.search_vectors(np.ones((1, 2)), 1).ids == [[]]

    Gated.gate.set()
    assert future.result(10) == 1
    assert gated.search_vectors(np.ones((1, 2)), 1).ids == [["a"]]


def test_a_bad_batch_of_a_group_fails_alone(gated: Store) -> None:
    first = gated.submit(record("first"))
    assert Gated.reached.wait(10)
    good = gated.submit(record("good"))
    bad = gated.submit(record("bad", dim=3))
    replaced = gated.submit_delete(["first", "nobody"])
    last = gated.submit(record("last"))

    Gated.gate.set()

    assert [f.result(10) for f in (first, good, replaced, last)] == [1, 1, 1, 1]
    with pytest.raises(BadVectors, match=r"^vectors have 3 dimensions, the index has 2, made by"):
        bad.result(10)
    assert sorted(stored.id for stored in gated) == ["good", "last"]
    assert gated.transactions == 2


def test_a_condition_sees_what_came_before_it_in_its_transaction(gated: Store) -> None:
    first = gated.submit(record("first"))
    assert Gated.reached.wait(10)
    prices = DocumentBatch(["a", "b"], {"price": ValuesColumn([5.0, math.nan])})  # is kept beside
    put = gated.submit(records_of(prices))
    deleted = gated.submit_delete_where(Compare(("price",), Op.EQ, 5))

    Gated.gate.set()

    assert [f.result(10) for f in (first, put, deleted)] == [1, 2, 1]
    assert gated.transactions == 2
    assert sorted(stored.id for stored in gated) == ["b", "first"]


def test_a_batch_that_fails_halfway_fails_alone(gated: Store) -> None:
    first = gated.submit(record("first"))
    assert Gated.reached.wait(10)
    good = gated.submit(record("good"))
    bad = gated.submit(Records(ids=["b", "c"], bodies=[b"", object()]))  # type: ignore[list-item]
    replaced = gated.submit_delete(["first", "nobody"])

    Gated.gate.set()

    assert [f.result(10) for f in (first, good, replaced)] == [1, 1, 1]
    with pytest.raises(TypeError):
        bad.result(10)
    assert [stored.id for stored in gated] == ["good"]
    assert gated.search_vectors(np.ones((1, 2)), 9).ids == [["good"]]
    gated.verify()


def test_a_batch_that_is_nothing_a_file_can_hold_ends_nobody_elses(failing: Store) -> None:
    with pytest.raises(TypeError):
        failing.upsert(Records(ids=["b"], bodies=[object()]))  # type: ignore[list-item]

    assert failing.submit(record("next")).result(10) == 1


def test_a_cancelled_batch_is_not_written(gated: Store) -> None:
    first = gated.submit(record("first"))
    assert Gated.reached.wait(10)
    cancelled = gated.submit(record("cancelled"))

    assert cancelled.cancel()
    Gated.gate.set()

    assert first.result(10) == 1
    assert gated.upsert(record("after")) == 1
    assert sorted(stored.id for stored in gated) == ["after", "first"]


@pytest.mark.parametrize("statement", ["BEGIN", "SELECT", "INSERT INTO log", "INSERT OR", "COMMIT"])
def test_a_full_disk_refuses_the_batch_and_takes_the_next(failing: Store, statement: str) -> None:
    Failing.statement, Failing.code = statement, sqlite3.SQLITE_FULL

    with pytest.raises(StorageFailed) as caught:
        failing.upsert(record("refused"))

    assert str(caught.value) == (f"no space left to write {failing.path}: free some and try again")
    assert failing.upsert(record("next")) == 1
    assert sorted(stored.id for stored in failing) == ["before", "next"]


@pytest.mark.parametrize("statement", ["INSERT INTO log", "COMMIT"])
def test_after_a_failed_sync_it_is_read_only_and_says_so(failing: Store, statement: str) -> None:
    fsync_failed = sqlite3.SQLITE_IOERR | (4 << 8)
    Failing.statement, Failing.code = statement, fsync_failed

    for id_ in ("refused", "refused too"):
        with pytest.raises(StorageFailed) as caught:
            failing.upsert(record(id_))

        assert str(caught.value) == (
            f"the disk failed under {failing.path} (SQLITE_TROUBLE):"
            " it is read-only until the Flow is started again; check the disk first"
        )
    with pytest.raises(StorageFailed):
        failing.delete(["before"])
    assert list(failing.get(["before"])) == ["before"]
    assert failing.search_vectors(np.ones((1, 2)), 5).ids == [["before"]]


def test_a_checkpoint_that_fails_ends_the_writing_and_loses_nothing(tmp_path: Path) -> None:
    Failing.statement, Failing.code = "PRAGMA wal_checkpoint", sqlite3.SQLITE_IOERR | (4 << 8)
    big = Records(ids=["big"], bodies=[bytes(17 << 20)])
    with Store.open(tmp_path, factory=Failing) as store:
        assert store.upsert(big) == 1
        with pytest.raises(StorageFailed, match="read-only"):
            store.upsert(record("after"))

    with Store.open(tmp_path) as store:
        assert len(store.get(["big"])["big"].body) == 17 << 20
        assert store.count() == 1


def test_the_log_does_not_grow_while_somebody_reads_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_CHECKPOINT_BYTES", 1 << 20)
    monkeypatch.setattr(writer, "_LONG_LOG_PAGES", 1024)
    stop = threading.Event()
    with Store.open(tmp_path) as store:
        begun = threading.Semaphore(0)

        def read() -> None:
            while not stop.is_set():
                with store.snapshot() as now:
                    now.get(["d0"])
                    begun.release()
                    stop.wait(0.02)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
            assert begun.acquire(timeout=10)
        for i in range(40):
            store.upsert(Records(ids=[f"d{i}"], bodies=[bytes(1 << 20)]))
        size = (tmp_path / "documents.sqlite-wal").stat().st_size
        stop.set()
        for thread in threads:
            thread.join(10)

    assert size < 20 << 20


def test_searches_go_on_beside_writers(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.upsert(record("always"))
        stop = threading.Event()
        errors: list[BaseException] = []

        def search() -> None:
            try:
                while not stop.is_set():
                    assert "always" in store.search_vectors(np.ones((1, 2)), 1000).ids[0]
                    assert "always" in store.get(["always"])
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=search) for _ in range(2)]
        for thread in threads:
            thread.start()
        for i in range(100):
            store.upsert(record(f"d{i % 7}"))
            store.delete([f"d{(i + 3) % 7}"])
        stop.set()
        for thread in threads:
            thread.join(10)

    assert errors == []
