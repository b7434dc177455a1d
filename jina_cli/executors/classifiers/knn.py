"""Labels by those of the nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

from jina_cli.documents.column import DocsColumn
from jina_cli.drivers.base import Driver
from jina_cli.drivers.predict import PredictDriver
from jina_cli.executors.base import Classifier


class KnnClassifier(Classifier):
    """Label a query by the vote of its first matches: T. M. Cover and P. E. Hart, "Nearest
    Neighbor Pattern Classification", 1967. Stands behind an indexer that returns `tags`.

    Args:
        k: Matches that vote; those without a label do not.
        label: Key of the matches' `tags` with their label.
        weight: What a vote counts: `uniform`, the same; `score`, the score of the match, 0
            where that is below.
        into: Key of the query's `tags` for the label; its share of the votes goes under
            `into` + `_score`.
    """

    field = "matches"

    def __init__(
        self,
        *,
        k: int = 10,
        label: str = "label",
        weight: Literal["uniform", "score"] = "uniform",
        into: str = "label",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.label, self.into = label, into
        self._k = k
        self._is_weighted = weight == "score"

    def predict(self, content: DocsColumn, **_: Any) -> list[dict[str, float] | None]:
        """Return the share of the votes that each label got; None where nobody votes.

        Args:
            content: `n` lists of matches, best first.
        """
        labels = [_label(tags, self.label) for tags in content.docs.values("tags")]
        weights = [1.0] * len(labels)
        if self._is_weighted:
            weights = [max(0.0, float(score or 0)) for score in content.docs.values("score")]
        ends = pairwise(content.offsets.tolist())
        return [
            _shares(labels[a : min(b, a + self._k)], weights[a : min(b, a + self._k)])
            for a, b in ends
        ]

    def default_drivers(self) -> Mapping[str, Sequence[Driver]]:
        driver = PredictDriver(field=self.field, into=self.into)
        return dict.fromkeys(("/predict", "/search"), (driver,))


def _label(tags: Any, key: str) -> str | None:
    value = tags.get(key) if isinstance(tags, Mapping) else None
    return None if value is None or isinstance(value, list | dict) else str(value)


def _shares(labels: Sequence[str | None], weights: Sequence[float]) -> dict[str, float] | None:
    votes: dict[str, float] = {}
    for label, weight in zip(labels, weights, strict=True):
        if label is not None and weight > 0:
            votes[label] = votes.get(label, 0.0) + weight
    total = sum(votes.values())
    return {label: vote / total for label, vote in votes.items()} or None
