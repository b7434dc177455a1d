"""The fashion demo: teach, index, search, judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from jina_cli.client.client import AsyncClient
from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TensorColumn, ValuesColumn
from jina_cli.hello.dataset import CLASSES, Fashion, Labelled
from jina_cli.hello.judge import Verdict, judge

TRAINING_IMAGES = 10_000
"""Images that an encoder which learns learns from; 64 components of 441 numbers need no more."""

DEPTHS = (10, 50)
"""How many matches are judged; the last one is how many are asked for."""

INDEX_BATCH = 256
SEARCH_BATCH = 50
_TRAIN_BATCH = 5_000

Announce = Callable[[str], None]
"""Told what begins, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What was found for a query.

    Attributes:
        place: In `Fashion.index`.
        score: Cosine similarity, at most 1.
    """

    place: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the demo found, and how fast; times are in seconds.

    Attributes:
        train_s: 0 where the encoder has nothing to learn.
        found: For each query its matches, best first.
    """

    documents: int
    queries: int
    train_s: float
    index_s: float
    search_s: float
    found: tuple[tuple[Match, ...], ...]
    verdict: Verdict


async def run(client: AsyncClient, data: Fashion, *, learns: bool, announce: Announce) -> Outcome:
    """Teach the encoder, index all of `data.index`, and search for all of `data.queries`.

    Args:
        learns: Whether there is something to teach.

    Raises:
        RequestFailed: Some request was answered with an error.
    """
    clock = time.perf_counter
    began = clock()
    if learns:
        training = training_part(data)
        announce(f"teaching the encoder from {len(training.labels):,} images")
        await _send(client, "/train", _batches(training, _TRAIN_BATCH))
    trained = clock()
    announce(f"indexing {len(data.index.labels):,} images")
    await _send(client, "/index", _batches(data.index, INDEX_BATCH))
    indexed = clock()
    announce(f"searching for {len(data.queries.labels):,} others")
    found = await _search(client, data)
    searched = clock()

    places = [[match.place for match in matches] for matches in found]
    return Outcome(
        documents=len(data.index.labels),
        queries=len(found),
        train_s=trained - began if learns else 0.0,
        index_s=indexed - trained,
        search_s=searched - indexed,
        found=found,
        verdict=judge(places, data.queries.labels, data.index.labels, depths=DEPTHS),
    )


def training_part(data: Fashion) -> Labelled:
    """Return the images that an encoder learns from."""
    return Labelled(
        images=data.index.images[:TRAINING_IMAGES], labels=data.index.labels[:TRAINING_IMAGES]
    )


async def _send(client: AsyncClient, endpoint: str, batches: Iterator[DocumentBatch]) -> None:
    async for _ in client.ask_all(endpoint, batches):
        pass


async def _search(client: AsyncClient, data: Fashion) -> tuple[tuple[Match, ...], ...]:
    found: list[tuple[Match, ...]] = []
    batches = _batches(data.queries, SEARCH_BATCH, labels=False)
    async for answer in client.ask_all("/search", batches, parameters={"top_k": DEPTHS[-1]}):
        found.extend(_matches_of(answer.docs))
    return tuple(found)


def _batches(part: Labelled, size: int, *, labels: bool = True) -> Iterator[DocumentBatch]:
    """Yield the images in batches; a document's id is its place."""
    for start in range(0, len(part.labels), size):
        images = part.images[start : start + size]
        ids = [str(place) for place in range(start, start + len(images))]
        batch = DocumentBatch(ids, {"tensor": TensorColumn(images)})
        if labels:
            names = [CLASSES[label] for label in part.labels[start : start + size]]
            batch = batch.with_columns(tags=ValuesColumn([{"label": name} for name in names]))
        yield batch


def _matches_of(answer: DocumentBatch) -> Iterator[tuple[Match, ...]]:
    matches = answer.docs("matches")
    if matches is None:
        yield from [()] * len(answer)
        return
    scores = matches.docs.values("score")
    for start, end in zip(matches.offsets[:-1], matches.offsets[1:], strict=True):
        yield tuple(
            Match(place=int(matches.docs.ids[i]), score=float(scores[i]))
            for i in np.arange(start, end)
        )
