"""Bringing images into one shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jina_cli.executors.crafters.image import Fit, ImageCropper, ImageNormalizer, ImageResizer
from jina_cli.executors.crafters.image import fitted as fitted_size


def test_bytes_become_floats_from_0_to_1() -> None:
    images = np.array([[[0, 255], [51, 102]]], np.uint8)

    crafted = ImageNormalizer().craft(images)

    assert crafted.dtype == np.float32
    np.testing.assert_allclose(crafted, [[[0, 1], [0.2, 0.4]]], rtol=1e-6)


def test_floats_are_scaled_by_the_span_of_their_own_image() -> None:
    images = np.array([[[2, 4], [6, 10]], [[7, 7], [7, 7]]], np.float64)

    crafted = ImageNormalizer().craft(images)

    np.testing.assert_allclose(crafted, [[[0, 0.25], [0.5, 1]], [[0, 0], [0, 0]]])


def test_colours_are_normalised_each_by_its_own_mean_and_deviation() -> None:
    image = np.array([[[[255, 0, 51]]]], np.uint8)

    crafted = ImageNormalizer(channels="rgb", mean=[0.5, 0.5, 0], std=[0.5, 0.25, 0.1]).craft(image)

    np.testing.assert_allclose(crafted, [[[[1, -2, 2]]]], rtol=1e-5)


def test_channels_can_be_turned_round_and_put_first() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)

    crafted = ImageNormalizer(channels="bgr", layout="first", dtype="uint8").craft(image)

    assert crafted.dtype == np.uint8
    np.testing.assert_array_equal(crafted, np.moveaxis(image[..., ::-1], 3, 1))


def test_images_of_several_shapes_are_brought_to_one_size() -> None:
    images = [np.zeros((5, 9), np.uint8), np.full((30, 20, 3), 255, np.uint8)]

    crafted = ImageNormalizer(size=4).craft(images)

    assert crafted.shape == (2, 4, 4)
    np.testing.assert_allclose(crafted.max((1, 2)), [0, 1], rtol=1e-5)


def test_images_of_several_shapes_stay_so_where_no_size_is_asked_for() -> None:
    crafted = ImageNormalizer().craft([np.zeros((5, 9), np.uint8), np.zeros((3, 2), np.uint8)])

    assert [image.shape for image in crafted] == [(5, 9), (3, 2)]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"channels": "gray"}, "channels is 'gray', and must be one of grey, rgb, bgr"),
        ({"layout": "hwc"}, "layout is 'hwc', and must be one of last, first"),
        ({"dtype": "int8"}, "dtype is 'int8', and must be one of float32, uint8"),
        ({"mean": [0.1, 0.2]}, "mean has 2 numbers, and must have 1 for grey"),
        ({"channels": "rgb", "std": [1, 2]}, "std has 2 numbers, and must have 1 or 3 for rgb"),
        ({"std": [0]}, "std must be above 0"),
        ({"mean": [0.5], "dtype": "uint8"}, "dtype uint8 takes no mean and std"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ImageNormalizer(**given)


def test_resizing_keeps_type_and_channels() -> None:
    image = np.random.default_rng(1).integers(0, 256, (2, 10, 20, 3), np.uint8)

    crafted = ImageResizer(size=5).craft(image)

    assert (crafted.shape, crafted.dtype) == ((2, 5, 5, 3), np.uint8)


@pytest.mark.parametrize(
    ("fit", "size"), [(Fit.STRETCH, (8, 8)), (Fit.SHORTER, (8, 16)), (Fit.LONGER, (4, 8))]
)
def test_the_side_that_fit_names_gets_the_size(fit: Fit, size: tuple[int, int]) -> None:
    assert fitted_size(100, 200, 8, fit) == size
    assert ImageResizer(size=8, fit=fit.value).craft(np.zeros((1, 100, 200))).shape == (1, *size)


def test_no_side_is_ever_nothing() -> None:
    assert fitted_size(1, 1000, 8, Fit.LONGER) == (1, 8)


def test_the_middle_is_kept() -> None:
    image = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)

    assert ImageCropper(size=2).craft(image).tolist() == [[[5, 6], [9, 10]]]


def test_a_box_is_kept_as_far_as_it_is_there() -> None:
    image = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)

    assert ImageCropper(box=[0, 1, 2, 3]).craft(image).tolist() == [[[1, 2], [5, 6]]]
    assert ImageCropper(box=[3, 2, 9, 9]).craft(image).tolist() == [[[14, 15]]]
    with pytest.raises(ValueError, match=r"the box \[4, 0, 5, 1\] is outside images of 4 × 4"):
        ImageCropper(box=[4, 0, 5, 1]).craft(image)


@pytest.mark.parametrize("box", [[1, 2, 3], [2, 0, 2, 4], [-1, 0, 2, 4]])
def test_a_box_without_an_inside_is_refused(box: list[int]) -> None:
    with pytest.raises(ValueError, match="must be top, left, bottom, right"):
        ImageCropper(box=box)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match="images must be"):
        ImageResizer().craft(np.zeros((2, 784), np.uint8))
