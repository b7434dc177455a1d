"""Crafters that bring images into one shape."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.base import Crafter
from jina_cli.executors.crafters.pixels import (
    Images,
    Pixels,
    Resample,
    centred,
    checked,
    each_shape,
    like_before,
    resize,
    to_grey,
    to_rgb,
)
from jina_cli.executors.crafters.reading import as_images

E_ = TypeVar("E_", bound=enum.Enum)


class Channels(enum.Enum):
    """What the numbers of a pixel are."""

    GREY = "grey"
    RGB = "rgb"
    BGR = "bgr"


class Layout(enum.Enum):
    """Where the channels of an image stand."""

    LAST = "last"
    FIRST = "first"


class Fit(enum.Enum):
    """What an image of another shape is brought to."""

    STRETCH = "stretch"
    SHORTER = "shorter"
    LONGER = "longer"


class ImageCrafter(Crafter):
    """Makes a `tensor` of an image, which may be given as `tensor`, `blob` or `uri`."""

    into = "tensor"

    def __init__(self, *, field: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.field = field

    def craft(self, content: Any) -> Images:
        """Return one image for each piece of content; one array where they have one shape.

        Args:
            content: Array `(n, height, width)` or `(n, height, width, 1, 3 or 4)`, or a list of
                such images, of bytes of image files, or of paths.

        Raises:
            ValueError: Something is no image.
            MissingExtra: Files are given, and the extra `images` is not installed.
        """
        return each_shape(as_images(content), lambda images: self.change(checked(images)))

    def change(self, images: Pixels) -> Pixels:
        """Return images of one shape, shape `(n, height, width)` or with channels, changed."""
        raise NotImplementedError


class ImageNormalizer(ImageCrafter):
    """Bring images to one size, one order of channels, and one range of numbers.

    By default to grey float32 from 0 to 1. uint8 goes from 0 to 255; floats are scaled by the
    span of their own image.

    Args:
        size: Side of the square that images are resized to; 0 leaves their size alone.
        channels: `grey`, `rgb` or `bgr`.
        mean: What is taken from each channel, from 0 to 1: one number, or one for each.
        std: What each channel is then divided by: one number, or one for each.
        layout: Where the channels of a colour image go, `last` or `first`.
        dtype: `float32`, or `uint8` from 0 to 255, which takes no mean and std.
        field: Where the image is: `tensor`, `blob` or `uri`.
    """

    def __init__(
        self,
        *,
        size: int = 0,
        channels: str = Channels.GREY.value,
        mean: Sequence[float] = (),
        std: Sequence[float] = (),
        layout: str = Layout.LAST.value,
        dtype: str = "float32",
        field: str = "tensor",
        **kwargs: Any,
    ) -> None:
        super().__init__(field=field, **kwargs)
        self._size = size
        self._channels = one_of(Channels, channels, "channels")
        self._mean = _of_channels(mean, self._channels, "mean")
        self._std = _of_channels(std, self._channels, "std")
        self._layout = one_of(Layout, layout, "layout")
        if dtype not in ("float32", "uint8"):
            raise ValueError(f"dtype is {dtype!r}, and must be one of float32, uint8")
        if dtype == "uint8" and (self._mean is not None or self._std is not None):
            raise ValueError("dtype uint8 takes no mean and std: what they give is not 0 to 255")
        if self._std is not None and not (self._std > 0).all():
            raise ValueError("std must be above 0")
        self._is_bytes = dtype == "uint8"

    def change(self, images: Pixels) -> Pixels:
        grey = self._channels is Channels.GREY
        numbers = to_grey(images) if grey else to_rgb(images)
        scaled = numbers / np.float32(255) if images.dtype == np.uint8 else _to_unit_span(numbers)
        if self._size:
            scaled = resize(scaled, self._size, self._size)
        if self._channels is Channels.BGR:
            scaled = scaled[..., ::-1]
        if self._mean is not None:
            scaled = scaled - self._mean
        if self._std is not None:
            scaled = scaled / self._std
        if self._layout is Layout.FIRST and not grey:
            scaled = np.moveaxis(scaled, 3, 1)
        if self._is_bytes:
            return like_before(scaled * np.float32(255), np.dtype(np.uint8))
        return np.ascontiguousarray(scaled, np.float32)


class ImageResizer(ImageCrafter):
    """Bring images to a size; their type and channels stay.

    Args:
        size: Pixels of the side that `fit` names.
        fit: `stretch` makes squares; `shorter` and `longer` keep the shape, and bring the
            shorter or the longer side to the size.
        resample: `area`, `bilinear` or `bicubic`; see `Resample`.
        field: Where the image is: `tensor`, `blob` or `uri`.
    """

    def __init__(
        self,
        *,
        size: int = 224,
        fit: str = Fit.STRETCH.value,
        resample: str = Resample.BILINEAR.value,
        field: str = "tensor",
        **kwargs: Any,
    ) -> None:
        super().__init__(field=field, **kwargs)
        self._size = _at_least_1(size, "size")
        self._fit = one_of(Fit, fit, "fit")
        self._how = one_of(Resample, resample, "resample")

    def change(self, images: Pixels) -> Pixels:
        height, width = fitted(images.shape[1], images.shape[2], self._size, self._fit)
        return like_before(resize(images, height, width, self._how), images.dtype)


class ImageCropper(ImageCrafter):
    """Keep a part of each image: its middle, or a box.

    Args:
        size: Side in pixels of the square that is kept of the middle.
        box: Top, left, bottom and right of what is kept instead, in pixels, the last two
            behind its end; all that is there where an image ends before.
        field: Where the image is: `tensor`, `blob` or `uri`.
    """

    def __init__(
        self,
        *,
        size: int = 224,
        box: Sequence[int] = (),
        field: str = "tensor",
        **kwargs: Any,
    ) -> None:
        super().__init__(field=field, **kwargs)
        self._size = _at_least_1(size, "size")
        self._box = tuple(int(side) for side in box)
        if self._box and (len(self._box) != 4 or not _is_box(self._box)):
            raise ValueError(
                f"box is {list(box)}, and must be top, left, bottom, right with the end behind "
                "the beginning"
            )

    def change(self, images: Pixels) -> Pixels:
        if not self._box:
            return centred(images, self._size, self._size)
        top, left, bottom, right = self._box
        if top >= images.shape[1] or left >= images.shape[2]:
            raise ValueError(
                f"the box {list(self._box)} is outside images of "
                f"{images.shape[1]} × {images.shape[2]}"
            )
        return images[:, top:bottom, left:right]


def fitted(height: int, width: int, size: int, fit: Fit) -> tuple[int, int]:
    """Return the height and width that an image is brought to, each at least 1."""
    if fit is Fit.STRETCH:
        return size, size
    side = min(height, width) if fit is Fit.SHORTER else max(height, width)
    return max(1, round(height * size / side)), max(1, round(width * size / side))


def one_of(kind: type[E_], value: str, name: str) -> E_:
    """Return the member that `value` names.

    Raises:
        ValueError: There is none; says which there are.
    """
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(str(member.value) for member in kind)
        raise ValueError(f"{name} is {value!r}, and must be one of {known}") from None


def _at_least_1(value: int, name: str) -> int:
    if value < 1:
        raise ValueError(f"{name} is {value}, and must be 1 or more")
    return value


def _is_box(box: tuple[int, ...]) -> bool:
    top, left, bottom, right = box
    return 0 <= top < bottom and 0 <= left < right


def _of_channels(
    values: Sequence[float], channels: Channels, name: str
) -> NDArray[np.float32] | None:
    wanted = (1,) if channels is Channels.GREY else (1, 3)
    if len(values) == 0:
        return None
    if len(values) not in wanted:
        raise ValueError(
            f"{name} has {len(values)} numbers, and must have "
            f"{' or '.join(map(str, wanted))} for {channels.value}"
        )
    return np.array(values, np.float32) if len(values) > 1 else np.array(values[0], np.float32)


def _to_unit_span(images: NDArray[np.float32]) -> NDArray[np.float32]:
    axes = tuple(range(1, images.ndim))
    low = images.min(axes, keepdims=True)
    span = images.max(axes, keepdims=True) - low
    return np.asarray((images - low) / np.where(span > 0, span, 1), np.float32)
