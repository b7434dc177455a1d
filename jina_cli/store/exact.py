"""Exact nearest vectors: float32 finds the candidates, float64 decides among them.

A product of matrices in float32 rounds differently with the number of rows and queries in it.
So it is only used to rule vectors out, with a margin no rounding exceeds; what is left is scored
again, one pair at a time. A score therefore depends on the query and the vector alone, not on what
else is in the index, in the batch or on the shard, and equal vectors have equal scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from jina_cli.store.records import Found, Vectors
from jina_cli.vocabulary import Metric

_SCORES_BYTES = 8 << 20
"""Bound of the block of scores that is held at once, unless one query alone needs more.

Larger ones are slower: they are read again from memory instead of from the cache.
"""

_GROUPS = 64
"""Of each row of scores, this many at a time are compared to find where to look closer."""

_UNIT_ROUNDOFF = 2.0**-24
_SMALLEST = 2.0**-149
_SAFE_SCALE = 2.0**120  # above it a sum in float32 may overflow on the way
_SPARE_ROUNDINGS = 16  # of the query, the norms, the sum and the final score

Doubles = NDArray[np.float64]


def prepare(vectors: Vectors, metric: Metric) -> Vectors:
    """Return `vectors`, shape `(n, dim)`, as `search` wants them: for cosine, of length 1.

    A zero vector stays zero, and so scores 0 against everything.
    """
    if metric is not Metric.COSINE:
        return vectors
    doubles = vectors.astype(np.float64)
    lengths = np.linalg.norm(doubles, axis=1, keepdims=True)
    return np.divide(doubles, np.where(lengths == 0, 1.0, lengths)).astype(np.float32)


def squares_of(prepared: Vectors) -> Doubles:
    """Return the squared length of each vector."""
    doubles = prepared.astype(np.float64)
    squares: Doubles = np.square(doubles).sum(axis=1)
    return squares


class Exact:
    """Vectors that stay as they are while they are searched.

    Args:
        ids: One for each row.
        matrix: Shape `(n, dim)`, from `prepare`.
        squares: Shape `(n,)`, float32, of the rows of `matrix`; only used for L2.
        longest: No row is longer.
    """

    def __init__(
        self,
        *,
        ids: Sequence[str],
        matrix: Vectors,
        squares: Vectors,
        longest: float,
        metric: Metric,
    ) -> None:
        self._ids = ids
        self._matrix = matrix
        self._squares = squares
        self._longest = longest
        self._metric = metric

    def search(self, queries: Vectors, top_k: int) -> Found:
        """Return the best `top_k` rows for each query, shape `(queries, dim)`."""
        prepared = prepare(queries, self._metric)
        ids: list[list[str]] = []
        scores: list[NDArray[np.float32]] = []
        for query, coarse in zip(prepared, self._coarse(prepared), strict=True):
            best, score = self._best(query, coarse, top_k)
            ids.append(best)
            scores.append(score)
        return Found(ids, scores)

    def _coarse(self, queries: Vectors) -> Iterator[Vectors]:
        """Yield one row of rough scores for each query; only their order means something."""
        step = max(1, _SCORES_BYTES // (4 * max(1, len(self._matrix))))
        for start in range(0, len(queries), step):
            with np.errstate(over="ignore", invalid="ignore"):
                block = queries[start : start + step] @ self._matrix.T
                if self._metric is Metric.L2:
                    block *= 2
                    block -= self._squares
            yield from block

    def _best(
        self, query: Vectors, coarse: Vectors, top_k: int
    ) -> tuple[list[str], NDArray[np.float32]]:
        exact = query.astype(np.float64)
        places = self._candidates(coarse, top_k, float(np.linalg.norm(exact)))
        scores = self._scores(exact, places).astype(np.float32)
        ids = [self._ids[place] for place in places.tolist()]
        losses = (-scores).tolist()
        order = sorted(range(len(ids)), key=lambda i: (losses[i], ids[i]))[:top_k]
        return [ids[i] for i in order], scores[order]

    def _candidates(self, coarse: Vectors, top_k: int, length: float) -> NDArray[np.intp]:
        margin = 2 * self._error(length)
        # Written so that a NaN, from numbers too large for float32, rules nothing out.
        floor = _floor(coarse, top_k) - margin
        return np.flatnonzero(~(coarse < floor))

    def _error(self, length: float) -> float:
        """Return what a rough score is off by at most, for a query of that length."""
        operations = self._matrix.shape[1] + _SPARE_ROUNDINGS
        scale = length * self._longest
        if self._metric is Metric.L2:
            scale = (length + self._longest) ** 2
        if scale > _SAFE_SCALE:
            return np.inf
        return float(operations * (_UNIT_ROUNDOFF * scale + _SMALLEST))

    def _scores(self, query: Doubles, places: NDArray[np.intp]) -> Doubles:
        rows = self._matrix[places].astype(np.float64)
        # Not a matrix product: the order of this sum does not depend on the number of rows.
        if self._metric is Metric.L2:
            distances: Doubles = np.sqrt(np.square(rows - query).sum(axis=1))
            return -distances
        scores: Doubles = (rows * query).sum(axis=1)
        if self._metric is Metric.COSINE:
            # Float32 left the lengths a little off 1, and equal vectors score exactly 1.
            lengths = np.sqrt(np.square(rows).sum(axis=1) * np.square(query).sum())
            scores = (scores / np.where(lengths == 0, 1.0, lengths)).clip(-1, 1)
        return scores


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
