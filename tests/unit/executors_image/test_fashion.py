"""The neural encoder of clothes: how well it finds them, and that nothing else counts."""

from __future__ import annotations

import numpy as np
import pytest

from jina_cli.executors.encoders.fashion import FashionEncoder
from jina_cli.hello.dataset import read_sample
from jina_cli.hello.judge import judge


def test_clothes_of_one_class_are_found_with_each_other() -> None:
    data = read_sample()
    encoder = FashionEncoder(threads=1)

    index, queries = (encoder.encode(part.images) for part in (data.index, data.queries))
    found = np.argsort(-(queries @ index.T), axis=1)[:, :10].tolist()

    assert (index.shape, index.dtype) == ((4500, 64), np.float32)
    np.testing.assert_allclose(np.linalg.norm(index, axis=1), 1, rtol=1e-5)
    verdict = judge(found, data.queries.labels, data.index.labels, depths=[10])
    assert verdict.precision_at[10] >= 0.90


def test_an_image_has_the_same_vector_whatever_is_encoded_with_it() -> None:
    encoder = FashionEncoder(threads=2)
    images = read_sample().queries.images[:70]

    together = encoder.encode(images)

    for place in (0, 31, 32, 69):
        np.testing.assert_array_equal(together[place], encoder.encode(images[[place]])[0])
    np.testing.assert_array_equal(together[:7], encoder.encode(images[:7]))


def test_bytes_floats_and_colours_of_an_image_have_one_vector() -> None:
    encoder = FashionEncoder()
    images = read_sample().queries.images[:3]
    expected = encoder.encode(images)

    floats = encoder.encode(images / np.float32(255))
    colours = encoder.encode(np.repeat(images[..., None], 3, axis=3))

    # The weights of the three colours sum to 1 up to rounding.
    np.testing.assert_allclose(floats, expected, atol=1e-5)
    np.testing.assert_allclose(colours, expected, atol=1e-5)


def test_a_larger_image_is_brought_to_the_size_of_the_network() -> None:
    encoder = FashionEncoder()
    images = read_sample().queries.images[:3]
    larger = np.repeat(np.repeat(images, 4, axis=1), 4, axis=2)

    np.testing.assert_allclose(encoder.encode(larger), encoder.encode(images), atol=1e-5)


def test_floats_that_are_not_from_0_to_1_are_refused() -> None:
    with pytest.raises(ValueError, match="put an ImageNormalizer in front"):
        FashionEncoder().encode(np.full((1, 28, 28), 255.0))
