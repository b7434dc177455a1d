"""Exact nearest vectors: float32 finds the candidates, float64 decides among them.

A product of matrices in float32 rounds differently with the number of rows and queries in it.
So it is only used to rule vectors out, with a margin no rounding exceeds; what is left is scored
again, one pair at a time. A score therefore depends on the query and the vector alone, not on what
else is in the index, in the batch or on the shard, and equal vectors have equal scores.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jina_cli.store.records import Numbers, Vectors
from jina_cli.vocabulary import Metric

_SCORES_BYTES = 8 << 20
"""Bound of the block of scores that is held at once, unless one query alone needs more.

Larger ones are slower: they are read again from memory instead of from the cache.
"""

_BLOCK_BYTES = 4 << 20
"""Bound of the rows that are copied at once."""

_GROUPS = 64
"""Of each row of scores, this many at a time are compared to find where to look closer."""

_SCATTERED = 4
"""Reading a row on its own costs about as much as reading so many in order."""

_UNIT_ROUNDOFF = 2.0**-24
_SMALLEST = 2.0**-149
_SHORTEST = 2.0**-500  # of the length of a vector that is not zero, and still none for zero
_SAFE_SCALE = 2.0**120  # above it a sum in float32 may overflow on the way
_SPARE_ROUNDINGS = 16  # of the query, the norms, the sum and the final score

Doubles: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]
Rows: TypeAlias = slice | Places
"""Some rows of a matrix: those between two bounds, or each by its place, in order."""


def prepare(vectors: Vectors, metric: Metric) -> Vectors:
    """Return `vectors`, shape `(n, dim)`, as they are searched: for cosine, of length 1.

    A zero vector stays zero, and so scores 0 against everything.
    """
    if metric is not Metric.COSINE:
        return vectors
    if vectors.nbytes <= _BLOCK_BYTES // 2:
        return _of_length_one(vectors)
    prepared = np.empty_like(vectors)
    for part in _blocks(len(vectors), 2 * vectors.shape[1]):
        prepared[part] = _of_length_one(vectors[part])
    return prepared


def _of_length_one(vectors: Vectors) -> Vectors:
    doubles = vectors.astype(np.float64)
    lengths = np.sqrt(np.add.reduce(doubles * doubles, axis=1, keepdims=True))
    doubles /= np.maximum(lengths, _SHORTEST)
    return doubles.astype(np.float32)


def squares_of(prepared: Vectors) -> Doubles:
    """Return the squared length of each vector, shape `(n,)`."""
    squares = np.empty(len(prepared))
    for part in _blocks(len(prepared), 2 * prepared.shape[1]):
        doubles = prepared[part].astype(np.float64)
        np.add.reduce(doubles * doubles, axis=1, out=squares[part])
    return squares


def count_of(rows: Rows) -> int:
    """Return how many rows there are."""
    return rows.stop - rows.start if isinstance(rows, slice) else len(rows)


class Exact:
    """Vectors that stay as they are while they are searched.

    Args:
        matrix: Shape `(n, dim)`, from `prepare`.
        squares: Shape `(n,)`, from `squares_of`; for L2 best as float32, for cosine float64, and
            there 1 for zero vectors.
        longest: No row is longer.
        owners: Shape `(n,)`, the document of each row; None where no two have the same.
    """

    def __init__(
        self,
        *,
        matrix: Vectors,
        squares: NDArray[np.floating[Any]],
        longest: float,
        metric: Metric,
        owners: Numbers | None = None,
    ) -> None:
        self._matrix = matrix
        self._squares = squares
        self._longest = longest
        self._metric = metric
        self._owners = owners

    def candidates(self, queries: Vectors, rows: Rows, top_k: int) -> Iterator[Places]:
        """Give, for each prepared query, rows among which are the best of `top_k` documents.

        Among them is every vector of `rows` that scores as much as the best one of any of these
        documents, so ties can be told apart.
        """
        owners = None if self._owners is None else self._owners[rows]
        for query, coarse in zip(queries, self._coarse(queries, rows), strict=True):
            margin = 2 * self._error(float(np.linalg.norm(query.astype(np.float64))))
            floor = _floor(coarse, top_k)
            if owners is not None:
                floor = _floor_of_documents(coarse, owners, top_k)
            # Written so that a NaN, from numbers too large for float32, rules nothing out.
            places = np.flatnonzero(~(coarse < floor - margin))
            yield places + rows.start if isinstance(rows, slice) else rows[places]

    def scores(self, query: Vectors, places: Places) -> NDArray[np.float32]:
        """Return the score of each of some rows for a prepared query, shape `(dim,)`."""
        doubles = query.astype(np.float64)
        rows = self._matrix.take(places, axis=0).astype(np.float64)
        # Not a matrix product: the order of this sum does not depend on the number of rows.
        if self._metric is Metric.L2:
            rows -= doubles
            rows *= rows
            distances: Doubles = np.sqrt(np.add.reduce(rows, axis=1))
            return _as_floats(-distances)
        rows *= doubles
        scores: Doubles = np.add.reduce(rows, axis=1)
        if self._metric is Metric.COSINE:
            # Float32 left the lengths a little off 1, and equal vectors score exactly 1.
            doubles *= doubles
            scores /= np.sqrt(self._squares.take(places) * (np.add.reduce(doubles) or 1.0))
            np.minimum(np.maximum(scores, -1.0, out=scores), 1.0, out=scores)
            return scores.astype(np.float32)
        return _as_floats(scores)

    def _coarse(self, queries: Vectors, rows: Rows) -> Iterator[Vectors]:
        """Yield one row of rough scores for each query; only their order means something."""
        step = max(1, _SCORES_BYTES // (4 * max(1, len(self._matrix))))
        for start in range(0, len(queries), step):
            with np.errstate(over="ignore", invalid="ignore"):
                block = self._products(queries[start : start + step], rows)
                if self._metric is Metric.L2:
                    block *= 2
                    block -= self._squares[rows]
            yield from block

    def _products(self, queries: Vectors, rows: Rows) -> Vectors:
        if isinstance(rows, slice):
            return queries @ self._matrix[rows].T
        if _SCATTERED * len(rows) > len(self._matrix):
            return (queries @ self._matrix.T)[:, rows]
        products = np.empty((len(queries), len(rows)), np.float32)
        for part in _blocks(len(rows), self._matrix.shape[1]):
            np.matmul(queries, self._matrix[rows[part]].T, out=products[:, part])
        return products

    def _error(self, length: float) -> float:
        """Return what a rough score is off by at most, for a query of that length."""
        operations = self._matrix.shape[1] + _SPARE_ROUNDINGS
        scale = length * self._longest
        if self._metric is Metric.L2:
            scale = (length + self._longest) ** 2
        if scale > _SAFE_SCALE:
            return np.inf
        return float(operations * (_UNIT_ROUNDOFF * scale + _SMALLEST))


def _blocks(count: int, numbers: int) -> Iterator[slice]:
    """Cut `count` rows of so many numbers of four bytes into pieces that fit into a cache."""
    step = max(1, _BLOCK_BYTES // (4 * max(1, numbers)))
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def _as_floats(scores: Doubles) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return scores.astype(np.float32)


def _floor(coarse: Vectors, top_k: int) -> float:
    """Return a number that at least `top_k` of the scores reach, as high as is cheap to find.

    The best of each group of scores is taken; the `top_k`-th of these will do.
    """
    count = len(coarse)
    if count <= top_k:
        return -np.inf
    width = count // _GROUPS
    if width < 2 * top_k:
        return float(np.partition(coarse, count - top_k)[count - top_k])
    tops = coarse[: width * _GROUPS].reshape(_GROUPS, width).max(axis=0)
    return float(np.partition(tops, width - top_k)[width - top_k])


def _floor_of_documents(coarse: Vectors, owners: Numbers, top_k: int) -> float:
    """Return a number that vectors of at least `top_k` documents reach."""
    wanted = top_k
    while True:
        floor = _floor(coarse, wanted)
        if not floor > -np.inf or len(np.unique(owners[coarse >= floor])) >= top_k:
            return floor
        wanted *= 4
