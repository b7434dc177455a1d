"""Changes to an index, as SQL inside a transaction that somebody else begins and commits."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from jina_cli.store.records import BadVectors, Records
from jina_cli.store.schema import document_crc, part_crc


@dataclass(frozen=True, slots=True)
class Upsert:
    """Add records, in place of those with their ids. Their ids are distinct."""

    records: Records


@dataclass(frozen=True, slots=True)
class Delete:
    """Take out the records with these ids."""

    ids: Sequence[str]


_IDS_AT_ONCE = 512  # SQLite may be built to take no more than 999 parameters

Change: TypeAlias = Upsert | Delete
Row: TypeAlias = tuple[int, str, str | None, bytes, int | None, int | None, int]


def apply(connection: sqlite3.Connection, change: Change) -> int:
    """Make one change, whole or not at all, and return how many records it was about.

    Raises:
        BadVectors: Vectors of another length than those that are there.
        sqlite3.Error: The change failed; the transaction goes on unless SQLite ended it.
    """
    connection.execute("SAVEPOINT change")
    try:
        match change:
            case Upsert(records):
                count = _upsert(connection, records)
            case Delete(ids):
                count = _delete(connection, ids)
        _add_to_meta(connection, "changes", 1)
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO change")
            connection.execute("RELEASE change")
        raise
    connection.execute("RELEASE change")
    return count


def select_ids(connection: sqlite3.Connection, select: str, ids: Iterable[str]) -> Iterator[Any]:
    """Give the rows of a SELECT without WHERE that have one of `ids`, each once.

    They come in no order.
    """
    distinct = list(dict.fromkeys(ids))
    for start in range(0, len(distinct), _IDS_AT_ONCE):
        some = distinct[start : start + _IDS_AT_ONCE]
        # A length that is a power of two, so that few statements are ever prepared.
        length = 1 << (len(some) - 1).bit_length()
        some += some[-1:] * (length - len(some))
        yield from connection.execute(f"{select} WHERE id IN ({','.join('?' * length)})", some)


def _upsert(connection: sqlite3.Connection, records: Records) -> int:
    _check_dim(connection, records)
    known = {id_: (rowid, text) for rowid, id_, text in _known(connection, records.ids)}
    _forget_terms(connection, known.values())
    (last,) = connection.execute("SELECT coalesce(max(rowid), 0) FROM documents").fetchone()
    fresh = iter(range(last + 1, last + 1 + len(records)))
    rowids = [known[id_][0] if id_ in known else next(fresh) for id_ in records.ids]
    _forget_parts(connection, [rowid for rowid, _ in known.values()])
    vectors, rests = _blobs(records), records.rests or [None] * len(records)
    connection.executemany(
        "INSERT OR REPLACE INTO documents(rowid, id, text, body, vector_crc, rest_crc, crc)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        _rows(rowids, records, vectors, rests),
    )
    for table, parts in (("vectors", vectors), ("rests", rests)):
        rows = [(row, part) for row, part in zip(rowids, parts, strict=True) if part is not None]
        connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)
    if records.texts is not None:
        connection.executemany(
            "INSERT INTO terms(rowid, text) VALUES (?, ?)",
            (
                (row, text)
                for row, text in zip(rowids, records.texts, strict=True)
                if text is not None
            ),
        )
    _add_to_meta(connection, "documents", len(records) - len(known))
    return len(records)


def _delete(connection: sqlite3.Connection, ids: Sequence[str]) -> int:
    known = _known(connection, ids)
    _forget_terms(connection, [(rowid, text) for rowid, _, text in known])
    rowids = [rowid for rowid, _, _ in known]
    _forget_parts(connection, rowids)
    connection.executemany("DELETE FROM documents WHERE rowid = ?", zip(rowids))
    _add_to_meta(connection, "documents", -len(known))
    return len(known)


def _known(connection: sqlite3.Connection, ids: Sequence[str]) -> list[tuple[int, str, str | None]]:
    return list(select_ids(connection, "SELECT rowid, id, text FROM documents", ids))


def _forget_terms(connection: sqlite3.Connection, rows: Iterable[tuple[int, str | None]]) -> None:
    # The terms table holds no text, so it must be told what it had taken in.
    connection.executemany(
        "INSERT INTO terms(terms, rowid, text) VALUES ('delete', ?, ?)",
        ((rowid, text) for rowid, text in rows if text is not None),
    )


def _forget_parts(connection: sqlite3.Connection, rowids: Sequence[int]) -> None:
    for table in ("vectors", "rests"):
        connection.executemany(f"DELETE FROM {table} WHERE rowid = ?", zip(rowids))


def _check_dim(connection: sqlite3.Connection, records: Records) -> None:
    if records.vectors is None or not len(records):
        return
    given = records.vectors.shape[1]
    (dim,) = connection.execute("SELECT value FROM meta WHERE key = 'dim'").fetchone()
    if dim == 0:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'dim'", (given,))
    elif given != dim:
        raise BadVectors(f"vectors have {given} dimensions, the index has {dim}")


def _rows(
    rowids: Sequence[int],
    records: Records,
    vectors: Sequence[memoryview | None],
    rests: Sequence[bytes | None],
) -> Iterator[Row]:
    texts: Iterable[str | None] = records.texts or [None] * len(records)
    columns = zip(rowids, records.ids, texts, records.bodies, vectors, rests, strict=True)
    for rowid, id_, text, body, vector, rest in columns:
        crcs = part_crc(id_, vector), part_crc(id_, rest)
        yield rowid, id_, text, body, *crcs, document_crc(id_, text, body, *crcs)


def _blobs(records: Records) -> Sequence[memoryview | None]:
    if records.vectors is None:
        return [None] * len(records)
    data = memoryview(records.vectors.astype("<f4", copy=False).tobytes())
    size = 4 * records.vectors.shape[1]
    return [data[start : start + size] for start in range(0, len(data), size)]


def _add_to_meta(connection: sqlite3.Connection, key: str, amount: int) -> None:
    connection.execute("UPDATE meta SET value = value + ? WHERE key = ?", (amount, key))
