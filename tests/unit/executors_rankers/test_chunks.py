"""From scores of chunks to those of documents, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jina_cli.executors.rankers.chunks import Chunk2DocRanker

SCORES = np.array([8.0, 4.0, 3.0, 1.0, 5.0])
OFFSETS = np.array([0, 4, 5])


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ({}, [8, 5]),
        ({"aggregate": "min"}, [1, 5]),
        ({"aggregate": "mean"}, [4, 5]),
        ({"aggregate": "sum"}, [16, 5]),
        ({"aggregate": "top_m"}, [5, 5]),
        ({"aggregate": "top_m", "m": 2}, [6, 5]),
        # The MinRanker of Jina 0.9: one over one more than the smallest distance.
        ({"aggregate": "min", "distances": True}, [1 / 2, 1 / 6]),
        ({"aggregate": "max", "distances": True}, [1 / 9, 1 / 6]),
        ({"aggregate": "top_m", "m": 2, "distances": True}, [1 / 3, 1 / 6]),
    ],
)
def test_a_document_has_what_its_chunks_make_together(
    options: dict[str, Any], made: list[float]
) -> None:
    assert Chunk2DocRanker(**options).aggregate(SCORES, OFFSETS).tolist() == pytest.approx(made)


def test_the_best_chunk_is_kept_unless_scores_are_distances() -> None:
    assert Chunk2DocRanker().keep == "best"
    assert Chunk2DocRanker(distances=True).keep == "none"
    assert Chunk2DocRanker(distances=True, keep="all").keep == "all"
