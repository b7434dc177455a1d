"""Measures by the names that people give them, `ndcg@10`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from jina_cli.errors import UsageError
from jina_cli.evaluate.measures import (
    Judgements,
    average_precision,
    f1_at,
    ndcg_at,
    precision_at,
    recall_at,
    reciprocal_rank,
)
from jina_cli.nearest import nearest

DEFAULT = "ndcg@10,recall@100,map,mrr,p@10,f1@10"

_Measure = Callable[[int, Sequence[str], Judgements], float]

_MEASURES: Mapping[str, _Measure] = {
    "ndcg": ndcg_at,
    "recall": recall_at,
    "map": lambda k, ranking, judged: average_precision(ranking[:k], judged),
    "mrr": lambda k, ranking, judged: reciprocal_rank(ranking[:k], judged),
    "p": precision_at,
    "f1": f1_at,
}

_ALIASES = {
    "precision": "p",
    "r": "recall",
    "ap": "map",
    "rr": "mrr",
    "recip_rank": "mrr",
    "f": "f1",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure, and how many of the first documents it looks at.

    Attributes:
        name: One of `ndcg`, `recall`, `map`, `mrr`, `p`, `f1`.
        k: 0 for all that was found.
    """

    name: str
    k: int = 0

    def __str__(self) -> str:
        return f"{self.name}@{self.k}" if self.k else self.name

    def of(self, ranking: Sequence[str], judged: Judgements) -> float:
        """Return how well a ranking, best first, answers one question; 0 if it is empty."""
        if not ranking:
            return 0.0
        # The best ranking there could be holds what was not found, too.
        whole = max(len(ranking), len(judged)) if self.name == "ndcg" else len(ranking)
        return _MEASURES[self.name](self.k or whole, ranking, judged)


def metric_of(text: str) -> Metric:
    """Return the metric of a text, `ndcg@10` or `map`.

    Raises:
        UsageError: There is none of that name, or what stands behind `@` is no number of
            documents.
    """
    name, at, depth = text.strip().casefold().partition("@")
    name = _ALIASES.get(name, name)
    if name not in _MEASURES:
        near = nearest(name, [*_MEASURES, *_ALIASES])
        known = f"there are {', '.join(_MEASURES)}"
        raise UsageError(
            f"there is no metric {text.strip()!r}",
            hint=f"did you mean {near!r}?" if near else known,
        )
    if at and not (depth.isascii() and depth.isdigit() and int(depth)):
        raise UsageError(f"{text.strip()!r} is no metric", hint=f"write it as {name}@10")
    return Metric(name, int(depth) if at else 0)


def metrics_of(texts: Iterable[str]) -> tuple[Metric, ...]:
    """Return the metrics of texts that hold one or several with commas between them, each once.

    Raises:
        UsageError: As `metric_of`; or there is none at all.
    """
    parts = [part for text in texts for part in text.split(",") if part.strip()]
    if not parts:
        raise UsageError("no metric is named", hint=f"as {DEFAULT}")
    return tuple(dict.fromkeys(map(metric_of, parts)))
