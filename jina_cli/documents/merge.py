"""Several batches about the same documents as one: what a join makes of its needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import (
    Column,
    DocsColumn,
    Indices,
    absent_like,
    column_of_arrays,
    concat_columns,
    rows_of,
)


def union(parts: Sequence[DocumentBatch]) -> DocumentBatch:
    """Merge answers by document id: documents in order of first sight, later fields win.

    Where both have a field of documents (`chunks`, `matches`), these are merged alike.
    """
    full = [part for part in parts if len(part)]
    if len(full) <= 1:
        return full[0] if full else (parts[0] if parts else EMPTY_BATCH)
    ids = list(dict.fromkeys(id_ for part in full for id_ in part.ids))
    places = {id_: place for place, id_ in enumerate(ids)}
    owners = [np.array([places[id_] for id_ in part.ids], np.int64) for part in full]
    names = dict.fromkeys(name for part in full for name in part.columns)
    columns = {name: _merged(name, full, owners, len(ids)) for name in names}
    return DocumentBatch(ids, columns)


def _merged(
    name: str, parts: Sequence[DocumentBatch], owners: Sequence[Indices], count: int
) -> Column:
    """Return one field of the union: for each document the last part's value that is there."""
    known = [
        (part.columns[name], own)
        for part, own in zip(parts, owners, strict=True)
        if name in part.columns
    ]
    if any(isinstance(column, DocsColumn) for column, _ in known):
        return _merged_docs([(c, own) for c, own in known if isinstance(c, DocsColumn)], count)
    if len(known) == 1 and len(known[0][1]) == count and _rises(known[0][1]):
        return known[0][0]
    rows: list[Any] = [None] * count
    for column, own in known:
        for place, row in zip(own.tolist(), rows_of(column), strict=True):
            if row is not None:
                rows[place] = row
    kinds = {isinstance(row, np.ndarray) for row in rows if row is not None}
    if not kinds:
        return absent_like(known[0][0], count)
    if kinds == {True}:
        return column_of_arrays(rows)
    model: Any = concat_columns([column.take(np.zeros(0, np.int64)) for column, _ in known])
    filled: Column = type(model)(rows)
    return filled


def _rises(own: Indices) -> bool:
    return bool((own == np.arange(len(own))).all())


def _merged_docs(known: Sequence[tuple[DocsColumn, Indices]], count: int) -> DocsColumn:
    lists: list[list[DocumentBatch]] = [[] for _ in range(count)]
    for column, own in known:
        for place, docs in zip(own.tolist(), rows_of(column), strict=True):
            lists[place].append(docs)
    merged = [union(parts) for parts in lists]
    offsets = np.cumsum([0, *(len(docs) for docs in merged)]).astype(np.int64)
    return DocsColumn(offsets, DocumentBatch.concat(merged))
