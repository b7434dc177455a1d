"""How good a search is where the class of each document is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Means over all queries; a match is relevant if its class is the query's.

    Attributes:
        precision_at: Depth → share of that many first matches that are relevant.
        recall_at: Depth → share of all relevant documents that are among them.
    """

    precision_at: dict[int, float]
    recall_at: dict[int, float]


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
    relevant = np.zeros((len(found), deepest), np.bool_)
    for row, (places, label) in enumerate(zip(found, query_labels, strict=True)):
        first = np.asarray(places[:deepest], np.int64)
        relevant[row, : len(first)] = index_labels[first] == label
    existing = np.bincount(index_labels, minlength=256)[query_labels]
    return Verdict(
        precision_at={k: float(relevant[:, :k].mean()) for k in depths},
        recall_at={k: float((relevant[:, :k].sum(1) / existing).mean()) for k in depths},
    )
