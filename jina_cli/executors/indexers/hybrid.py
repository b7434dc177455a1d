"""Search by words and by nearness of vectors at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jina_cli.documents.batch import DocumentBatch, MissingField
from jina_cli.documents.column import DocsColumn, presence_of
from jina_cli.documents.condition import Condition
from jina_cli.executors.endpoints import Batching
from jina_cli.executors.families import ZERO_WAIT
from jina_cli.executors.indexers.asking import DEPTH, Asked, Mode
from jina_cli.executors.indexers.base import StoreIndexer, where_of
from jina_cli.executors.indexers.bodies import records_of, refusing_bad_fields
from jina_cli.executors.indexers.chunks import CHUNKS, vectored
from jina_cli.executors.indexers.fusion import RRF_K, reordered
from jina_cli.executors.indexers.matches import matches_of
from jina_cli.executors.indexers.ranking import (
    Legs,
    bodies_of,
    legs_of,
    with_chunks,
    with_reasons,
)
from jina_cli.executors.indexers.words import searched_fields, texts_of
from jina_cli.store.records import Found, Records
from jina_cli.vocabulary import Metric


class HybridIndexer(StoreIndexer):
    """Find documents by their words and by what they mean, and put both rankings together.

    Words are those of a document's `fields`, ranked by BM25. Vectors are those of its chunks,
    and its own where it has one; it is as near as the nearest of them (MaxP, Dai and Callan,
    SIGIR 2019). The two rankings are put together by reciprocal rank fusion with k = 60
    (Cormack, Clarke and Büttcher, SIGIR 2009), which needs no weights and no tuning.

    A query without a vector is answered by words alone, one without text by its vector; then
    scores are those of the one ranking. With several shards, each puts its own rankings
    together. A document, its words, its chunks and their vectors are kept in one transaction,
    in one SQLite file in the workspace; what was answered is on the disk. An index that a
    TextIndexer made is searched by words until documents with vectors come.

    Args:
        fields: Fields or keys of `tags` that are searched by words. A document needs one of
            them, or a vector.
        metric: `cosine`, `inner_product` or `l2`, how vectors are compared.
        field: Field of the vectors, of documents, chunks and queries.
        mode: What finds documents: `auto`, what the query has; `hybrid`, words and vectors,
            and the query must have both; `lexical`; `vector`.
        rrf_k: The constant of the fusion.
        depth: Documents of each ranking that are fused; the runs that Cormack et al. fuse are
            of 1000.
        rerank: How many of the best are put into the order of their vectors' exact scores.
            They keep the scores of the places that they get, so that scores fall.
        return_fields: Fields of a match, besides its id and score; `chunks` is the one that
            won. By default that and all that are text or plain values.
        store_fields: Fields of a document that are kept besides its vectors; by default all.
            Without `chunks` among them, only the ids of chunks are.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # an argument is a key of the YAML
        self,
        fields: Sequence[str] = ("title", "text"),
        metric: str = Metric.COSINE.value,
        field: str = "embedding",
        mode: str = Mode.AUTO.value,
        rrf_k: float = RRF_K,
        depth: int = DEPTH,
        rerank: int = 0,
        return_fields: Sequence[str] | None = None,
        store_fields: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        asked = Asked().over({"mode": mode, "rrf_k": rrf_k, "depth": depth, "rerank": rerank})
        super().__init__(
            metric=metric,
            field=field,
            return_fields=return_fields,
            store_fields=store_fields,
            **kwargs,
        )
        self._searched = searched_fields(fields)
        self._asked = asked

    def records(self, docs: DocumentBatch) -> Records:
        texts = texts_of(docs, self._searched)
        split = vectored(docs, self._field)
        found = zip(docs.ids, texts, split.are_found, strict=True)
        without = [id_ for id_, text, is_found in found if text is None and not is_found]
        if without:
            raise MissingField(" or ".join([*self._searched, self._field]), without)
        parts = split.parts
        if (
            parts is not None
            and self._store_fields is not None
            and CHUNKS not in self._store_fields
        ):
            parts = replace(parts, bodies=[b""] * len(parts))
        return records_of(self._kept(split.docs), texts=texts, vectors=split.vectors, parts=parts)

    def search(
        self,
        docs: DocumentBatch,
        *,
        top_k: int,
        filter: Any = None,
        return_fields: Sequence[str] | None = None,
        explain: bool | None = None,
        **parameters: Any,
    ) -> DocsColumn:
        """Return the matches of each document.

        Args:
            filter: Only documents that meet this condition.
            return_fields: As of the constructor, for this request.
            explain: Whether matches say in `explain` where each ranking has them.
            parameters: `mode`, `rrf_k`, `depth`, `rerank`: as of the constructor.

        Raises:
            MissingField: A query has neither text nor a vector, or not what `mode` needs.
            BadField: A vector is of another length than those of the index, or not finite, or
                `return_fields` is no list of names.
            BadParameter: `filter` is no condition, or another parameter makes no sense.
        """
        told = {name: parameters.get(name) for name in ("mode", "rrf_k", "depth", "rerank")}
        asked = self._asked.over({**told, "explain": explain})
        fields, where = self._fields(return_fields), where_of(filter)
        with refusing_bad_fields():
            legs = self._legs(docs, asked, top_k, where)
            found = self._fused(docs, legs, asked, top_k)
        named = None if fields is None else [name for name in fields if name != CHUNKS]
        matches = matches_of(self._store, found, fields=named, vector_field=self._field)
        has_chunks = fields is None or CHUNKS in fields
        if not has_chunks and not asked.explain:
            return matches
        bodies = bodies_of(self._store, matches, legs)
        if has_chunks:
            matches = with_chunks(matches, legs, bodies)
        return with_reasons(matches, legs, bodies) if asked.explain else matches

    def default_batching(self) -> Mapping[str, Batching]:
        return {"/search": ZERO_WAIT}

    def _legs(
        self, docs: DocumentBatch, asked: Asked, top_k: int, where: Condition | None
    ) -> list[Legs]:
        words, vectors = self._ways(docs, asked.mode)
        most = max(top_k, asked.rerank)
        if set(words) & set(vectors):
            most = max(most, asked.depth)
        lexical = nearest = None
        if words:
            texts = docs.values("text")
            asks = [texts[place] for place in words]
            lexical = words, self._store.search_text(asks, most, where=where)
        if vectors:
            queries = self._vectors(docs, vectors)
            nearest = vectors, self._store.search_vectors(queries, most, where=where)
        return legs_of(len(docs), lexical, nearest)

    def _ways(self, docs: DocumentBatch, mode: Mode) -> tuple[list[int], list[int]]:
        """Return the queries that are searched by words, and those searched by their vectors."""
        with_text = [n for n, text in enumerate(docs.values("text")) if isinstance(text, str)]
        with_vector = self._with_vector(docs)
        if mode is Mode.AUTO:
            _need(f"text or {self._field}", docs, {*with_text, *with_vector})
            return with_text, with_vector
        if mode is not Mode.VECTOR:
            _need("text", docs, set(with_text))
        if mode is not Mode.LEXICAL:
            _need(self._field, docs, set(with_vector))
        return (
            [] if mode is Mode.VECTOR else with_text,
            [] if mode is Mode.LEXICAL else with_vector,
        )

    def _with_vector(self, docs: DocumentBatch) -> list[int]:
        column = docs.columns.get(self._field)
        return [] if column is None else np.flatnonzero(presence_of(column)).tolist()

    def _vectors(self, docs: DocumentBatch, places: Sequence[int]) -> Any:
        own = docs.only(self._field)
        return (own if len(places) == len(docs) else own.take(places)).tensor(self._field)

    def _fused(self, docs: DocumentBatch, legs: Sequence[Legs], asked: Asked, top_k: int) -> Found:
        queries = docs.only(self._field)
        with_vector = set(self._with_vector(docs)) if asked.rerank else set[int]()
        all_ids, all_scores = [], []
        for place, leg in enumerate(legs):
            ids, scores = leg.fused(max(top_k, asked.rerank), asked.rrf_k)
            if place in with_vector:
                (vector,) = queries.slice(place, place + 1).tensor(self._field)
                exact = self._store.score_vectors(vector, ids[: asked.rerank])
                ids = reordered(ids, exact.tolist(), asked.rerank)
            all_ids.append(ids[:top_k])
            all_scores.append(scores[:top_k])
        return Found(all_ids, all_scores)


def _need(what: str, docs: DocumentBatch, there: set[int]) -> None:
    """Raises: MissingField."""
    missing = [id_ for place, id_ in enumerate(docs.ids) if place not in there]
    if missing:
        raise MissingField(what, missing)
