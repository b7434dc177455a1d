"""What goes into a store and comes out of it: plain values, checked once when they are made.

Whoever uses the store says what is to be kept (`bodies`), what is to be found by words (`texts`)
and what is to be found by nearness (`vectors`, and `parts` for documents with several). What is
large and seldom read (`rests`) lies elsewhere on the disk, so that bodies are read fast. Nothing
looks into a body but a condition: for it, a body is a JSON object of fields, or empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vectors: TypeAlias = NDArray[np.float32]
Numbers: TypeAlias = NDArray[np.int64]
"""Numbers of rows, of documents or of vectors."""

MAX_PARTS = (1 << 20) - 1
"""Parts that a document may have."""


class BadRecords(ValueError):
    """Records that a store does not take. Nothing of their batch was added."""


class BadVectors(BadRecords):
    """Vectors of a wrong shape or with numbers that are not finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Vectors of parts of documents, such as their chunks. A document may have none.

    Attributes:
        offsets: Shape `(records + 1,)`; those of record `i` are `offsets[i]:offsets[i + 1]`.
        ids: One for each part. Where one repeats in a document, its last part wins; "" is
            the document itself, so what stands there is the document's own vector.
        bodies: One for each part, opaque and small; empty where the id is "".
        vectors: Shape `(parts, dim)`, all finite.
    """

    offsets: Numbers
    ids: Sequence[str]
    bodies: Sequence[bytes]
    vectors: Vectors

    def __post_init__(self) -> None:
        if len(self.bodies) != len(self.ids):
            raise BadRecords(f"{len(self.bodies)} bodies for {len(self.ids)} parts")
        if len(self.vectors) != len(self.ids):
            raise BadVectors(f"{len(self.vectors)} vectors for {len(self.ids)} parts")
        counts = np.diff(self.offsets)
        ends = self.offsets[:1].tolist() + self.offsets[-1:].tolist()
        if ends != [0, len(self.ids)] or (counts < 0).any():
            raise BadRecords(f"offsets that do not divide {len(self.ids)} parts among records")
        if counts.max(initial=0) > MAX_PARTS:
            raise BadRecords(f"a document has more than {MAX_PARTS} parts")
        if any(body and not id_ for id_, body in zip(self.ids, self.bodies, strict=True)):
            raise BadRecords("a part without id is the document itself and has no body of its own")

    def __len__(self) -> int:
        return len(self.ids)

    def of(self, records: Sequence[int]) -> Parts:
        """Return the parts of some of the records, in their order."""
        starts, counts = self.offsets[:-1][records], np.diff(self.offsets)[records]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        shifts = np.repeat(starts - offsets[:-1], counts)
        return self._taken((np.arange(offsets[-1]) + shifts).tolist(), offsets)

    def distinct(self) -> Parts:
        """Return the same parts without those that a later one of their document replaces."""
        records = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        last = {pair: i for i, pair in enumerate(zip(records.tolist(), self.ids, strict=True))}
        if len(last) == len(self.ids):
            return self
        kept = sorted(last.values())
        counts = np.bincount(records[kept], minlength=len(self.offsets) - 1)
        return self._taken(kept, np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]))

    def _taken(self, places: Sequence[int], offsets: Numbers) -> Parts:
        return Parts(
            offsets=offsets,
            ids=[self.ids[i] for i in places],
            bodies=[self.bodies[i] for i in places],
            vectors=self.vectors[places],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Documents as a store keeps them.

    Attributes:
        ids: Where an id repeats, the last record with it wins.
        bodies: One for each id.
        rests: As `bodies`, opaque; None for a record that has none.
        texts: What `search_text` searches; None for a record that has none.
        vectors: What `search_vectors` searches, shape `(records, dim)`, all finite.
        parts: More of that, with the same `dim`.
        hashes: What `Store.hashes` returns, such as a hash of the content; None for a record
            that has none.
        beside: Names of the fields that are in `rests`, so that a condition on other fields
            need not read them; None if that is not known.
    """

    ids: Sequence[str]
    bodies: Sequence[bytes]
    texts: Sequence[str | None] | None = None
    vectors: Vectors | None = None
    rests: Sequence[bytes | None] | None = None
    parts: Parts | None = None
    hashes: Sequence[bytes | None] | None = None
    beside: frozenset[str] | None = None

    def __post_init__(self) -> None:
        columns = (
            ("bodies", self.bodies),
            ("texts", self.texts),
            ("rests", self.rests),
            ("hashes", self.hashes),
        )
        for name, column in columns:
            if column is not None and len(column) != len(self.ids):
                raise BadRecords(f"{len(column)} {name} for {len(self.ids)} ids")
        if self.vectors is not None and len(self.vectors) != len(self.ids):
            raise BadVectors(f"{len(self.vectors)} vectors for {len(self.ids)} ids")
        if self.parts is not None:
            self._check_parts(self.parts)

    def __len__(self) -> int:
        return len(self.ids)

    def distinct(self) -> Records:
        """Return the same records without those that a later one with their id replaces."""
        last = {id_: place for place, id_ in enumerate(self.ids)}
        if len(last) == len(self.ids):
            return self
        kept = sorted(last.values())
        return Records(
            ids=[self.ids[i] for i in kept],
            bodies=[self.bodies[i] for i in kept],
            texts=None if self.texts is None else [self.texts[i] for i in kept],
            vectors=None if self.vectors is None else self.vectors[kept],
            rests=None if self.rests is None else [self.rests[i] for i in kept],
            parts=None if self.parts is None else self.parts.of(kept),
            hashes=None if self.hashes is None else [self.hashes[i] for i in kept],
            beside=self.beside,
        )

    def all_vectors(self) -> list[Vectors]:
        """Return the arrays that have vectors, without those that are empty."""
        parts = None if self.parts is None else self.parts.vectors
        return [given for given in (self.vectors, parts) if given is not None and len(given)]

    def _check_parts(self, parts: Parts) -> None:
        if len(parts.offsets) != len(self.ids) + 1:
            raise BadRecords(f"parts of {len(parts.offsets) - 1} records for {len(self.ids)} ids")
        if self.vectors is None:
            return
        if "" in parts.ids:
            raise BadVectors("a document has two vectors of its own: in vectors, and a part")
        if len(parts) and len(self) and parts.vectors.shape[1:] != self.vectors.shape[1:]:
            raise BadVectors(
                f"vectors have {self.vectors.shape[-1]} dimensions,"
                f" those of the parts {parts.vectors.shape[-1]}"
            )


class Brief(NamedTuple):
    """What is read fast of a document of a store. Many are made, so it is a tuple."""

    id: str
    body: bytes
    text: str | None
    has_rest: bool


class Part(NamedTuple):
    """One part of a document of a store.

    Attributes:
        vector: Shape `(dim,)`, as it came.
    """

    id: str
    body: bytes
    vector: Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One document of a store.

    Attributes:
        vector: Shape `(dim,)`, as it came, not normalised; None where there is none.
        parts: In the order in which they came, without the document's own vector.
    """

    id: str
    body: bytes
    text: str | None
    vector: Vectors | None
    rest: bytes | None
    parts: Sequence[Part] = ()
    hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, best first, equal scores in the order of ids.

    Attributes:
        ids: One list for each query; shorter than `top_k` where there was no more to find.
        scores: One array for each query, as long as its list of ids; higher is better.
        parts: Of a search by vectors, as `ids`: the part with the best vector of its
            document, "" where that is the document's own.
    """

    ids: Sequence[Sequence[str]]
    scores: Sequence[NDArray[np.floating[Any]]]
    parts: Sequence[Sequence[str]] | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """As `Found`, with the vectors that were found: one of each document, its best.

    Attributes:
        keys: One array for each query, as long as its list of ids.
    """

    ids: Sequence[Sequence[str]]
    scores: Sequence[NDArray[np.float32]]
    keys: Sequence[Numbers]


def as_vectors(values: ArrayLike, *, what: str = "vectors") -> Vectors:
    """Return `values` as float32 of shape `(n, dim)`, contiguous.

    Raises:
        BadVectors: They have another number of axes, are not numbers, or some are NaN or
            infinite as float32; the message names the first row.
    """
    given = np.asarray(values)
    is_ready = given.dtype == np.float32 and given.ndim == 2 and given.flags.c_contiguous
    if is_ready and np.isfinite(given).all():
        return given
    if given.ndim != 2:
        raise BadVectors(f"{what} must have shape (n, dim), these have {given.shape}")
    if given.dtype.kind not in "fiub":
        raise BadVectors(f"{what} must be numbers, these are {given.dtype}")
    with np.errstate(over="ignore"):
        vectors = np.ascontiguousarray(given, np.float32)
    if vectors.size and not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise BadVectors(f"{what} must be finite, row {row} has NaN or infinity")
    return vectors


def numbers_of(values: Iterable[int]) -> Numbers:
    """Return whole numbers as an array."""
    return np.fromiter(values, np.int64)
