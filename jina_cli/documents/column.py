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


@dataclass(frozen=True, slots=True)
class TextColumn:
    """Strings."""

    values: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, indices: Indices) -> TextColumn:
        return TextColumn([self.values[i] for i in indices])


@dataclass(frozen=True, slots=True)
class ValuesColumn:
    """Any JSON values: bool, int, float, str, list, dict."""

    values: Sequence[Any]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, indices: Indices) -> ValuesColumn:
        return ValuesColumn([self.values[i] for i in indices])


@dataclass(frozen=True, slots=True)
class BytesColumn:
    """Raw bytes."""

    values: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, indices: Indices) -> BytesColumn:
        return BytesColumn([self.values[i] for i in indices])


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


@dataclass(frozen=True, slots=True)
class RaggedColumn:
    """Tensors of different dtypes or shapes."""

    arrays: Sequence[Array | None]

    def __len__(self) -> int:
        return len(self.arrays)

    def take(self, indices: Indices) -> RaggedColumn:
        return RaggedColumn([self.arrays[i] for i in indices])


@dataclass(frozen=True, slots=True)
class DocsColumn:
    """Lists of documents: chunks, matches, or any `DocList` field.

    Attributes:
        offsets: Shape `(documents + 1,)`, rising from 0 to `len(docs)`: document `i` holds
            `docs[offsets[i]:offsets[i + 1]]`.
        docs: The documents of all lists, one list after another.
    """

    offsets: Indices
    docs: DocumentBatch

    def __len__(self) -> int:
        return int(self.offsets.shape[0]) - 1

    def take(self, indices: Indices) -> DocsColumn:
        starts, ends = self.offsets[indices], self.offsets[indices + 1]
        lengths = ends - starts
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        stretch = np.arange(int(offsets[-1])) - np.repeat(offsets[:-1], lengths)
        return DocsColumn(offsets, self.docs.take(stretch + np.repeat(starts, lengths)))


@dataclass(frozen=True, slots=True)
class NodesColumn:
    """Fields we have no column for, each as a serialised `docarray.NodeProto`."""

    values: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, indices: Indices) -> NodesColumn:
        return NodesColumn([self.values[i] for i in indices])


Column: TypeAlias = (
    TextColumn | ValuesColumn | BytesColumn | TensorColumn | RaggedColumn | DocsColumn | NodesColumn
)


class ColumnsDiffer(TypeError):
    """Columns of one name hold things that cannot stand in one column."""


def absent_like(column: Column, count: int) -> Column:
    """Return a column of the kind of `column` for `count` documents that lack the field."""
    match column:
        case TensorColumn(array):
            shape = (count, *array.shape[1:])
            return TensorColumn(np.zeros(shape, array.dtype), np.zeros(count, np.bool_))
        case RaggedColumn():
            return RaggedColumn([None] * count)
        case DocsColumn(_, docs):
            return DocsColumn(np.zeros(count + 1, np.int64), docs.take(np.arange(0)))
        case _:
            return type(column)([None] * count)


def concat_columns(columns: Sequence[Column]) -> Column:
    """Put columns of one field end to end.

    Tensors of different shapes become a `RaggedColumn`, strings among values a
    `ValuesColumn`.

    Raises:
        ColumnsDiffer: Documents, bytes or tensors meet something of another kind.
    """
    first = columns[0]
    if len(columns) == 1:
        return first
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
        names = " and ".join(sorted(kind.__name__ for kind in kinds))
        raise ColumnsDiffer(f"cannot put {names} into one column")
    rows: list[Any] = [row for column in columns for row in rows_of(column)]
    match first:
        case TextColumn():
            return TextColumn(rows)
        case ValuesColumn():
            return ValuesColumn(rows)
        case BytesColumn():
            return BytesColumn(rows)
        case _:
            return NodesColumn(rows)


def rows_of(column: Column) -> Sequence[Any]:
    """Return the field of each document: a value, an array, a batch, or None."""
    match column:
        case TensorColumn(array, present):
            mask = np.ones(len(array), np.bool_) if present is None else present
            return [row if there else None for row, there in zip(array, mask, strict=True)]
        case RaggedColumn(arrays):
            return arrays
        case DocsColumn(offsets, docs):
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
    if all(column.present is None for column in columns):
        return TensorColumn(array)
    masks = [np.ones(len(c), np.bool_) if c.present is None else c.present for c in columns]
    return TensorColumn(array, np.concatenate(masks))


def _concat_docs(columns: Sequence[DocsColumn]) -> DocsColumn:
    from jina_cli.documents.batch import DocumentBatch

    lengths = np.concatenate([np.diff(column.offsets) for column in columns])
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return DocsColumn(offsets, DocumentBatch.concat([column.docs for column in columns]))
