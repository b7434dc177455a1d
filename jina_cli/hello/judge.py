"""How good a search is where the class of each document is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NONE = 256
"""Stands for the class of a match that is missing; no uint8 is it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Means over all queries; a match is relevant if its class is the query's.

    Attributes:
        precision_at: Depth → share of that many first matches that are relevant.
        recall_at: Depth → share of all relevant documents that are among them.
        accuracy_at: Depth → share of queries whose class is that of most of that many first
            matches; of classes with as many, the one whose matches stand higher.
    """

    precision_at: dict[int, float]
    recall_at: dict[int, float]
    accuracy_at: dict[int, float]


def judge(
    found: Sequence[Sequence[int]],
    query_labels: NDArray[np.uint8],
    index_labels: NDArray[np.uint8],
    *,
    depths: Sequence[int],
) -> Verdict:
    """Return how good the matches are.

    Args:
        found: For each query the places of its matches in the index, best first. A query
            with fewer matches than a depth counts the missing ones as not relevant.
        query_labels: Shape `(queries,)`.
        index_labels: Shape `(documents,)`.
        depths: How many matches to look at.

    Raises:
        ValueError: There is not one list of matches for each query, or none at all.
    """
    if len(found) != len(query_labels) or not found:
        raise ValueError(f"{len(found)} results for {len(query_labels)} queries")
    deepest = max(depths)
    labels = np.full((len(found), deepest), _NONE, np.int64)
    for row, places in enumerate(found):
        first = np.asarray(places[:deepest], np.int64)
        labels[row, : len(first)] = index_labels[first]
    relevant = labels == query_labels[:, None]
    existing = np.bincount(index_labels, minlength=256)[query_labels]
    return Verdict(
        precision_at={k: float(relevant[:, :k].mean()) for k in depths},
        recall_at={k: float((relevant[:, :k].sum(1) / existing).mean()) for k in depths},
        accuracy_at={k: float((_voted(labels[:, :k]) == query_labels).mean()) for k in depths},
    )


def _voted(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the class of most of each row's labels, best first, `_NONE` where there is none."""
    depth = labels.shape[1]
    # What ranks add is in all less than one vote.
    votes = 1 + np.arange(depth, 0, -1) / (depth * (depth + 1))
    counts = np.zeros((len(labels), _NONE + 1))
    np.add.at(counts, (np.arange(len(labels))[:, None], labels), np.where(labels < _NONE, votes, 0))
    counts[:, _NONE] = 0.5
    return np.asarray(counts.argmax(1), np.int64)
