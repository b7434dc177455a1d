"""Matches that say different things before those that say the same once more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.documents.batch import BadField, DocumentBatch, MissingField
from jina_cli.documents.column import DocsColumn, ValuesColumn
from jina_cli.drivers.base import BadParameter
from jina_cli.drivers.lists import ends_of
from jina_cli.executors.base import Ranker

Floats = NDArray[np.float64]


class MmrRanker(Ranker):
    """Order matches by maximal marginal relevance.

    Each next match is the one for which `relevance * fit - (1 - relevance) * likeness` is
    greatest: how well it fits the query, and how much it is like the nearest of those before
    it (J. Carbonell and J. Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering
    Documents and Producing Summaries", SIGIR 1998; `relevance` is their lambda). That value is
    its score. Likeness is the cosine of embeddings, which the indexer has to return
    (`return_fields`), 0 where it is below; fit is that with the query's, or, where the query
    has none, the score that the match has, brought to 0 to 1.

    Args:
        relevance: 1 orders by fit alone, 0 by difference alone; a request may say otherwise.
        field: Where the vectors are.
    """

    def __init__(self, *, relevance: float = 0.5, field: str = "embedding", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._relevance = relevance
        self._field = field

    def rank(
        self,
        queries: DocumentBatch,
        matches: DocsColumn,
        *,
        top_k: int,
        relevance: float | None = None,
        **_: Any,
    ) -> DocsColumn:
        """Return the matches of each query in their new order, at most `top_k` of each.

        Takes `top_k` times the matches of a query; ties go to the match that stood before.

        Raises:
            MissingField: A match has no vector.
            BadField: Vectors of queries are of another length than those of matches.
            BadParameter: `relevance` is no number from 0 to 1.
        """
        balance = _share(self._relevance if relevance is None else relevance)
        if not len(matches.docs):
            return matches
        vectors = _unit(self._vectors(matches.docs))
        asked, scores = queries.values(self._field), _scores(matches.docs)
        _check_lengths(asked, vectors.shape[1], self._field)
        order: list[int] = []
        made: list[float] = []
        lengths: list[int] = []
        for query, (start, end) in zip(asked, pairwise(matches.offsets.tolist()), strict=True):
            inner = vectors[start:end]
            fit = _scaled(scores[start:end]) if query is None else _cosines(inner, query)
            chosen = marginal_order(fit, inner, balance, min(top_k, end - start))
            order += [start + place for place, _ in chosen]
            made += [value for _, value in chosen]
            lengths.append(len(chosen))
        docs = matches.docs.take(order).with_columns(score=ValuesColumn(made))
        return DocsColumn(ends_of(np.array(lengths, np.int64)), docs)

    def _vectors(self, docs: DocumentBatch) -> Floats:
        try:
            return docs.tensor(self._field).astype(np.float64)
        except MissingField as error:
            raise MissingField(f"matches.{self._field}", error.ids) from error


def marginal_order(
    fit: Floats, vectors: Floats, relevance: float, count: int
) -> list[tuple[int, float]]:
    """Return the `count` best places by maximal marginal relevance, each with its value.

    Values never rise: likeness, which is not below 0, only grows with what is chosen.

    Args:
        fit: How well each fits, shape `(n,)`.
        vectors: Of length 1 or 0, shape `(n, dim)`.
    """
    likeness = np.zeros(len(fit))
    is_free = np.ones(len(fit), np.bool_)
    chosen: list[tuple[int, float]] = []
    for _ in range(count):
        values = np.where(is_free, relevance * fit - (1 - relevance) * likeness, -np.inf)
        place = int(values.argmax())
        chosen.append((place, float(values[place])))
        is_free[place] = False
        likeness = np.maximum(likeness, _cosines(vectors, vectors[place]))
    return chosen


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        problem = f"relevance is {value!r}, and must be a number from 0 to 1"
        raise BadParameter(problem, "parameters.relevance")
    return float(value)


def _check_lengths(asked: Sequence[Any], dim: int, field: str) -> None:
    wrong = next((query for query in asked if query is not None and len(query) != dim), None)
    if wrong is not None:
        said = f"{field!r} of a query has {len(wrong)} numbers, and that of its matches {dim}"
        raise BadField(said)


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float64)


def _cosines(units: Floats, vector: Any) -> Floats:
    # A sum for each pair: products of matrices round by their shape.
    return np.asarray((units * _unit(np.asarray(vector, np.float64))).sum(1), np.float64)


def _scores(docs: DocumentBatch) -> Floats:
    return np.array([value or 0.0 for value in docs.values("score")], np.float64)


def _scaled(scores: Floats) -> Floats:
    if not len(scores):
        return scores
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.ones_like(scores)
