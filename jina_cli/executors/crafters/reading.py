"""From image files to arrays; Pillow, of the extra `images`, decodes them."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.crafters.pixels import Images
from jina_cli.extras import need

MAX_PIXELS = 100_000_000
"""An image of more is refused before it is decoded: a small file may hold a huge one."""

_GREY_MODES = ("1", "L", "LA")


def as_images(content: Any) -> Images:
    """Return images as arrays, whatever they are given as.

    Args:
        content: An array of images, or a list of arrays, of bytes of image files, or of where
            those are: paths, and URLs that begin with `file:` or `data:`.

    Raises:
        ValueError: One is no image, or is not there.
        MissingExtra: Files are given, and the extra `images` is not installed.
    """
    if isinstance(content, np.ndarray):
        return content
    return [_as_image(one) for one in content]


def decoded(data: bytes) -> NDArray[np.uint8]:
    """Return the image in a file's bytes: `(height, width)` if it is grey, else in colour
    `(height, width, 3)`, turned as its camera was held.

    Raises:
        ValueError: It is no image, or one of more than `MAX_PIXELS`.
        MissingExtra: The extra `images` is not installed.
    """
    pillow = need("PIL.Image", "images", what="reading image files")
    turn = need("PIL.ImageOps", "images").exif_transpose
    try:
        with pillow.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(
                    f"an image of {image.width} × {image.height} is over {MAX_PIXELS:,} pixels"
                )
            return _pixels(turn(image))
    except (OSError, SyntaxError, pillow.DecompressionBombError) as error:
        raise ValueError(f"not an image that can be read: {error}") from error


def _pixels(image: Any) -> NDArray[np.uint8]:
    if image.mode.startswith("I;16") or image.mode == "I":
        return np.asarray(np.clip(np.asarray(image) // 256, 0, 255), np.uint8)
    return np.asarray(image.convert("L" if image.mode in _GREY_MODES else "RGB"), np.uint8)


def _as_image(one: Any) -> NDArray[Any]:
    if isinstance(one, np.ndarray):
        return one
    if isinstance(one, bytes | bytearray | memoryview):
        return decoded(bytes(one))
    if isinstance(one, str):
        return decoded(_bytes_at(one))
    if isinstance(one, Sequence):
        return np.asarray(one)
    raise ValueError(f"an image must be an array, bytes or a path, got {type(one).__name__}")


def _bytes_at(uri: str) -> bytes:
    parts = urlsplit(uri)
    if parts.scheme == "data":
        return _data_of(uri)
    if parts.scheme not in ("", "file"):
        raise ValueError(f"images are read from files, not from {parts.scheme}: {uri[:100]}")
    path = Path(unquote(parts.path)) if parts.scheme else Path(uri)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error


def _data_of(uri: str) -> bytes:
    """Return what a `data:` URL holds (RFC 2397)."""
    head, _, body = uri.removeprefix("data:").partition(",")
    if not head.endswith(";base64"):
        return unquote_to_bytes(body)
    try:
        return base64.b64decode(unquote_to_bytes(body), validate=True)
    except binascii.Error as error:
        raise ValueError(f"not a data URL: {error}") from error
