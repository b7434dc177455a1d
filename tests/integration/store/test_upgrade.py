"""An index of format 1 is brought to our format when it is opened, whole or not at all."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from jina_cli.documents.condition import condition_of
from jina_cli.errors import StorageFailed
from jina_cli.store import opening, schema
from jina_cli.store.records import Parts, Records
from jina_cli.store.store import Store

GOLDEN = Path(__file__).parents[2] / "fixtures" / "store" / "format-1.sqlite"
"""Six documents, of which d5 was deleted: d0 to d4 have texts `text number 0`, vectors, tensors,
and `plain` has tags alone; the tag `n` is the number, that of `plain` is 99."""

IDS = ["d0", "d1", "d2", "d3", "d4", "plain"]

KILLED_AT = """
import os, signal, sqlite3, sys
from jina_cli.store.store import Store

class Killed(sqlite3.Connection):
    def execute(self, sql, *arguments):
        if sql.startswith(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(sql, *arguments)

Store.open(sys.argv[1], factory=Killed)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(GOLDEN, tmp_path / schema.FILE_NAME)
    return tmp_path


def check_all_is_there(store: Store) -> None:
    assert [stored.id for stored in store.page()] == IDS
    assert store.search_text(["number"], 9).ids == [IDS[:5]]
    assert store.search_vectors(np.eye(4)[:1], 1).ids == [["d0"]]
    for text, count in (("n > 3", 2), ("tensor exists", 5), ("text like '%2'", 1)):
        assert store.count(condition_of(text)) == count, text
    store.verify()


def test_an_index_of_format_1_is_opened_with_all_that_is_in_it(folder: Path) -> None:
    for _ in range(2):
        with Store.open(folder) as store:
            check_all_is_there(store)

    with Store.open(folder) as store:
        parts = Parts(
            offsets=np.array([0, 1]), ids=["p"], bodies=[b"P"], vectors=np.ones((1, 4), np.float32)
        )
        store.upsert(Records(ids=["new"], bodies=[b""], parts=parts, hashes=[b"#"]))
    with Store.open(folder) as store:
        assert store.search_vectors(np.ones((1, 4)), 1).parts == [["p"]]
        assert store.hashes([*IDS, "new"]) == {"new": b"#"}
        store.delete(["new"])
        check_all_is_there(store)


@pytest.mark.parametrize(
    "statement",
    ["PRAGMA journal_mode = DELETE", "ALTER", "CREATE TABLE log", "PRAGMA user_version = ",
     "COMMIT", "PRAGMA journal_mode = WAL"],
)  # fmt: skip
def test_a_kill_in_the_middle_leaves_one_that_opens(folder: Path, statement: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT, str(folder), statement],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        timeout=30,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL

    with Store.open(folder) as store:
        check_all_is_there(store)


def test_a_failure_in_the_middle_leaves_it_as_it_was(folder: Path) -> None:
    class Full(sqlite3.Connection):
        def execute(self, sql: str, *arguments: object) -> sqlite3.Cursor:
            if sql.startswith("CREATE TABLE log"):
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
            return super().execute(sql, *arguments)

    with pytest.raises(StorageFailed, match="no space left"):
        Store.open(folder, factory=Full)

    assert (folder / schema.FILE_NAME).read_bytes()[60:64] == (1).to_bytes(4, "big")
    with Store.open(folder) as store:
        check_all_is_there(store)


def test_a_reader_waits_until_a_writer_upgraded_it(folder: Path) -> None:
    opened: list[Store] = []
    waits = threading.Thread(target=lambda: opened.append(Store.open(folder, read_only=True)))
    waits.start()

    with Store.open(folder) as writer:
        waits.join(30)
        (reader,) = opened
        with reader:
            assert reader.count() == writer.count() == len(IDS)


def test_a_reader_says_what_it_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_UPGRADED_WITHIN_S", 0.0)

    with pytest.raises(StorageFailed) as caught:
        Store.open(folder, read_only=True)

    assert str(caught.value) == (
        f"the index {folder / schema.FILE_NAME} is of an earlier format:"
        " open it to write once, which brings it to that of this version"
    )
