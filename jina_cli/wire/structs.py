"""Reads `google.protobuf.Struct` from its bytes, without protobuf."""

from __future__ import annotations

import struct
from typing import Any

from jina_cli.documents.varint import Malformed
from jina_cli.wire.fields import fields

Bytes = bytes | memoryview

MAX_DEPTH = 100
"""How deep messages may be nested, as in protobuf's own reader."""

_EXACT = 1 << 53
_DOUBLE = struct.Struct("<d")


_LONG_BYTES = 4096
"""Messages over this are looked at in place: a copy for each level of 60 MB would be too much."""


def read_struct_bytes(data: bytes, depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Return what a serialised Struct holds; whole numbers are ints again.

    Raises:
        Malformed, IndexError, UnicodeDecodeError: It is none.
    """
    return _struct(memoryview(data) if len(data) > _LONG_BYTES else data, depth)


def _struct(data: Bytes, depth: int) -> dict[str, Any]:
    if depth <= 0:
        raise Malformed("parameters are nested too deep")
    found: dict[str, Any] = {}
    for tag, begin, end in fields(data):
        if tag == 0x0A:
            name, value = _entry(data[begin:end], depth - 1)
            found[name] = value
    return found


def _entry(data: Bytes, depth: int) -> tuple[str, Any]:
    name = ""
    values: list[Bytes] = []
    for tag, begin, end in fields(data):
        if tag == 0x0A:
            name = str(data[begin:end], "utf-8")
        elif tag == 0x12:
            values.append(data[begin:end])
    # Parts of one message make it up together.
    value = values[0] if len(values) == 1 else b"".join(values)
    return name, _value(value, depth - 1)


def _value(data: Bytes, depth: int) -> Any:
    found: Any = None
    for tag, begin, end in fields(data):
        match tag:
            case 0x08:
                found = None
            case 0x11:
                found = _number(data[begin:end])
            case 0x1A:
                found = str(data[begin:end], "utf-8")
            case 0x20:
                found = any(byte & 127 for byte in data[begin:end])
            case 0x2A:
                more = _struct(data[begin:end], depth - 1)
                if isinstance(found, dict):
                    found.update(more)
                else:
                    found = more
            case 0x32:
                items = _list(data[begin:end], depth - 1)
                if isinstance(found, list):
                    found += items
                else:
                    found = items
            case _:
                pass
    return found


def _list(data: Bytes, depth: int) -> list[Any]:
    if depth <= 0:
        raise Malformed("parameters are nested too deep")
    return [_value(data[begin:end], depth - 1) for tag, begin, end in fields(data) if tag == 0x0A]


def _number(data: Bytes) -> float | int:
    number: float = _DOUBLE.unpack(data)[0]
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number
