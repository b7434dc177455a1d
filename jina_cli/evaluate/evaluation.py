"""What a run of many queries is worth, given judgements."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from jina_cli.evaluate.measures import Judgements, mean
from jina_cli.evaluate.metrics import Metric

Qrels: TypeAlias = Mapping[str, Judgements]
"""Query → its judgements."""

Run: TypeAlias = Mapping[str, Mapping[str, float]]
"""Query → the documents that were found for it, each with its score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What became of the queries that are judged.

    Attributes:
        per_query: Query, in the order of the judgements → one value for each metric.
        means: Over these queries, one value for each metric.
        missing: Judged queries for which nothing was found.
        unjudged: Queries of the run that nobody judged, which count for nothing.
    """

    metrics: tuple[Metric, ...]
    per_query: Mapping[str, tuple[float, ...]]
    means: tuple[float, ...]
    missing: tuple[str, ...]
    unjudged: tuple[str, ...]

    def value(self, metric: Metric) -> float:
        """Return the mean of one of the metrics."""
        return self.means[self.metrics.index(metric)]


def evaluated(
    run: Run, qrels: Qrels, metrics: Sequence[Metric], *, skip_missing: bool = False
) -> Evaluation:
    """Return what a run is worth.

    Args:
        skip_missing: Whether judged queries that found nothing count for nothing, as in
            trec_eval; else each value of theirs is 0, as in trec_eval with `-c`.
    """
    missing = tuple(query for query in qrels if not run.get(query))
    per_query = {
        query: _values(run.get(query, {}), judged, metrics)
        for query, judged in qrels.items()
        if run.get(query) or not skip_missing
    }
    return Evaluation(
        metrics=tuple(metrics),
        per_query=per_query,
        means=tuple(mean(v[i] for v in per_query.values()) for i in range(len(metrics))),
        missing=missing,
        unjudged=tuple(query for query in run if query not in qrels),
    )


def ranked(scores: Mapping[str, float]) -> list[str]:
    """Return ids in the order of trec_eval 9: highest score first, then the greater id first.

    Scores are compared in single precision, as it keeps them, so that what differs by less
    is a tie.
    """
    return sorted(scores, key=lambda id_: (_single(scores[id_]), id_), reverse=True)


def _values(
    scores: Mapping[str, float], judged: Judgements, metrics: Sequence[Metric]
) -> tuple[float, ...]:
    ranking = ranked(scores)
    return tuple(metric.of(ranking, judged) for metric in metrics)


def _single(value: float) -> float:
    try:
        number: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:  # beyond what single precision holds
        return float("inf") if value > 0 else float("-inf")
    return number
