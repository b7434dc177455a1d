"""Principal components that are learnt from what `/train` gets, and kept in a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.encoders.components import Moments, Projection, principal_components
from jina_cli.files import write_whole


class NotTrained(ValueError):
    """The encoder was asked for vectors before it was trained."""


class LearntComponents:
    """The first `dim` principal components of all that was learnt from.

    Args:
        path: File it is kept in; None to keep it in memory alone.
        made_for: Numbers that say what the vectors are; a file that was made for others is
            not used.
        dim: Length of the vectors that are made.
    """

    def __init__(self, path: Path | None, *, made_for: Sequence[int], dim: int) -> None:
        self._path = path
        self._made_for = list(made_for)
        self._dim = dim
        self._moments: Moments | None = None
        self._projection: Projection | None = None
        self._load()

    def learn(self, vectors: NDArray[np.float32], *, reset: bool) -> None:
        """Learn from vectors, shape `(n, features)`, on top of those before unless `reset`.

        Raises:
            ValueError: There are fewer vectors or features than `dim`, counting those before,
                or they are of another length. Nothing was learnt.
        """
        seen = Moments.of(vectors)
        before = None if reset else self._moments
        if before is not None and len(before.total) != len(seen.total):
            raise ValueError(
                f"vectors of {len(seen.total)} numbers cannot be learnt on top of others of "
                f"{len(before.total)}: send reset=true to begin anew"
            )
        moments = seen if before is None else before + seen
        self._projection = principal_components(moments, self._dim)
        self._moments = moments
        self._save()

    def project(self, vectors: NDArray[np.float32], *, what: str) -> NDArray[np.float32]:
        """Return vectors, shape `(n, features)`, in `dim` numbers each.

        Args:
            vectors: As those that were learnt from.
            what: What is posted to `/train`, for the error.

        Raises:
            NotTrained: Nothing was learnt yet, here or in an earlier run.
            ValueError: They are of another length.
        """
        if self._projection is None:
            raise NotTrained(f"not trained yet: post {what} to /train first")
        if vectors.shape[1] != len(self._projection.mean):
            raise ValueError(
                f"{what} of {vectors.shape[1]} numbers, and it was trained on "
                f"{len(self._projection.mean)}"
            )
        return self._projection(vectors)

    def _load(self) -> None:
        if self._path is None or not self._path.is_file():
            return
        with np.load(self._path, allow_pickle=False) as kept:
            if [int(number) for number in kept["made_for"]] != self._made_for:
                return
            moments = Moments(int(kept["count"]), kept["total"], kept["products"])
        if min(moments.count, len(moments.total)) < self._dim:
            return
        self._moments = moments
        self._projection = principal_components(moments, self._dim)

    def _save(self) -> None:
        path, moments = self._path, self._moments
        if path is None or moments is None:
            return

        def write(file: BinaryIO) -> None:
            np.savez(
                file,
                made_for=np.array(self._made_for),
                count=np.array(moments.count),
                total=moments.total,
                products=moments.products,
            )

        # Replicas share the workspace and learn the same: whoever writes last is right.
        write_whole(path, write, mode=0o600, durable=True)
