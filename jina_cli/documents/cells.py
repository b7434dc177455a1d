"""One field of some documents while users may hold its values.

A cell hands out a field's values, the same objects each time it is asked, and later says what
column to send for the values that the documents have by then. The column it was made of comes
back itself where nothing was changed, so that whoever holds it can see that. Values that can be
written into, arrays, lists and dicts, count as changed once they were handed out, unless it is
cheap to see that they were not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise
from operator import is_
from typing import Any, Protocol

import numpy as np
from docarray import BaseDoc, DocList

from jina_cli.documents.collect import column_of
from jina_cli.documents.column import (
    Array,
    BytesColumn,
    Column,
    DocsColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
)

Values = Sequence[Any]


class Cell(Protocol):
    """One field of some documents."""

    def values(self) -> Values:
        """Return one value for each document; users may keep them, and write into them."""

    def back(self, now: Values | None, ids: Sequence[str]) -> Column | None:
        """Return the column of the field as it is now; None for none at all.

        Args:
            now: What the documents have; None if they are still columns.
            ids: Of the documents, for what is raised.

        Raises:
            DoesNotFit: A value cannot travel.
        """


class Fixed:
    """Values that nobody can write into: strings, bytes, numbers."""

    __slots__ = ("_column", "_name", "_values")

    def __init__(
        self, name: str, column: TextColumn | BytesColumn | ValuesColumn, values: Values
    ) -> None:
        self._name = name
        self._column = column
        self._values = values

    def values(self) -> Values:
        return self._values

    def back(self, now: Values | None, ids: Sequence[str]) -> Column | None:
        if now is None or are_same(now, self._values):
            return self._column
        return column_of(self._name, now, ids)


class Loose:
    """Values that users can write into without being noticed: lists, dicts, loose arrays."""

    __slots__ = ("_column", "_handed_out", "_name", "_values")

    def __init__(self, name: str, column: Column | None, values: Values) -> None:
        self._name = name
        self._column = column
        self._values = values
        self._handed_out = column is None

    def values(self) -> Values:
        self._handed_out = True
        return self._values

    def back(self, now: Values | None, ids: Sequence[str]) -> Column | None:
        if not self._handed_out:
            return self._column
        return column_of(self._name, self._values if now is None else now, ids)


class Arrays:
    """Tensors of one dtype and shape, handed out as views of one copy of their column.

    Args:
        kind: Class of the views.
        is_shared: Whether to make no copy: the column is the user's own array.
    """

    __slots__ = ("_array", "_column", "_is_shared", "_kind", "_name", "_values")

    def __init__(
        self,
        name: str,
        column: TensorColumn,
        kind: type[Array],
        *,
        is_shared: bool = False,
    ) -> None:
        self._name = name
        self._column = column
        self._kind = kind
        self._is_shared = is_shared
        self._array = column.array
        self._values: list[Any] | None = None

    def values(self) -> Values:
        if self._values is None:
            if not self._is_shared:
                self._array = self._column.array.copy()
            self._values = _rows(self._array, self._kind)
            if self._column.present is not None:
                for place in np.flatnonzero(~self._column.present).tolist():
                    self._values[place] = None
        return self._values

    def back(self, now: Values | None, ids: Sequence[str]) -> Column | None:
        if self._values is None or (self._is_shared and now is None):
            return self._column
        if now is not None and not are_same(now, self._values):
            return column_of(self._name, now, ids)
        if self._is_shared or _are_equal(self._array, self._column.array):
            return self._column
        return TensorColumn(self._array, self._column.present)


class Lists:
    """Lists of documents.

    Args:
        docs: All of them, one list after another.
        takes_none: Whether a document that has no list is to have None.
    """

    __slots__ = ("_column", "_docs", "_name", "_takes_none", "_values")

    def __init__(
        self, name: str, column: DocsColumn, docs: DocList[BaseDoc], *, takes_none: bool
    ) -> None:
        self._name = name
        self._column = column
        self._docs = docs
        self._takes_none = takes_none
        self._values: list[Any] | None = None

    def values(self) -> Values:
        if self._values is None:
            flat = list(self._docs)
            construct = self._docs.construct
            places = pairwise(self._column.offsets.tolist())
            self._values = [construct(flat[start:end]) for start, end in places]
            present = self._column.present
            if present is not None and self._takes_none:
                for place in np.flatnonzero(~present).tolist():
                    self._values[place] = None
        return self._values

    def back(self, now: Values | None, ids: Sequence[str]) -> Column | None:
        from jina_cli.documents.convert import from_docs

        if self._values is None:
            return self._column
        known = self._column
        if not self._are_unmoved(self._values if now is None else now):
            return column_of(self._name, self._values if now is None else now, ids, known.docs)
        docs = from_docs(self._docs, original=known.docs)
        return known if docs is known.docs else DocsColumn(known.offsets, docs, known.present)

    def _are_unmoved(self, now: Values) -> bool:
        """Return whether these are the lists that were handed out, with the same documents."""
        if not are_same(now, self._values or ()):
            return False
        lengths = [len(docs) if docs is not None else 0 for docs in now]
        if lengths != np.diff(self._column.offsets).tolist():
            return False
        return all(map(is_, chain.from_iterable(filter(None, now)), self._docs))


class Absent:
    """A field that no document has: what a class says that it is then.

    Args:
        column: Where it says so; None if there is none.
    """

    __slots__ = ("_column", "_name", "_values")

    def __init__(self, name: str, column: Column | None, defaults: Values) -> None:
        self._name = name
        self._column = column
        self._values = defaults

    def values(self) -> Values:
        return self._values

    def back(self, now: Values | None, ids: Sequence[str]) -> Column | None:
        if is_nothing(self._values) and (now is None or are_same(now, self._values)):
            return self._column
        return column_of(self._name, self._values if now is None else now, ids)


def are_same(some: Values, others: Values) -> bool:
    """Return whether these are the same objects in the same order."""
    return len(some) == len(others) and all(map(is_, some, others))


def is_nothing(values: Values) -> bool:
    """Return whether no value is worth a column: all are None, or lists and dicts of nothing."""
    return all(value is None or (isinstance(value, list | dict) and not value) for value in values)


def _rows(array: Array, kind: type[Array]) -> list[Any]:
    if array.ndim > 1:
        return list(array.view(kind))
    # Not numpy's scalars: a tensor of no dimensions is an array too.
    return [array[place : place + 1].reshape(()).view(kind) for place in range(len(array))]


def _are_equal(array: Array, other: Array) -> bool:
    """Return whether arrays of one dtype and shape hold the same bytes, nan or not."""
    words = np.uint64 if array.nbytes % 8 == 0 else np.uint8
    ours = array.reshape(-1).view(np.uint8).view(words)
    theirs = np.ascontiguousarray(other).reshape(-1).view(np.uint8).view(words)
    return bool((ours == theirs).all())
