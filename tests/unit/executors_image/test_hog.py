"""The encoder: what it learns, keeps and refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jina_cli.executors.encoders.hog import HogPcaEncoder
from jina_cli.executors.encoders.learnt import NotTrained
from jina_cli.hello.dataset import read_sample
from jina_cli.hello.judge import judge


def images(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), np.uint8)


def an_encoder(workspace: Path, dim: int = 8) -> HogPcaEncoder:
    return HogPcaEncoder(dim=dim, workspace=str(workspace), metas={"name": "encode"})


def test_vectors_before_training_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotTrained, match="/train"):
        an_encoder(tmp_path).encode(images(1))


def test_what_was_learnt_survives_a_restart(tmp_path: Path) -> None:
    first = an_encoder(tmp_path)
    first.train(images(40))

    second = an_encoder(tmp_path)

    np.testing.assert_array_equal(second.encode(images(5, seed=9)), first.encode(images(5, seed=9)))
    assert first.encode(images(5)).shape == (5, 8)


def test_training_goes_on_from_what_was_learnt_unless_reset(tmp_path: Path) -> None:
    whole = an_encoder(tmp_path / "whole")
    whole.train(images(60))
    parts = an_encoder(tmp_path / "parts")
    parts.train(images(60)[:20])
    parts.train(images(60)[20:])
    again = an_encoder(tmp_path / "parts")
    again.train(images(60), reset=True)

    for encoder in (parts, again):
        # Sums in another order differ in the last bits of a double.
        np.testing.assert_allclose(
            encoder.encode(images(4)), whole.encode(images(4)), rtol=1e-3, atol=1e-4
        )


def test_what_was_learnt_is_alone_in_its_folder(tmp_path: Path) -> None:
    encoder = an_encoder(tmp_path)
    encoder.train(images(40))

    folder = Path(encoder.workspace)

    assert [file.name for file in folder.iterdir()] == ["hog-pca.npz"]


def test_what_another_setting_learnt_is_not_used(tmp_path: Path) -> None:
    an_encoder(tmp_path).train(images(40))

    other = HogPcaEncoder(dim=8, cell=7, workspace=str(tmp_path), metas={"name": "encode"})

    with pytest.raises(NotTrained):
        other.encode(images(1))


def test_images_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\(n, height, width\), got \(2, 784\)"):
        an_encoder(tmp_path).train(np.zeros((2, 784), np.uint8))


def test_images_of_several_shapes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="these have no one shape"):
        an_encoder(tmp_path).train([np.zeros((2, 3)), np.zeros((3, 2))])


def test_clothes_of_one_class_are_found_with_each_other(tmp_path: Path) -> None:
    data = read_sample()
    encoder = an_encoder(tmp_path, dim=64)
    encoder.train(data.index.images)

    index, queries = (encoder.encode(part.images) for part in (data.index, data.queries))
    index /= np.linalg.norm(index, axis=1, keepdims=True)
    found = np.argsort(-(queries @ index.T), axis=1)[:, :10].tolist()

    verdict = judge(found, data.queries.labels, data.index.labels, depths=[10])
    assert verdict.precision_at[10] >= 0.80  # 0.810 when this was written
