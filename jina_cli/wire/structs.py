"""Reads `google.protobuf.Struct` from its bytes, without protobuf."""

from __future__ import annotations

import struct
from typing import Any

from jina_cli.documents.varint import Malformed
from jina_cli.wire.fields import fields

MAX_DEPTH = 100
"""How deep messages may be nested, as in protobuf's own reader."""

_EXACT = 1 << 53
_DOUBLE = struct.Struct("<d")


def read_struct_bytes(data: bytes, depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Return what a serialised Struct holds; whole numbers are ints again.

    Raises:
        Malformed, IndexError, UnicodeDecodeError: It is none.
    """
    if depth <= 0:
        raise Malformed("parameters are nested too deep")
    found: dict[str, Any] = {}
    for tag, begin, end in fields(data):
        if tag == 0x0A:
            name, value = _entry(data[begin:end], depth - 1)
            found[name] = value
    return found


def _entry(data: bytes, depth: int) -> tuple[str, Any]:
    name, value = "", b""
    for tag, begin, end in fields(data):
        if tag == 0x0A:
            name = data[begin:end].decode()
        elif tag == 0x12:
            value += data[begin:end]  # parts of one message make it up together
    return name, _value(value, depth - 1)


def _value(data: bytes, depth: int) -> Any:
    found: Any = None
    for tag, begin, end in fields(data):
        match tag:
            case 0x08:
                found = None
            case 0x11:
                found = _number(data[begin:end])
            case 0x1A:
                found = data[begin:end].decode()
            case 0x20:
                found = any(byte & 127 for byte in data[begin:end])
            case 0x2A:
                more = read_struct_bytes(data[begin:end], depth - 1)
                found = {**found, **more} if isinstance(found, dict) else more
            case 0x32:
                items = _list(data[begin:end], depth - 1)
                found = [*found, *items] if isinstance(found, list) else items
            case _:
                pass
    return found


def _list(data: bytes, depth: int) -> list[Any]:
    if depth <= 0:
        raise Malformed("parameters are nested too deep")
    return [_value(data[begin:end], depth - 1) for tag, begin, end in fields(data) if tag == 0x0A]


def _number(data: bytes) -> float | int:
    number: float = _DOUBLE.unpack(data)[0]
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number
