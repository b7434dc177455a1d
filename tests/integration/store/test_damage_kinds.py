"""Values that are of another kind than was written: one bit of a file makes a text of a blob."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jina_cli.errors import StorageFailed
from jina_cli.store.records import Parts, Records
from jina_cli.store.store import Store

READS: dict[str, Callable[[Store], object]] = {
    "all": list,
    "by id": lambda store: store.get(["a"]),
    "page": lambda store: store.page(limit=5),
    "verify": lambda store: store.verify(),
}


def filled(folder: Path) -> None:
    parts = Parts(offsets=np.array([0, 1]), ids=["a#0"], bodies=[b"{}"], vectors=np.eye(1, 4))
    with Store.open(folder) as store:
        store.upsert(Records(ids=["a"], bodies=[b"{}"], texts=["word"], parts=parts))


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(
    "change",
    [
        *("documents SET body = 5", "documents SET text = 7"),
        *("documents SET parts_crc = 'x'", "documents SET hash = 3"),
        *("parts SET id = 9", "parts SET vector = 1.5", "parts SET body = NULL"),
    ],
)
def test_a_value_of_another_kind_is_damage(tmp_path: Path, change: str, read: str) -> None:
    filled(tmp_path)
    connection = sqlite3.connect(tmp_path / "documents.sqlite")
    try:
        connection.execute(f"UPDATE {change}")
        connection.commit()
    except sqlite3.IntegrityError:
        pytest.skip("the file itself does not take such a value")
    finally:
        connection.close()

    with pytest.raises(StorageFailed, match="is damaged"), Store.open(tmp_path) as store:
        READS[read](store)


def test_an_id_of_another_kind_is_damage(tmp_path: Path) -> None:
    filled(tmp_path)
    with sqlite3.connect(tmp_path / "documents.sqlite") as connection:
        connection.execute("UPDATE documents SET id = CAST(id AS BLOB)")
    connection.close()

    with pytest.raises(StorageFailed, match="is damaged"), Store.open(tmp_path) as store:
        list(store)
