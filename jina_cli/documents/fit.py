"""Which columns, and which values that users write, fit a field without asking pydantic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast, get_args, get_origin

import numpy as np

from jina_cli.documents.cells import Absent, Arrays, Cell, Fixed, Lists, Loose
from jina_cli.documents.collect import DoesNotFit
from jina_cli.documents.column import (
    Array,
    BytesColumn,
    Column,
    DocsColumn,
    NodesColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
    is_absent,
)
from jina_cli.documents.document import Document
from jina_cli.documents.nodes import BadNode, UnknownElements, node_value
from jina_cli.documents.schema import DocField

_NONE = type(None)
_SCALARS = (str, int, float, bool)
_FIXED = {*_SCALARS, bytes, _NONE}


def fits_as_it_is(field: DocField, column: Column) -> bool:
    """Return whether what a column holds is just what documents have in a field.

    Cheap to ask, since it is asked for every request: False says that `cell_of` knows.
    """
    kind = type(column)
    if kind is TextColumn:
        values = cast(TextColumn, column).values
        fits = field.annotation is str or field.annotation is Any
        return fits and (field.takes_none or None not in values)
    if kind is ValuesColumn:
        values = cast(ValuesColumn, column).values
        return field.takes_none and values.count(None) == len(values)
    return kind is TensorColumn and _kind_of(field, cast(TensorColumn, column)) is not None


def cell_of(field: DocField, column: Column) -> Cell | None:
    """Return the cell of a column for a field, or None if pydantic must decide.

    A document that lacks a field which takes no None has the default.

    Raises:
        DoesNotFit: A document in a document is not what its class takes.
    """
    if isinstance(column, TextColumn):
        fits = field.annotation is str or field.annotation is Any
        cell = _fixed(field, column, column.values) if fits else None
    elif isinstance(column, ValuesColumn):
        cell = _of_values(field, column)
    elif isinstance(column, TensorColumn):
        cell = _of_tensors(field, column)
    elif isinstance(column, BytesColumn):
        fits = field.annotation is bytes or field.annotation is Any
        cell = _fixed(field, column, column.values) if fits else None
    elif isinstance(column, DocsColumn) and field.list_of is not None:
        cell = _lists(field.name, column, field.list_of, takes_none=field.takes_none)
    elif isinstance(column, RaggedColumn):
        copies = [None if array is None else array.copy() for array in column.arrays]
        rows = _arrays(field, copies)
        cell = None if rows is None else Loose(field.name, column, rows)
    else:
        cell = None
    return _absent(field, column) if cell is None and is_absent(column) else cell


def extra_cell(name: str, column: Column, ids: Sequence[str]) -> Cell:
    """Return the cell of a column for a class that declares no such field and keeps it.

    Raises:
        DoesNotFit: A node of the column is malformed.
    """
    match column:
        case TextColumn(values) | BytesColumn(values):
            return Fixed(name, column, values)
        case ValuesColumn(values):
            return _by_kind(name, column, values)
        case TensorColumn():
            return Arrays(name, column, np.ndarray)
        case RaggedColumn(arrays):
            return Loose(name, column, [None if row is None else row.copy() for row in arrays])
        case DocsColumn():
            return _lists(name, column, Document, takes_none=True)
        case NodesColumn():
            return Loose(name, column, node_values(name, column, ids))


def node_values(name: str, column: NodesColumn, ids: Sequence[str]) -> Sequence[Any]:
    """Return what nodes hold; None for tensors of elements that we do not take.

    Raises:
        DoesNotFit: One is malformed.
    """
    values: list[Any] = []
    for id_, node in zip(ids, column.values, strict=True):
        try:
            values.append(None if node is None else node_value(node))
        except UnknownElements:
            values.append(None)
        except BadNode as error:
            raise DoesNotFit(id_, name, str(error)) from None
    return values


def written_cell(field: DocField, values: Any) -> Cell | None:
    """Return the cell of values that a user writes, or None if pydantic must look at them.

    Args:
        values: A list, tuple or array, with as many entries as there are documents.
    """
    if isinstance(values, np.ndarray):
        made = field.array_type(values.dtype, values.shape[1:]) if values.ndim > 1 else None
        if made is None:
            return None
        return Arrays(field.name, TensorColumn(values.view(np.ndarray)), made, is_shared=True)
    kinds: set[type[object]] = set(map(type, values))
    if field.takes_none and len(kinds) > 1:
        kinds.discard(_NONE)
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    if issubclass(kind, np.ndarray):
        rows = _arrays(field, values)
        return None if rows is None else Loose(field.name, None, rows)
    if kind is not field.annotation or kind not in _FIXED:
        return None
    own = list(values)
    return Fixed(field.name, _column_like(kind, own), own)


def _of_values(field: DocField, column: ValuesColumn) -> Cell | None:
    values = column.values
    if len(values) and values[0] is None and is_absent(column):
        return _absent(field, column)
    found = _values(values, field.annotation)
    return None if found is None else _fixed(field, column, found)


def _of_tensors(field: DocField, column: TensorColumn) -> Cell | None:
    kind = _kind_of(field, column)
    return None if kind is None else Arrays(field.name, column, kind)


def _kind_of(field: DocField, column: TensorColumn) -> type[Array] | None:
    if len(column) == 0 or not (column.present is None or field.takes_none):
        return None
    return field.array_type(column.array.dtype, column.array.shape[1:])


def _fixed(
    field: DocField, column: TextColumn | BytesColumn | ValuesColumn, values: Sequence[Any]
) -> Cell | None:
    if field.takes_none or None not in values:
        return _by_kind(field.name, column, values)
    if field.is_required:
        return None
    if is_absent(column):
        return _absent(field, column)
    defaults = iter(field.defaults(sum(value is None for value in values)))
    filled = [next(defaults) if value is None else value for value in values]
    cell = _by_kind(field.name, column, filled)
    # Documents have something where the column has nothing, and take it with them.
    return Fixed(field.name, type(column)(filled), filled) if isinstance(cell, Fixed) else cell


def _by_kind(
    name: str, column: TextColumn | BytesColumn | ValuesColumn, values: Sequence[Any]
) -> Cell:
    if not isinstance(column, ValuesColumn) or set(map(type, values)) <= _FIXED:
        return Fixed(name, column, values)
    return Loose(name, column, values)


def _absent(field: DocField, column: Column) -> Cell | None:
    if field.takes_none:
        return Absent(field.name, column, [None] * len(column))
    return None if field.is_required else Absent(field.name, column, field.defaults(len(column)))


def _lists(name: str, column: DocsColumn, list_of: Any, *, takes_none: bool) -> Cell:
    from jina_cli.documents.convert import to_docs

    return Lists(name, column, to_docs(column.docs, list_of), takes_none=takes_none)


def _arrays(field: DocField, values: Sequence[Any]) -> Sequence[Any] | None:
    """Return arrays as pydantic would make of each of them, or None if it must look at them."""
    rows: list[Any] = []
    for value in values:
        kind = None if value is None else field.array_type(value.dtype, value.shape)
        if kind is None and (value is not None or not field.takes_none):
            return None
        rows.append(value if kind is None else value.view(kind))
    return rows


def _column_like(kind: type, values: list[Any]) -> TextColumn | BytesColumn | ValuesColumn:
    if kind is str:
        return TextColumn(values)
    return BytesColumn(values) if kind is bytes else ValuesColumn(values)


def _values(values: Sequence[Any], annotation: Any) -> Sequence[Any] | None:
    """Return JSON values for a field, None among them, or None if pydantic must decide."""
    if annotation is Any:
        return values
    kinds = set(map(type, values)) - {_NONE}
    if annotation is float and kinds == {float}:
        return values
    if annotation is float and kinds <= {float, int}:
        try:
            return [None if value is None else float(value) for value in values]
        except OverflowError:
            return None
    if annotation in _SCALARS or annotation in (list, dict):
        return values if kinds == {annotation} else None
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (list, dict) and not inner:  # `typing.List`, `typing.Dict`: of anything
        return values if kinds == {origin} else None
    if origin is list and kinds == {list}:
        return values if _all_are(inner[0], (item for v in values if v for item in v)) else None
    if origin is dict and kinds == {dict} and inner[0] is str:
        items = (item for v in values if v for item in v.values())
        return values if _all_are(inner[1], items) else None
    return None


def _all_are(kind: Any, items: Iterable[Any]) -> bool:
    return kind is Any or (kind in _SCALARS and set(map(type, items)) <= {kind})
