"""The same search with arrays alone: what a Flow is measured against.

One process, numpy, and the Flow's own encoder with all cores; nothing is kept on the disk,
nothing travels, nobody else can ask.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jina_cli.executors.crafters.image import ImageNormalizer
from jina_cli.executors.encoders.fashion import FashionEncoder
from jina_cli.executors.encoders.hog import HogPcaEncoder
from jina_cli.hello.dataset import Fashion
from jina_cli.hello.fashion import DEPTHS, INDEX_BATCH, SEARCH_BATCH, Match, training_part

Encode: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Images, shape `(n, 28, 28)` → vectors, shape `(n, dim)`."""

QUERIES = 2_000
"""As many as tell a rate; the answers to more of them would only take longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """What arrays alone do in a second.

    Attributes:
        indexed: Images encoded and kept.
        searched: Images encoded and searched for.
        vectors_kept: Vectors that are there, copied into an array.
        vectors_searched: Vectors that are there, searched for.
        same: Share of the Flow's matches that an exact search finds too.
    """

    indexed: float
    searched: float
    vectors_kept: float
    vectors_searched: float
    same: float


def encoder_of(flow: str, data: Fashion) -> Encode:
    """Return what encodes images as the ready-made Flow `fashion` or `fashion-hog` does."""
    if flow == "fashion":
        return FashionEncoder().encode
    normalise = ImageNormalizer(size=28)

    def normalised(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(normalise.craft(images))

    with tempfile.TemporaryDirectory(prefix="jina-hello-") as scratch:
        hog = HogPcaEncoder(workspace=scratch)
        hog.train(normalised(training_part(data).images))
    return lambda images: hog.encode(normalised(images))


def measure(data: Fashion, encode: Encode, found: Sequence[Sequence[Match]]) -> Bare:
    """Index and search with arrays alone, in batches as large as the Flow got.

    Args:
        data: What the Flow indexed and was asked for.
        encode: Its encoder.
        found: What it found.
    """
    images, queries = data.index.images, data.queries.images[:QUERIES]
    encode_s, vectors = _timed(lambda: _encoded(images, encode, INDEX_BATCH))
    keep_s, table = _timed(lambda: _kept(vectors))
    ask_s, asked = _timed(lambda: _encoded(queries, encode, SEARCH_BATCH))
    search_s, places = _timed(lambda: _searched(asked, table))
    return Bare(
        indexed=len(images) / (encode_s + keep_s),
        searched=len(queries) / (ask_s + search_s),
        vectors_kept=len(images) / keep_s,
        vectors_searched=len(queries) / search_s,
        same=_shared(places, found),
    )


def _encoded(images: NDArray[np.uint8], encode: Encode, size: int) -> list[NDArray[np.float32]]:
    return [encode(images[start : start + size]) for start in range(0, len(images), size)]


def _kept(batches: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return all vectors in one array, of length 1, so that a product is a cosine."""
    count = sum(len(batch) for batch in batches)
    table = np.empty((count, batches[0].shape[1]), np.float32)
    start = 0
    for batch in batches:
        table[start : start + len(batch)] = _unit(batch)
        start += len(batch)
    return table


def _searched(
    batches: Sequence[NDArray[np.float32]], table: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Return the places of the nearest vectors of each query, best first."""
    depth = min(DEPTHS[-1], len(table))
    found = []
    for batch in batches:
        scores = _unit(batch) @ table.T
        first = np.argpartition(scores, -depth, axis=1)[:, -depth:]
        order = np.argsort(-np.take_along_axis(scores, first, axis=1), axis=1)
        found.append(np.take_along_axis(first, order, axis=1))
    return np.concatenate(found)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _shared(places: NDArray[np.int64], found: Sequence[Sequence[Match]]) -> float:
    pairs = zip(places, found[: len(places)], strict=True)
    shared = [
        len({match.place for match in matches}.intersection(row.tolist())) / len(row)
        for row, matches in pairs
    ]
    return float(np.mean(shared))


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result
