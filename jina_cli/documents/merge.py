"""Several batches about the same documents as one: what a join makes of its needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import (
    Column,
    DocsColumn,
    Indices,
    RaggedColumn,
    TensorColumn,
    absent_like,
    column_of_arrays,
    concat_columns,
    is_absent,
    presence_of,
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
    if len(known) == 1 and len(known[0][1]) == count and _rises(known[0][1]):
        return known[0][0]
    lists = [(c, own) for c, own in known if isinstance(c, DocsColumn)]
    if lists and all(isinstance(c, DocsColumn) or is_absent(c) for c, _ in known):
        return _merged_docs(lists, count)
    joined = concat_columns([column for column, _ in known])
    joined = concat_columns([joined, absent_like(joined, 1)])
    chosen = np.full(count, len(joined) - 1, np.int64)
    start = 0
    for column, own in known:
        there = np.flatnonzero(presence_of(column))
        chosen[own[there]] = there + start
        start += len(column)
    return _dense(joined.take(chosen))


def _rises(own: Indices) -> bool:
    return bool((own == np.arange(len(own))).all())


def _dense(column: Column) -> Column:
    """Return tensors as one array where those that were chosen are alike."""
    if isinstance(column, RaggedColumn):
        return column_of_arrays(column.arrays)
    if isinstance(column, TensorColumn) and column.present is not None and column.present.all():
        return TensorColumn(column.array)
    return column


def _merged_docs(known: Sequence[tuple[DocsColumn, Indices]], count: int) -> DocsColumn:
    lists: list[list[DocumentBatch]] = [[] for _ in range(count)]
    present = np.zeros(count, np.bool_)
    for column, own in known:
        present[own[presence_of(column)]] = True
        for place, docs in zip(own.tolist(), rows_of(column), strict=True):
            lists[place].append(docs)
    merged = DocsColumn.of([union(parts) for parts in lists])
    return DocsColumn(merged.offsets, merged.docs, None if present.all() else present)
