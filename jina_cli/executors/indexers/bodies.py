"""Documents as an index keeps them, without their ids and what the index keeps beside them.

Text and JSON values are the body, a JSON object that is quick to read for a match. All other
fields, such as tensors and images, are the rest: one document in the columnar format. A field
that is null in the body is to be looked up in the rest: one of no kind we know, or a number
that JSON cannot hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import orjson

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.column import (
    Column,
    NodesColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
    is_absent,
)
from jina_cli.documents.columns import ALIGNMENT, DTYPES, BadColumns, decode, encode
from jina_cli.store.records import Brief, Parts, Records, Stored, Vectors

Row = dict[str, Any]

_OF_A_SEARCH = ("matches", "score", "scores")
"""What a search says of a document; of no use to the next one."""

HASH = "content_hash"
"""Field with the hash of what a document was when it came into the Flow, see `cache`."""

_ORJSON = orjson.OPT_SERIALIZE_NUMPY


@contextmanager
def refusing_bad_fields() -> Iterator[None]:
    """Turn what a store or the columnar format refuses into the error of a bad request.

    Raises:
        BadField: In place of any other ValueError.
    """
    try:
        yield
    except BadField:
        raise
    except ValueError as error:
        raise BadField(str(error)) from error


def names_of(given: Sequence[str] | None, *, what: str) -> tuple[str, ...] | None:
    """Return names of fields that somebody gave, None if nobody did.

    Raises:
        BadField: It is no list of names.
    """
    if given is None:
        return None
    listed = isinstance(given, Sequence) and not isinstance(given, str)
    if not listed or not all(isinstance(name, str) for name in given):
        raise BadField(f"{what} must be a list of names, not {given!r}")
    return tuple(given)


def records_of(
    docs: DocumentBatch,
    *,
    texts: Sequence[str | None] | None = None,
    vectors: Vectors | None = None,
    parts: Parts | None = None,
) -> Records:
    """Return documents as a store keeps them, with the hash of their content if they bring it.

    Args:
        texts: What is searched of each document; not kept twice where it is its `text`.
        vectors: What is searched of each document; not among its fields.
        parts: The same of what it is made of.

    Raises:
        BadColumns: A field cannot be kept, such as an array of objects.
    """
    columns = docs.without(*_OF_A_SEARCH, HASH).columns
    inside = {name: column for name, column in columns.items() if _is_json(column)}
    beside = {name: column for name, column in columns.items() if name not in inside}
    rows: list[Row] = [{} for _ in docs.ids]
    for name, column in columns.items():
        if isinstance(column, TextColumn | ValuesColumn | NodesColumn):
            for row, value in zip(rows, column.values, strict=True):
                if value is not None:
                    row[name] = value if name in inside else None
    for row, text in zip(rows, texts or (), strict=texts is not None):
        if text is None:
            continue
        if row.get("text") == text:
            del row["text"]
        else:
            row.setdefault("text", None)
    bodies = [_body(row, id_) for row, id_ in zip(rows, docs.ids, strict=True)]
    rests = _rests(DocumentBatch(docs.ids, beside)) if beside else None
    return Records(
        ids=docs.ids,
        bodies=bodies,
        rests=rests,
        texts=texts,
        vectors=vectors,
        parts=parts,
        hashes=_hashes(docs),
        beside=frozenset(beside),
    )


def _hashes(docs: DocumentBatch) -> list[bytes | None] | None:
    """Return the hashes that documents came with, as bytes; None where none has one."""
    if HASH not in docs.columns:
        return None
    given = docs.values(HASH)
    return [value.encode() if isinstance(value, str) else None for value in given]


def rows_of_bodies(briefs: Sequence[Brief]) -> list[Row]:
    """Return the text and JSON values of each document; None for what is in its rest."""
    # One call for all: most of the time for a small document is that of the call.
    rows: list[Row] = orjson.loads(b"[%b]" % b",".join([brief.body or b"{}" for brief in briefs]))
    for row, brief in zip(rows, briefs, strict=True):
        if brief.text is not None:
            row.setdefault("text", brief.text)
    return rows


def beside_of(stored: Stored, *, vector_field: str = "") -> dict[str, Column]:
    """Return the fields of a document that are not in its body, each a column of one.

    Args:
        vector_field: Field that the vector stands in.
    """
    fields = {} if stored.rest is None else dict(decode(stored.rest).columns)
    if vector_field and stored.vector is not None:
        fields[vector_field] = TensorColumn(stored.vector[None])
    return fields


def values_of_rows(rows: Sequence[Row]) -> dict[str, Column]:
    """Return the fields of documents of which all is in their bodies."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: column_of([row.get(name) for row in rows]) for name in names}


def column_of(values: Sequence[Any]) -> TextColumn | ValuesColumn:
    """Return the column for values out of bodies."""
    if set(map(type, values)) <= {str, type(None)}:
        return TextColumn(values)
    return ValuesColumn(values)


def _is_json(column: Column) -> bool:
    if isinstance(column, TextColumn):
        return True
    return isinstance(column, ValuesColumn) and all(
        math.isfinite(value) for value in column.values if isinstance(value, float | np.floating)
    )


def _body(row: Row, id_: str) -> bytes:
    if not row:
        return b""
    try:
        return orjson.dumps(row, option=_ORJSON)
    except TypeError as error:
        raise BadColumns(f"{_culprit(row)} of document {id_!r} cannot be kept: {error}") from None


def _culprit(row: Mapping[str, Any]) -> str:
    """Name the field that JSON refuses."""
    for name, value in row.items():
        try:
            orjson.dumps({name: value}, option=_ORJSON)
        except TypeError:
            return repr(name)
    return "a field"


def _rests(docs: DocumentBatch) -> Sequence[bytes | None]:
    tensors = [column for column in docs.columns.values() if isinstance(column, TensorColumn)]
    if len(docs) and len(tensors) == len(docs.columns) and all(map(_is_whole, tensors)):
        return list(_dense_rests(docs, [tensor.array for tensor in tensors]))
    return [_rest(docs, place) for place in range(len(docs))]


def _is_whole(tensor: TensorColumn) -> bool:
    return tensor.present is None and tensor.array.dtype.str in DTYPES


def _dense_rests(docs: DocumentBatch, arrays: Sequence[np.ndarray[Any, Any]]) -> Iterable[bytes]:
    """Write what all have in common once, and put the numbers of each document behind it."""
    head, *parts = encode(DocumentBatch([""], docs.slice(0, 1).columns))
    gaps = iter(parts)
    pieces: list[Sequence[bytes | memoryview]] = [[bytes(head)] * len(docs)]
    for array in arrays:
        size = len(next(gaps))
        data = memoryview(array.tobytes())
        pieces.append([data[place * size : (place + 1) * size] for place in range(len(docs))])
        if size % ALIGNMENT:
            pieces.append([bytes(next(gaps))] * len(docs))
    return map(b"".join, zip(*pieces, strict=True))


def _rest(docs: DocumentBatch, place: int) -> bytes | None:
    columns = {name: column.slice(place, place + 1) for name, column in docs.columns.items()}
    there = {name: column for name, column in columns.items() if not is_absent(column)}
    return b"".join(encode(DocumentBatch([""], there))) if there else None
