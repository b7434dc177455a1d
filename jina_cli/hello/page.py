"""The fashion demo's result page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jina_cli.hello.dataset import CLASSES, Fashion
from jina_cli.hello.fashion import Outcome
from jina_cli.report.gallery import Figure, Picture, Row, gallery
from jina_cli.report.png import data_uri

QUERIES_PER_CLASS = 5
MATCHES_SHOWN = 15


_LEAD = "On the left what was asked for, beside it what was found, best first. "
_TAUGHT = (
    "The encoder was taught with the classes of images that are indexed here; of those that are "
    "asked for it has seen neither picture nor class."
)
_UNTAUGHT = (
    "The search has seen pictures only, never their classes: those just judge what it found."
)


def result_page(data: Fashion, outcome: Outcome, *, taught: bool) -> str:
    """Return an HTML page of the first queries of each class beside their matches.

    Args:
        taught: Whether the encoder comes from the classes of other images.
    """
    verdict = outcome.verdict
    first = next(iter(verdict.accuracy_at))
    figures = [
        Figure(value=f"{outcome.documents:,}", name="images indexed"),
        Figure(value=f"{outcome.documents / outcome.index_s:,.0f}", name="indexed a second"),
        Figure(value=f"{outcome.queries:,}", name="queries"),
        Figure(value=f"{outcome.queries / outcome.search_s:,.0f}", name="queries a second"),
        *(
            Figure(value=f"{value:.1%}", name=f"precision@{depth}")
            for depth, value in verdict.precision_at.items()
        ),
        Figure(value=f"{verdict.accuracy_at[first]:.1%}", name=f"{first}-NN accuracy"),
    ]
    return gallery(
        title="Fashion, found by how it looks",
        lead=_LEAD + (_TAUGHT if taught else _UNTAUGHT),
        figures=figures,
        rows=[_row(data, outcome, place) for place in _chosen(data.queries.labels)],
    )


def _chosen(labels: NDArray[np.uint8]) -> list[int]:
    """Return the places of the first few queries of each class, one class after another."""
    first = [np.flatnonzero(labels == label)[:QUERIES_PER_CLASS] for label in range(len(CLASSES))]
    return [int(place) for place in np.concatenate(first)]


def _row(data: Fashion, outcome: Outcome, query: int) -> Row:
    return Row(
        query=Picture(
            address=data_uri(data.queries.images[query]), label=CLASSES[data.queries.labels[query]]
        ),
        matches=[
            Picture(
                address=data_uri(data.index.images[match.place]),
                label=CLASSES[data.index.labels[match.place]],
                score=match.score,
            )
            for match in outcome.found[query][:MATCHES_SHOWN]
        ],
    )
