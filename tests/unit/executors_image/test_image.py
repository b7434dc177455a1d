"""Bringing images into one shape."""

from __future__ import annotations

import numpy as np
import pytest

from jina_cli.executors.crafters.image import ImageNormalizer, resize, to_grey


def test_bytes_become_floats_from_0_to_1() -> None:
    images = np.array([[[0, 255], [51, 102]]], np.uint8)

    crafted = ImageNormalizer().craft(images)

    assert crafted.dtype == np.float32
    np.testing.assert_allclose(crafted, [[[0, 1], [0.2, 0.4]]], rtol=1e-6)


def test_floats_are_scaled_by_the_span_of_their_own_image() -> None:
    images = np.array([[[2, 4], [6, 10]], [[7, 7], [7, 7]]], np.float64)

    crafted = ImageNormalizer().craft(images)

    np.testing.assert_allclose(crafted, [[[0, 0.25], [0.5, 1]], [[0, 0], [0, 0]]])


@pytest.mark.parametrize("channels", [3, 4])
def test_colours_become_brightness(channels: int) -> None:
    images = np.zeros((1, 1, 3, channels), np.uint8)
    images[0, 0, range(3), range(3)] = 255

    np.testing.assert_allclose(to_grey(images) / 255, [[[0.299, 0.587, 0.114]]], rtol=1e-5)


@pytest.mark.parametrize("shape", [(2, 784), (2, 28, 28, 2), (28,)])
def test_what_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="images must be"):
        to_grey(np.zeros(shape, np.uint8))


def test_making_smaller_averages_what_falls_into_a_pixel() -> None:
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4)

    np.testing.assert_allclose(resize(image, 2), [[[2.5, 4.5], [10.5, 12.5]]])
    np.testing.assert_allclose(resize(image, 1), [[[7.5]]])


def test_sizes_that_do_not_divide_keep_the_mean() -> None:
    image = np.random.default_rng(7).random((2, 10, 10), np.float32)

    np.testing.assert_allclose(resize(image, 7).mean((1, 2)), image.mean((1, 2)), rtol=1e-4)


def test_making_larger_repeats_pixels_and_the_same_size_changes_nothing() -> None:
    image = np.array([[[1, 2], [3, 4]]], np.float32)

    np.testing.assert_allclose(resize(image, 4)[0, :2, :2], 1)
    np.testing.assert_allclose(resize(image, 2), image)
