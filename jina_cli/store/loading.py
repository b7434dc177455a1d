"""The vectors of a record on their way into memory, each compared with its checksum."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from jina_cli.store import changelog
from jina_cli.store.failures import damaged, of_known_kinds
from jina_cli.store.records import Numbers, numbers_of
from jina_cli.store.schema import KEY_BITS, Meta, crc_of, part_crc, parts_crc
from jina_cli.store.transaction import keys_of_parts, select_in
from jina_cli.store.vectors import VectorTable

_DOCUMENTS_AT_ONCE = 512
_VECTOR = (
    "SELECT documents.rowid, id, vector_crc, parts_crc, vector FROM documents"
    " LEFT JOIN vectors ON vectors.rowid = documents.rowid"
)
_HAS_VECTORS = "(vector_crc NOT NULL OR parts_crc NOT NULL)"
_PARTS = "SELECT key, id, body, vector, crc FROM parts WHERE key BETWEEN ? AND ? ORDER BY key"


class Loader:
    """Reads vectors out of a record.

    Args:
        path: The file, for messages.
        connection: Inside a transaction.
        meta: What the index says of itself in that transaction.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, meta: Meta) -> None:
        self._path = path
        self._connection = connection
        self._meta = meta

    def load(self, table: VectorTable) -> None:
        """Put all vectors into an empty table.

        Raises:
            StorageFailed: One is not what was written.
        """
        if self._meta.dim:
            table.reserve(self._count(), self._meta.dim)
            rows = self._connection.execute(f"{_VECTOR} WHERE {_HAS_VECTORS}")
            self._put(table, rows)
        table.committed(self._meta.changes)

    def follow(self, table: VectorTable) -> bool:
        """Bring a table up to date; return False if the changes it lacks are not known.

        Raises:
            StorageFailed: A vector is not what was written.
        """
        changed = self._changed_since(table.change)
        if changed is None:
            return False
        rows = select_in(
            self._connection,
            f"{_VECTOR} WHERE {_HAS_VECTORS} AND documents.rowid",
            changed.tolist(),
        )
        put = self._put(table, rows)
        table.remove(np.setdiff1d(changed, put))
        table.committed(self._meta.changes)
        return True

    def _changed_since(self, change: int) -> Numbers | None:
        with of_known_kinds(self._path):
            return changelog.changed_since(self._connection, change)

    def _count(self) -> int:
        (own,) = self._connection.execute("SELECT count(*) FROM vectors").fetchone()
        (parts,) = self._connection.execute("SELECT count(*) FROM parts").fetchone()
        return int(own + parts)

    def _put(self, table: VectorTable, rows: Iterable[Any]) -> Numbers:
        """Put the vectors of documents into a table, and return which documents they are."""
        put: list[Numbers] = []
        for chunk in _chunks(iter(rows)):
            documents, ids = numbers_of(row[0] for row in chunk), [row[1] for row in chunk]
            with of_known_kinds(self._path):
                vectors = [self._of_document(*row) for row in chunk]
            counts = np.array([len(of_document) for of_document in vectors], np.int64)
            keys = numbers_of(key for of_document in vectors for key, _ in of_document)
            joined = b"".join([blob for of_document in vectors for _, blob in of_document])
            matrix = np.frombuffer(joined, "<f4").reshape(len(keys), self._meta.dim)
            table.put(documents, ids, counts, keys, matrix)
            put.append(documents)
        return np.concatenate(put) if put else np.zeros(0, np.int64)

    def _of_document(
        self, row: int, id_: str, vector_crc: int | None, of_parts: int | None, vector: bytes | None
    ) -> list[tuple[int, bytes]]:
        size = 4 * self._meta.dim
        if crc_of(id_, vector) != vector_crc or (vector is not None and len(vector) != size):
            raise damaged(self._path, f"the vector of {id_!r} is not what was written")
        found = [] if vector is None else [(row << KEY_BITS, vector)]
        if of_parts is None:
            return found
        crcs = []
        for key, part, body, blob, crc in self._connection.execute(_PARTS, keys_of_parts(row)):
            if part_crc(part, body, blob) != crc or len(blob) != size:
                raise damaged(self._path, f"part {part!r} of {id_!r} is not what was written")
            crcs.append(crc)
            found.append((key, blob))
        if parts_crc(crcs) != of_parts:
            raise damaged(self._path, f"the parts of {id_!r} are not what was written")
        return found


def _chunks(rows: Iterator[Any]) -> Iterator[Sequence[Any]]:
    while chunk := list(islice(rows, _DOCUMENTS_AT_ONCE)):
        yield chunk
