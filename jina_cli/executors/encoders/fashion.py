"""A neural encoder of clothes, which travels with the product."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.base import Encoder
from jina_cli.executors.crafters.pixels import Pixels, each_shape, resize, to_grey, unit_range
from jina_cli.executors.crafters.reading import as_images
from jina_cli.executors.encoders.onnx_image import ImageModel
from jina_cli.executors.encoders.onnx_session import threads_for
from jina_cli.executors.endpoints import Batching
from jina_cli.executors.families import ZERO_WAIT
from jina_cli.resources import encoder_model

SIDE = 28
"""Height and width in pixels of what the network takes."""


class FashionEncoder(Encoder):
    """Encode images of clothes on black, as those of Fashion-MNIST, by a small neural network.

    Five convolutions make 64 numbers, of length 1. The network was taught by the 60,000
    training images (`jina_cli/hello/train_fashion.py`); nothing has to be learnt here. The same
    image gives the same vector, whatever is encoded with it.

    Args:
        threads: That work on one batch; 0 for the cores there are, shared among the replicas.
        field: Where the image is: `tensor` (uint8, or floats from 0 to 1), `blob` or `uri`.
    """

    def __init__(self, *, threads: int = 0, field: str = "tensor", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.field = field
        self._model = ImageModel(
            encoder_model("fashion.onnx"),
            threads=threads_for(self.runtime_args, threads),
            what="FashionEncoder",
        )
        self._model(np.zeros((1, SIDE, SIDE), np.float32))

    def encode(self, content: Any) -> NDArray[np.float32]:
        """Return vectors, shape `(n, 64)`, of length 1.

        Args:
            content: Array `(n, height, width)` or with 1, 3 or 4 channels last, uint8 or floats
                from 0 to 1; or a list of such images, of bytes of image files, or of paths.
                Images of another size are brought to 28 × 28, colours to brightness.

        Raises:
            ValueError: Something is no image.
            MissingExtra: Files are given, and the extra `images` is not installed.
        """
        return np.asarray(each_shape(as_images(content), self._vectors), np.float32)

    def default_batching(self) -> Mapping[str, Batching]:
        return dict.fromkeys(("/index", "/search", "/update"), ZERO_WAIT)

    def _vectors(self, images: Pixels) -> NDArray[np.float32]:
        grey = to_grey(images)
        ranged = grey / np.float32(255) if images.dtype == np.uint8 else unit_range(grey)
        if ranged.shape[1:] != (SIDE, SIDE):
            ranged = resize(ranged, SIDE, SIDE)
        return self._model(ranged)
