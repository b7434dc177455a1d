"""What goes into a store and comes out of it: plain values, checked once when they are made.

The store does not look into documents. Whoever uses it says what is to be kept (`bodies`),
what is to be found by words (`texts`) and what is to be found by nearness (`vectors`). What is
large and seldom read (`rests`) lies elsewhere on the disk, so that bodies are read fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vectors: TypeAlias = NDArray[np.float32]


class BadRecords(ValueError):
    """Records that a store does not take. Nothing of their batch was added."""


class BadVectors(BadRecords):
    """Vectors of a wrong shape or with numbers that are not finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Documents as a store keeps them.

    Attributes:
        ids: Where an id repeats, the last record with it wins.
        bodies: One for each id, opaque.
        rests: As `bodies`; None for a record that has none.
        texts: What `search_text` searches; None for a record that has none.
        vectors: What `search_vectors` searches, shape `(records, dim)`, all finite.
    """

    ids: Sequence[str]
    bodies: Sequence[bytes]
    texts: Sequence[str | None] | None = None
    vectors: Vectors | None = None
    rests: Sequence[bytes | None] | None = None

    def __post_init__(self) -> None:
        columns = (("bodies", self.bodies), ("texts", self.texts), ("rests", self.rests))
        for name, column in columns:
            if column is not None and len(column) != len(self.ids):
                raise BadRecords(f"{len(column)} {name} for {len(self.ids)} ids")
        if self.vectors is not None and len(self.vectors) != len(self.ids):
            raise BadVectors(f"{len(self.vectors)} vectors for {len(self.ids)} ids")

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
        )


class Brief(NamedTuple):
    """What is read fast of a document of a store. Many are made, so it is a tuple."""

    id: str
    body: bytes
    text: str | None
    has_rest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One document of a store.

    Attributes:
        vector: Shape `(dim,)`, as it came, not normalised; None where there is none.
    """

    id: str
    body: bytes
    text: str | None
    vector: Vectors | None
    rest: bytes | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, best first, equal scores in the order of ids.

    Attributes:
        ids: One list for each query; shorter than `top_k` where there was no more to find.
        scores: One array for each query, as long as its list of ids; higher is better.
    """

    ids: Sequence[Sequence[str]]
    scores: Sequence[NDArray[np.floating[Any]]]


def as_vectors(values: ArrayLike, *, what: str = "vectors") -> Vectors:
    """Return `values` as float32 of shape `(n, dim)`, contiguous.

    Raises:
        BadVectors: They have another number of axes, are not numbers, or some are NaN or
            infinite as float32; the message names the first row.
    """
    given = np.asarray(values)
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
