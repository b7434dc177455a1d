"""Whole documents out of an index: what a record, its rest, its vectors and its parts make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import (
    Column,
    DocsColumn,
    TextColumn,
    absent_like,
    column_of_arrays,
    concat_columns,
)
from jina_cli.executors.indexers.bodies import HASH, Row, beside_of, column_of, rows_of_bodies
from jina_cli.executors.indexers.chunks import CHUNKS, chunks_of
from jina_cli.store.records import Brief, Stored


def documents_of(
    stored: Sequence[Stored], *, vector_field: str, with_vectors: bool = True
) -> DocumentBatch:
    """Return documents with all that is kept of them, in the same order.

    Args:
        vector_field: Where their vectors go, and those of their chunks.
        with_vectors: Whether they come with them.
    """
    rows = rows_of_bodies([Brief(s.id, s.body, s.text, s.rest is not None) for s in stored])
    beside = {place: beside_of(s) for place, s in enumerate(stored) if s.rest is not None}
    names = dict.fromkeys(chain(chain.from_iterable(rows), chain.from_iterable(beside.values())))
    made = {name: merged_column(name, rows, beside) for name in names}
    columns = {name: column for name, column in made.items() if column is not None}
    kept = columns.pop(CHUNKS, None)
    lists = kept if isinstance(kept, DocsColumn) else None
    chunks = chunks_of(stored, lists, field=vector_field, with_vectors=with_vectors)
    if chunks is not None:
        columns[CHUNKS] = chunks
    elif kept is not None:
        columns[CHUNKS] = kept
    if not with_vectors:
        columns.pop(vector_field, None)  # one that was never searched is in the rest
    elif any(s.vector is not None for s in stored):
        columns[vector_field] = column_of_arrays([s.vector for s in stored])
    if any(s.hash is not None for s in stored):
        hashes = [None if s.hash is None else s.hash.decode() for s in stored]
        columns[HASH] = TextColumn(hashes)
    return DocumentBatch([s.id for s in stored], columns)


def merged_column(
    name: str, rows: Sequence[Row], beside: Mapping[int, Mapping[str, Column]]
) -> Column | None:
    """Return a field of all documents, each from its body or, where it is there, its rest."""
    values = [row.get(name) for row in rows]
    others = {place: columns[name] for place, columns in beside.items() if name in columns}
    if not others:
        return column_of(values) if any(value is not None for value in values) else None
    model = next(iter(others.values()))
    parts = [
        others.get(place) or (absent_like(model, 1) if value is None else column_of([value]))
        for place, value in enumerate(values)
    ]
    return concat_columns(parts)
