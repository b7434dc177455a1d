"""Encoders of numbers: fewer of them, which say nearly as much."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.base import Encoder
from jina_cli.executors.encoders.learnt import LearntComponents
from jina_cli.executors.endpoints import Batching
from jina_cli.executors.families import ZERO_WAIT

_FORMAT = 1


class PcaEncoder(Encoder):
    """Encode arrays of numbers by their principal components.

    These are learnt from what the `/train` endpoint gets, and kept in the workspace. With
    `field: embedding` it shortens vectors that another encoder made.

    Args:
        dim: Length of the vectors.
        field: What is encoded: `tensor`, of any shape but the same for all, or `embedding`.
    """

    def __init__(self, *, dim: int = 64, field: str = "tensor", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.field = field
        self._learnt = LearntComponents(
            Path(self.workspace) / "pca.npz" if self.workspace else None,
            made_for=(_FORMAT,),
            dim=dim,
        )

    def train(self, content: Any, *, reset: bool = False, **_: Any) -> None:
        """Learn from arrays, shape `(n, *shape)`, on top of those before.

        Vectors made from here on are not comparable with those made before: index after
        training.

        Args:
            content: The arrays.
            reset: Whether to forget those before.

        Raises:
            ValueError: There are fewer arrays or numbers than `dim`, counting those before, or
                they are of several shapes. Nothing was learnt.
        """
        self._learnt.learn(flat(content), reset=reset)

    def encode(self, content: Any) -> NDArray[np.float32]:
        """Return vectors, shape `(n, dim)`, of arrays, shape `(n, *shape)`.

        Raises:
            NotTrained: Nothing was sent to `/train` yet, here or in an earlier run.
            ValueError: They are of several shapes, or of another than those trained on.
        """
        return self._learnt.project(flat(content), what="arrays")

    def default_batching(self) -> Mapping[str, Batching]:
        return dict.fromkeys(("/index", "/search", "/update"), ZERO_WAIT)


class RandomProjectionEncoder(Encoder):
    """Encode arrays of numbers by sums of them with random signs.

    Nothing is learnt: `dim` numbers keep the distances among any `n` arrays up to a factor of
    1 ± e, with a probability that grows with `dim * e²` and falls with the logarithm of `n`
    (W. Johnson and J. Lindenstrauss, 1984; with signs: D. Achlioptas, "Database-friendly random
    projections", 2003).

    Args:
        dim: Length of the vectors.
        seed: Chooses the signs; the same seed gives the same vectors on every machine.
        field: What is encoded: `tensor`, of any shape but the same for all, or `embedding`.
    """

    def __init__(
        self, *, dim: int = 64, seed: int = 0, field: str = "tensor", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if dim < 1 or seed < 0:
            raise ValueError(f"dim must be 1 or more and seed 0 or more, got {dim} and {seed}")
        self.field = field
        self._dim = dim
        self._seed = seed
        self._signs = np.zeros((0, dim), np.float32)

    def encode(self, content: Any) -> NDArray[np.float32]:
        """Return vectors, shape `(n, dim)`, of arrays, shape `(n, *shape)`.

        Raises:
            ValueError: They are of several shapes, or no numbers.
        """
        numbers = flat(content)
        if len(self._signs) != numbers.shape[1]:
            self._signs = random_signs(numbers.shape[1], self._dim, self._seed)
        return np.asarray(numbers @ self._signs, np.float32)

    def default_batching(self) -> Mapping[str, Batching]:
        return dict.fromkeys(("/index", "/search", "/update"), ZERO_WAIT)


def flat(content: Any) -> NDArray[np.float32]:
    """Return arrays of one shape as rows of float32, shape `(n, numbers)`.

    Raises:
        ValueError: They are of several shapes, or no numbers.
    """
    if not isinstance(content, np.ndarray):
        shapes = sorted({np.shape(one) for one in content})
        if len(shapes) > 1:
            raise ValueError(f"arrays of one request have several shapes: {shapes[0]}, {shapes[1]}")
        content = np.asarray(content)
    if content.dtype.kind not in "fiub":
        raise ValueError(f"arrays must hold numbers, got {content.dtype}")
    return np.asarray(content.reshape(len(content), -1), np.float32)


def random_signs(features: int, dim: int, seed: int) -> NDArray[np.float32]:
    """Return a matrix of ±1/√dim, shape `(features, dim)`.

    Of the bits of Philox4x64-10 and not of a distribution of numpy's, since only the former
    are promised to stay the same from version to version (NEP 19).
    """
    count = features * dim
    words = np.random.Philox(key=seed).random_raw(-(-count // 64))
    bits = np.unpackbits(words.astype("<u8").view(np.uint8), count=count)
    signs = bits.astype(np.float32).reshape(features, dim) * 2 - 1
    return np.asarray(signs / np.sqrt(np.float32(dim)), np.float32)
