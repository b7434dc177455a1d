"""Parameters as protobuf has them: `google.protobuf.Struct`, whose numbers are all floats."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from jina_cli.documents.varint import sized

MAX_DEPTH = 32
"""How deep parameters may be nested; protobuf's own reader stops at 100 messages."""

_DOUBLE = struct.Struct("<d")
_EXACT = 1 << 53


def write_struct(values: Mapping[str, Any]) -> bytes:
    """Return a serialised Struct. What protobuf has no value for is written as text."""
    return _fields(values, MAX_DEPTH)


def read_struct(message: Any) -> dict[str, Any]:
    """Return what a Struct message holds; whole numbers become ints again."""
    return {key: _read(value) for key, value in message.fields.items()}


def _fields(values: Mapping[Any, Any], depth: int) -> bytes:
    return b"".join(
        sized(0x0A, sized(0x0A, _utf8(str(key))) + sized(0x12, _value(value, depth)))
        for key, value in values.items()
    )


def _value(value: Any, depth: int) -> bytes:
    if value is None:
        return b"\x08\x00"
    if value is True or value is False:
        return b"\x20\x01" if value else b"\x20\x00"
    if isinstance(value, int | float):
        try:
            return b"\x11" + _DOUBLE.pack(float(value))
        except OverflowError:
            return sized(0x1A, str(value).encode())
    if depth > 0 and isinstance(value, Mapping):
        return sized(0x2A, _fields(value, depth - 1))
    if depth > 0 and isinstance(value, list | tuple):
        return sized(0x32, b"".join(sized(0x0A, _value(item, depth - 1)) for item in value))
    return sized(0x1A, _utf8(str(value)))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _read(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    match kind:
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) <= _EXACT else number
        case "string_value" | "bool_value":
            return getattr(value, kind)
        case "struct_value":
            return read_struct(value.struct_value)
        case "list_value":
            return [_read(item) for item in value.list_value.values]
        case _:
            return None
