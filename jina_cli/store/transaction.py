"""Changes to an index, as SQL inside one transaction of the writer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any, TypeAlias

import numpy as np

from jina_cli.documents.condition import Condition
from jina_cli.store import changelog
from jina_cli.store.keyed import Keyed, keyed_of
from jina_cli.store.records import BadVectors, Numbers, Records, Vectors, numbers_of
from jina_cli.store.schema import (
    KEY_BITS,
    Checked,
    Meta,
    crc_of,
    document_crc,
    part_crc,
    parts_crc,
)


@dataclass(frozen=True, slots=True)
class Upsert:
    """Add records, in place of those with their ids. Their ids are distinct."""

    records: Records


@dataclass(frozen=True, slots=True)
class Delete:
    """Take out the records with these ids."""

    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class DeleteWhere:
    """Take out the records that are as a condition says."""

    condition: Condition


Change: TypeAlias = Upsert | Delete | DeleteWhere
Matching: TypeAlias = Callable[[sqlite3.Connection, Condition, Meta], Numbers]
"""Returns the rows of the documents that are as a condition says, in an index that is as it says of
itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What a change did.

    Attributes:
        count: How many records it was about.
        documents: Rows of the documents that were added, replaced or deleted.
        vectors: Those that the documents have now, if they have any.
    """

    count: int
    documents: Numbers
    vectors: Keyed | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """A document that is there, as far as it has to be forgotten."""

    row: int
    text: str | None
    has_vector: bool
    has_rest: bool
    has_parts: bool


_PartRow: TypeAlias = tuple[str, bytes, memoryview, int]

_IDS_AT_ONCE = 512  # SQLite may be built to take no more than 999 parameters
_KNOWN = (
    "SELECT id, rowid, text, vector_crc NOT NULL, rest_crc NOT NULL, parts_crc NOT NULL"
    " FROM documents"
)
_INSERT = (
    "INSERT OR REPLACE INTO documents"
    "(rowid, id, text, body, crc, vector_crc, rest_crc, parts_crc, hash)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Transaction:
    """A transaction that was begun, and what it will have changed.

    Args:
        meta: What the index said of itself when it began.
        matching: For `DeleteWhere`.
    """

    def __init__(self, connection: sqlite3.Connection, meta: Meta, matching: Matching) -> None:
        self._connection = connection
        self._matching = matching
        self._before = meta
        self._dim = meta.dim
        self._beside = meta.beside
        self._documents = 0
        self._forgotten = 0
        self._applied: list[Applied] = []
        (self._last_row,) = connection.execute(
            "SELECT coalesce(max(rowid), 0) FROM documents"
        ).fetchone()

    def apply(self, change: Change) -> Applied:
        """Make one change.

        Raises:
            BadVectors: Vectors of another length than those that are there. Nothing was written.
            sqlite3.Error: The change failed, perhaps halfway: the transaction is to be undone.
        """
        connection = self._connection
        match change:
            case Upsert(records):
                applied = self._upsert(records)
            case Delete(ids):
                applied = self._delete(list(_known(connection, ids).values()))
            case DeleteWhere(condition):
                # What came before in this transaction counts, though nothing says so yet.
                meta = replace(self._before, beside=self._beside)
                rows = self._matching(connection, condition, meta)
                applied = self._delete(list(_known_rows(connection, rows)))
        self._note(change, applied)
        return applied

    def finish(self) -> Meta:
        """Write what the index says of itself, and of the changes, and return the former."""
        if not self._applied:
            return self._before
        before, changes = self._before, self._before.changes + len(self._applied)
        changed = [applied.documents for applied in self._applied if len(applied.documents)]
        changelog.append(self._connection, before=before.changes, change=changes, documents=changed)
        meta = Meta(
            metric=before.metric,
            dim=self._dim,
            changes=changes,
            documents=before.documents + self._documents,
            beside=self._beside,
            forgotten=before.forgotten + self._forgotten,
        )
        beside = None if meta.beside is None else json.dumps(sorted(meta.beside))
        self._connection.execute(
            "INSERT OR REPLACE INTO meta VALUES"
            " ('dim', ?), ('changes', ?), ('documents', ?), ('beside', ?), ('forgotten', ?)",
            (meta.dim, meta.changes, meta.documents, beside, meta.forgotten),
        )
        return meta

    def _note(self, change: Change, applied: Applied) -> None:
        self._applied.append(applied)
        if not isinstance(change, Upsert):
            self._documents -= applied.count
            return
        new = int((applied.documents > self._last_row).sum())
        self._documents += new
        self._last_row += new
        if applied.vectors is not None:
            self._dim = applied.vectors.vectors.shape[1]
        records = change.records
        if records.rests is not None and any(rest is not None for rest in records.rests):
            if self._beside is None or records.beside is None:
                self._beside = None
            else:
                self._beside |= records.beside

    def _upsert(self, records: Records) -> Applied:
        self._check_dim(records)
        known = _known(self._connection, records.ids)
        self._forget(list(known.values()))
        fresh = iter(range(self._last_row + 1, self._last_row + 1 + len(records)))
        rows = [known[id_].row if id_ in known else next(fresh) for id_ in records.ids]
        documents = numbers_of(rows)
        own, parts = _own_blobs(records), _rows_of_parts(records)
        self._connection.executemany(_INSERT, _documents(rows, records, own, parts))
        self._put_beside("vectors", rows, own)
        self._put_beside("rests", rows, records.rests)
        if parts is not None:
            self._connection.executemany(
                "INSERT INTO parts VALUES (?, ?, ?, ?, ?)",
                (
                    ((row << KEY_BITS) + place, *part)
                    for row, of_row in zip(rows, parts, strict=True)
                    for place, part in enumerate(of_row, start=1)
                ),
            )
        if records.texts is not None:
            pairs = zip(rows, records.texts, strict=True)
            self._connection.executemany(
                "INSERT INTO terms(rowid, text) VALUES (?, ?)",
                (pair for pair in pairs if pair[1] is not None),
            )
        return Applied(
            count=len(records), documents=documents, vectors=keyed_of(documents, records)
        )

    def _put_beside(
        self, table: str, rows: Sequence[int], values: Sequence[bytes | memoryview | None] | None
    ) -> None:
        if values is not None:
            pairs = zip(rows, values, strict=True)
            self._connection.executemany(
                f"INSERT OR REPLACE INTO {table} VALUES (?, ?)",
                (pair for pair in pairs if pair[1] is not None),
            )

    def _delete(self, known: Sequence[_Known]) -> Applied:
        rows = [each.row for each in known]
        self._forget(known)
        self._connection.executemany("DELETE FROM documents WHERE rowid = ?", zip(rows))
        return Applied(count=len(rows), documents=numbers_of(rows))

    def _forget(self, known: Sequence[_Known]) -> None:
        """Take out all of the documents but what stands in `documents`."""
        # The terms table holds no text, so it must be told what it had taken in.
        texts = [(each.row, each.text) for each in known if each.text is not None]
        self._forgotten += len(texts)
        self._connection.executemany(
            "INSERT INTO terms(terms, rowid, text) VALUES ('delete', ?, ?)", texts
        )
        for table, rows in (
            ("vectors", [each.row for each in known if each.has_vector]),
            ("rests", [each.row for each in known if each.has_rest]),
        ):
            self._connection.executemany(f"DELETE FROM {table} WHERE rowid = ?", zip(rows))
        self._connection.executemany(
            "DELETE FROM parts WHERE key BETWEEN ? AND ?",
            (keys_of_parts(each.row) for each in known if each.has_parts),
        )

    def _check_dim(self, records: Records) -> None:
        for vectors in records.all_vectors():
            if self._dim not in (0, vectors.shape[1]):
                raise BadVectors(
                    f"vectors have {vectors.shape[1]} dimensions, the index has {self._dim}, "
                    "made by another encoder"
                )


def keys_of_parts(row: int) -> tuple[int, int]:
    """Return the first and the last key that a part of the document in `row` may have."""
    return (row << KEY_BITS) + 1, ((row + 1) << KEY_BITS) - 1


def select_ids(connection: sqlite3.Connection, select: str, ids: Iterable[str]) -> Iterator[Any]:
    """Give the rows of a SELECT without WHERE that have one of `ids`, each once.

    They come in no order.
    """
    return select_in(connection, f"{select} WHERE id", list(dict.fromkeys(ids)))


def select_in(connection: sqlite3.Connection, select: str, values: Sequence[Any]) -> Iterator[Any]:
    """Give the rows for which the last word of `select` is one of `values`, in no order."""
    for start in range(0, len(values), _IDS_AT_ONCE):
        some = list(values[start : start + _IDS_AT_ONCE])
        # A length that is a power of two, so that few statements are ever prepared.
        length = 1 << (len(some) - 1).bit_length()
        some += some[-1:] * (length - len(some))
        yield from connection.execute(f"{select} IN ({','.join('?' * length)})", some)


def _known(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, _Known]:
    return {row[0]: _Known(*row[1:]) for row in select_ids(connection, _KNOWN, ids)}


def _known_rows(connection: sqlite3.Connection, rows: Numbers) -> Iterator[_Known]:
    for row in select_in(connection, f"{_KNOWN} WHERE rowid", rows.tolist()):
        yield _Known(*row[1:])


def _documents(
    rows: Sequence[int],
    records: Records,
    own: Sequence[memoryview | None] | None,
    parts: Sequence[Sequence[_PartRow]] | None,
) -> Iterator[tuple[Any, ...]]:
    columns = zip(
        rows,
        records.ids,
        records.texts or repeat(None),
        records.bodies,
        own or repeat(None),
        records.rests or repeat(None),
        parts or repeat(()),
        records.hashes or repeat(None),
        strict=False,  # what a column has nothing of goes on for ever
    )
    for row, id_, text, body, vector, rest, of_row, hash_ in columns:
        checked = Checked(
            crc_of(id_, vector), crc_of(id_, rest), parts_crc([p[-1] for p in of_row]), hash_
        )
        yield row, id_, text, body, document_crc(id_, text, body, checked), *checked


def _own_blobs(records: Records) -> Sequence[memoryview | None] | None:
    """Return the vector of each document itself, wherever it stands."""
    if records.vectors is not None:
        return _blobs(records.vectors)
    parts = records.parts
    if parts is None or "" not in parts.ids:
        return None
    blobs: list[memoryview | None] = [None] * len(records)
    owners = np.repeat(np.arange(len(records)), np.diff(parts.offsets)).tolist()
    for owner, id_, blob in zip(owners, parts.ids, _blobs(parts.vectors), strict=True):
        if not id_:
            blobs[owner] = blob
    return blobs


def _rows_of_parts(records: Records) -> Sequence[Sequence[_PartRow]] | None:
    """Return the rows of `parts` for each document, in order, without their keys."""
    parts = records.parts
    if parts is None:
        return None
    rows: list[list[_PartRow]] = [[] for _ in records.ids]
    owners = np.repeat(np.arange(len(records)), np.diff(parts.offsets)).tolist()
    columns = zip(owners, parts.ids, parts.bodies, _blobs(parts.vectors), strict=True)
    for owner, id_, body, vector in columns:
        if id_:
            rows[owner].append((id_, body, vector, part_crc(id_, body, vector)))
    return rows


def _blobs(vectors: Vectors) -> Sequence[memoryview]:
    if not len(vectors):
        return []
    data = np.ascontiguousarray(vectors, "<f4").data.cast("B")
    size = 4 * vectors.shape[1]
    return [data[start : start + size] for start in range(0, len(data), size)]
