"""Images as arrays, against what can be worked out by hand and against Pillow."""

from __future__ import annotations

import numpy as np
import pytest

from jina_cli.executors.crafters.pixels import (
    Resample,
    centred,
    checked,
    each_shape,
    like_before,
    resize,
    to_grey,
    to_rgb,
    unit_range,
)


@pytest.mark.parametrize("channels", [3, 4])
def test_colours_become_brightness(channels: int) -> None:
    images = np.zeros((1, 1, 3, channels), np.uint8)
    images[0, 0, range(3), range(3)] = 255

    np.testing.assert_allclose(to_grey(images) / 255, [[[0.299, 0.587, 0.114]]], rtol=1e-5)


def test_grey_becomes_three_equal_colours_and_alpha_goes() -> None:
    assert to_rgb(np.array([[[7]]], np.uint8)).tolist() == [[[[7, 7, 7]]]]
    assert to_rgb(np.array([[[[1, 2, 3, 99]]]], np.uint8)).tolist() == [[[[1, 2, 3]]]]


def test_a_single_channel_is_grey() -> None:
    assert checked(np.zeros((2, 5, 4, 1))).shape == (2, 5, 4)


@pytest.mark.parametrize("shape", [(2, 784), (2, 28, 28, 2), (28,), (1, 0, 4), (1, 4, 0, 3)])
def test_what_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="images must be"):
        to_grey(np.zeros(shape, np.uint8))


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="images must be numbers, got <U1"):
        checked(np.full((1, 2, 2), "x"))


def test_bytes_are_scaled_and_floats_from_0_to_1_are_not() -> None:
    np.testing.assert_allclose(unit_range(np.array([[[0, 51, 255]]], np.uint8)), [[[0, 0.2, 1]]])
    assert unit_range(np.array([[[0, 0.5, 1]]])).tolist() == [[[0, 0.5, 1]]]


def test_floats_beyond_0_to_1_are_refused_and_say_what_helps() -> None:
    with pytest.raises(ValueError, match="got -1 to 2: put an ImageNormalizer in front"):
        unit_range(np.array([[[-1.0, 2.0]]]))
    with pytest.raises(ValueError, match="uint8 or floats, got int64"):
        unit_range(np.array([[[1, 2]]]))


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        unit_range(np.array([[[0.0, np.nan]]]))


def test_making_smaller_averages_what_falls_into_a_pixel() -> None:
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4)

    np.testing.assert_allclose(resize(image, 2, 2), [[[2.5, 4.5], [10.5, 12.5]]])
    np.testing.assert_allclose(resize(image, 1, 1), [[[7.5]]])
    np.testing.assert_allclose(resize(image, 4, 1), [[[1.5], [5.5], [9.5], [13.5]]])


@pytest.mark.parametrize("how", Resample)
def test_one_colour_stays_that_colour(how: Resample) -> None:
    image = np.full((1, 10, 13, 3), 0.25, np.float32)

    np.testing.assert_allclose(resize(image, 7, 29, how), 0.25, rtol=1e-5)


def test_sizes_that_do_not_divide_keep_the_mean() -> None:
    image = np.random.default_rng(7).random((2, 10, 10), np.float32)

    np.testing.assert_allclose(resize(image, 7, 7).mean((1, 2)), image.mean((1, 2)), rtol=1e-4)


def test_making_larger_repeats_pixels_and_the_same_size_changes_nothing() -> None:
    image = np.array([[[1, 2], [3, 4]]], np.float32)

    np.testing.assert_allclose(resize(image, 4, 4)[0, :2, :2], 1)
    np.testing.assert_allclose(resize(image, 2, 2), image)


@pytest.mark.parametrize("how", [Resample.BILINEAR, Resample.BICUBIC])
@pytest.mark.parametrize("target", [(16, 16), (7, 11), (64, 50)])
def test_photographs_are_resampled_as_pillow_does(how: Resample, target: tuple[int, int]) -> None:
    pillow = pytest.importorskip("PIL.Image")
    image = np.random.default_rng(8).random((40, 33), np.float32)
    kind = getattr(pillow.Resampling, how.name)
    theirs = np.asarray(pillow.fromarray(image).resize(target[::-1], kind))

    # Single precision, summed in another order.
    np.testing.assert_allclose(resize(image[None], *target, how)[0], theirs, atol=1e-5)


def test_channels_are_resized_apart() -> None:
    image = np.random.default_rng(9).random((1, 8, 6, 3), np.float32)

    together = resize(image, 3, 4, Resample.BILINEAR)

    for channel in range(3):
        alone = resize(image[..., channel], 3, 4, Resample.BILINEAR)
        np.testing.assert_allclose(together[..., channel], alone, rtol=1e-5)


def test_whole_numbers_are_rounded_into_their_range() -> None:
    floats = np.array([-3.0, 0.4, 0.6, 300.0], np.float32)

    assert like_before(floats, np.dtype(np.uint8)).tolist() == [0, 0, 1, 255]
    assert like_before(floats, np.dtype(np.float64)).dtype == np.float64


def test_the_middle_is_taken_and_what_is_too_small_refused() -> None:
    image = np.arange(20).reshape(1, 4, 5)

    assert centred(image, 2, 3).tolist() == [[[6, 7, 8], [11, 12, 13]]]
    with pytest.raises(ValueError, match="4 × 5 are smaller than the crop of 5 × 5"):
        centred(image, 5, 5)


def test_images_of_several_shapes_keep_their_order() -> None:
    images = [np.full(shape, place) for place, shape in enumerate([(2, 2), (3, 1), (2, 2)])]
    seen: list[tuple[int, ...]] = []

    def work(some: np.ndarray) -> np.ndarray:
        seen.append(some.shape)
        return some + 10

    done = each_shape(images, work)

    assert isinstance(done, list)
    assert seen == [(2, 2, 2), (1, 3, 1)]
    assert [int(image.max()) for image in done] == [10, 11, 12]


def test_results_of_one_shape_are_one_array() -> None:
    images = [np.zeros((2, 2)), np.ones((3, 1))]

    done = each_shape(images, lambda some: some.reshape(len(some), -1).max(1))

    assert isinstance(done, np.ndarray)
    assert done.tolist() == [0, 1]
