"""Images into patches."""

from __future__ import annotations

import numpy as np
import pytest

from jina_cli.executors.segmenters.image_patches import ImagePatchSegmenter, spans

IMAGE = np.arange(4 * 6, dtype=np.uint8).reshape(4, 6)


@pytest.mark.parametrize(
    ("length", "size", "stride", "expected"),
    [
        (6, 3, 3, [(0, 3), (3, 6)]),
        (7, 3, 3, [(0, 3), (3, 6), (4, 7)]),  # the last one is moved back
        (6, 3, 2, [(0, 3), (2, 5), (3, 6)]),
        (3, 3, 1, [(0, 3)]),
        (2, 3, 3, [(0, 2)]),
        (9, 2, 5, [(0, 2), (5, 7), (7, 9)]),
    ],
)
def test_stretches_cover_an_axis(
    length: int, size: int, stride: int, expected: list[tuple[int, int]]
) -> None:
    assert spans(length, size, stride) == expected


def test_patches_come_row_by_row_with_their_place() -> None:
    (patches,) = ImagePatchSegmenter(size=3).segment(IMAGE[None])

    assert [patch["location"] for patch in patches] == [
        [0, 0, 3, 3],
        [0, 3, 3, 6],
        [1, 0, 4, 3],
        [1, 3, 4, 6],
    ]
    for patch in patches:
        top, left, bottom, right = patch["location"]
        np.testing.assert_array_equal(patch["tensor"], IMAGE[top:bottom, left:right])


def test_images_of_several_shapes_are_split_each_for_itself() -> None:
    lists = ImagePatchSegmenter(size=4).segment([IMAGE, np.zeros((2, 2, 3), np.uint8)])

    assert [[patch["tensor"].shape for patch in patches] for patches in lists] == [
        [(4, 4), (4, 4)],
        [(2, 2, 3)],
    ]


@pytest.mark.parametrize("given", [{"size": 0}, {"stride": -1}])
def test_arguments_that_make_no_sense_are_refused(given: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="size must be 1 or more and stride 0 or more"):
        ImagePatchSegmenter(**given)


def test_patches_with_pixels_lost_between_them_are_refused() -> None:
    with pytest.raises(ValueError, match="stride 9 is over size 8"):
        ImagePatchSegmenter(size=8, stride=9)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match="images must be"):
        ImagePatchSegmenter().segment(np.zeros((1, 784)))
