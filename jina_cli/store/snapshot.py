"""Documents as they are at one moment, each compared with its checksums when it is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from jina_cli.errors import StorageFailed
from jina_cli.store.failures import damaged
from jina_cli.store.records import Brief, Stored
from jina_cli.store.schema import document_crc, part_crc
from jina_cli.store.transaction import select_ids

_BRIEF = "SELECT id, text, body, vector_crc, rest_crc, crc FROM documents"
_WHOLE = (
    "SELECT documents.rowid, id, text, body, vector_crc, rest_crc, crc, vector, rest"
    " FROM documents"
    " LEFT JOIN vectors ON vectors.rowid = documents.rowid"
    " LEFT JOIN rests ON rests.rowid = documents.rowid"
)

_Whole: TypeAlias = tuple[
    int, str, str | None, bytes, int | None, int | None, int, bytes | None, bytes | None
]


class Snapshot:
    """Documents to read.

    Args:
        path: The file, for messages.
        connection: Inside a transaction, where several calls must see the same state.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def briefs(self, ids: Iterable[str]) -> list[Brief]:
        """Return what is read fast of those of the documents `ids` that are there, each once.

        They come in no order.

        Raises:
            StorageFailed: One is not what was written.
        """
        briefs = []
        for id_, text, body, vector_crc, rest_crc, crc in select_ids(self._connection, _BRIEF, ids):
            if crc != document_crc(id_, text, body, vector_crc, rest_crc):
                raise self._damaged(id_)
            briefs.append(Brief(id_, body, text, rest_crc is not None))
        return briefs

    def get(self, ids: Iterable[str]) -> Mapping[str, Stored]:
        """Return those of the documents `ids` that are there, by id.

        Raises:
            StorageFailed: One is not what was written.
        """
        rows = select_ids(self._connection, _WHOLE, ids)
        return {row[1]: self._stored(row) for row in rows}

    def after(self, last: int, count: int) -> tuple[int, Sequence[Stored]]:
        """Return the next documents behind the row `last`, and the row of the last of them."""
        rows = self._connection.execute(
            f"{_WHOLE} WHERE documents.rowid > ? ORDER BY documents.rowid LIMIT ?", (last, count)
        ).fetchall()
        return (rows[-1][0] if rows else last), [self._stored(row) for row in rows]

    def _stored(self, row: _Whole) -> Stored:
        _, id_, text, body, vector_crc, rest_crc, crc, vector, rest = row
        expected = (vector_crc, rest_crc, crc)
        crcs = part_crc(id_, vector), part_crc(id_, rest)
        if expected != (*crcs, document_crc(id_, text, body, *crcs)):
            raise self._damaged(id_)
        array = None if vector is None else np.frombuffer(vector, "<f4")
        return Stored(id=id_, body=body, text=text, vector=array, rest=rest)

    def _damaged(self, id_: str) -> StorageFailed:
        return damaged(self._path, f"document {id_!r} is not what was written")
