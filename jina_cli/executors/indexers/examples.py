"""Search by example: more of what somebody likes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.documents.batch import BadField, DocumentBatch, MissingField
from jina_cli.documents.column import DocsColumn
from jina_cli.executors.indexers.base import where_of
from jina_cli.executors.indexers.bodies import refusing_bad_fields
from jina_cli.executors.indexers.matches import matches_of
from jina_cli.executors.indexers.vector import VectorIndexer
from jina_cli.store.records import Found, Stored

LIKED, DISLIKED = 0.75, 0.15
"""Weights of Rocchio's formula, as Manning, Raghavan & Schütze (2008, 9.1.1) recommend them."""

Vector = NDArray[np.float64]


class ExampleIndexer(VectorIndexer):
    """Find the documents that are most like those a query names as examples.

    A query, a user for one, names documents of the index in its tags:
    `{"likes": ["a", "b"], "dislikes": ["c"]}`. It stands for its own vector, if it has one, plus
    0.75 of the mean vector of those it likes, less 0.15 of the mean of those it dislikes
    (Rocchio 1971). What it names is not found again; names the index does not know are passed
    over. Examples are looked up in their own shard alone, so the Pod should have one.

    Args:
        likes: Key of `tags` with the ids of good examples.
        dislikes: Key of `tags` with the ids of bad ones.
    """

    def __init__(self, likes: str = "likes", dislikes: str = "dislikes", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._likes = likes
        self._dislikes = dislikes

    def search(
        self,
        docs: DocumentBatch,
        *,
        top_k: int,
        filter: Any = None,
        return_fields: Sequence[str] | None = None,
        **parameters: Any,
    ) -> DocsColumn:
        """Return the matches of each document, none of those that it names itself.

        A document whose examples are all unknown, and that has no vector, has no matches.

        Raises:
            MissingField: One has neither examples nor a vector.
            BadField: Examples are no list of ids, or as `VectorIndexer.search`.
            BadParameter: `filter` is no condition.
        """
        fields, where = self._fields(return_fields), where_of(filter)
        good, bad = self._named(docs, self._likes), self._named(docs, self._dislikes)
        vectors = self._vectors_of(docs, good, bad)
        asked = [place for place, vector in enumerate(vectors) if vector is not None]
        named = [{*good[place], *bad[place]} for place in range(len(docs))]
        found = Found([[] for _ in docs.ids], [np.zeros(0, np.float32) for _ in docs.ids])
        if asked:
            queries = np.array([vectors[place] for place in asked], np.float32)
            most = top_k + max(len(named[place]) for place in asked)
            with refusing_bad_fields():
                hits = self._store.search_vectors(queries, most, where=where)
            found = _without(found, asked, hits, named, top_k)
        return matches_of(self._store, found, fields=fields, vector_field=self._field)

    def _named(self, docs: DocumentBatch, key: str) -> list[list[str]]:
        given = [tag.get(key) if isinstance(tag, Mapping) else None for tag in docs.values("tags")]
        for id_, ids in zip(docs.ids, given, strict=True):
            if ids is not None and not (
                isinstance(ids, list) and all(isinstance(one, str) for one in ids)
            ):
                raise BadField(f"tags.{key} of document {id_!r} must be a list of ids")
        return [list(ids or ()) for ids in given]

    def _vectors_of(
        self, docs: DocumentBatch, good: Sequence[Sequence[str]], bad: Sequence[Sequence[str]]
    ) -> list[Vector | None]:
        """Return what each query stands for; None where nothing is known of it."""
        own = docs.values(self._field)
        without = [
            id_
            for id_, vector, likes in zip(docs.ids, own, good, strict=True)
            if vector is None and not likes
        ]
        if without:
            raise MissingField(f"tags.{self._likes}", without)
        known = self._store.get(sorted({id_ for ids in (*good, *bad) for id_ in ids}))
        return [
            _rocchio(vector, _means(known, likes), _means(known, dislikes))
            for vector, likes, dislikes in zip(own, good, bad, strict=True)
        ]


def _means(known: Mapping[str, Stored], ids: Sequence[str]) -> Vector | None:
    """Return the mean of the vectors that are known, each of length 1; None where none is."""
    vectors = [known[id_].vector for id_ in ids if id_ in known]
    rows = [np.asarray(vector, np.float64) for vector in vectors if vector is not None]
    if not rows:
        return None
    lengths = [float(np.linalg.norm(row)) or 1.0 for row in rows]
    mean: Vector = np.mean(
        [row / length for row, length in zip(rows, lengths, strict=True)], axis=0
    )
    return mean


def _rocchio(own: Any, liked: Vector | None, disliked: Vector | None) -> Vector | None:
    lengths = [len(vector) for vector in (own, liked, disliked) if vector is not None]
    if len(set(lengths)) > 1:
        raise BadField(f"queries have {lengths[0]} dimensions, the index has {lengths[-1]}")
    if own is None and liked is None:
        return None
    vector = np.zeros(len(own if liked is None else liked), np.float64)
    if own is not None:
        own = np.asarray(own, np.float64)
        vector += own / (float(np.linalg.norm(own)) or 1.0)
    if liked is not None:
        vector += LIKED * liked
    if disliked is not None:
        vector -= DISLIKED * disliked
    return vector


def _without(
    nothing: Found, asked: Sequence[int], hits: Found, named: Sequence[set[str]], top_k: int
) -> Found:
    """Return `nothing` with the hits of those that were asked, less what they name."""
    ids, scores = list(nothing.ids), list(nothing.scores)
    for place, found, values in zip(asked, hits.ids, hits.scores, strict=True):
        kept = [i for i, id_ in enumerate(found) if id_ not in named[place]][:top_k]
        ids[place] = [found[i] for i in kept]
        scores[place] = values[kept]
    return Found(ids, scores)
