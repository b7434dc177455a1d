"""Several rankings of the same documents as one."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence

RRF_K = 60.0
"""The constant of reciprocal rank fusion, as in Cormack, Clarke and Büttcher (SIGIR 2009)."""


def reciprocal_ranks(rankings: Iterable[Sequence[str]], k: float = RRF_K) -> dict[str, float]:
    """Return the score of each document: the sum of `1 / (k + rank)` over the rankings.

    Reciprocal rank fusion. Scores of the rankings themselves do not count, so that they need
    not be comparable; a document that a ranking lacks gets nothing from it.

    Args:
        rankings: Ids, best first; ranks count from 1.
        k: At least 0; the higher, the less it matters to be first in one of them.
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, id_ in enumerate(ranking, 1):
            scores[id_] = scores.get(id_, 0.0) + 1 / (k + rank)
    return scores


def best(scores: Mapping[str, float], count: int) -> list[str]:
    """Return the ids with the highest scores, best first; equal ones in the order of ids."""
    pairs = ((-score, id_) for id_, score in scores.items())
    return [id_ for _, id_ in heapq.nsmallest(count, pairs)]


def reordered(ids: Sequence[str], scores: Sequence[float], count: int) -> list[str]:
    """Return ids of which the first `count` are in the order of other scores, best first.

    Equal ones stay in their order, and those whose score is NaN go behind the others of them.

    Args:
        scores: Of the first `count`, or of as many as there are.
    """
    first = range(min(count, len(ids)))
    order = sorted(first, key=lambda place: _falling(scores[place]))
    return [*(ids[place] for place in order), *ids[count:]]


def _falling(score: float) -> tuple[bool, float]:
    is_none = math.isnan(score)
    return is_none, 0.0 if is_none else -score
