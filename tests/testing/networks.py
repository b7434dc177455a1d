"""Small ONNX networks, written as the bytes of their protobuf: `onnx` is not needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_FLOAT = 1
_INT = 2
_INTS = 7
_IR_VERSION = 8
_OPSET = 13


def mean_of_channels(path: Path, shape: Sequence[int | str]) -> Path:
    """Write a network from images to the means of their channels, and return its path.

    Args:
        path: Where it goes.
        shape: Of the input, names for what is not fixed; the channels, 1 or 3, come second or
            last.
    """
    is_first = shape[1] in (1, 3)
    channels = shape[1] if is_first else shape[3]
    node = (
        _text(1, "images")
        + _text(2, "means")
        + _text(4, "ReduceMean")
        + _part(5, _text(1, "axes") + _ints(8, (2, 3) if is_first else (1, 2)) + _int(20, _INTS))
        + _part(5, _text(1, "keepdims") + _int(3, 0) + _int(20, _INT))
    )
    graph = (
        _part(1, node)
        + _text(2, "means")
        + _part(11, _value("images", shape))
        + _part(12, _value("means", (shape[0], channels)))
    )
    model = _int(1, _IR_VERSION) + _part(7, graph) + _part(8, _int(2, _OPSET))
    path.write_bytes(model)
    return path


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    sizes = [_int(1, size) if isinstance(size, int) else _text(2, size) for size in shape]
    dims = b"".join(_part(1, size) for size in sizes)
    return _text(1, name) + _part(2, _part(1, _int(1, _FLOAT) + _part(2, dims)))


def _part(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _part(field, text.encode())


def _int(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _ints(field: int, numbers: Sequence[int]) -> bytes:
    return b"".join(_int(field, number) for number in numbers)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
