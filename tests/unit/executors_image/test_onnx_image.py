"""Encoders by ONNX networks, with small networks whose vectors can be worked out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jina_cli.errors import InputMissing
from jina_cli.executors.encoders.onnx_image import EfficientNetEncoder, OnnxImageEncoder, shape_of
from jina_cli.executors.encoders.onnx_session import BadModel, threads_for
from tests.testing.networks import mean_of_channels

RAW: dict[str, Any] = {"mean": [0], "std": [1], "normalize": False}


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network that gives the mean of each channel."""
    return mean_of_channels(tmp_path / "mean.onnx", ("n", 3, "h", "w"))


def one_colour(*colour: int, size: tuple[int, int] = (8, 8)) -> np.ndarray:
    return np.full((1, *size, 3), colour, np.uint8)


def test_pixels_are_brought_to_the_range_the_network_was_trained_on(network: Path) -> None:
    encoder = OnnxImageEncoder(
        model=str(network), mean=[0.2, 0.4, 0.5], std=[0.5, 0.25, 0.1], normalize=False
    )

    vectors = encoder.encode(one_colour(255, 102, 51))

    # Resampling sums to 1 in single precision; 224 times 224 of them are averaged.
    np.testing.assert_allclose(vectors, [[1.6, 0, -3]], atol=1e-4)


def test_vectors_have_length_1_unless_told_otherwise(network: Path) -> None:
    vectors = OnnxImageEncoder(model=str(network)).encode(one_colour(9, 200, 30))

    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)


def test_efficientnet_gets_values_less_127_by_128(network: Path) -> None:
    vectors = EfficientNetEncoder(model=str(network), size=32).encode(one_colour(127, 255, 0))

    expected = np.array([0, 1, -127 / 128])
    np.testing.assert_allclose(vectors[0], expected / np.linalg.norm(expected), atol=1e-5)


def test_the_middle_is_looked_at_or_all_of_it(network: Path) -> None:
    image = one_colour(0, 0, 0, size=(8, 24))
    image[:, :, 8:16] = 255

    middle = OnnxImageEncoder(model=str(network), resample="area", size=8, **RAW)
    whole = OnnxImageEncoder(model=str(network), resample="area", size=8, crop=False, **RAW)

    np.testing.assert_allclose(middle.encode(image), [[1, 1, 1]], rtol=1e-5)
    np.testing.assert_allclose(whole.encode(image), [[1 / 3] * 3], rtol=1e-5)


@pytest.mark.parametrize("shape", [("n", 3, 6, 6), ("n", 6, 6, 3), (1, 3, "h", "w"), (4, 3, 6, 6)])
def test_layout_size_and_batch_are_those_of_the_network(
    tmp_path: Path, shape: Sequence[int | str]
) -> None:
    model = mean_of_channels(tmp_path / "fixed.onnx", shape)
    images = np.random.default_rng(3).integers(0, 256, (5, 6, 6, 3), np.uint8)

    vectors = OnnxImageEncoder(model=str(model), **RAW).encode(images)

    # With "h" and "w" the size is 224: a smooth enlargement keeps the mean of these roughly.
    tolerance = 1e-5 if 6 in shape else 0.05
    np.testing.assert_allclose(vectors, images.mean((1, 2)) / 255, atol=tolerance)


def test_a_network_of_one_channel_gets_brightness(tmp_path: Path) -> None:
    model = mean_of_channels(tmp_path / "grey.onnx", ("n", 1, "h", "w"))

    vectors = OnnxImageEncoder(model=str(model), size=4, **RAW).encode(one_colour(255, 0, 0))

    np.testing.assert_allclose(vectors, [[0.299]], rtol=1e-5)


def test_images_of_several_shapes_are_encoded_in_their_order(network: Path) -> None:
    encoder = OnnxImageEncoder(model=str(network), size=4, **RAW)
    images = [
        one_colour(51, 0, 0)[0],
        one_colour(0, 102, 0, size=(9, 5))[0],
        one_colour(0, 0, 0)[0],
    ]

    vectors = encoder.encode(images)

    np.testing.assert_allclose(vectors, [[0.2, 0, 0], [0, 0.4, 0], [0, 0, 0]], atol=1e-5)


@pytest.mark.parametrize("shape", [("n", 100), ("n", 5, 7, 9), ("n", 3, "h")])
def test_a_network_that_takes_no_images_is_refused(shape: tuple[Any, ...]) -> None:
    with pytest.raises(BadModel, match=r"must take \(n, 3, height, width\)"):
        shape_of(shape, "some.onnx")


def test_what_is_wrong_with_a_model_is_said(network: Path, tmp_path: Path) -> None:
    (tmp_path / "no.onnx").write_bytes(b"not a network")
    fixed = mean_of_channels(tmp_path / "fixed.onnx", ("n", 3, 6, 6))

    with pytest.raises(ValueError, match=r"needs a model: give the path of its \.onnx file"):
        OnnxImageEncoder()
    with pytest.raises(InputMissing, match=r"the model no/such\.onnx of EfficientNetEncoder"):
        EfficientNetEncoder(model="no/such.onnx")
    with pytest.raises(BadModel, match=r"no\.onnx cannot be loaded"):
        OnnxImageEncoder(model=str(tmp_path / "no.onnx"))
    with pytest.raises(BadModel, match="has no output 'x': its outputs are means"):
        OnnxImageEncoder(model=str(network), output="x")
    with pytest.raises(ValueError, match=r"size is 7, and .* takes images of 6"):
        OnnxImageEncoder(model=str(fixed), size=7)
    with pytest.raises(ValueError, match="std has 2 numbers, and must have 1 or 3"):
        OnnxImageEncoder(model=str(network), std=[1, 2])


def test_cores_are_shared_among_replicas_unless_told_otherwise() -> None:
    alone, many = (SimpleNamespace(replicas=n, shards=1) for n in (1, 1000))

    assert threads_for(many) == 1
    assert threads_for(alone) >= 1
    assert threads_for(many, 3) == 3
