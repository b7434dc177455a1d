"""Crafters that bring images into one shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.base import Crafter

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in brightness, by ITU-R BT.601."""


class ImageNormalizer(Crafter):
    """Bring images to grey, to one size, and to float32 from 0 to 1.

    Takes uint8 from 0 to 255, or floats, which are scaled by the span of their own image.

    Args:
        size: Side of the square that images are resized to; 0 leaves their size alone.
    """

    field = "tensor"

    def __init__(self, *, size: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._size = size

    def craft(self, content: NDArray[Any]) -> NDArray[np.float32]:
        """Return images of shape `(n, size, size)`, or `(n, height, width)` with size 0.

        Args:
            content: Shape `(n, height, width)` or, in colour, `(n, height, width, 3 or 4)`.

        Raises:
            ValueError: The shape is neither.
        """
        grey = to_grey(content)
        scaled = grey / np.float32(255) if content.dtype == np.uint8 else _to_unit_span(grey)
        return resize(scaled, self._size) if self._size else scaled


def to_grey(images: NDArray[Any]) -> NDArray[np.float32]:
    """Return the brightness of images, shape `(n, height, width)`, in their own range.

    An alpha channel is not looked at.

    Raises:
        ValueError: `images` is neither `(n, height, width)` nor has 3 or 4 channels last.
    """
    if images.ndim == 3:
        return images.astype(np.float32)
    if images.ndim == 4 and images.shape[3] in (3, 4):
        grey: NDArray[np.float32] = images[..., :3].astype(np.float32) @ _LUMA
        return grey
    raise ValueError(
        f"images must be (n, height, width) or (n, height, width, 3), got {images.shape}"
    )


def resize(images: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return images of shape `(n, size, size)` by averaging what falls into each pixel.

    Each axis is a weighted sum: a target pixel covers a stretch of the source, and each
    source pixel counts by how much of it is covered. Enlarging repeats pixels.
    """
    rows = _coverage(images.shape[1], size)
    columns = _coverage(images.shape[2], size)
    return np.asarray(rows @ images @ columns.T, np.float32)


def _coverage(source: int, target: int) -> NDArray[np.float32]:
    """Return weights, shape `(target, source)`; each row sums to 1."""
    edges = np.linspace(0, source, target + 1)
    pixels = np.arange(source)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights = np.clip(covered, 0, None)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


def _to_unit_span(images: NDArray[np.float32]) -> NDArray[np.float32]:
    low = images.min((1, 2), keepdims=True)
    span = images.max((1, 2), keepdims=True) - low
    return np.asarray((images - low) / np.where(span > 0, span, 1), np.float32)
