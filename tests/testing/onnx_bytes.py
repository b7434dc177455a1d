"""ONNX networks as the bytes of their protobuf (onnx.proto, version 8): `onnx` is not needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FLOAT, INT64 = 1, 7

_INT, _INTS = 2, 7
_IR_VERSION = 8
_OPSET = 13


@dataclass(frozen=True, slots=True)
class Value:
    """An input or output: its type, and its sizes, names for those that are not fixed."""

    name: str
    kind: int
    shape: Sequence[int | str]


@dataclass(frozen=True, slots=True)
class Node:
    """One step: `outputs = op(inputs)`; attributes are numbers or lists of numbers."""

    op: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, int | Sequence[int]] | None = None


def network(
    nodes: Sequence[Node],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    constants: Mapping[str, NDArray[np.float32]],
) -> bytes:
    """Return the bytes of a model."""
    graph = b"".join(
        [
            *(_part(1, _node(node)) for node in nodes),
            _text(2, "graph"),
            *(_part(5, _tensor(name, array)) for name, array in constants.items()),
            *(_part(11, _value(value)) for value in inputs),
            *(_part(12, _value(value)) for value in outputs),
        ]
    )
    return _int(1, _IR_VERSION) + _part(7, graph) + _part(8, _int(2, _OPSET))


def _node(node: Node) -> bytes:
    names = [_text(1, name) for name in node.inputs] + [_text(2, name) for name in node.outputs]
    attributes = (node.attributes or {}).items()
    return b"".join(
        [*names, _text(4, node.op), *(_part(5, _attribute(k, v)) for k, v in attributes)]
    )


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _int(3, value) + _int(20, _INT)
    return _text(1, name) + b"".join(_int(8, one) for one in value) + _int(20, _INTS)


def _tensor(name: str, array: NDArray[np.float32]) -> bytes:
    sizes = b"".join(_int(1, size) for size in array.shape)
    return sizes + _int(2, FLOAT) + _text(8, name) + _part(9, array.astype("<f4").tobytes())


def _value(value: Value) -> bytes:
    sizes = [_int(1, size) if isinstance(size, int) else _text(2, size) for size in value.shape]
    shape = b"".join(_part(1, size) for size in sizes)
    return _text(1, value.name) + _part(2, _part(1, _int(1, value.kind) + _part(2, shape)))


def _part(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _part(field, text.encode())


def _int(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
