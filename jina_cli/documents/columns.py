"""Columns as bytes: how documents travel between our own processes.

    b"JC" | version u8 | 0 u8 | length of the head u32 | head | buffer | buffer | …

All numbers are little-endian. The head is JSON and names every column with its kind, dtype and
shape; strings stand in it. The bytes of tensors, blobs and offsets follow as buffers, in the
order in which the head needs them. Each begins on a multiple of 64 bytes, so that a decoded
tensor is a view of what was received. Nothing in it is ever executed or unpickled.

A batch in the head is `[ids, {name: column}]`, and a column one of

    ["t", strings]              text
    ["v", values, repairs]      JSON values; repairs `[[place, "nan"], …]` stand for the numbers
                                that JSON has not, nan, inf and -inf (inside lists: null)
    ["z"]                       values that are all None
    ["f", places of None]       floats: one buffer, 8 bytes each
    ["b", lengths]              bytes: one buffer; length -1 for None
    ["n", lengths]              serialised nodes, as "b"
    ["a", dtype, shape, mask]   a tensor: one buffer, and one of bools where mask is 1
    ["r", [[dtype, shape], …]]  tensors of different shapes: one buffer each; null for None
    ["d", mask, batch]          lists of documents: offsets (i64), bools where mask is 1, batch
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise
from math import isfinite, prod
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from jina_cli.documents.batch import DocumentBatch
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
)
from jina_cli.documents.limits import MAX_LEVELS
from jina_cli.quick import quick

Buffer = bytes | bytearray | memoryview

VERSION = 1
ALIGNMENT = 64
DTYPES: Mapping[str, np.dtype[Any]] = {
    name: np.dtype(name)
    for name in (
        *("|b1", "|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8"),
        *("<f2", "<f4", "<f8", "<c8", "<c16"),
    )
}
"""The element types of tensors that travel; anything else is refused on both sides."""

_text_column = quick(TextColumn)
_values_column = quick(ValuesColumn)

_PREFIX = struct.Struct("<2sBBI")
_MAGIC = b"JC"
_ORJSON = orjson.OPT_SERIALIZE_NUMPY
_NONE = type(None)
_NULL = {_NONE}
_STRINGS = frozenset({str})
_TEXTS = frozenset({str, _NONE})
_NOT_FINITE = {name: float(name) for name in ("nan", "inf", "-inf")}


class BadColumns(ValueError):
    """Bytes are not a batch of documents, or a batch cannot be written as bytes."""


def encode(batch: DocumentBatch) -> list[Buffer]:
    """Return the bytes of a batch, in parts that are to be sent one after another.

    Parts may be views of the batch's own tensors: send them before you change those.

    Raises:
        BadColumns: A field holds what cannot travel: an object array, a key that is not a
            string, a number beyond 64 bits, text that is not Unicode.
    """
    buffers: list[Buffer] = []
    described = _describe(batch, buffers, MAX_LEVELS)
    try:
        head = orjson.dumps(described, option=_ORJSON)
    except TypeError as error:
        raise BadColumns(f"{_culprit(batch)} cannot be sent: {error}") from None
    if len(head) >= 2**32:
        raise BadColumns(f"text and values take {len(head)} bytes, over 4 GiB")
    # Spaces after the head are still JSON.
    head += b" " * (-(_PREFIX.size + len(head)) % ALIGNMENT)
    parts: list[Buffer] = [_PREFIX.pack(_MAGIC, VERSION, 0, len(head)) + head]
    for buffer in buffers:
        parts.append(buffer)
        if gap := -len(buffer) % ALIGNMENT:
            parts.append(bytes(gap))
    return parts


def decode(data: Buffer) -> DocumentBatch:
    """Return the batch of the bytes of `encode`; tensors are read-only views of `data`.

    Raises:
        BadColumns: These are not such bytes. Nothing of a size they claim was allocated.
    """
    view = memoryview(data)
    if type(data) is not bytes:
        view = view.cast("B").toreadonly()
    if len(view) < _PREFIX.size:
        raise BadColumns(f"{len(view)} bytes are too few for a batch")
    magic, version, _, head_size = _PREFIX.unpack_from(view)
    if magic != _MAGIC:
        raise BadColumns("does not begin as a batch does")
    if version != VERSION:
        raise BadColumns(f"has version {version}, and this release reads {VERSION}")
    end = _PREFIX.size + head_size
    if end > len(view):
        raise BadColumns(f"has a head of {head_size} bytes in {len(view)}")
    try:
        described = orjson.loads(view[_PREFIX.size : end])
        return _batch(described, _Buffers(view, end), MAX_LEVELS)
    except BadColumns:
        raise
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise BadColumns(f"has a bad head: {error}") from None


def _describe(batch: DocumentBatch, buffers: list[Buffer], levels: int) -> list[Any]:
    if levels == 0:
        raise BadColumns(f"has documents nested deeper than {MAX_LEVELS}")
    columns = {}
    for name, column in batch.columns.items():
        if len(column) != len(batch):
            raise BadColumns(f"{name!r} has {len(column)} entries for {len(batch)} documents")
        try:
            columns[name] = _describe_column(column, buffers, levels)
        except BadColumns as error:
            raise BadColumns(f"{name!r} {error}") from None
    return [_listed(batch.ids), columns]


def _describe_column(column: Column, buffers: list[Buffer], levels: int) -> list[Any]:
    # In order of how many there are of each; `match` would take twice as long.
    if isinstance(column, TextColumn):
        return ["t", _listed(column.values)]
    if isinstance(column, ValuesColumn):
        return _describe_values(_listed(column.values), buffers)
    if isinstance(column, TensorColumn):
        dtype, shape = _add_array(column.array, buffers)
        _add_mask(column.present, buffers)
        return ["a", dtype, shape, int(column.present is not None)]
    if isinstance(column, BytesColumn | NodesColumn):
        buffers.append(b"".join(value for value in column.values if value))
        lengths = [-1 if value is None else len(value) for value in column.values]
        return ["b" if isinstance(column, BytesColumn) else "n", lengths]
    if isinstance(column, RaggedColumn):
        return ["r", [None if a is None else _add_array(a, buffers) for a in column.arrays]]
    _add_array(np.asarray(column.offsets, "<i8"), buffers)
    _add_mask(column.present, buffers)
    masked = int(column.present is not None)
    return ["d", masked, _describe(column.docs, buffers, levels - 1)]


def _describe_values(values: list[Any] | tuple[Any, ...], buffers: list[Buffer]) -> list[Any]:
    kinds = set(map(type, values))
    if float not in kinds:
        return ["z"] if kinds == _NULL else ["v", values, []]
    if not kinds <= {float, _NONE}:
        strange = [(i, v) for i, v in enumerate(values) if type(v) is float and not isfinite(v)]
        return ["v", values, [[place, str(value)] for place, value in strange]]
    absent = [i for i, value in enumerate(values) if value is None] if _NONE in kinds else []
    numbers = [0.0 if value is None else value for value in values] if absent else values
    _add_array(np.array(numbers, "<f8"), buffers)
    return ["f", absent]


def _add_array(array: Array, buffers: list[Buffer]) -> tuple[str, tuple[int, ...]]:
    if array.dtype.str not in DTYPES:
        little = array.dtype.newbyteorder("<")
        if little.str not in DTYPES:
            raise BadColumns(f"has elements of type {array.dtype}, which do not travel")
        array = array.astype(little)
    flat = array if array.flags.c_contiguous else np.ascontiguousarray(array)
    buffers.append(flat.reshape(-1).view(np.uint8).data)
    return array.dtype.str, array.shape


def _add_mask(present: NDArray[np.bool_] | None, buffers: list[Buffer]) -> None:
    if present is not None:
        _add_array(present, buffers)


def _listed(values: Sequence[Any]) -> list[Any] | tuple[Any, ...]:
    kind = type(values)
    return values if kind is list or kind is tuple else list(values)  # type: ignore[return-value]


def _culprit(batch: DocumentBatch) -> str:
    """Name the field that JSON refuses; only asked when one was refused."""
    for name, column in batch.columns.items():
        if isinstance(column, DocsColumn):
            inner = _culprit(column.docs)
            if inner != "a document":
                return f"{name} {inner}"
        elif isinstance(column, TextColumn | ValuesColumn):
            for place, value in enumerate(column.values):
                try:
                    orjson.dumps({name: value}, option=_ORJSON)
                except TypeError:
                    return f"{name!r} of document {batch.ids[place]!r}"
    return "a document"


class _Buffers:
    """The buffers behind a head, each taken once and in order."""

    def __init__(self, view: memoryview, start: int) -> None:
        self._view = view
        self._next = start + -start % ALIGNMENT

    def take(self, size: int) -> memoryview:
        start = self._next
        end = start + size
        if size < 0 or end > len(self._view):
            raise BadColumns(f"has a buffer of {size} bytes where {len(self._view)} are in all")
        self._next = end + -end % ALIGNMENT
        return self._view[start:end]

    def array(self, dtype_name: str, shape: Sequence[int]) -> Array:
        dtype = DTYPES.get(dtype_name)
        if dtype is None:
            raise BadColumns(f"has a tensor of the unknown type {dtype_name!r}")
        if len(shape) > 32 or any(type(n) is not int or n < 0 for n in shape):
            raise BadColumns("has a tensor of an impossible shape")
        data = self.take(prod(shape) * dtype.itemsize)
        return np.frombuffer(data, dtype).reshape(shape)

    def mask(self, count: int) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = np.frombuffer(self.take(count), np.uint8) != 0
        return mask


def _batch(described: Any, buffers: _Buffers, levels: int) -> DocumentBatch:
    if levels == 0:
        raise BadColumns(f"has documents nested deeper than {MAX_LEVELS}")
    ids, columns = described
    if type(ids) is not list or not _STRINGS.issuperset(map(type, ids)):
        raise BadColumns("has ids that are not strings")
    if type(columns) is not dict:
        raise BadColumns("has no columns")
    count = len(ids)
    decoded: dict[str, Column] = {}
    for name, (kind, *rest) in columns.items():
        decoded[name] = column = _DECODERS[kind](rest, count, buffers, levels)
        if len(column) != count:
            raise BadColumns(f"has {len(column)} of {name!r} for {count} documents")
    return DocumentBatch(ids, decoded)


def _text(rest: list[Any], count: int, buffers: _Buffers, levels: int) -> TextColumn:
    (values,) = rest
    if type(values) is not list or not _TEXTS.issuperset(map(type, values)):
        raise BadColumns("has text that is not strings")
    return _text_column(values)


def _values(rest: list[Any], count: int, buffers: _Buffers, levels: int) -> ValuesColumn:
    values, repairs = rest
    if type(values) is not list:
        raise BadColumns("has values that are no list")
    for place, name in repairs:
        if not 0 <= place < len(values):
            raise BadColumns(f"repairs the value {place} of {len(values)}")
        values[place] = _NOT_FINITE[name]
    return _values_column(values)


def _nulls(rest: list[Any], count: int, buffers: _Buffers, levels: int) -> ValuesColumn:
    return _values_column([None] * count)


def _floats(rest: list[Any], count: int, buffers: _Buffers, levels: int) -> ValuesColumn:
    (absent,) = rest
    values: list[float | None] = buffers.array("<f8", (count,)).tolist()
    for place in absent:
        if not 0 <= place < count:
            raise BadColumns(f"lacks the number {place} of {count}")
        values[place] = None
    return _values_column(values)


def _chunks(rest: list[Any], buffers: _Buffers) -> list[bytes | None]:
    (lengths,) = rest
    if type(lengths) is not list or not set(map(type, lengths)) <= {int}:
        raise BadColumns("has lengths that are not numbers")
    if any(length < -1 for length in lengths):
        raise BadColumns("has lengths below zero")
    ends = list(accumulate((max(length, 0) for length in lengths), initial=0))
    data = bytes(buffers.take(ends[-1]))
    return [
        None if length < 0 else data[start:end]
        for length, (start, end) in zip(lengths, pairwise(ends), strict=True)
    ]


def _bytes(rest: list[Any], count: int, buffers: _Buffers, levels: int) -> BytesColumn:
    return BytesColumn(_chunks(rest, buffers))


def _nodes(rest: list[Any], count: int, buffers: _Buffers, levels: int) -> NodesColumn:
    return NodesColumn(_chunks(rest, buffers))


def _tensor(rest: list[Any], count: int, buffers: _Buffers, levels: int) -> TensorColumn:
    dtype, shape, masked = rest
    if not shape or shape[0] != count:
        raise BadColumns(f"has a tensor of shape {shape} for {count} documents")
    array = buffers.array(dtype, shape)
    return TensorColumn(array, buffers.mask(count) if masked else None)


def _ragged(rest: list[Any], count: int, buffers: _Buffers, levels: int) -> RaggedColumn:
    (items,) = rest
    return RaggedColumn([None if item is None else buffers.array(*item) for item in items])


def _docs(rest: list[Any], count: int, buffers: _Buffers, levels: int) -> DocsColumn:
    masked, described = rest
    offsets = buffers.array("<i8", (count + 1,)).astype(np.int64, copy=False)
    present = buffers.mask(count) if masked else None
    docs = _batch(described, buffers, levels - 1)
    if offsets[0] != 0 or offsets[-1] != len(docs) or (np.diff(offsets) < 0).any():
        raise BadColumns("has lists of documents that do not follow one another")
    return DocsColumn(offsets, docs, present)


_DECODERS: Mapping[str, Callable[[list[Any], int, _Buffers, int], Column]] = {
    "t": _text,
    "v": _values,
    "z": _nulls,
    "f": _floats,
    "b": _bytes,
    "n": _nodes,
    "a": _tensor,
    "r": _ragged,
    "d": _docs,
}
