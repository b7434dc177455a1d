"""Distances in the space of a graph have the order of the metric."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.store.exact import prepare
from jina_cli.store.space import Space
from jina_cli.vocabulary import Metric


def scores(metric: Metric, prepared: np.ndarray, query: np.ndarray) -> np.ndarray:
    if metric is Metric.L2:
        return -np.linalg.norm(prepared.astype(np.float64) - query, axis=1)
    return prepared.astype(np.float64) @ query


@settings(max_examples=60, deadline=None)
@given(
    metric=st.sampled_from(Metric),
    scale=st.sampled_from([1e-20, 1e-3, 1.0, 1e4, 1e18]),
    offset=st.sampled_from([0.0, 1.0, 50.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_nearest_points_are_the_best_vectors(
    metric: Metric, scale: float, offset: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    given = ((rng.standard_normal((300, 8)) + offset) * scale).astype(np.float32)
    vectors = prepare(given, metric)
    queries = prepare(((rng.standard_normal((1, 8)) + offset) * scale).astype(np.float32), metric)
    space = Space.fit(metric, vectors)

    points, fits = space.place(vectors)
    aims = space.aim(queries)

    assert aims is not None
    assert aims.dtype == points.dtype == np.float32
    assert fits.mean() > 0.98
    assert np.abs(points[fits]).max() < 3
    # In half precision, as a graph has them: eleven bits.
    halves = points[fits].astype(np.float16).astype(np.float64)
    distances = np.linalg.norm(halves - aims[0], axis=1)
    exact = scores(metric, vectors[fits], queries[0])
    nearest = set(np.argsort(distances)[:30].tolist())
    assert len(nearest & set(np.argsort(-exact)[:10].tolist())) >= 9


def test_the_longest_vectors_do_not_set_the_scale_of_inner_products() -> None:
    vectors = np.random.default_rng(1).standard_normal((1000, 4)).astype(np.float32)
    vectors[7] *= 1e6
    space = Space.fit(Metric.INNER_PRODUCT, vectors)

    _, fits = space.place(vectors)

    assert not fits[7]
    assert fits.sum() >= 990
    assert space.dim == 5


def test_a_zero_vector_has_no_place_for_cosine_only() -> None:
    vectors = np.random.default_rng(1).standard_normal((10, 4)).astype(np.float32)
    vectors[3] = 0

    fits = {m: Space.fit(m, prepare(vectors, m)).place(prepare(vectors, m))[1] for m in Metric}

    assert not fits[Metric.COSINE][3]
    assert fits[Metric.L2][3]
    assert fits[Metric.INNER_PRODUCT][3]


@pytest.mark.parametrize("metric", [Metric.L2, Metric.INNER_PRODUCT], ids=lambda m: m.value)
def test_equal_vectors_make_a_space_too(metric: Metric) -> None:
    space = Space.fit(metric, np.ones((5, 3), np.float32))

    points, fits = space.place(np.ones((2, 3), np.float32))

    assert fits.all()
    assert np.abs(points).max() < 1


def test_a_query_far_from_all_has_no_aim_for_l2() -> None:
    vectors = np.random.default_rng(1).standard_normal((10, 4)).astype(np.float32)
    space = Space.fit(Metric.L2, vectors)

    assert space.aim(np.full((1, 4), 1e30, np.float32)) is None
