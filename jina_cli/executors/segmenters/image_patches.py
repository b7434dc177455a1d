"""Images into patches, so that a part of one can be found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jina_cli.executors.base import Segmenter
from jina_cli.executors.crafters.pixels import Pixels, checked
from jina_cli.executors.crafters.reading import as_images

Span = tuple[int, int]


class ImagePatchSegmenter(Segmenter):
    """Split images into square patches, row by row.

    A chunk has the patch as its `tensor`, and as its `location` the top, left, bottom and right
    of it in pixels of the image, the last two behind its end. The last patch of a row or column
    is moved back to end with the image, so that every pixel is in some patch and all patches of
    an image have one shape; an image smaller than a patch is one patch.

    Args:
        size: Side of a patch in pixels.
        stride: Pixels from one patch to the next; 0 for `size`, so that they do not overlap.
        field: Where the image is: `tensor`, `blob` or `uri`.
    """

    def __init__(
        self, *, size: int = 224, stride: int = 0, field: str = "tensor", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if size < 1 or stride < 0:
            raise ValueError(
                f"size must be 1 or more and stride 0 or more, got {size} and {stride}"
            )
        if stride > size:
            raise ValueError(
                f"stride {stride} is over size {size}: pixels between patches are lost"
            )
        self.field = field
        self._size = size
        self._stride = stride or size

    def segment(self, content: Any) -> Sequence[Sequence[Mapping[str, Any]]]:
        """Return the patches of each image.

        Args:
            content: Array `(n, height, width)` or with 1, 3 or 4 channels last, or a list of
                such images, of bytes of image files, or of paths.

        Raises:
            ValueError: Something is no image.
            MissingExtra: Files are given, and the extra `images` is not installed.
        """
        return [self._patches(checked(image[None])[0]) for image in as_images(content)]

    def _patches(self, image: Pixels) -> list[dict[str, Any]]:
        rows = spans(image.shape[0], self._size, self._stride)
        columns = spans(image.shape[1], self._size, self._stride)
        return [
            {"tensor": image[top:bottom, left:right], "location": [top, left, bottom, right]}
            for top, bottom in rows
            for left, right in columns
        ]


def spans(length: int, size: int, stride: int) -> list[Span]:
    """Return where stretches of `size` begin and end that cover `length`, the last one whole."""
    if length <= size:
        return [(0, length)]
    starts = list(range(0, length - size, stride))
    return [(start, start + size) for start in [*starts, length - size]]
