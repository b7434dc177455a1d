"""Documents as JSON objects, one a document: what people write and read.

`from_rows` takes what JSON gives, and also bytes and numpy arrays, so that readers of files
may hand over what they have. `to_rows` leaves out fields a document does not have.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch, new_id
from jina_cli.documents.blanks import Blanks
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
    column_of_arrays,
)
from jina_cli.documents.limits import MAX_DEPTH, MAX_DOCUMENTS, MAX_GAPS, MAX_LEVELS
from jina_cli.documents.nodes import UnknownElements, node_value

Row = Mapping[str, Any]

ARRAY_FIELDS = frozenset({"tensor", "embedding"})
DOCS_FIELDS = frozenset({"chunks", "matches"})
BYTES_FIELDS = frozenset({"blob"})
TYPED_FIELDS = ARRAY_FIELDS | DOCS_FIELDS | BYTES_FIELDS


class BadRow(ValueError):
    """A row cannot be made a document.

    Attributes:
        row: Its place among the rows, from 0.
        field: The field that is wrong; empty for the row itself.
    """

    def __init__(self, row: int, field: str, problem: str) -> None:
        self.row = row
        self.field = field
        self.problem = problem
        subject = f"{field!r} " if field else ""
        super().__init__(f"document {row}: {subject}{problem}")


def from_rows(rows: Sequence[Row]) -> DocumentBatch:
    """Return one document for each row, in order.

    `tensor` and `embedding` take lists of numbers (float32, or int64 where all of a `tensor`
    are whole), `blob` base64, `chunks` and `matches` lists of rows; numpy arrays and bytes may
    stand in any field. Of other fields those with only strings are text, all others values.
    A missing `id` is invented, a whole number becomes its digits.

    Raises:
        BadRow: A row is not a mapping, or one of its fields does not hold what it should.
    """
    return _from_rows(rows, MAX_LEVELS)


def to_rows(batch: DocumentBatch) -> list[dict[str, Any]]:
    """Return each document as an object that any JSON writer takes.

    Bytes are base64, tensors nested lists, numbers that are not finite None; a document has
    no key for a field it lacks.
    """
    return _to_rows(batch, lists=True)


def to_numpy_rows(batch: DocumentBatch, blanks: Blanks | None = None) -> list[dict[str, Any]]:
    """Return the same as `to_rows`, tensors left as arrays and numbers as they are.

    For writers that know numpy and write what is not finite as null, as orjson does.

    Args:
        blanks: What a document has in a field that it lacks; None for no key.
    """
    rows = _to_rows(batch, lists=False)
    return rows if blanks is None else [blanks.fill(row) for row in rows]


def _from_rows(rows: Sequence[Row], levels: int) -> DocumentBatch:
    if not rows:
        return EMPTY_BATCH
    for place, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise BadRow(place, "", f"is {_kind(row)}, not an object")
    names = dict.fromkeys(name for row in rows for name in row)
    if len(rows) > MAX_DOCUMENTS:
        raise BadRow(MAX_DOCUMENTS, "", f"is one more than the {MAX_DOCUMENTS} that may come")
    if len(names) * len(rows) - sum(map(len, rows)) > MAX_GAPS:
        raise BadRow(0, "", f"has too little in common with the other {len(rows) - 1}")
    ids = [_id(row.get("id"), place) for place, row in enumerate(rows)]
    names.pop("id", None)
    columns = {name: _column(name, [row.get(name) for row in rows], levels) for name in names}
    return DocumentBatch(ids, columns)


def _id(value: Any, place: int) -> str:
    if type(value) is str and value:
        return value
    if value is None or value == "":
        return new_id()
    if type(value) is int:
        return str(value)
    raise BadRow(place, "id", f"is {_kind(value)}, not a string")


def _column(name: str, values: Sequence[Any], levels: int) -> Column:
    if type(name) is not str:
        raise BadRow(0, str(name), "is a key that is not a string")
    kinds = set(map(type, values))
    if kinds <= {str, type(None)} and (name not in TYPED_FIELDS or str not in kinds):
        return TextColumn(values)
    if name in ARRAY_FIELDS or any(issubclass(kind, np.ndarray) for kind in kinds):
        return _arrays(name, values)
    if name in BYTES_FIELDS or bytes in kinds:
        return BytesColumn([_bytes(name, value, i) for i, value in enumerate(values)])
    if name in DOCS_FIELDS:
        return _docs(name, values, levels)
    if not kinds <= {int, float, bool, str, type(None)}:
        for place, value in enumerate(values):
            _check_depth(name, value, place)
    return ValuesColumn(values)


def _bytes(name: str, value: Any, place: int) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise BadRow(place, name, "is not base64") from None
    raise BadRow(place, name, f"is {_kind(value)}, not base64")


def _docs(name: str, values: Sequence[Any], levels: int) -> DocsColumn:
    if levels == 0:
        raise BadRow(0, name, f"is nested deeper than {MAX_LEVELS} documents")
    for place, value in enumerate(values):
        if not isinstance(value, list | tuple | None):
            raise BadRow(place, name, f"is {_kind(value)}, not a list of objects")
    offsets = np.zeros(len(values) + 1, np.int64)
    offsets[1:] = np.cumsum([len(value or ()) for value in values])
    present = np.array([value is not None for value in values], np.bool_)
    flat = [row for value in values if value for row in value]
    try:
        docs = _from_rows(flat, levels - 1)
    except BadRow as error:
        place = int(np.searchsorted(offsets, error.row, "right")) - 1
        inner = f"{name}[{error.row - int(offsets[place])}]"
        raise BadRow(place, f"{inner}.{error.field}".rstrip("."), error.problem) from None
    return DocsColumn(offsets, docs, None if present.all() else present)


def _arrays(name: str, values: Sequence[Any]) -> TensorColumn | RaggedColumn:
    if all(type(value) is list for value in values):
        dense = _number_array(values)
        if dense is not None and dense.ndim > 1:
            narrow = _narrow(name, dense)
            _check_finite(name, narrow, dense)
            return TensorColumn(narrow)
    arrays: list[Array | None] = []
    for place, value in enumerate(values):
        array = value if value is None or isinstance(value, np.ndarray) else _number_array(value)
        if array is None and value is not None:
            raise BadRow(place, name, "is not a list of numbers, all rows of one length")
        if array is not None and array.dtype.kind not in "biufc":
            raise BadRow(place, name, f"has elements of type {array.dtype}, not numbers")
        if array is not None and array is not value:
            wide, array = array, _narrow(name, array)
            _check_finite(name, array[None], wide[None], first=place)
        arrays.append(array)
    if any(a is not None and a.dtype.kind == "f" for a in arrays):
        # `[1, 2]` beside `[1.5, 2]` is the same kind of vector.
        for place, (array, value) in enumerate(zip(arrays, values, strict=True)):
            if array is not None and array is not value:
                arrays[place] = array.astype(np.float32)
    return column_of_arrays(arrays)


def _number_array(value: Any) -> Array | None:
    """Return numbers in lists as an array, or None if they are something else."""
    if not isinstance(value, list | tuple | int | float):
        return None
    try:
        array = np.array(value)
    except (ValueError, OverflowError):
        return None
    return array if array.dtype.kind in "biuf" else None


def _narrow(name: str, array: Array) -> Array:
    keeps = name == "tensor" and array.dtype.kind in "bi" and array.size
    with np.errstate(over="ignore"):  # `_check_finite` tells
        return array if keeps else array.astype(np.float32)


def _check_finite(name: str, narrow: Array, wide: Array, *, first: int = 0) -> None:
    """Refuse numbers that are finite as they were written and too large for float32."""
    if narrow.dtype.kind != "f" or np.isfinite(narrow).all():
        return
    lost = np.isfinite(wide) & ~np.isfinite(narrow)
    for place in np.flatnonzero(lost.reshape(len(lost), -1).any(1)):
        raise BadRow(first + int(place), name, "has a number that is too large for float32")


def _check_depth(name: str, value: Any, place: int) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for item in level:
            if type(item) is dict:
                deeper.extend(item.values())
            elif type(item) is list:
                deeper.extend(item)
        if not deeper:
            return
        level = deeper
    raise BadRow(place, name, f"is nested deeper than {MAX_DEPTH}")


def _to_rows(batch: DocumentBatch, *, lists: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"id": id_} for id_ in batch.ids]
    for name, column in batch.columns.items():
        for row, value in zip(rows, _plain(column, lists=lists), strict=True):
            if value is not None:
                row[name] = value
    return rows


def _plain(column: Column, *, lists: bool) -> Sequence[Any]:
    match column:
        case TextColumn(values):
            return values
        case ValuesColumn(values):
            return [plain_value(value) for value in values]
        case BytesColumn(values):
            return [None if v is None else base64.b64encode(v).decode() for v in values]
        case TensorColumn(array, present):
            # A number that is not finite is no value, as in a list of them it would be.
            is_writable = not lists and array.dtype.kind in "biuf" and array.ndim > 1
            rows = list(np.ascontiguousarray(array)) if is_writable else _lists(array)
            if present is None:
                return rows
            return [row if there else None for row, there in zip(rows, present, strict=True)]
        case RaggedColumn(arrays):
            return [None if a is None else _lists(a) if lists else _writable(a) for a in arrays]
        case DocsColumn():
            return _plain_docs(column, lists=lists)
        case NodesColumn(values):
            return [None if node is None else _plain_node(node) for node in values]


def _plain_node(node: bytes) -> Any:
    try:
        return plain_value(node_value(node))
    except UnknownElements:
        return None


def _plain_docs(column: DocsColumn, *, lists: bool) -> list[Any]:
    flat = _to_rows(column.docs, lists=lists)
    places = column.offsets.tolist()
    rows: list[Any] = [flat[start:end] for start, end in pairwise(places)]
    if column.present is not None:
        rows = [row if there else None for row, there in zip(rows, column.present, strict=True)]
    return rows


def _writable(array: Array) -> Any:
    # orjson writes neither complex numbers nor arrays without dimensions.
    if array.ndim == 0 or array.dtype.kind not in "biuf":
        return _lists(array)
    return np.ascontiguousarray(array)


def _lists(array: Array) -> Any:
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], axis=-1)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        array = np.where(np.isfinite(array), array.astype(object), np.array(None))
    return array.tolist()


def plain_value(value: Any) -> Any:
    """Return a value made of what JSON has: no numpy, no bytes, no sets, nothing infinite."""
    kind = type(value)
    if value is None or kind is str or kind is int or kind is bool:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_value(item) for item in value]
    if isinstance(value, np.generic):
        return plain_value(value.item())
    if isinstance(value, np.ndarray):
        return _lists(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    return str(value)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}
    names |= {int: "a number", float: "a number", type(None): "null"}
    return names.get(type(value), f"of type {type(value).__name__}")
