"""Which documents are as a condition says, exactly, and remembered until they change."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import Column, TensorColumn, ValuesColumn
from jina_cli.documents.columns import decode
from jina_cli.documents.condition import FIELDS, All, AnyOf, Compare, Condition, Not, Own
from jina_cli.documents.query import matches
from jina_cli.store import changelog
from jina_cli.store.compiled import select_told
from jina_cli.store.records import Numbers, numbers_of
from jina_cli.store.schema import Meta
from jina_cli.store.transaction import select_in

Allowed: TypeAlias = NDArray[np.bool_]
"""By row of the documents; there is none in a row behind the end."""

_KEPT = 16
_ROWS_AT_ONCE = 2048
_VECTOR_FIELD = "embedding"
_ROW = "SELECT documents.rowid, id, text, body FROM documents"
_ROW_AND_REST = (
    "SELECT documents.rowid, id, text, body, rest, vector FROM documents"
    " LEFT JOIN rests ON rests.rowid = documents.rowid"
    " LEFT JOIN vectors ON vectors.rowid = documents.rowid"
)


class Filters:
    """The answers to the conditions that were asked last.

    After documents changed, only those are looked at again that the log says have.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, Allowed]] = OrderedDict()

    def allowed(self, connection: sqlite3.Connection, condition: Condition, meta: Meta) -> Allowed:
        """Return which documents are as `condition` says; not to be written to.

        Args:
            connection: Inside a transaction.
            meta: What the index says of itself in that transaction.
        """
        key = repr(condition)
        with self._lock:
            change, kept = self._kept.get(key, (0, None))
        if kept is None or change != meta.changes:
            kept = self._found(connection, condition, meta, change, kept)
            kept.setflags(write=False)
            with self._lock:
                self._kept[key] = meta.changes, kept
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
        return kept

    def _found(
        self,
        connection: sqlite3.Connection,
        condition: Condition,
        meta: Meta,
        change: int,
        known: Allowed | None,
    ) -> Allowed:
        (last,) = connection.execute("SELECT coalesce(max(rowid), 0) FROM documents").fetchone()
        allowed = np.zeros(last + 1, np.bool_)
        changed = None if known is None else changelog.changed_since(connection, change)
        if known is None or changed is None or len(changed) > len(known) // 4:
            allowed[matching(connection, condition, meta)] = True
            return allowed
        both = min(len(known), len(allowed))
        allowed[:both] = known[:both]
        allowed[changed[changed <= last]] = False
        allowed[matching(connection, condition, meta, among=changed)] = True
        return allowed


def matching(
    connection: sqlite3.Connection,
    condition: Condition,
    meta: Meta,
    *,
    among: Numbers | None = None,
) -> Numbers:
    """Return the rows of the documents that are as `condition` says.

    Args:
        among: Rows; others are not looked at. None is all.
    """
    found, unknown = _told_by_sql(connection, condition, meta, among)
    looked_at = _names(condition)
    beside = looked_at if meta.beside is None else looked_at & (meta.beside | {_VECTOR_FIELD})
    select = _ROW_AND_REST if beside else _ROW
    rows: Iterable[Any]
    if unknown is None:
        rows = connection.execute(select)
    else:
        rows = select_in(connection, f"{select} WHERE documents.rowid", unknown.tolist())
    looked = [_of_chunk(chunk, condition, looked_at, beside) for chunk in _chunks(iter(rows))]
    return np.concatenate([found, *looked])


def _told_by_sql(
    connection: sqlite3.Connection, condition: Condition, meta: Meta, among: Numbers | None
) -> tuple[Numbers, Numbers | None]:
    """Return the rows that match for sure, and those that have to be looked at; None is all."""
    nothing = np.zeros(0, np.int64)
    select = select_told(condition, meta.beside) if among is None else None
    if select is None:
        return nothing, among
    try:
        told = connection.execute(select.sql, select.parameters).fetchall()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        return nothing, among  # longer than SQLite takes, or a body that it cannot read
    sure = numbers_of(row for row, is_true in told if is_true is not None)
    return sure, numbers_of(row for row, is_true in told if is_true is None)


def _of_chunk(
    rows: Sequence[Any], condition: Condition, names: frozenset[str], beside: frozenset[str]
) -> Numbers:
    # One call for all: most of the time for a small document is that of the call.
    fields = orjson.loads(b"[%b]" % b",".join([row[3] or b"{}" for row in rows]))
    for row, of_row in zip(rows, fields, strict=True):
        if row[2] is not None:
            of_row.setdefault("text", row[2])
    columns = {name: ValuesColumn([of_row.get(name) for of_row in fields]) for name in names}
    mask = matches(condition, DocumentBatch([row[1] for row in rows], columns))
    if beside:
        for place, row in enumerate(rows):
            others = _beside(row[4], row[5], beside)
            if others:
                own = {name: ValuesColumn([fields[place].get(name)]) for name in names}
                there = {name: own[name] for name in names if own[name].values[0] is not None}
                one = DocumentBatch([row[1]], {**own, **others, **there})
                mask[place] = matches(condition, one)[0]
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))[mask]


def _beside(rest: bytes | None, vector: bytes | None, names: frozenset[str]) -> dict[str, Column]:
    """Return those fields of a document that are in no body."""
    columns: dict[str, Column] = {}
    if vector is not None and _VECTOR_FIELD in names:
        columns[_VECTOR_FIELD] = TensorColumn(np.frombuffer(vector, "<f4")[None])
    if rest is not None:
        found = decode(rest).columns
        columns.update((name, found[name]) for name in names if name in found)
    return columns


def _names(condition: Condition) -> frozenset[str]:
    """Return the names of the fields that a condition looks at, besides `id`."""
    names = set(_roots(condition)) - {"id"}
    return frozenset(names | ({"tags"} if names - FIELDS else set()))


def _roots(condition: Condition) -> Iterator[str]:
    match condition:
        case Compare(path, _, value):
            yield path[0]
            if isinstance(value, Own):
                yield value.path[0]
        case Not(of):
            yield from _roots(of)
        case All(of) | AnyOf(of):
            for one in of:
                yield from _roots(one)


def _chunks(rows: Iterator[Any]) -> Iterator[Sequence[Any]]:
    while chunk := list(islice(rows, _ROWS_AT_ONCE)):
        yield chunk
