"""Single values as docarray writes them: `docarray.NodeProto`, by hand.

A node is one field of its oneof `content` (1 text, 2 integer, 3 float, 4 boolean, 5 blob,
6 ndarray, 7 doc, 8 doc_array, 9 list, 10 set, 11 tuple, 12 dict) and perhaps 13, the name of a
docarray type; a node without content is null. What is written here is laid out as protobuf's
own writer does; readers elsewhere see no difference.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from jina_cli.documents.column import Array
from jina_cli.documents.columns import DTYPES
from jina_cli.documents.limits import MAX_DEPTH
from jina_cli.documents.varint import Malformed, read_varint, sized, varint

TEXT, INTEGER, FLOAT, BOOLEAN, BLOB = 0x0A, 0x10, 0x19, 0x20, 0x2A
NDARRAY, DOC, DOC_ARRAY = 0x32, 0x3A, 0x42
LIST, SET, TUPLE, DICT, TYPE = 0x4A, 0x52, 0x5A, 0x62, 0x6A
"""Tags of a NodeProto's fields: `number << 3 | wire type`."""

NDARRAY_TYPE = b"\x6a\x07ndarray"
ID_TYPE = b"\x6a\x02id"
"""docarray reads neither tensors nor ids without these."""

ENTRY_KEY, ENTRY_VALUE, REPEATED = 0x0A, 0x12, 0x0A

_DOUBLE = struct.Struct("<d")


Piece = TypeVar("Piece", bytes, memoryview)

_LONG_BYTES = 4096
"""Nodes over this are looked at in place: a copy for each level of 60 MB would be too much."""


class BadNode(Malformed):
    """Bytes are not laid out as protobuf lays out a node."""


class OverLimit(BadNode):
    """Bytes would become more than we take, see `limits`."""


class UnknownElements(BadNode):
    """A tensor is well-formed, and of elements that we do not take."""


def messages(data: bytes | memoryview, tag: int = REPEATED) -> Iterator[tuple[int, int]]:
    """Yield start and end of each field of a message that has only fields of this tag.

    Raises:
        BadNode, IndexError: It has others, or ends within one.
    """
    place, end = 0, len(data)
    while place < end:
        if data[place] != tag:
            raise BadNode(f"a field has tag {data[place]}, not {tag}")
        size, start = read_varint(data, place + 1)
        place = start + size
        if place > end:
            raise BadNode("a field is longer than what it is in")
        yield start, place


def entries(data: Piece) -> Iterator[tuple[str, Piece]]:
    """Yield key and node of each entry of a map from string to NodeProto."""
    for start, end in messages(data):
        if data[start] != ENTRY_KEY:
            raise BadNode("an entry of a map does not begin with its key")
        size, key = read_varint(data, start + 1)
        value = key + size
        if data[value] != ENTRY_VALUE:
            raise BadNode("an entry of a map has no value behind its key")
        size, node = read_varint(data, value + 1)
        if node + size != end:
            raise BadNode("an entry of a map is not of its own length")
        yield str(data[key:value], "utf-8"), data[node:end]


def content(node: Piece) -> tuple[Piece, Piece]:
    """Return the payload of a node's length-delimited content, and what follows it."""
    size, start = read_varint(node, 1)
    end = start + size
    if end > len(node):
        raise BadNode("a value is longer than its node")
    return node[start:end], node[end:]


def type_name(rest: Piece) -> str:
    """Return the docarray type that stands behind a node's content; empty for none."""
    if not rest:
        return ""
    payload, behind = content(rest)
    if rest[0] != TYPE or behind:
        raise BadNode("a node has more than one value")
    return str(payload, "utf-8")


def node_value(node: bytes, depth: int = MAX_DEPTH) -> Any:
    """Return what a node holds: documents as dicts, tensors as arrays, other things as they are.

    Raises:
        BadNode: It is malformed, or nested deeper than `depth`.
    """
    try:
        if len(node) > _LONG_BYTES:
            return _value(memoryview(node), depth)
        return _value(node, depth)
    except BadNode:
        raise
    except (IndexError, struct.error, UnicodeDecodeError, Malformed) as error:
        raise BadNode(f"a node is cut short or no text: {error}") from None


def _value(node: Piece, depth: int) -> Any:
    if not node:
        return None
    if depth == 0:
        raise BadNode(f"values are nested deeper than {MAX_DEPTH}")
    tag = node[0]
    if tag in (INTEGER, BOOLEAN, FLOAT):
        return _number(node)
    payload, rest = content(node)
    type_name(rest)
    match tag:
        case 0x0A:
            return str(payload, "utf-8")
        case 0x2A:
            return bytes(payload)
        case 0x32:
            return read_array(bytes(payload))
        case 0x3A:
            return {key: _value(value, depth - 1) for key, value in entries(payload)}
        case 0x42:
            return [
                {key: _value(value, depth - 1) for key, value in entries(payload[start:end])}
                for start, end in messages(payload)
            ]
        case 0x4A | 0x52 | 0x5A:
            items = [_value(payload[start:end], depth - 1) for start, end in messages(payload)]
            return items if tag == LIST else tuple(items) if tag == TUPLE else _as_set(items)
        case 0x62:
            return {key: _value(value, depth - 1) for key, value in entries(payload)}
        case _:
            raise BadNode(f"a node has the unknown tag {tag}")


def _as_set(items: list[Any]) -> Any:
    try:
        return set(items)
    except TypeError:  # of lists or arrays, which Python has no sets of
        return items


def _number(node: Piece) -> int | float | bool:
    if node[0] == FLOAT:
        (number,) = _DOUBLE.unpack_from(node, 1)
        type_name(node[9:])
        return float(number)
    value, end = read_varint(node, 1)
    type_name(node[end:])
    if node[0] == BOOLEAN:
        return value != 0
    value &= 0xFFFF_FFFF
    return value - (1 << 32) if value >> 31 else value


def read_array(payload: bytes) -> Array:
    """Return the array of an NdArrayProto.

    Raises:
        BadNode: It is malformed, or of elements we do not take.
    """
    start, end, dtype, shape = array_layout(payload)
    try:
        return np.frombuffer(payload[start:end], dtype).reshape(shape)
    except ValueError as error:
        raise BadNode(f"a tensor has {end - start} bytes: {error}") from None


def array_layout(payload: bytes) -> tuple[int, int, np.dtype[Any], tuple[int, ...]]:
    """Return start and end of an NdArrayProto's elements in its bytes, their dtype and shape."""
    if payload[:1] != b"\x0a":
        raise BadNode("a tensor is not dense")
    dense, rest = content(payload)
    if rest:
        raise BadNode("a tensor has parameters")
    first = len(payload) - len(dense)
    start = end = place = 0
    shape: tuple[int, ...] = ()
    dtype: np.dtype[Any] | None = None
    while place < len(dense):
        tag = dense[place]
        size, begin = read_varint(dense, place + 1)
        place = begin + size
        if place > len(dense) or tag not in (0x0A, 0x12, 0x1A):
            raise BadNode("a tensor is malformed")
        if tag == 0x0A:
            start, end = begin, place
        elif tag == 0x12:
            shape = tuple(_varints(dense[begin:place]))
        else:
            dtype = _dtype(dense[begin:place].decode())
    if dtype is None:
        raise BadNode("a tensor has no type")
    return first + start, first + end, dtype, shape


def _varints(data: bytes) -> Iterator[int]:
    place = 0
    while place < len(data):
        number, place = read_varint(data, place)
        yield number


def _dtype(name: str) -> np.dtype[Any]:
    if name in DTYPES:
        return DTYPES[name]
    try:
        known = np.dtype(name).newbyteorder("<").str
    except (TypeError, ValueError, SyntaxError):
        known = ""
    # Big-endian elements stay what they are: nobody we know writes them.
    if known not in DTYPES or name.startswith(">"):
        raise UnknownElements(f"a tensor has elements of type {name!r}")
    return DTYPES[known]


def array_parts(dtype: np.dtype[Any], shape: tuple[int, ...]) -> tuple[bytes, bytes]:
    """Return what stands before and behind the elements in a node of such a tensor."""
    size = dtype.itemsize
    for length in shape:
        size *= length
    sizes = b"".join(map(varint, shape))
    behind = (sized(0x12, sizes) if shape else b"") + sized(0x1A, dtype.str.encode())
    before = b"\x0a" + varint(size) if size else b""
    dense = varint(len(before) + size + len(behind))
    outer = varint(1 + len(dense) + len(before) + size + len(behind))
    return b"\x32" + outer + b"\x0a" + dense + before, behind + NDARRAY_TYPE


def array_node(array: Array) -> bytes:
    """Return the node of one tensor.

    Raises:
        BadNode: Its elements are of a type we do not send.
    """
    array = little_endian(array)
    before, behind = array_parts(array.dtype, array.shape)
    return before + array.tobytes() + behind


def little_endian(array: Array) -> Array:
    """Return an array as its elements travel.

    Raises:
        BadNode: They are of a type we do not send.
    """
    if array.dtype.str in DTYPES:
        return array
    little = array.dtype.newbyteorder("<")
    if little.str not in DTYPES:
        raise BadNode(f"elements of type {array.dtype} do not travel")
    return array.astype(little)


def value_node(value: Any, depth: int = MAX_DEPTH) -> bytes:
    """Return the node of a value: None, numbers, text, bytes, arrays, and collections of them.

    A whole number beyond 32 bits, for which the format has no room, becomes a float if it is
    one exactly and text otherwise; docarray reads either into a field of integers.

    Raises:
        BadNode: There is no node for such a value, or it is nested deeper than `depth`.
    """
    if value is None:
        return b""
    if isinstance(value, str):
        return sized(TEXT, _utf8(value))
    if isinstance(value, bool | np.bool_):
        return b"\x20\x01" if value else b"\x20\x00"
    if isinstance(value, int | np.integer):
        return _int_node(int(value))
    if isinstance(value, float | np.floating):
        return b"\x19" + _DOUBLE.pack(float(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return sized(BLOB, bytes(value))
    if isinstance(value, np.ndarray):
        return array_node(value)
    return _collection_node(value, depth)


def _int_node(value: int) -> bytes:
    if -(1 << 31) <= value < 1 << 31:
        return b"\x10" + varint(value & 0xFFFF_FFFF_FFFF_FFFF)
    if abs(value) < 1 << 1000 and float(value) == value:
        return b"\x19" + _DOUBLE.pack(value)
    return sized(TEXT, str(value).encode())


def _collection_node(value: Any, depth: int) -> bytes:
    if depth == 0:
        raise BadNode(f"values are nested deeper than {MAX_DEPTH}")
    write = getattr(value, "_to_node_protobuf", None)
    if write is not None:  # docarray's own: documents and lists of them
        return bytes(write().SerializeToString())
    if isinstance(value, Mapping):
        return sized(DICT, b"".join(entry(k, value_node(v, depth - 1)) for k, v in value.items()))
    if isinstance(value, list | tuple | set | frozenset):
        tag = LIST if isinstance(value, list) else TUPLE if isinstance(value, tuple) else SET
        items = (sized(REPEATED, value_node(item, depth - 1)) for item in value)
        return sized(tag, b"".join(items))
    raise BadNode(f"a {type(value).__name__} does not travel")


def entry(key: Any, node: bytes) -> bytes:
    """Return one entry of a map from string to NodeProto."""
    if not isinstance(key, str):
        raise BadNode(f"{key!r} is a key that is not a string")
    return sized(REPEATED, sized(ENTRY_KEY, _utf8(key)) + sized(ENTRY_VALUE, node))


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadNode("text is not Unicode") from None
