"""Which documents changed, for those who follow the changes instead of reading everything again.

Each transaction that changed anything has one entry: the number of its last change, that before
its first, and the rows of the documents it added, replaced or deleted, as pairs of a first row
and how many follow on it, little-endian int64. What is oldest is dropped when there is much.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from zlib import crc32

import numpy as np

from jina_cli.store.records import Numbers

KEPT_BYTES = 16 << 20
_ENTRY_BYTES = 48  # about what an entry takes besides its pairs
_TRIMMED_AT_ONCE_BYTES = 1 << 20


class BrokenLog(Exception):
    """An entry is not what was written."""


def append(
    connection: sqlite3.Connection, *, before: int, change: int, documents: Sequence[Numbers]
) -> None:
    """Note which documents changed between two changes, and drop what is old."""
    data = _pairs_of(documents)
    (position,) = connection.execute(
        "SELECT coalesce(max(position), 0) FROM (SELECT position FROM log"
        " ORDER BY change DESC LIMIT 1)"
    ).fetchone()
    end = position + _ENTRY_BYTES + len(data)
    connection.execute(
        "INSERT INTO log VALUES (?, ?, ?, ?, ?)",
        (change, before, data, end, _crc(change, before, data)),
    )
    if end // _TRIMMED_AT_ONCE_BYTES != position // _TRIMMED_AT_ONCE_BYTES:
        connection.execute(
            "DELETE FROM log WHERE change <"
            " (SELECT change FROM log WHERE position >= ? ORDER BY change LIMIT 1)",
            (end - KEPT_BYTES,),
        )


def changed_since(connection: sqlite3.Connection, change: int) -> Numbers | None:
    """Return the rows of the documents that changed after `change`, ascending.

    None if that is no longer known, or `change` never was the last of a transaction.

    Raises:
        BrokenLog: An entry is not what was written.
    """
    (last,) = connection.execute("SELECT value FROM meta WHERE key = 'changes'").fetchone()
    if change == last:
        return np.zeros(0, np.int64)
    parts = []
    reached = change
    for new, before, data, crc in connection.execute(
        "SELECT change, before, documents, crc FROM log WHERE change > ? ORDER BY change", (change,)
    ):
        if crc != _crc(new, before, data):
            raise BrokenLog(f"entry {new} of its log is not what was written")
        if before != reached:
            return None
        reached = new
        parts.append(_rows_of(data))
    return np.unique(np.concatenate(parts)) if parts and reached == last else None


def check(connection: sqlite3.Connection) -> None:
    """Read the whole log.

    Raises:
        BrokenLog: An entry is not what was written, or one is missing.
    """
    oldest = connection.execute("SELECT before FROM log ORDER BY change LIMIT 1").fetchone()
    if oldest is not None and changed_since(connection, oldest[0]) is None:
        raise BrokenLog("an entry of its log is missing")


def _pairs_of(documents: Sequence[Numbers]) -> bytes:
    rows = np.unique(np.concatenate(documents)) if documents else np.zeros(0, np.int64)
    starts = np.flatnonzero(np.diff(rows, prepend=-1) != 1)
    counts = np.diff(starts, append=len(rows))
    return np.stack([rows[starts], counts], axis=1).astype("<i8").tobytes()


def _rows_of(data: bytes) -> Numbers:
    pairs = np.frombuffer(data, "<i8").reshape(-1, 2)
    starts, counts = pairs[:, 0], pairs[:, 1]
    ends = np.cumsum(counts)
    rows: Numbers = np.arange(int(counts.sum())) + np.repeat(starts - (ends - counts), counts)
    return rows


def _crc(change: int, before: int, data: bytes) -> int:
    return crc32(data, crc32(f"{change} {before}".encode()))
