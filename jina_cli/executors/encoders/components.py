"""Principal components, learnt from any number of batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Moments:
    """What principal components need to know of the vectors seen so far; sums, so that the
    order and the size of the batches make no difference but rounding.

    Attributes:
        count: How many vectors.
        total: Their sum, shape `(features,)`, float64.
        products: The sum of their outer products, shape `(features, features)`, float64.
    """

    count: int
    total: NDArray[np.float64]
    products: NDArray[np.float64]

    @classmethod
    def of(cls, vectors: NDArray[np.float32]) -> Moments:
        """Return the moments of `vectors`, shape `(n, features)`."""
        exact = vectors.astype(np.float64)
        return cls(len(exact), exact.sum(0), exact.T @ exact)

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.count + other.count, self.total + other.total, self.products + other.products
        )


@dataclass(frozen=True, slots=True)
class Projection:
    """Vectors onto their principal components.

    Attributes:
        mean: Shape `(features,)`.
        axes: Shape `(features, dim)`, columns of length 1, the one of most variance first.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `vectors`, shape `(n, features)`, in `dim` numbers each: `(n, dim)`."""
        return np.asarray((vectors - self.mean) @ self.axes, np.float32)


def principal_components(moments: Moments, dim: int) -> Projection:
    """Return the projection onto the `dim` directions of most variance.

    The sign of each direction is chosen so that its largest entry is positive: the same
    data gives the same vectors in every process.

    Raises:
        ValueError: There are fewer vectors or features than `dim`.
    """
    features = len(moments.total)
    if min(moments.count, features) < dim:
        raise ValueError(
            f"{dim} components need at least {dim} training documents and features, "
            f"got {moments.count} of {features}"
        )
    mean = moments.total / moments.count
    covariance = moments.products / moments.count - np.outer(mean, mean)
    _, vectors = np.linalg.eigh(covariance)
    axes = vectors[:, ::-1][:, :dim]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(0)[None, :], axis=0)
    return Projection(mean.astype(np.float32), (axes * np.sign(largest)).astype(np.float32))
