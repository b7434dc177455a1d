"""Images as arrays: brightness, colours, size, stretches. Numpy alone.

One image is `(height, width)` or `(height, width, channels)` with 1, 3 or 4 channels: grey, red
green blue, and those with alpha, which is not looked at. Several of one shape are one array with
the images first.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[Any]
"""One image, or several of one shape."""

Images: TypeAlias = NDArray[Any] | Sequence[NDArray[Any]]
"""Images of one shape as one array, of several shapes as a list."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in brightness, by ITU-R BT.601."""

_BICUBIC_A = -0.5
"""Parameter of R. Keys, "Cubic Convolution Interpolation for Digital Image Processing" (1981)."""


class Resample(enum.Enum):
    """How a pixel is made of those it stands for.

    `area` is their mean by how much of each is covered, and repeats pixels in enlarging. The
    others weigh them by their distance, over a stretch that grows as the image shrinks, as
    Pillow does it; networks for photographs are mostly trained on one of these.
    """

    AREA = "area"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"


def each_shape(images: Images, work: Callable[[Pixels], Pixels]) -> Images:
    """Return what `work` makes of the images, those of one shape and type at a time.

    Args:
        images: At least one.
        work: Array `(n, *shape)` → array of `n` rows.

    Returns:
        One array where all results have one shape and type, else a list, in the order given.
    """
    if isinstance(images, np.ndarray):
        return work(images)
    alike: dict[tuple[Any, ...], list[int]] = {}
    for place, image in enumerate(images):
        alike.setdefault((image.shape, image.dtype.str), []).append(place)
    made: dict[int, Pixels] = {}
    for places in alike.values():
        made.update(zip(places, work(np.stack([images[i] for i in places])), strict=True))
    rows = [made[place] for place in range(len(images))]
    kinds = {(row.shape, row.dtype.str) for row in rows}
    return np.stack(rows) if len(kinds) == 1 else rows


def checked(images: Pixels) -> Pixels:
    """Return images as they are, a single channel without its axis.

    Raises:
        ValueError: `images` is neither `(n, height, width)` nor has 1, 3 or 4 channels last,
            or an image has no pixels.
    """
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    is_image = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (3, 4))
    if not is_image or 0 in images.shape[1:]:
        raise ValueError(
            f"images must be (n, height, width) or (n, height, width, 3 or 4), got {images.shape}"
        )
    if images.dtype.kind not in "uif":
        raise ValueError(f"images must be numbers, got {images.dtype}")
    return images


def to_grey(images: Pixels) -> NDArray[np.float32]:
    """Return the brightness of images, shape `(n, height, width)`, in their own range.

    Raises:
        ValueError: As `checked`.
    """
    images = checked(images)
    if images.ndim == 3:
        return images.astype(np.float32)
    grey: NDArray[np.float32] = images[..., :3].astype(np.float32) @ _LUMA
    return grey


def to_rgb(images: Pixels) -> NDArray[np.float32]:
    """Return images in red, green and blue, shape `(n, height, width, 3)`, in their own range.

    Raises:
        ValueError: As `checked`.
    """
    images = checked(images)
    if images.ndim == 3:
        return np.repeat(images[..., None].astype(np.float32), 3, axis=3)
    return images[..., :3].astype(np.float32)


def unit_range(images: Pixels) -> NDArray[np.float32]:
    """Return uint8 from 0 to 255 as float32 from 0 to 1; floats are that already.

    Raises:
        ValueError: Floats go beyond 0 to 1, or images are of another type.
    """
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    if images.dtype.kind != "f":
        raise ValueError(f"images must be uint8 or floats, got {images.dtype}")
    low, high = float(images.min()), float(images.max())
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"images of floats must be from 0 to 1, got {low:g} to {high:g}: "
            "put an ImageNormalizer in front"
        )
    return images.astype(np.float32, copy=False)


def resize(
    images: Pixels, height: int, width: int, how: Resample = Resample.AREA
) -> NDArray[np.float32]:
    """Return images of shape `(n, height, width)`, or `(n, height, width, channels)`.

    Each axis is a weighted sum, so images do not mix, and the weights of a pixel sum to 1.
    """
    rows = weights(images.shape[1], height, how)
    columns = weights(images.shape[2], width, how)
    if images.ndim == 3:
        return np.asarray(rows @ images @ columns.T, np.float32)
    planes = np.ascontiguousarray(np.moveaxis(images, 3, 1), np.float32)
    return np.ascontiguousarray(np.moveaxis(rows @ planes @ columns.T, 1, 3), np.float32)


def weights(source: int, target: int, how: Resample) -> NDArray[np.float32]:
    """Return what each source pixel counts for each target pixel, shape `(target, source)`."""
    if source == target:
        return np.eye(source, dtype=np.float32)
    scale = source / target
    pixels = np.arange(source)
    if how is Resample.AREA:
        edges = np.linspace(0, source, target + 1)
        covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
        raw = np.clip(covered, 0, None)
    else:
        centres = (np.arange(target) + 0.5) * scale
        distance = np.abs(pixels + 0.5 - centres[:, None]) / max(scale, 1.0)
        raw = _triangle(distance) if how is Resample.BILINEAR else _cubic(distance)
    return np.asarray(raw / raw.sum(1, keepdims=True), np.float32)


def _triangle(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(1 - distance, 0, None)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    a, d = _BICUBIC_A, distance
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d < 1, near, np.where(d < 2, far, 0))


def like_before(images: NDArray[np.float32], dtype: np.dtype[Any]) -> Pixels:
    """Return what was computed in floats in the type it came in; whole numbers are rounded."""
    if dtype.kind == "f":
        return images.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(images), limits.min, limits.max).astype(dtype)


def centred(images: Pixels, height: int, width: int) -> Pixels:
    """Return the middle of images.

    Raises:
        ValueError: They are smaller than that.
    """
    have = images.shape[1:3]
    if have[0] < height or have[1] < width:
        raise ValueError(
            f"images of {have[0]} × {have[1]} are smaller than the crop of {height} × {width}: "
            "put an ImageResizer in front"
        )
    top, left = (have[0] - height) // 2, (have[1] - width) // 2
    return images[:, top : top + height, left : left + width]
