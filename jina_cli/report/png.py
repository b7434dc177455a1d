"""Grey images as PNG files, for pages that must stand alone."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray


def grey_png(image: NDArray[np.uint8]) -> bytes:
    """Return a PNG file of `image`, shape `(height, width)`, 0 black to 255 white.

    PNG is specified in ISO/IEC 15948; this writes colour type 0 with no filter.
    """
    height, width = image.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with its filter, 0
    rows[:, 1:] = image
    pixels = zlib.compress(rows.tobytes(), 9)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def data_uri(image: NDArray[np.uint8]) -> str:
    """Return `image`, shape `(height, width)`, as an address that holds it: `data:image/png…`."""
    return "data:image/png;base64," + base64.b64encode(grey_png(image)).decode("ascii")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
