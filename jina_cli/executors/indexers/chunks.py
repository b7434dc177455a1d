"""Chunks as an index keeps them: each with a vector is a part of its document, found by itself.

A chunk is the body of its part, as a document is its record. Where chunks hold more than that
(a tensor, chunks of their own, or no vector), all of the batch are kept once more beside their
documents, without their vectors, and come back from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.column import (
    Array,
    DocsColumn,
    RaggedColumn,
    TensorColumn,
    column_of_arrays,
    presence_of,
)
from jina_cli.executors.indexers.bodies import records_of, rows_of_bodies, values_of_rows
from jina_cli.store.records import (
    BadVectors,
    Brief,
    Numbers,
    Part,
    Parts,
    Records,
    Stored,
    Vectors,
    as_vectors,
)

CHUNKS = "chunks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectored:
    """Documents, and what is found of them by nearness.

    Attributes:
        docs: Without their vectors; with their chunks if these are more than `parts` hold.
        vectors: Their own, shape `(documents, dim)`, where all have one.
        parts: Their chunks; and their own vectors, where some have none.
    """

    docs: DocumentBatch
    vectors: Vectors | None = None
    parts: Parts | None = None

    @property
    def are_found(self) -> Sequence[bool]:
        """Which documents have a vector, of their own or of a chunk."""
        if self.vectors is not None:
            return [True] * len(self.docs)
        counts = [0] * len(self.docs) if self.parts is None else np.diff(self.parts.offsets)
        return [count > 0 for count in counts]


def vectored(docs: DocumentBatch, field: str) -> Vectored:
    """Take the vectors out of documents and of their chunks.

    Args:
        field: Where the vectors stand, of documents as of chunks.

    Raises:
        BadVectors: They are not all of one length, or not finite.
        BadField: A chunk with a vector has no id.
    """
    own, bare = _given(docs, field), docs.without(field)
    chunks = bare.docs(CHUNKS)
    of_chunks = _NOTHING if chunks is None else _given(chunks.docs, field)
    if chunks is not None and len(of_chunks.places):
        inner = records_of(chunks.docs.without(field))
        is_all = inner.rests is None and len(of_chunks.places) == len(chunks.docs)
        bare = bare.without(CHUNKS) if is_all else _without_vectors(bare, chunks, field)
        parts = _parts(of_chunks, inner, chunks.offsets)
    else:
        parts = None
    if len(own.places) == len(docs):
        return Vectored(docs=bare, vectors=own.vectors, parts=parts)
    return Vectored(docs=bare, parts=_with_own(own, parts, len(docs)))


def chunks_of(
    stored: Sequence[Stored], kept: DocsColumn | None, *, field: str, with_vectors: bool
) -> DocsColumn | None:
    """Return the chunks of documents as they came; None where there are none.

    Args:
        kept: Those that are kept beside the documents.
        field: Where their vectors stand.
        with_vectors: Whether they come with them.
    """
    lists: list[DocumentBatch | None] = []
    for place, one in enumerate(stored):
        if kept is not None and presence_of(kept)[place]:
            chunks = kept.slice(place, place + 1).docs
            lists.append(_with_vectors(chunks, one.parts, field) if with_vectors else chunks)
        elif one.parts:
            lists.append(_rebuilt(one.parts, field if with_vectors else ""))
        else:
            lists.append(None)
    if all(chunks is None for chunks in lists):
        return None
    column = DocsColumn.of([DocumentBatch([]) if each is None else each for each in lists])
    present = np.array([each is not None for each in lists], np.bool_)
    docs = column.docs if with_vectors else column.docs.without(field)
    return DocsColumn(column.offsets, docs, None if present.all() else present)


def chunk_batch(ids: Sequence[str], bodies: Sequence[bytes]) -> DocumentBatch:
    """Return chunks out of the bodies of parts."""
    rows = rows_of_bodies([Brief(*pair, None, False) for pair in zip(ids, bodies, strict=True)])
    return DocumentBatch(list(ids), values_of_rows(rows))


@dataclass(frozen=True, slots=True)
class _Given:
    """The vectors that some documents have, shape `(places, dim)`, and which these are."""

    places: Numbers
    vectors: Vectors


_NOTHING = _Given(np.zeros(0, np.int64), np.zeros((0, 0), np.float32))


def _given(docs: DocumentBatch, field: str) -> _Given:
    column = docs.columns.get(field)
    if not isinstance(column, TensorColumn | RaggedColumn) or not len(docs):
        return _NOTHING
    places = np.flatnonzero(presence_of(column))
    if not len(places):
        return _NOTHING
    array: Array = docs.tensor(field) if len(places) == len(docs) else _some(docs, places, field)
    return _Given(places, as_vectors(array, what=repr(field)))


def _some(docs: DocumentBatch, places: Numbers, field: str) -> Array:
    return docs.only(field).take(places).tensor(field)


def _parts(given: _Given, chunks: Records, offsets: Numbers) -> Parts:
    """Return the chunks that have a vector as parts, document by document.

    Raises:
        BadField: One has no id.
    """
    places = given.places.tolist()
    ids = [chunks.ids[place] for place in places]
    if not all(ids):
        raise BadField("a chunk has no id")
    owners = np.searchsorted(offsets, given.places, side="right") - 1
    return Parts(
        offsets=_offsets(owners, len(offsets) - 1),
        ids=ids,
        bodies=[chunks.bodies[place] for place in places],
        vectors=given.vectors,
    )


def _with_own(own: _Given, parts: Parts | None, count: int) -> Parts | None:
    """Return parts in which a document's own vector comes before those of its chunks."""
    if not len(own.places):
        return parts
    nameless, empty = [""] * len(own.places), [b""] * len(own.places)
    if parts is None:
        offsets = _offsets(own.places, count)
        return Parts(offsets=offsets, ids=nameless, bodies=empty, vectors=own.vectors)
    owners = np.concatenate([own.places, np.repeat(np.arange(count), np.diff(parts.offsets))])
    order = np.argsort(owners, kind="stable")
    ids, bodies = [*nameless, *parts.ids], [*empty, *parts.bodies]
    return Parts(
        offsets=_offsets(owners, count),
        ids=[ids[place] for place in order.tolist()],
        bodies=[bodies[place] for place in order.tolist()],
        vectors=_joined(own.vectors, parts.vectors)[order],
    )


def _offsets(owners: Numbers, count: int) -> Numbers:
    counts = np.bincount(owners, minlength=count)
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def _joined(own: Vectors, others: Vectors) -> Vectors:
    if own.shape[1] != others.shape[1]:
        what = f"{own.shape[1]} dimensions, those of their chunks {others.shape[1]}"
        raise BadVectors(f"vectors of documents have {what}")
    return np.concatenate([own, others])


def _without_vectors(docs: DocumentBatch, chunks: DocsColumn, field: str) -> DocumentBatch:
    """Return documents with those chunks alone that all have a list, but for their vectors."""
    bare = DocsColumn(chunks.offsets, chunks.docs.without(field), chunks.present)
    return docs.with_columns(**{CHUNKS: bare})


def _with_vectors(chunks: DocumentBatch, parts: Sequence[Part], field: str) -> DocumentBatch:
    known = {part.id: part.vector for part in parts}
    if not known:
        return chunks
    vectors = column_of_arrays([known.get(id_) for id_ in chunks.ids])
    return chunks.with_columns(**{field: vectors})


def _rebuilt(parts: Sequence[Part], field: str) -> DocumentBatch:
    chunks = chunk_batch([part.id for part in parts], [part.body for part in parts])
    if not field:
        return chunks
    return chunks.with_columns(**{field: TensorColumn(np.stack([part.vector for part in parts]))})
