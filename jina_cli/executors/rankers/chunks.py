"""From the scores of matched chunks to that of their document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.base import ChunkRanker

Floats = NDArray[np.float64]
Offsets = NDArray[np.int64]

Aggregate = Literal["max", "min", "mean", "sum", "top_m"]


class Chunk2DocRanker(ChunkRanker):
    """Make of matched chunks a match of the document they are chunks of, the best first.

    Args:
        aggregate: What of its chunks' scores a document's is: the best (`max`, which is MaxP:
            Z. Dai and J. Callan, SIGIR 2019), the worst (`min`), their `mean`, their `sum`
            (many good chunks count for more than one), or `top_m`: the mean of the best `m`,
            or of those there are.
        m: As of `top_m`.
        distances: Whether scores are distances, smaller for better: then a document's is
            1 / (1 + x) of the smallest (`min`), the largest, …, and the best of `top_m` are
            the smallest. With `min` this is the MinRanker of Jina 0.9.
        source: Where matched chunks are: in the matches of a query's own `chunks`, in its
            `matches`, or `auto`, the first of these that has any.
        keep: Which of the matched chunks a match has as its chunks: the `best`, by its score,
            `all` or `none`. By default the best; of distances none.
    """

    def __init__(
        self,
        *,
        aggregate: Aggregate = "max",
        m: int = 3,
        distances: bool = False,
        source: Literal["auto", "chunks", "matches"] = "auto",
        keep: Literal["best", "all", "none"] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.keep = keep or ("none" if distances else "best")
        self._aggregate = aggregate
        self._m = m
        self._distances = distances

    def aggregate(self, scores: Floats, offsets: Offsets) -> Floats:
        """Return the score of each document, shape `(documents,)`.

        Args:
            scores: Shape `(chunks,)`; those of one document follow each other.
            offsets: Where those of each begin and end, shape `(documents + 1,)`; none is empty.
        """
        if self._aggregate == "top_m":
            made = self._top_m(scores, offsets)
        else:
            made = _AGGREGATES[self._aggregate](scores, offsets)
        return 1 / (1 + made) if self._distances else made

    def _top_m(self, scores: Floats, offsets: Offsets) -> Floats:
        sign = 1 if self._distances else -1
        rows = [
            np.sort(sign * scores[start:end])[: self._m].mean()
            for start, end in pairwise(offsets.tolist())
        ]
        return sign * np.array(rows, np.float64)


def _mean(scores: Floats, offsets: Offsets) -> Floats:
    return np.asarray(np.add.reduceat(scores, offsets[:-1]) / np.diff(offsets), np.float64)


_AGGREGATES: Mapping[str, Callable[[Floats, Offsets], Floats]] = {
    "max": lambda scores, offsets: np.maximum.reduceat(scores, offsets[:-1]),
    "min": lambda scores, offsets: np.minimum.reduceat(scores, offsets[:-1]),
    "sum": lambda scores, offsets: np.add.reduceat(scores, offsets[:-1]),
    "mean": _mean,
}
