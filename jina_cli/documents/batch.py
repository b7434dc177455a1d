"""Documents as columns: what Drivers, built-in Executors, the store and the wire work on."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jina_cli.documents.column import (
    Array,
    Column,
    DocsColumn,
    Indices,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    absent_like,
    concat_columns,
    rows_of,
)

if TYPE_CHECKING:
    from jina_cli.documents.sheet import Sheet


class BadField(ValueError):
    """A field of the documents is not what a step takes."""


class MissingField(BadField):
    """A step needs a field that some documents do not have.

    Attributes:
        field: Its name.
        ids: The first few documents without it.
    """

    def __init__(self, field: str, ids: Sequence[str]) -> None:
        self.field = field
        self.ids = tuple(ids[:3])
        named = f"document {self.ids[0]!r} has" if self.ids else "documents have"
        super().__init__(f"{named} no {field!r}")


class DocumentBatch:
    """Some documents of one kind, in order, each field as a column.

    A batch is a value: methods return new batches that share the columns they did not
    change. Every column has as many entries as there are ids.

    Args:
        ids: One for each document; may repeat, since a batch is not a set.
        columns: By field name; `id` is not among them.

    Attributes:
        sheets: What `convert.to_docs` last made of these documents, for `from_docs` to know
            them again. They are no part of the value.
    """

    __slots__ = ("columns", "ids", "sheets")

    def __init__(self, ids: Sequence[str], columns: Mapping[str, Column] | None = None) -> None:
        self.ids: Sequence[str] = ids
        self.columns: Mapping[str, Column] = columns or {}
        self.sheets: tuple[Sheet, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        fields = ", ".join(f"{k}: {type(c).__name__}" for k, c in self.columns.items())
        return f"DocumentBatch({len(self)} documents, {{{fields}}})"

    @classmethod
    def of(cls, count: int, columns: Mapping[str, Column] | None = None) -> DocumentBatch:
        """Return `count` documents with new ids."""
        return cls([new_id() for _ in range(count)], columns)

    def with_columns(self, **columns: Column) -> DocumentBatch:
        """Return the same documents with these fields added or replaced.

        Raises:
            ValueError: A column has another length than this batch.
        """
        for name, column in columns.items():
            if len(column) != len(self):
                raise ValueError(f"{name!r} has {len(column)} entries for {len(self)} documents")
        return DocumentBatch(self.ids, {**self.columns, **columns})

    def without(self, *names: str) -> DocumentBatch:
        """Return the same documents without these fields, whether they had them or not."""
        kept = {name: column for name, column in self.columns.items() if name not in names}
        return DocumentBatch(self.ids, kept)

    def only(self, *names: str) -> DocumentBatch:
        """Return the same documents with no other fields than these."""
        kept = {name: column for name, column in self.columns.items() if name in names}
        return DocumentBatch(self.ids, kept)

    def take(self, indices: Indices | Sequence[int]) -> DocumentBatch:
        """Return the documents at `indices`, in that order.

        Raises:
            IndexError: An index is below 0 or not below `len`.
        """
        places = np.asarray(indices, np.int64)
        if places.size and (int(places.min()) < 0 or int(places.max()) >= len(self)):
            raise IndexError(f"no document {places.max()} or {places.min()} among {len(self)}")
        columns = {name: column.take(places) for name, column in self.columns.items()}
        ids = self.ids
        return DocumentBatch([ids[i] for i in places.tolist()], columns)

    def slice(self, start: int, end: int) -> DocumentBatch:
        """Return the documents from `start` up to, not including, `end`; tensors are views."""
        start = min(max(0, start), len(self))
        end = max(start, min(end, len(self)))
        columns = {name: column.slice(start, end) for name, column in self.columns.items()}
        return DocumentBatch(self.ids[start:end], columns)

    def text(self, field: str = "text") -> Sequence[str]:
        """Return a field of strings.

        Raises:
            MissingField: Some document has none.
        """
        column = self.columns.get(field)
        if column is None:
            self._missing(field, range(len(self)))
        values = rows_of(column) if column is not None else ()
        self._missing(field, [i for i, value in enumerate(values) if not isinstance(value, str)])
        return values

    def tensor(self, field: str = "tensor") -> Array:
        """Return a field of tensors, shape `(documents, *shape)`.

        Raises:
            MissingField: Some document has none.
            ValueError: They are not all of one shape; the message names two.
        """
        column = self.columns.get(field)
        if isinstance(column, TensorColumn):
            if column.present is not None:
                self._missing(field, np.flatnonzero(~column.present).tolist())
            return column.array
        if len(self) == 0:
            return np.zeros((0, 0), np.float32)
        rows: Sequence[Any] = [None] * len(self)
        if isinstance(column, RaggedColumn):
            rows = column.arrays
        self._missing(field, [i for i, row in enumerate(rows) if row is None])
        shapes = sorted({str(row.shape) for row in rows})
        if len(shapes) > 1:
            raise ValueError(f"{field!r} has tensors of shapes {shapes[0]} and {shapes[1]}")
        return np.stack(list(rows))

    def values(self, field: str) -> Sequence[Any]:
        """Return a field as one value a document, None where it is not there."""
        column = self.columns.get(field)
        return [None] * len(self) if column is None else rows_of(column)

    def docs(self, field: str) -> DocsColumn | None:
        """Return a field of documents (`chunks`, `matches`), or None if there is none."""
        column = self.columns.get(field)
        return column if isinstance(column, DocsColumn) else None

    def with_texts(self, texts: Sequence[str | None], field: str = "text") -> DocumentBatch:
        return self.with_columns(**{field: TextColumn(texts)})

    def with_tensor(self, array: Array, field: str = "embedding") -> DocumentBatch:
        return self.with_columns(**{field: TensorColumn(array)})

    @staticmethod
    def concat(batches: Iterable[DocumentBatch]) -> DocumentBatch:
        """Put batches end to end; a field that a batch lacks is absent in its documents."""
        parts = [batch for batch in batches if len(batch)]
        if len(parts) <= 1:
            return parts[0] if parts else EMPTY_BATCH
        models: dict[str, Column] = {}
        for part in parts:
            for name, column in part.columns.items():
                models.setdefault(name, column)
        columns = {
            name: concat_columns([_column(p, name, model) for p in parts])
            for name, model in models.items()
        }
        return DocumentBatch([id_ for part in parts for id_ in part.ids], columns)

    def _missing(self, field: str, places: Sequence[int]) -> None:
        if len(places):
            raise MissingField(field, [self.ids[i] for i in places[:3]])


def _column(batch: DocumentBatch, name: str, model: Column) -> Column:
    column = batch.columns.get(name)
    return absent_like(model, len(batch)) if column is None else column


EMPTY_BATCH = DocumentBatch([])


def new_id() -> str:
    """Return 32 hexadecimal digits that nobody has used."""
    return uuid.uuid4().hex
