"""One field of documents as what an Executor's array function takes, and back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import numpy as np

from jina_cli.documents.batch import BadField, DocumentBatch, MissingField
from jina_cli.documents.column import (
    BytesColumn,
    Column,
    DocsColumn,
    Indices,
    TensorColumn,
    TextColumn,
    ValuesColumn,
    absent_like,
    column_of_arrays,
    concat_columns,
    presence_of,
    rows_of,
)
from jina_cli.drivers.base import BadResult
from jina_cli.drivers.values import values_at

_NUMBERS = ("tensor", "embedding")
"""Fields that hold tensors and nothing else."""


def content_of(docs: DocumentBatch, field: str) -> Any:
    """Return a field, or what else `values_at` finds at its name, as an array function takes it.

    Tensors of one shape are one array `(documents, *shape)`, of several a list of arrays;
    strings, bytes and other values are lists. Documents (`matches`) are the column they are.

    Raises:
        MissingField: Some document does not have it.
        BadField: It should be tensors, and is something else.
    """
    column = docs.columns.get(field)
    if column is None:
        column = ValuesColumn(values_at(docs, field))
    if isinstance(column, DocsColumn):
        return column
    if isinstance(column, TensorColumn) and column.present is None:
        return column.array
    rows = rows_of(column)
    missing = [docs.ids[i] for i, row in enumerate(rows) if row is None]
    if missing:
        raise MissingField(field, missing)
    if isinstance(column, TensorColumn):
        return docs.tensor(field)
    wrong = next((row for row in rows if not isinstance(row, np.ndarray)), None)
    if field in _NUMBERS and wrong is not None:
        raise BadField(f"{field!r} must be an array of numbers, and is {type(wrong).__name__}")
    return list(rows)


def places_with(docs: DocumentBatch, field: str) -> list[int]:
    """Return the places of the documents that have a field or key of `tags`, in order."""
    values = values_at(docs, field)
    return [place for place, value in enumerate(values) if value is not None]


def in_parts(content: Any, size: int) -> Iterator[Any]:
    """Yield what `content_of` returned in stretches of `size` documents; 0 for all at once."""
    if not size or size >= len(content):
        yield content
        return
    for start in range(0, len(content), size):
        if isinstance(content, DocsColumn):
            yield content.slice(start, min(start + size, len(content)))
        else:
            yield content[start : start + size]


def where_present(
    field: str, step: Callable[[DocumentBatch], Awaitable[DocumentBatch]]
) -> Callable[[DocumentBatch], Awaitable[DocumentBatch]]:
    """Return a step that is done for those documents that have a field; others stay as they are.

    Args:
        field: Empty for all documents.
        step: May change and add fields, and nothing else.
    """
    if not field:
        return step

    async def some(docs: DocumentBatch) -> DocumentBatch:
        column = docs.columns.get(field)
        there = presence_of(column or ValuesColumn(values_at(docs, field)))
        if there.all():
            return await step(docs)
        places = np.flatnonzero(there)
        if not len(places):
            return docs
        part = docs.take(places)
        done = await step(part)
        changed = {
            name: _spread(docs.columns.get(name), column, places, len(docs))
            for name, column in done.columns.items()
            if column is not part.columns.get(name)
        }
        return docs.with_columns(**changed)

    return some


def _spread(before: Column | None, made: Column, places: Indices, count: int) -> Column:
    """Return a field of `count` documents: as it was made at `places`, elsewhere as before."""
    before = absent_like(made, count) if before is None else before
    order = np.arange(count)
    order[places] = count + np.arange(len(places))
    return concat_columns([before, made]).take(order)


def column_from(content: Any, count: int, where: str) -> Column:
    """Return the column for what an array function returned for `count` documents.

    Raises:
        BadResult: It has another length, or holds what no column is for. The message begins
            with `where`, `HogEncoder.encode`.
    """
    if isinstance(content, np.ndarray):
        if content.ndim == 0 or content.shape[0] != count:
            raise BadResult(
                f"{where} returned an array of shape {content.shape} for {count} documents"
            )
        return TensorColumn(content)
    if isinstance(content, str | bytes) or not isinstance(content, Sequence):
        what = type(content).__name__
        raise BadResult(f"{where} returned {what}, and must return one value for each document")
    if len(content) != count:
        raise BadResult(f"{where} returned {len(content)} values for {count} documents")
    return column_of_rows(content, where)


def column_of_rows(rows: Sequence[Any], where: str) -> Column:
    """Return the column for one value for each document, None where there is none.

    Raises:
        BadResult: Arrays, strings or bytes are mixed with something else.
    """
    kinds = {_kind(row) for row in rows if row is not None}
    if kinds <= {str}:
        return TextColumn(rows)
    if kinds == {bytes}:
        return BytesColumn(rows)
    if kinds == {np.ndarray}:
        return column_of_arrays(rows)
    if kinds.isdisjoint({bytes, np.ndarray}):
        return ValuesColumn(rows)
    names = " and ".join(sorted(kind.__name__ for kind in kinds))
    raise BadResult(f"{where} returned {names} for documents of one request")


def _kind(row: Any) -> type:
    for kind in (str, bytes, np.ndarray):
        if isinstance(row, kind):
            return kind
    return object
