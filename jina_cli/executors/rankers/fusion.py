"""One ranking made of several: of several Pods, or of several scores of each match."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, ValuesColumn
from jina_cli.drivers.lists import best_first, ends_of, numbered, owners_of
from jina_cli.executors.base import Fuser

Floats = NDArray[np.float64]
Offsets = NDArray[np.int64]
Weights = Sequence[float] | Mapping[str, float]


class ScoreFuser(Fuser):
    """Fuses what the Pods found that this one `needs`.

    Where one Pod gives each match several `scores` by name, `requests` in YAML has these
    fused instead: `{/search: [{driver: RankDriver}]}`.

    Args:
        weights: What each counts: by the name of the Pod or score, 1 where it is not named; or
            a list, in the order of `needs`. Empty for the same.
    """

    def __init__(self, *, weights: Weights = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        values = list(weights.values() if isinstance(weights, Mapping) else weights)
        if any(weight < 0 for weight in values):
            raise ValueError(f"weights are {values}, and must not be below 0")
        self._weights = weights

    @abstractmethod
    def values(self, ranks: Floats, scores: Floats, offsets: Offsets) -> Floats:
        """Return what each list says of each match, shape `(lists, matches)`; 0 for nothing."""

    def fuse(
        self,
        ranks: Floats,
        scores: Floats,
        offsets: Offsets,
        *,
        inputs: Sequence[str] = (),
        **_: Any,
    ) -> Floats:
        """Return the score of each match, shape `(matches,)`; higher is better.

        Args:
            ranks: Its place in each list, from 1; nan where it is not in it. Shape
                `(lists, matches)`.
            scores: Its score there, likewise.
            offsets: Where the matches of each query begin and end, shape `(queries + 1,)`.
            inputs: Names of the lists; none where they are not known.

        Raises:
            ValueError: There are not as many weights as lists, or one is for an unknown list.
        """
        weights = self._weights_of(len(ranks), inputs)
        said = self.values(ranks, scores, offsets)
        # List by list, so that each sum has one order whatever the shape.
        total = np.zeros(said.shape[1])
        for weight, row in zip(weights, said, strict=True):
            total = total + weight * row
        return total

    def rank(
        self, queries: DocumentBatch, matches: DocsColumn, *, top_k: int, **_: Any
    ) -> DocsColumn:
        """Return the matches of each query by what their `scores` say together, best first.

        Raises:
            ValueError: As `fuse`.
        """
        rows: list[dict[str, float]] = [row or {} for row in matches.docs.values("scores")]
        names = sorted({name for row in rows for name in row})
        if not names:
            return matches
        scores = np.array([[row.get(name, np.nan) for row in rows] for name in names], np.float64)
        owners, ids = owners_of(matches), numbered(matches.docs.ids)[1]
        ranks = np.stack([_ranks(row, owners, ids) for row in scores])
        made = self.fuse(ranks, scores, matches.offsets, inputs=names)
        kept = best_first(owners, made, ids, top_k)
        docs = matches.docs.take(kept).with_columns(score=ValuesColumn(made[kept].tolist()))
        lengths = np.bincount(owners[kept], minlength=len(matches))
        return DocsColumn(ends_of(lengths), docs)

    def _weights_of(self, count: int, inputs: Sequence[str]) -> Sequence[float]:
        if isinstance(self._weights, Mapping):
            unknown = [name for name in self._weights if inputs and name not in inputs]
            if unknown:
                known = ", ".join(inputs)
                raise ValueError(f"a weight is for {unknown[0]!r}, and there are {known}")
            return [self._weights.get(name, 1.0) for name in inputs] or [1.0] * count
        if self._weights and len(self._weights) != count:
            raise ValueError(f"there are {len(self._weights)} weights for {count} lists")
        return self._weights or [1.0] * count


class ReciprocalRankFusion(ScoreFuser):
    """Fuse rankings by the places of a match in them: the sum of 1 / (k + rank).

    G. V. Cormack, C. L. A. Clarke and S. Büttcher, "Reciprocal Rank Fusion outperforms
    Condorcet and individual Rank Learning Methods", SIGIR 2009, with their k of 60.

    Args:
        k: How little first places count for more than later ones.
        weights: As of `ScoreFuser`.
    """

    def __init__(self, *, k: float = 60, weights: Weights = (), **kwargs: Any) -> None:
        super().__init__(weights=weights, **kwargs)
        self._k = k

    def values(self, ranks: Floats, scores: Floats, offsets: Offsets) -> Floats:
        return np.nan_to_num(1 / (self._k + ranks), nan=0.0)


class WeightedFusion(ScoreFuser):
    """Fuse rankings by the sum of their scores, brought to one scale for each query.

    Args:
        normalize: `min_max`: the lowest of a list is 0 and the highest 1 (J. H. Lee, "Analyses
            of Multiple Evidence Combination", SIGIR 1997); all are 1 where they are equal.
            `z`: by the standard deviation from the mean (M. Montague and J. A. Aslam,
            "Relevance Score Normalization for Metasearch", CIKM 2001). `none`: as they are.
            A match that is not in a list counts as its last one; with `none`, as 0.
        weights: As of `ScoreFuser`.
    """

    def __init__(
        self,
        *,
        normalize: Literal["min_max", "z", "none"] = "min_max",
        weights: Weights = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(weights=weights, **kwargs)
        self._normalize = normalize

    def values(self, ranks: Floats, scores: Floats, offsets: Offsets) -> Floats:
        made = np.zeros_like(scores)
        for start, end in pairwise(offsets.tolist()):
            for row, given in zip(made, scores, strict=True):
                row[start:end] = self._scaled(given[start:end])
        return made

    def _scaled(self, scores: Floats) -> Floats:
        known = scores[~np.isnan(scores)]
        if not len(known) or self._normalize == "none":
            return np.nan_to_num(scores, nan=0.0)
        low, high = known.min(), known.max()
        if self._normalize == "min_max":
            made = (scores - low) / (high - low) if high > low else scores * 0 + 1
            return np.nan_to_num(made, nan=0.0)
        spread = known.std() or 1.0
        made = (scores - known.mean()) / spread
        return np.asarray(np.nan_to_num(made, nan=(low - known.mean()) / spread), np.float64)


def _ranks(scores: Floats, owners: Offsets, ids: Offsets) -> Floats:
    """Return the place of each match in its list by one score, from 1; nan without a score."""
    order = best_first(owners, scores, ids, len(scores))
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(len(order)) - np.searchsorted(owners[order], owners[order]) + 1
    return np.where(np.isnan(scores), np.nan, ranks)
