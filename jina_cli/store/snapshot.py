"""Documents as they are at one moment, each compared with its checksums when it is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jina_cli.errors import StorageFailed
from jina_cli.store.failures import damaged, of_known_kinds
from jina_cli.store.records import Brief, Part, Stored
from jina_cli.store.schema import Checked, crc_of, document_crc, part_crc, parts_crc
from jina_cli.store.transaction import keys_of_parts, select_ids, select_in

_CHECKED = "vector_crc, rest_crc, parts_crc, hash"
_BRIEF = f"SELECT id, text, body, crc, {_CHECKED} FROM documents"
_WHOLE = (
    f"SELECT documents.rowid, id, text, body, crc, {_CHECKED}, vector, rest FROM documents"
    " LEFT JOIN vectors ON vectors.rowid = documents.rowid"
    " LEFT JOIN rests ON rests.rowid = documents.rowid"
)
_PARTS = "SELECT id, body, vector, crc FROM parts WHERE key BETWEEN ? AND ? ORDER BY key"
_PART = "SELECT id, body, vector, crc FROM parts WHERE key BETWEEN ? AND ? AND id = ?"
_PAGE_ROWS = 256


class _Whole(NamedTuple):
    """A row of `_WHOLE`."""

    row: int
    id: str
    text: str | None
    body: bytes
    crc: int
    vector_crc: int | None
    rest_crc: int | None
    parts_crc: int | None
    hash: bytes | None
    vector: bytes | None
    rest: bytes | None


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
        with of_known_kinds(self._path):
            return [self._brief(*row) for row in select_ids(self._connection, _BRIEF, ids)]

    def get(self, ids: Iterable[str]) -> Mapping[str, Stored]:
        """Return those of the documents `ids` that are there, by id.

        Raises:
            StorageFailed: One is not what was written.
        """
        return {s.id: s for s in self._all_stored(select_ids(self._connection, _WHOLE, ids))}

    def hashes(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Return the hashes of those of the documents `ids` that are there and have one, by id."""
        rows = select_ids(self._connection, "SELECT id, hash FROM documents", ids)
        return {id_: hash_ for id_, hash_ in rows if hash_ is not None}

    def part_bodies(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], bytes]:
        """Return the bodies of those of the parts that are there, by id of document and part.

        Raises:
            StorageFailed: One is not what was written.
        """
        wanted = set(pairs)
        select = "SELECT id, rowid FROM documents"
        rows = dict(select_ids(self._connection, select, (id_ for id_, _ in wanted)))
        bodies = {}
        with of_known_kinds(self._path):
            for id_, part_id in ((id_, part_id) for id_, part_id in wanted if id_ in rows):
                keys = keys_of_parts(rows[id_])
                # Only this one: a book has thousands of parts, and each has a vector.
                for _, part in self._parts(id_, _PART, (*keys, part_id)):
                    bodies[id_, part_id] = part.body
        return bodies

    def part_ids(self, keys: Iterable[int]) -> Mapping[int, str]:
        """Return the ids of the parts whose vectors have these keys; those gone are missing."""
        rows = select_in(self._connection, "SELECT key, id FROM parts WHERE key", list(keys))
        return dict(rows)

    def page(
        self, after: str | None, limit: int, allowed: NDArray[np.bool_] | None
    ) -> list[Stored]:
        """Return the first `limit` documents whose ids come after `after`, in order of id.

        Args:
            after: None to begin with the first.
            allowed: By row, the documents that may be returned; None is all.
        """
        compared = "id >= ''" if after is None else "id > ?"
        rows = self._connection.execute(
            f"SELECT rowid FROM documents WHERE {compared} ORDER BY id",
            () if after is None else (after,),
        )
        kept: list[int] = []
        while len(kept) < limit and (some := rows.fetchmany(_PAGE_ROWS)):
            kept += [row for (row,) in some if allowed is None or allowed[row]]
        found = select_in(self._connection, f"{_WHOLE} WHERE documents.rowid", kept[:limit])
        return sorted(self._all_stored(found), key=lambda stored: stored.id)

    def after(self, last: int, count: int) -> tuple[int, Sequence[Stored]]:
        """Return the next documents behind the row `last`, and the row of the last of them."""
        rows = self._connection.execute(
            f"{_WHOLE} WHERE documents.rowid > ? ORDER BY documents.rowid LIMIT ?", (last, count)
        ).fetchall()
        return (rows[-1][0] if rows else last), self._all_stored(rows)

    def _brief(self, id_: str, text: str | None, body: bytes, crc: int, *checked: Any) -> Brief:
        of_rest = Checked(*checked)
        if crc != document_crc(id_, text, body, of_rest):
            raise self._damaged(id_)
        return Brief(id_, body, text, of_rest.rest_crc is not None)

    def _all_stored(self, rows: Iterable[Sequence[Any]]) -> list[Stored]:
        with of_known_kinds(self._path):
            return [self._stored(_Whole(*row)) for row in rows]

    def _stored(self, whole: _Whole) -> Stored:
        id_, text, body = whole.id, whole.text, whole.body
        parts = []
        if whole.parts_crc is not None:
            parts = self._parts(id_, _PARTS, keys_of_parts(whole.row))
        expected = Checked(whole.vector_crc, whole.rest_crc, whole.parts_crc, whole.hash)
        actual = Checked(
            crc_of(id_, whole.vector),
            crc_of(id_, whole.rest),
            parts_crc([crc for crc, _ in parts]),
            whole.hash,
        )
        if (expected, whole.crc) != (actual, document_crc(id_, text, body, actual)):
            raise self._damaged(id_)
        return Stored(
            id=id_,
            body=body,
            text=text,
            vector=None if whole.vector is None else np.frombuffer(whole.vector, "<f4"),
            rest=whole.rest,
            parts=[part for _, part in parts],
            hash=whole.hash,
        )

    def _parts(self, id_: str, select: str, given: Sequence[Any]) -> list[tuple[int, Part]]:
        """Return the parts of the document `id_` that a SELECT gives, with their checksums."""
        parts = []
        for part, body, vector, crc in self._connection.execute(select, given):
            if crc != part_crc(part, body, vector):
                raise self._damaged(id_)
            parts.append((crc, Part(part, body, np.frombuffer(vector, "<f4"))))
        return parts

    def _damaged(self, id_: str) -> StorageFailed:
        return damaged(self._path, f"document {id_!r} is not what was written")
