"""Columns: one field of many documents, held together.

Each kind of column is a frozen dataclass; `take` and `concat_columns` are all that a batch
needs of them. A document without the field holds None (a `TensorColumn` says so in its mask,
a `DocsColumn` by an empty stretch). Columns are values: nobody writes into one that somebody
else may hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from jina_cli.documents.batch import DocumentBatch

Array: TypeAlias = NDArray[Any]
Indices: TypeAlias = NDArray[np.int64]

_NULL = {type(None)}


@dataclass(frozen=True, slots=True)
class TextColumn:
    """Strings."""

    values: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, indices: Indices) -> TextColumn:
        values = self.values
        return TextColumn([values[i] for i in indices.tolist()])

    def slice(self, start: int, end: int) -> TextColumn:
        return TextColumn(self.values[start:end])


@dataclass(frozen=True, slots=True)
class ValuesColumn:
    """Any JSON values: bool, int, float, str, list, dict."""

    values: Sequence[Any]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, indices: Indices) -> ValuesColumn:
        values = self.values
        return ValuesColumn([values[i] for i in indices.tolist()])

    def slice(self, start: int, end: int) -> ValuesColumn:
        return ValuesColumn(self.values[start:end])


@dataclass(frozen=True, slots=True)
class BytesColumn:
    """Raw bytes."""

    values: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, indices: Indices) -> BytesColumn:
        values = self.values
        return BytesColumn([values[i] for i in indices.tolist()])

    def slice(self, start: int, end: int) -> BytesColumn:
        return BytesColumn(self.values[start:end])


@dataclass(frozen=True, slots=True)
class TensorColumn:
    """Tensors of one dtype and one shape.

    Attributes:
        array: Shape `(documents, *shape)`; rows without the field are zero.
        present: Shape `(documents,)`; None means that all have the field.
    """

    array: Array
    present: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return int(self.array.shape[0])

    def take(self, indices: Indices) -> TensorColumn:
        present = None if self.present is None else self.present[indices]
        return TensorColumn(self.array[indices], present)

    def slice(self, start: int, end: int) -> TensorColumn:
        present = None if self.present is None else self.present[start:end]
        return TensorColumn(self.array[start:end], present)


@dataclass(frozen=True, slots=True)
class RaggedColumn:
    """Tensors of different dtypes or shapes."""

    arrays: Sequence[Array | None]

    def __len__(self) -> int:
        return len(self.arrays)

    def take(self, indices: Indices) -> RaggedColumn:
        return RaggedColumn([self.arrays[i] for i in indices.tolist()])

    def slice(self, start: int, end: int) -> RaggedColumn:
        return RaggedColumn(self.arrays[start:end])


@dataclass(frozen=True, slots=True)
class DocsColumn:
    """Lists of documents: chunks, matches, or any `DocList` field.

    Attributes:
        offsets: Shape `(documents + 1,)`, rising from 0 to `len(docs)`: document `i` holds
            `docs[offsets[i]:offsets[i + 1]]`.
        docs: The documents of all lists, one list after another.
        present: Shape `(documents,)`; False where a document has no list at all, which then
            is empty. None means that all have one.
    """

    offsets: Indices
    docs: DocumentBatch
    present: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, lists: Sequence[DocumentBatch]) -> DocsColumn:
        """Return the column that holds one batch for each document."""
        from jina_cli.documents.batch import DocumentBatch

        offsets = np.zeros(len(lists) + 1, np.int64)
        offsets[1:] = np.cumsum([len(batch) for batch in lists])
        return cls(offsets, DocumentBatch.concat(lists))

    def __len__(self) -> int:
        return int(self.offsets.shape[0]) - 1

    def take(self, indices: Indices) -> DocsColumn:
        starts, ends = self.offsets[indices], self.offsets[indices + 1]
        lengths = ends - starts
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        stretch = np.arange(int(offsets[-1])) - np.repeat(offsets[:-1], lengths)
        present = None if self.present is None else self.present[indices]
        return DocsColumn(offsets, self.docs.take(stretch + np.repeat(starts, lengths)), present)

    def slice(self, start: int, end: int) -> DocsColumn:
        offsets = self.offsets[start : end + 1]
        first, last = int(offsets[0]), int(offsets[-1])
        present = None if self.present is None else self.present[start:end]
        return DocsColumn(offsets - first, self.docs.slice(first, last), present)


@dataclass(frozen=True, slots=True)
class NodesColumn:
    """Fields we have no column for, each as a serialised `docarray.NodeProto`."""

    values: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, indices: Indices) -> NodesColumn:
        values = self.values
        return NodesColumn([values[i] for i in indices.tolist()])

    def slice(self, start: int, end: int) -> NodesColumn:
        return NodesColumn(self.values[start:end])


Column: TypeAlias = (
    TextColumn | ValuesColumn | BytesColumn | TensorColumn | RaggedColumn | DocsColumn | NodesColumn
)


def absent_like(column: Column, count: int) -> Column:
    """Return a column of the kind of `column` for `count` documents that lack the field."""
    match column:
        case TensorColumn(array):
            shape = (count, *array.shape[1:])
            return TensorColumn(np.zeros(shape, array.dtype), np.zeros(count, np.bool_))
        case RaggedColumn():
            return RaggedColumn([None] * count)
        case DocsColumn(docs=docs):
            present = np.zeros(count, np.bool_)
            return DocsColumn(np.zeros(count + 1, np.int64), docs.slice(0, 0), present)
        case _:
            return type(column)([None] * count)


def concat_columns(columns: Sequence[Column]) -> Column:
    """Put columns of one field end to end.

    Tensors of different shapes become a `RaggedColumn`, strings among values a
    `ValuesColumn`, and all else that differs in kind a `NodesColumn`, where whole numbers of
    more than 32 bits are floats or text (see `nodes.value_node`).
    """
    if len(columns) == 1:
        return columns[0]
    kinds = {type(column) for column in columns}
    if len(kinds) > 1:
        columns = _like_the_known(columns)
        kinds = {type(column) for column in columns}
    if kinds == {TensorColumn}:
        return _concat_tensors([c for c in columns if isinstance(c, TensorColumn)])
    if kinds <= {TensorColumn, RaggedColumn}:
        return RaggedColumn([row for column in columns for row in rows_of(column)])
    if kinds == {DocsColumn}:
        return _concat_docs([c for c in columns if isinstance(c, DocsColumn)])
    if kinds == {TextColumn, ValuesColumn}:
        return ValuesColumn([row for column in columns for row in rows_of(column)])
    if len(kinds) > 1:
        from jina_cli.documents.standard_writer import nodes_of

        return NodesColumn([node for column in columns for node in nodes_of(column)])
    return _column_like(columns[0], [row for column in columns for row in rows_of(column)])


def _column_like(first: Column, rows: list[Any]) -> Column:
    match first:
        case TextColumn():
            return TextColumn(rows)
        case ValuesColumn():
            return ValuesColumn(rows)
        case BytesColumn():
            return BytesColumn(rows)
        case _:
            return NodesColumn(rows)


def _like_the_known(columns: Sequence[Column]) -> Sequence[Column]:
    """Make columns that hold nothing of the kind of the first that holds something."""
    nothing = [is_absent(column) for column in columns]
    if not any(nothing) or all(nothing):
        return columns
    model = columns[nothing.index(False)]
    return [
        absent_like(model, len(column)) if empty else column
        for column, empty in zip(columns, nothing, strict=True)
    ]


def is_absent(column: Column) -> bool:
    """Return whether no document has the field."""
    if isinstance(column, TensorColumn) or isinstance(column, DocsColumn):  # noqa: SIM101
        # In one call it takes three times as long.
        return column.present is not None and not column.present.any()
    values = column.arrays if isinstance(column, RaggedColumn) else column.values
    return not set(map(type, values)) - _NULL


def presence_of(column: Column) -> NDArray[np.bool_]:
    """Return which documents have the field, shape `(documents,)`."""
    if isinstance(column, TensorColumn | DocsColumn):
        return np.ones(len(column), np.bool_) if column.present is None else column.present
    values = column.arrays if isinstance(column, RaggedColumn) else column.values
    return np.fromiter((value is not None for value in values), np.bool_, len(values))


def rows_of(column: Column) -> Sequence[Any]:
    """Return the field of each document: a value, an array, a batch, or None."""
    match column:
        case TensorColumn(array, present):
            rows: list[Any] = list(array)
            if array.ndim == 1:
                # Not numpy's scalars: a tensor of no dimensions is an array too.
                rows = [np.asarray(row) for row in rows]
            if present is None:
                return rows
            return [row if there else None for row, there in zip(rows, present, strict=True)]
        case RaggedColumn(arrays):
            return arrays
        case DocsColumn(offsets=offsets, docs=docs):
            ends = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
            return [docs.slice(start, end) for start, end in ends]
        case _:
            return column.values


def column_of_arrays(arrays: Sequence[Array | None]) -> TensorColumn | RaggedColumn:
    """Return the column for one array a document, dense if all that are there are alike."""
    known = [array for array in arrays if array is not None]
    if not known or any(a.shape != known[0].shape or a.dtype != known[0].dtype for a in known):
        return RaggedColumn(arrays)
    if len(known) == len(arrays):
        return TensorColumn(np.stack(known))
    present = np.array([array is not None for array in arrays], np.bool_)
    dense = np.zeros((len(arrays), *known[0].shape), known[0].dtype)
    dense[present] = np.stack(known)
    return TensorColumn(dense, present)


def _concat_tensors(columns: Sequence[TensorColumn]) -> TensorColumn | RaggedColumn:
    first = columns[0].array
    if any(c.array.shape[1:] != first.shape[1:] or c.array.dtype != first.dtype for c in columns):
        return RaggedColumn([row for column in columns for row in rows_of(column)])
    array = np.concatenate([column.array for column in columns])
    return TensorColumn(array, _concat_masks(columns))


def _concat_docs(columns: Sequence[DocsColumn]) -> DocsColumn:
    from jina_cli.documents.batch import DocumentBatch

    lengths = np.concatenate([np.diff(column.offsets) for column in columns])
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    docs = DocumentBatch.concat([column.docs for column in columns])
    return DocsColumn(offsets, docs, _concat_masks(columns))


def _concat_masks(
    columns: Sequence[TensorColumn] | Sequence[DocsColumn],
) -> NDArray[np.bool_] | None:
    if all(column.present is None for column in columns):
        return None
    masks = [np.ones(len(c), np.bool_) if c.present is None else c.present for c in columns]
    return np.concatenate(masks)
