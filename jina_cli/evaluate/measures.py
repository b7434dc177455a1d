"""Measures of how well a ranking answers a question, as trec_eval defines them.

`ranking` is what was found, best first, each id once. `judged` says how relevant a document is:
above 0 is relevant, and a document that nobody judged is not. A question that has no relevant
document, or found none, scores 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

Judgements = Mapping[str, int]
"""How relevant each judged document is; 0 or less for not at all."""


def relevant(ids: Iterable[str]) -> Judgements:
    """Return judgements that hold `ids` for relevant, all alike."""
    return dict.fromkeys(ids, 1)


def precision_at(k: int, ranking: Sequence[str], judged: Judgements) -> float:
    """Return the share of relevant documents among the first `k`, which all count."""
    return _hits(ranking[:k], judged) / k


def recall_at(k: int, ranking: Sequence[str], judged: Judgements) -> float:
    """Return the share of all relevant documents that are among the first `k`."""
    total = _total(judged)
    return _hits(ranking[:k], judged) / total if total else 0.0


def f1_at(k: int, ranking: Sequence[str], judged: Judgements) -> float:
    """Return the harmonic mean of precision and recall among the first `k`."""
    hits = _hits(ranking[:k], judged)
    return 2 * hits / (k + _total(judged)) if hits else 0.0


def reciprocal_rank(ranking: Sequence[str], judged: Judgements) -> float:
    """Return 1 over the rank of the first relevant document."""
    ranks = (rank for rank, id_ in enumerate(ranking, 1) if judged.get(id_, 0) > 0)
    return 1 / next(ranks, math.inf)


def average_precision(ranking: Sequence[str], judged: Judgements) -> float:
    """Return the mean, over all relevant documents, of the precision where each stands."""
    total = _total(judged)
    found = 0
    precisions = 0.0
    for rank, id_ in enumerate(ranking, 1):
        if judged.get(id_, 0) > 0:
            found += 1
            precisions += found / rank
    return precisions / total if total else 0.0


def ndcg_at(k: int, ranking: Sequence[str], judged: Judgements) -> float:
    """Return the gain of the first `k` over that of the best ranking there could be.

    A document's gain is its judgement, divided by the logarithm to base 2 of its rank + 1.
    """
    ideal = _gain(sorted(judged.values(), reverse=True)[:k])
    return _gain(judged.get(id_, 0) for id_ in ranking[:k]) / ideal if ideal else 0.0


def mean(values: Iterable[float]) -> float:
    """Return the mean over questions; 0 where there are none."""
    known = list(values)
    return math.fsum(known) / len(known) if known else 0.0


def _hits(ids: Iterable[str], judged: Judgements) -> int:
    return sum(judged.get(id_, 0) > 0 for id_ in ids)


def _total(judged: Judgements) -> int:
    return sum(grade > 0 for grade in judged.values())


def _gain(grades: Iterable[int]) -> float:
    return sum(max(grade, 0) / math.log2(rank + 1) for rank, grade in enumerate(grades, 1))
