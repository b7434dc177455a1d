"""The same search with arrays alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jina_cli.hello.bare import encoder_of, measure
from jina_cli.hello.dataset import Fashion, Labelled, read_sample
from jina_cli.hello.fashion import DEPTHS, Match


def some_of_the_sample() -> Fashion:
    sample = read_sample()
    return Fashion(
        index=Labelled(images=sample.index.images[:300], labels=sample.index.labels[:300]),
        queries=Labelled(images=sample.queries.images[:60], labels=sample.queries.labels[:60]),
        source=sample.source,
    )


def flat(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images.reshape(len(images), -1).astype(np.float32)


def found_by(data: Fashion, scores: NDArray[np.float32]) -> list[list[Match]]:
    order = np.argsort(-scores, axis=1)[:, : DEPTHS[-1]]
    return [[Match(place=int(place), score=0.0) for place in row] for row in order]


def test_what_the_flow_found_is_compared_with_an_exact_search() -> None:
    data = some_of_the_sample()
    index, queries = flat(data.index.images), flat(data.queries.images)
    cosines = queries @ index.T / np.linalg.norm(index, axis=1)

    right = measure(data, flat, found_by(data, cosines))
    wrong = measure(data, flat, found_by(data, -cosines))

    # The fiftieth and the next may be as near as rounding.
    assert right.same > 0.99
    assert wrong.same < 0.1
    assert min(right.indexed, right.searched, right.vectors_kept, right.vectors_searched) > 0


def test_the_encoders_are_those_of_the_ready_made_flows() -> None:
    data = some_of_the_sample()

    for flow in ("fashion", "fashion-hog"):
        assert encoder_of(flow, data)(data.queries.images).shape == (60, 64)
