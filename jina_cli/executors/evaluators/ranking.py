"""Evaluators of what was found, by the measures of `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from jina_cli.evaluate.measures import relevant
from jina_cli.evaluate.metrics import Metric
from jina_cli.executors.base import Evaluator


class RankingEvaluator(Evaluator):
    """Judges the matches of each query that says what it should find.

    Args:
        eval_at: How many of the first matches are looked at; None for all.
        desired: Key of a query's `tags` with the ids that it should find, or with their grades
            by id.
    """

    measure: ClassVar[str]

    def __init__(
        self, *, eval_at: int | None = None, desired: str = "relevant", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.eval_at, self.desired = eval_at, desired
        self._metric = Metric(self.measure, eval_at or 0)

    def evaluate(self, actual: Sequence[str], desired: Any) -> float:
        """Return a value from 0 to 1, higher for better; 0 where nothing was found or desired.

        Args:
            actual: Ids, best first; one that stands there again counts once.
            desired: Ids, or grades by id, where only those above 0 are relevant.
        """
        judged = desired if isinstance(desired, Mapping) else relevant(desired)
        return self._metric.of(list(dict.fromkeys(actual)), judged)


class PrecisionEvaluator(RankingEvaluator):
    """The share of relevant ones among the first `eval_at` matches, or among all."""

    measure = "p"


class RecallEvaluator(RankingEvaluator):
    """The share of all relevant documents that are among the matches."""

    measure = "recall"


class F1Evaluator(RankingEvaluator):
    """The harmonic mean of precision and recall."""

    measure = "f1"


class ReciprocalRankEvaluator(RankingEvaluator):
    """1 over the place of the first relevant match."""

    measure = "mrr"


class AveragePrecisionEvaluator(RankingEvaluator):
    """The mean, over all relevant documents, of the precision where each is found."""

    measure = "map"


class NdcgEvaluator(RankingEvaluator):
    """The gain of the matches, by their grades, over that of the best ranking there could be."""

    measure = "ndcg"
    graded = True
