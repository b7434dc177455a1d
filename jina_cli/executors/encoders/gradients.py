"""Histograms of oriented gradients: what shapes an image has, whatever its brightness.

After N. Dalal and B. Triggs, "Histograms of Oriented Gradients for Human Detection" (CVPR
2005), without its overlapping blocks: on small images the square root evens out contrast as
well as they do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLOCK = 128
"""Images worked on at a time, so that what is in between stays in the processor's cache."""


def oriented_gradients(
    images: NDArray[np.float32], *, cell: int = 4, directions: int = 9
) -> NDArray[np.float32]:
    """Return one histogram of edge directions for each cell of each image.

    Args:
        images: Shape `(n, height, width)`; any range, since only differences count.
        cell: Side of a cell in pixels; what is left over at the right and the bottom is
            not looked at.
        directions: Bins for directions from 0° to 180°; an edge counts for the two nearest.

    Returns:
        Shape `(n, height // cell * (width // cell) * directions)`: the square roots of the
        summed edge strengths, cells row by row.
    """
    cells = (images.shape[1] // cell) * (images.shape[2] // cell)
    out = np.empty((len(images), cells * directions), np.float32)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        out[start : start + len(block)] = _histograms(block, cell, directions)
    return np.sqrt(out)


def _histograms(images: NDArray[np.float32], cell: int, directions: int) -> NDArray[np.float64]:
    rows, columns = images.shape[1] // cell, images.shape[2] // cell
    size = rows * columns * directions
    across, down = np.zeros_like(images), np.zeros_like(images)
    across[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
    down[:, 1:-1] = images[:, 2:] - images[:, :-2]

    area = (slice(None), slice(rows * cell), slice(columns * cell))
    strength = np.hypot(across, down)[area]
    turn = np.arctan2(down, across)[area] * np.float32(directions / np.pi) + np.float32(directions)
    lower = turn.astype(np.int64)
    share = turn - lower

    image = np.arange(len(images))[:, None, None] * size
    place = (np.arange(rows * cell)[:, None] // cell) * columns
    place = (place + np.arange(columns * cell)[None, :] // cell) * directions
    first = image + place + lower % directions
    second = image + place + (lower + 1) % directions
    total = len(images) * size
    counts = np.bincount(first.ravel(), (strength * (1 - share)).ravel(), total)
    counts = counts + np.bincount(second.ravel(), (strength * share).ravel(), total)
    return np.asarray(counts, np.float64).reshape(len(images), size)
