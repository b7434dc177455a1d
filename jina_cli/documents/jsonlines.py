"""Documents as JSON Lines that say everything: what is written is read back the same.

A line is one document as an object, as `rows` reads and writes it, so that any tool can read
these files, and what people write by hand is read too. Where that form would lose something, the
value is an object with one key that says what it is:

    {"$array": [dtype, shape, base64]}  a tensor that is no list of finite float32
    {"$bytes": base64}                  bytes in another field than `blob`
    {"$float": "nan"}                   a number that JSON has not: nan, inf, -inf
    {"$docs": [document, …]}            documents in another field than `chunks` and `matches`
    {"$node": base64}                   a value of docarray's that JSON has not
    {"$value": value}                   another value in a field that `rows` takes for a tensor,
                                        bytes or documents
    {"$object": {…}}                    an object that has a key beginning with `$` itself

Fields that a document lacks are left out. Dtypes are numpy's, little-endian: `<f8`.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import orjson

from jina_cli.documents.batch import BadField, DocumentBatch
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
    concat_columns,
    presence_of,
    rows_of,
)
from jina_cli.documents.columns import DTYPES
from jina_cli.documents.rows import (
    ARRAY_FIELDS,
    BYTES_FIELDS,
    DOCS_FIELDS,
    TYPED_FIELDS,
    BadRow,
    Row,
    from_rows,
    plain_value,
)

ARRAY, BYTES, FLOAT, DOCS, NODE, VALUE, OBJECT = (
    *("$array", "$bytes", "$float", "$docs", "$node", "$value", "$object"),
)

_OPTIONS: Final = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
_MARK: Final = b'"$'
_PLAIN_KINDS: Final = frozenset({str, int, bool, type(None)})
_FLOATS: Final = {name: float(name) for name in ("nan", "inf", "-inf")}


def to_lines(batch: DocumentBatch) -> list[bytes]:
    """Return each document as a line, its line end included.

    Raises:
        BadField: A document has a number beyond 64 bits, or text that is not Unicode.
    """
    lines = []
    for row in marked_rows(batch):
        try:
            lines.append(orjson.dumps(row, option=_OPTIONS))
        except TypeError as error:
            raise BadField(f"document {row['id']!r} cannot be written as JSON: {error}") from None
    return lines


def from_lines(lines: Sequence[bytes]) -> DocumentBatch:
    """Return the documents of lines, in order. A missing `id` is invented.

    Raises:
        BadRow: A line is not JSON, or no document.
    """
    rows: list[Any] = []
    for place, line in enumerate(lines):
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise BadRow(place, "", _not_json(line, error)) from None
        rows.append(_unmarked_row(row, place) if _MARK in line else row)
    return _from_unmarked(rows)


def _not_json(line: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        line.decode()
    except UnicodeDecodeError:
        return "is not UTF-8 text"
    return f"is not JSON: {error}"


def marked_rows(batch: DocumentBatch) -> list[dict[str, Any]]:
    """Return documents as objects for orjson with numpy, marked where JSON would lose something."""
    rows: list[dict[str, Any]] = [{"id": id_} for id_ in batch.ids]
    for name, column in batch.columns.items():
        for row, value in zip(rows, marked_values(name, column), strict=True):
            if value is not None:
                row[name] = value
    return rows


def marked_values(name: str, column: Column) -> Sequence[Any]:
    """Return one field as values for orjson with numpy; None where a document lacks it."""
    match column:
        case TextColumn(values):
            return _escaped(values) if name in TYPED_FIELDS else values
        case ValuesColumn(values):
            marked = [_marked(value) for value in values]
            return _escaped(marked) if name in TYPED_FIELDS else marked
        case BytesColumn(values):
            return [None if value is None else _marked_bytes(name, value) for value in values]
        case TensorColumn() | RaggedColumn():
            return _marked_arrays(name, column)
        case DocsColumn(offsets=offsets, docs=docs):
            flat = marked_rows(docs)
            lists: list[Any] = [flat[start:end] for start, end in pairwise(offsets.tolist())]
            if name not in DOCS_FIELDS:
                lists = [{DOCS: one} for one in lists]
            there = presence_of(column).tolist()
            return [one if has_it else None for one, has_it in zip(lists, there, strict=True)]
        case NodesColumn(values):
            return [None if node is None else {NODE: _base64(node)} for node in values]


def _escaped(values: Iterable[Any]) -> list[Any]:
    return [None if value is None else {VALUE: value} for value in values]


def _marked_bytes(name: str, data: bytes) -> Any:
    return _base64(data) if name in BYTES_FIELDS else {BYTES: _base64(data)}


def _marked_arrays(name: str, column: TensorColumn | RaggedColumn) -> list[Any]:
    return [None if row is None else _marked_array(name, row) for row in rows_of(column)]


def _marked_array(name: str, array: Array) -> Any:
    dtype = array.dtype.newbyteorder("<")
    array = np.ascontiguousarray(array, dtype).reshape(array.shape)
    is_list = name in ARRAY_FIELDS and array.ndim and array.size and array.dtype.str == "<f4"
    if is_list and np.isfinite(array).all():
        return array
    return {ARRAY: [array.dtype.str, list(array.shape), _base64(array.tobytes())]}


def _marked(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN_KINDS:
        return value
    if kind is float:
        return value if math.isfinite(value) else {FLOAT: str(value)}
    if kind is list:
        return [_marked(item) for item in value]
    if kind is dict:
        marked = {str(key): _marked(item) for key, item in value.items()}
        return {OBJECT: marked} if any(key.startswith("$") for key in marked) else marked
    return plain_value(value)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def unmarked(name: str, value: Any, row: int = 0) -> Any:
    """Return the value of a field that JSON gave, for `column_of_unmarked`.

    Args:
        row: Its place among the documents, for what is raised.

    Raises:
        ValueError, TypeError, KeyError: A mark has not what it should.
    """
    if name in DOCS_FIELDS and isinstance(value, list):
        return [_unmarked_row(one, row) for one in value]
    return _unmarked(value)


class _Docs(list[Any]):
    """Unmarked documents of a field."""


class _Node(bytes):
    """A value as docarray writes it."""


class _Value:
    """A value in a field whose name says that it is something else."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


_STRANGE = (_Docs, _Node, _Value)
"""What `from_rows` does not know."""


def _unmarked_row(row: Any, place: int) -> Any:
    if not isinstance(row, dict):
        return row  # `from_rows` says what is wrong with it
    fields: dict[str, Any] = {}
    for name, value in row.items():
        try:
            fields[name] = unmarked(name, value, place)
        except BadRow:
            raise
        except (ValueError, TypeError, KeyError) as error:
            raise BadRow(place, name, f"is marked and cannot be read: {error}") from None
    return fields


def _unmarked(value: Any) -> Any:
    if type(value) is list:
        return [_unmarked(item) for item in value]
    if type(value) is not dict:
        return value
    if len(value) != 1:
        return {key: _unmarked(item) for key, item in value.items()}
    ((key, inner),) = value.items()
    match key:
        case "$array":
            return _array(*inner)
        case "$bytes":
            return base64.b64decode(inner, validate=True)
        case "$float":
            return _FLOATS[inner]
        case "$docs":
            return _Docs(_unmarked_row(row, 0) for row in inner)
        case "$node":
            return _Node(base64.b64decode(inner, validate=True))
        case "$value":
            return _Value(_unmarked(inner))
        case "$object":
            return {name: _unmarked(item) for name, item in inner.items()}
        case _:
            return {key: _unmarked(inner)}


def _array(dtype_name: str, shape: Sequence[int], data: str) -> Array:
    dtype = DTYPES.get(dtype_name)
    if dtype is None:
        raise ValueError(f"there is no element type {dtype_name!r}")
    return np.frombuffer(base64.b64decode(data, validate=True), dtype).reshape(shape)


def _from_unmarked(rows: Sequence[Row]) -> DocumentBatch:
    """Return the documents of rows that may hold what `from_rows` does not know."""
    strange: dict[str, None] = {}
    for row in rows:
        if isinstance(row, Mapping):
            strange |= {n: None for n, v in row.items() if _is_strange(n, v)}
    if not strange:
        return from_rows(rows)
    plain = [{n: v for n, v in row.items() if n not in strange} for row in rows]
    columns = {name: column_of_unmarked(name, [r.get(name) for r in rows]) for name in strange}
    return from_rows(plain).with_columns(**columns)


def _is_strange(name: str, value: Any) -> bool:
    if isinstance(value, _STRANGE):
        return True
    if isinstance(value, np.ndarray | bytes):
        return name not in (ARRAY_FIELDS if isinstance(value, np.ndarray) else BYTES_FIELDS)
    is_list = name in DOCS_FIELDS and isinstance(value, list)
    return is_list and any(
        isinstance(row, Mapping) and any(_is_strange(n, v) for n, v in row.items()) for row in value
    )


def column_of_unmarked(name: str, values: Sequence[Any]) -> Column:
    """Return the column of a field's values, as they are unmarked; None for a missing one."""
    kinds = {_kind(name, value) for value in values if value is not None}
    if len(kinds) > 1:
        return concat_columns([column_of_unmarked(name, [value]) for value in values])
    match kinds.pop() if kinds else "value":
        case "node":
            return NodesColumn([None if value is None else bytes(value) for value in values])
        case "docs":
            return _docs_column(name, values)
        case "bytes":
            return BytesColumn(values)
        case "array":
            return column_of_arrays(values)
        case "row":
            rows = [{"id": "x", name: value} for value in values]
            return from_rows(rows).columns[name]
        case _:
            bare = [value.value if isinstance(value, _Value) else value for value in values]
            is_text = all(value is None or type(value) is str for value in bare)
            return TextColumn(bare) if is_text else ValuesColumn(bare)


def _docs_column(name: str, values: Sequence[Any]) -> DocsColumn:
    offsets = np.zeros(len(values) + 1, np.int64)
    offsets[1:] = np.cumsum([len(value or ()) for value in values])
    try:
        docs = _from_unmarked([row for value in values for row in value or ()])
    except BadRow as error:
        place = int(np.searchsorted(offsets, error.row, "right")) - 1
        inner = f"{name}[{error.row - int(offsets[place])}].{error.field}".rstrip(".")
        raise BadRow(place, inner, error.problem) from None
    present = np.array([value is not None for value in values], np.bool_)
    return DocsColumn(offsets, docs, None if present.all() else present)


def _kind(name: str, value: Any) -> str:
    if isinstance(value, _Node):
        return "node"
    if isinstance(value, bytes):
        return "bytes"
    if isinstance(value, np.ndarray):
        return "array"
    if isinstance(value, _Docs) or (name in DOCS_FIELDS and isinstance(value, list)):
        return "docs"
    if name in TYPED_FIELDS and not isinstance(value, _Value):
        return "row"  # as people write it: a list of numbers, base64
    return "value"
