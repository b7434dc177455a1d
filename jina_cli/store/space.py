"""The space that vectors of each metric are put in, so that near means good for all of them.

A graph of neighbours is walked by Euclidean distance: the order that a metric gives to vectors is
then that of distances, whatever the query.

* L2: as they are.
* Cosine: vectors of length 1, whose distance falls as their cosine grows.
* Inner product: one number more makes all vectors equally long, and queries have 0 there (Bachrach
  et al., 2014, "Speeding up the Xbox recommender system using a Euclidean transformation for
  inner-product spaces"). Without it long vectors would hide their neighbours from the walk.

Then the middle of the vectors is moved to zero and their numbers are scaled to about 1, as half
precision has eleven bits and ends at 65504.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jina_cli.store.exact import Doubles, squares_of
from jina_cli.store.records import Vectors
from jina_cli.vocabulary import Metric

_FARTHEST = 1000.0
"""Scaled numbers beyond it are no neighbours of the sample; their squares still fit float32."""

_USUAL = 0.995
"""Share of the sample that sets the length for inner products; longer vectors do not fit."""

_SLACK = 1.01
_SPREAD = 2.0**-20


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Where vectors of a metric go.

    Attributes:
        centre: Shape `(dim,)` of the space, the middle of a sample of vectors in it.
        scale: What distances from the middle are multiplied with.
        reach: Length of all vectors of an inner product; of no meaning for others.
    """

    metric: Metric
    centre: Vectors
    scale: float
    reach: float
    _factor: np.float32 = field(init=False)
    _shift: Vectors = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_factor", np.float32(self.scale))
        object.__setattr__(self, "_shift", self.centre * self._factor)

    @classmethod
    def fit(cls, metric: Metric, sample: Vectors) -> Self:
        """Return the space for vectors like `sample`, prepared, shape `(n, dim)`, n at least 1."""
        lengths = np.sqrt(squares_of(sample))
        reach = _SLACK * float(np.quantile(lengths, _USUAL))
        points = _points(metric, sample.astype(np.float64), reach)
        centre = points.mean(axis=0).astype(np.float32)
        # What is nearer to the middle than float32 can tell is no distance.
        noise = _SPREAD * float(np.abs(centre).max())
        farthest = max(float(np.abs(points - centre).max()), noise)
        return cls(
            metric=metric,
            centre=centre,
            scale=1 / farthest if farthest > 0 else 1.0,
            reach=reach,
        )

    @property
    def dim(self) -> int:
        """Length of what `place` returns."""
        return len(self.centre)

    @property
    def extra(self) -> int:
        """How many numbers points have beyond those of vectors."""
        return int(self.metric is Metric.INNER_PRODUCT)

    @property
    def has_no_zero(self) -> bool:
        """Whether a zero vector is as near to all as to none, so that it has no place."""
        return self.metric is Metric.COSINE

    def place(self, prepared: Vectors) -> tuple[Vectors, NDArray[np.bool_]]:
        """Return where vectors go, shape `(n, dim)` of the space, and which of them fit."""
        doubles = prepared.astype(np.float64)
        placed = self._scaled(_points(self.metric, doubles, self.reach))
        fits = np.abs(placed).max(axis=1) <= _FARTHEST
        if self.has_no_zero:
            fits &= prepared.any(axis=1)
        elif self.metric is Metric.INNER_PRODUCT:
            fits &= squares_of(prepared) <= self.reach**2
        return placed, fits

    def aim(self, prepared: Vectors) -> Vectors | None:
        """Return where to look for neighbours of queries; None where one of them fits nowhere.

        A zero query, to which all are equally near but for L2, goes anywhere.
        """
        if self.metric is Metric.COSINE:
            # The one case that has to be quick: most indexes are of this metric.
            aims = prepared * self._factor
            aims -= self._shift
            return aims
        doubles = prepared.astype(np.float64)
        if self.metric is Metric.INNER_PRODUCT:
            lengths = np.sqrt(np.square(doubles).sum(axis=1, keepdims=True))
            lengths[lengths == 0] = 1.0
            doubles = np.pad(doubles * (self.reach / lengths), ((0, 0), (0, 1)))
        aims = self._scaled(doubles)
        return aims if np.abs(aims).max() <= _FARTHEST else None

    def _scaled(self, points: Doubles) -> Vectors:
        points -= self.centre
        points *= self.scale
        with np.errstate(over="ignore"):
            return points.astype(np.float32)


def _points(metric: Metric, doubles: Doubles, reach: float) -> Doubles:
    if metric is not Metric.INNER_PRODUCT:
        return doubles
    missing = np.maximum(reach**2 - np.square(doubles).sum(axis=1, keepdims=True), 0.0)
    return np.concatenate([doubles, np.sqrt(missing)], axis=1)
