"""From what a field holds to images as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.documents.batch import BadField
from jina_cli.documents.contents import image_of, read_uri
from jina_cli.executors.crafters.pixels import Images


def as_images(content: Any) -> Images:
    """Return images as arrays, whatever they are given as.

    Args:
        content: An array of images, or a list of arrays, of bytes of image files, or of URIs of
            such: paths, `file:` and `data:`.

    Raises:
        BadField: One is no image, or is not there.
        MissingExtra: Files are given, and the extra `images` is not installed.
    """
    if isinstance(content, np.ndarray):
        return content
    images = []
    for place, one in enumerate(content):
        try:
            images.append(_as_image(one))
        except ValueError as error:
            which = one[:100] if isinstance(one, str) else f"image {place + 1} of {len(content)}"
            raise BadField(f"{which}: {error}") from error
    return images


def _as_image(one: Any) -> NDArray[Any]:
    if isinstance(one, np.ndarray):
        return one
    if isinstance(one, bytes | bytearray | memoryview):
        return image_of(bytes(one))
    if isinstance(one, str):
        return image_of(read_uri(one).data)
    if isinstance(one, Sequence):
        return np.asarray(one)
    raise ValueError(f"an image must be an array, bytes or a path, got {type(one).__name__}")
