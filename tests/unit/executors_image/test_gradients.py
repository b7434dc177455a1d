"""Histograms of edge directions on images whose edges are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from jina_cli.executors.encoders.gradients import oriented_gradients


def ramp(direction: str) -> NDArray[np.float32]:
    """An 8 × 8 image that gets brighter by 1 a pixel, `across` or `down`."""
    line = np.arange(8, dtype=np.float32)
    image = np.tile(line, (8, 1)) if direction == "across" else np.tile(line[:, None], (1, 8))
    return image[None]


@pytest.mark.parametrize(("direction", "bin_"), [("across", 0), ("down", 2)])
def test_an_edge_counts_for_its_direction_alone(direction: str, bin_: int) -> None:
    histogram = oriented_gradients(ramp(direction), cell=8, directions=4)[0]

    # 6 of 8 lines have a neighbour on both sides, 8 pixels each, with a difference of 2.
    expected = np.zeros(4, np.float32)
    expected[bin_] = np.sqrt(6 * 8 * 2)
    np.testing.assert_allclose(histogram, expected, atol=1e-3)


def test_an_edge_between_two_directions_counts_for_both() -> None:
    line = np.arange(8, dtype=np.float32)
    diagonal = (line[None, :] * 2 + line[:, None])[None]  # turned by atan(1/2), 26.6°

    histogram = oriented_gradients(diagonal, cell=8, directions=4)[0] ** 2

    inner = 6 * 6 * np.hypot(4, 2)
    share = np.arctan(0.5) / (np.pi / 4)
    # The rim has a difference along one axis only: 12 pixels lack each.
    assert histogram[0] == pytest.approx(inner * (1 - share) + 12 * 4, rel=1e-4)
    assert histogram[1] == pytest.approx(inner * share, rel=1e-4)


def test_brightness_makes_no_difference_and_flat_images_are_zero() -> None:
    image = np.random.default_rng(1).random((3, 28, 28), np.float32)

    np.testing.assert_allclose(
        oriented_gradients(image), oriented_gradients(image + np.float32(5)), atol=1e-2
    )
    assert not oriented_gradients(np.full((2, 28, 28), 7, np.float32)).any()


def test_a_vector_does_not_depend_on_the_batch_it_came_in() -> None:
    images = np.random.default_rng(2).random((300, 28, 28), np.float32)

    together = oriented_gradients(images)

    assert together.shape == (300, 7 * 7 * 9)
    for place in (0, 127, 128, 299):
        np.testing.assert_array_equal(together[place], oriented_gradients(images[[place]])[0])


def test_what_is_left_over_at_the_edges_is_not_looked_at() -> None:
    image = np.random.default_rng(3).random((1, 10, 9), np.float32)

    assert oriented_gradients(image, cell=4).shape == (1, 2 * 2 * 9)


def test_no_images_give_no_vectors() -> None:
    assert oriented_gradients(np.zeros((0, 28, 28), np.float32)).shape == (0, 441)
