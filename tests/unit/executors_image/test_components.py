"""Principal components against what numpy's SVD says."""

from __future__ import annotations

import numpy as np
import pytest

from jina_cli.executors.encoders.components import Moments, principal_components


def test_components_are_those_of_the_singular_value_decomposition() -> None:
    vectors = np.random.default_rng(4).standard_normal((200, 12)).astype(np.float32)
    vectors *= np.arange(1, 13, dtype=np.float32)  # distinct variances, so axes are unique
    centred = vectors - vectors.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)

    projected = principal_components(Moments.of(vectors), dim=5)(vectors)

    # Single precision in, double inside: signs are free, magnitudes are not.
    np.testing.assert_allclose(np.abs(projected), np.abs(centred @ axes[:5].T), atol=2e-3)


def test_batches_add_up_to_the_whole() -> None:
    vectors = np.random.default_rng(5).standard_normal((90, 6)).astype(np.float32)

    whole = Moments.of(vectors)
    parts = Moments.of(vectors[:10]) + Moments.of(vectors[10:50]) + Moments.of(vectors[50:])

    assert parts.count == whole.count
    np.testing.assert_allclose(parts.total, whole.total, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(parts.products, whole.products, rtol=1e-12, atol=1e-12)


def test_the_sign_of_an_axis_does_not_depend_on_the_solver() -> None:
    vectors = np.random.default_rng(6).standard_normal((50, 4)).astype(np.float32)

    axes = principal_components(Moments.of(vectors), dim=3).axes

    largest = np.take_along_axis(axes, np.abs(axes).argmax(0)[None], axis=0)
    assert (largest > 0).all()


@pytest.mark.parametrize(("count", "features", "dim"), [(3, 8, 4), (8, 3, 4)])
def test_too_little_to_learn_from_is_refused(count: int, features: int, dim: int) -> None:
    moments = Moments.of(np.ones((count, features), np.float32))

    with pytest.raises(ValueError, match=f"4 components need at least 4 .* got {count} of"):
        principal_components(moments, dim)
