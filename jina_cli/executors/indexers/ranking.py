"""What searches found for each query, put together: who won, where it was, and which chunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.documents.column import DocsColumn, ValuesColumn
from jina_cli.executors.indexers.chunks import chunk_batch
from jina_cli.executors.indexers.fusion import best, reciprocal_ranks
from jina_cli.executors.indexers.matches import floats_of
from jina_cli.store.records import Found
from jina_cli.store.store import Store

Scores = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Leg:
    """What one way of searching found for one query, best first.

    Attributes:
        parts: Of a search by vectors, the part that won of each document; "" for its own.
    """

    ids: Sequence[str]
    scores: Scores
    parts: Sequence[str] = ()

    @cached_property
    def rank_of(self) -> Mapping[str, int]:
        """Ranks by id, from 0."""
        return {id_: rank for rank, id_ in enumerate(self.ids)}

    def told(self, id_: str) -> dict[str, Any] | None:
        """Return the rank, from 1, and the score of a document; None if it was not found."""
        rank = self.rank_of.get(id_)
        if rank is None:
            return None
        (score,) = floats_of(self.scores[rank : rank + 1])
        return {"rank": rank + 1, "score": score}

    def part(self, id_: str) -> str:
        """Return the part of a document that won; "" where it was not found by a part."""
        rank = self.rank_of.get(id_)
        return self.parts[rank] if self.parts and rank is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    """What was found for one query, by each of the ways in which it was searched."""

    lexical: Leg | None
    vector: Leg | None

    def fused(self, count: int, k: float) -> tuple[list[str], Scores]:
        """Return the best documents and their scores: of one ranking its own, of two their RRF."""
        if self.lexical is not None and self.vector is not None:
            scores = reciprocal_ranks((self.lexical.ids, self.vector.ids), k)
            ids = best(scores, count)
            return ids, np.array([scores[id_] for id_ in ids], np.float64)
        leg = self.lexical or self.vector
        assert leg is not None, "a query is searched in some way"
        return list(leg.ids[:count]), leg.scores[:count]


def legs_of(
    count: int,
    lexical: tuple[Sequence[int], Found] | None,
    vector: tuple[Sequence[int], Found] | None,
) -> list[Legs]:
    """Return what was found for each of `count` queries.

    Args:
        lexical: Which of them were searched by words, and what that found.
        vector: The same of their vectors.
    """
    words, vectors = _by_place(lexical), _by_place(vector)
    return [Legs(lexical=words.get(n), vector=vectors.get(n)) for n in range(count)]


def with_chunks(
    matches: DocsColumn, legs: Sequence[Legs], bodies: Mapping[tuple[str, str], bytes]
) -> DocsColumn:
    """Return matches that hold in `chunks` the one chunk that won, with its score.

    Args:
        bodies: Of the chunks, by the ids of document and chunk.
    """
    chunks, offsets = list[tuple[str, bytes]](), [0]
    scores = []
    for id_, leg in _each(matches, legs):
        part = leg.vector.part(id_) if leg.vector is not None else ""
        if leg.vector is not None and (id_, part) in bodies:
            chunks.append((part, bodies[id_, part]))
            rank = leg.vector.rank_of[id_]
            scores += floats_of(leg.vector.scores[rank : rank + 1])
        offsets.append(len(chunks))
    if not chunks:
        return matches
    batch = chunk_batch([id_ for id_, _ in chunks], [body for _, body in chunks])
    column = DocsColumn(np.array(offsets), batch.with_columns(score=ValuesColumn(scores)))
    return DocsColumn(matches.offsets, matches.docs.with_columns(chunks=column))


def with_reasons(
    matches: DocsColumn, legs: Sequence[Legs], bodies: Mapping[tuple[str, str], bytes]
) -> DocsColumn:
    """Return matches that say in `explain` where each ranking has them, and which chunk won.

    `{"lexical": {"rank", "score"} | None, "vector": {"rank", "score", "chunk"} | None}`, where
    `chunk` is `{"id", "text"}`, or None for the document's own vector.
    """
    reasons = [
        {
            "lexical": leg.lexical.told(id_) if leg.lexical is not None else None,
            "vector": _vector_reason(id_, leg.vector, bodies),
        }
        for id_, leg in _each(matches, legs)
    ]
    return DocsColumn(matches.offsets, matches.docs.with_columns(explain=ValuesColumn(reasons)))


def bodies_of(
    store: Store, matches: DocsColumn, legs: Sequence[Legs]
) -> Mapping[tuple[str, str], bytes]:
    """Return the bodies of the chunks that won, by the ids of document and chunk."""
    pairs = {
        (id_, leg.vector.part(id_)) for id_, leg in _each(matches, legs) if leg.vector is not None
    }
    pairs = {pair for pair in pairs if pair[1]}
    if not pairs:
        return {}
    with store.snapshot() as now:
        return now.part_bodies(pairs)


def _vector_reason(
    id_: str, leg: Leg | None, bodies: Mapping[tuple[str, str], bytes]
) -> dict[str, Any] | None:
    told = leg.told(id_) if leg is not None else None
    if leg is None or told is None:
        return None
    part = leg.part(id_)
    if (id_, part) not in bodies:
        return {**told, "chunk": None}
    text = chunk_batch([part], [bodies[id_, part]]).values("text")[0]
    return {**told, "chunk": {"id": part, "text": text}}


def _each(matches: DocsColumn, legs: Sequence[Legs]) -> Sequence[tuple[str, Legs]]:
    owners = np.repeat(np.arange(len(legs)), np.diff(matches.offsets))
    return [(id_, legs[n]) for id_, n in zip(matches.docs.ids, owners.tolist(), strict=True)]


def _by_place(given: tuple[Sequence[int], Found] | None) -> dict[int, Leg]:
    if given is None:
        return {}
    places, found = given
    parts = found.parts or [()] * len(places)
    rows = zip(places, found.ids, found.scores, parts, strict=True)
    return {place: Leg(ids, scores, own) for place, ids, scores, own in rows}
