"""Small ONNX networks of images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.testing.onnx_bytes import FLOAT, Node, Value, network


def mean_of_channels(path: Path, shape: Sequence[int | str]) -> Path:
    """Write a network from images to the means of their channels, and return its path.

    Args:
        path: Where it goes.
        shape: Of the input, names for what is not fixed; the channels, 1 or 3, come second or
            last.
    """
    is_first = shape[1] in (1, 3)
    axes = (2, 3) if is_first else (1, 2)
    channels = shape[1] if is_first else shape[3]
    mean = Node("ReduceMean", ["images"], ["means"], {"axes": axes, "keepdims": 0})
    inputs = [Value("images", FLOAT, shape)]
    outputs = [Value("means", FLOAT, (shape[0], channels))]
    path.write_bytes(network([mean], inputs, outputs, {}))
    return path
