"""Encoders of numbers: what they keep of distances, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jina_cli.executors.encoders.learnt import NotTrained
from jina_cli.executors.encoders.numeric import PcaEncoder, RandomProjectionEncoder, random_signs


def numbers(count: int, features: int = 20, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, features)).astype(np.float32)


def a_pca(workspace: Path, dim: int = 4) -> PcaEncoder:
    return PcaEncoder(dim=dim, workspace=str(workspace), metas={"name": "encode"})


def test_all_components_keep_all_distances(tmp_path: Path) -> None:
    encoder = a_pca(tmp_path, dim=20)
    encoder.train(numbers(50))
    few = numbers(6, seed=1)

    vectors = encoder.encode(few)

    np.testing.assert_allclose(
        np.linalg.norm(vectors[:, None] - vectors, axis=2),
        np.linalg.norm(few[:, None] - few, axis=2),
        atol=1e-4,
    )


def test_tensors_of_any_shape_are_rows_of_numbers(tmp_path: Path) -> None:
    encoder = a_pca(tmp_path)
    encoder.train(numbers(30).reshape(30, 4, 5))

    assert encoder.encode(numbers(3)).shape == (3, 4)


def test_what_was_learnt_survives_a_restart(tmp_path: Path) -> None:
    first = a_pca(tmp_path)
    first.train(numbers(30))

    np.testing.assert_array_equal(a_pca(tmp_path).encode(numbers(3)), first.encode(numbers(3)))


def test_a_longer_vector_than_was_learnt_for_is_not_made_of_less(tmp_path: Path) -> None:
    a_pca(tmp_path).train(numbers(6))

    with pytest.raises(NotTrained, match="post arrays to /train first"):
        a_pca(tmp_path, dim=10).encode(numbers(1))


def test_numbers_of_another_length_are_refused_and_change_nothing(tmp_path: Path) -> None:
    encoder = a_pca(tmp_path)
    encoder.train(numbers(30))
    before = encoder.encode(numbers(2))

    with pytest.raises(ValueError, match="9 numbers cannot be learnt on top of others of 20"):
        encoder.train(numbers(30, features=9))
    with pytest.raises(ValueError, match="arrays of 9 numbers, and it was trained on 20"):
        encoder.encode(numbers(1, features=9))

    np.testing.assert_array_equal(encoder.encode(numbers(2)), before)


def test_resetting_learns_numbers_of_another_length(tmp_path: Path) -> None:
    encoder = a_pca(tmp_path)
    encoder.train(numbers(30))

    encoder.train(numbers(30, features=9), reset=True)

    assert encoder.encode(numbers(1, features=9)).shape == (1, 4)


def test_random_signs_are_the_same_on_every_machine() -> None:
    expected = np.array([[1, -1], [-1, 1], [1, -1], [1, 1]]) / np.sqrt(2)

    np.testing.assert_allclose(random_signs(4, 2, seed=0), expected, rtol=1e-6)


def test_random_projections_keep_distances_within_a_few_percent() -> None:
    vectors = numbers(30, features=2000)

    projected = RandomProjectionEncoder(dim=1024).encode(vectors)

    pairs = np.triu_indices(30, 1)
    before = np.linalg.norm(vectors[:, None] - vectors, axis=2)[pairs]
    after = np.linalg.norm(projected[:, None] - projected, axis=2)[pairs]
    # A ratio's deviation is about 1/sqrt(2 * 1024) = 2.2 %; of 435 none is off by five of them.
    assert np.abs(after / before - 1).max() < 0.11


def test_another_seed_gives_other_vectors() -> None:
    one, other = (RandomProjectionEncoder(seed=seed).encode(numbers(1)) for seed in (0, 1))

    assert not np.array_equal(one, other)


@pytest.mark.parametrize("given", [{"dim": 0}, {"seed": -1}])
def test_arguments_that_make_no_sense_are_refused(given: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="dim must be 1 or more and seed 0 or more"):
        RandomProjectionEncoder(**given)


def test_arrays_of_several_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"several shapes: \(2,\), \(3,\)"):
        RandomProjectionEncoder().encode([np.zeros(2), np.zeros(3)])
    with pytest.raises(ValueError, match="must hold numbers, got <U1"):
        RandomProjectionEncoder().encode(np.array(["a"]))
