"""The vectors of documents with their keys, as the table of vectors takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jina_cli.store.records import Numbers, Parts, Records, Vectors
from jina_cli.store.schema import KEY_BITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """All vectors of some documents.

    Attributes:
        documents: Shape `(n,)`, their rows.
        ids: One for each document.
        counts: Shape `(n,)`, how many vectors each has; None is one each.
        keys: Shape `(m,)`, one for each vector.
        vectors: Shape `(m, dim)`.
    """

    documents: Numbers
    ids: Sequence[str]
    counts: Numbers | None
    keys: Numbers
    vectors: Vectors


def document_of(keys: Numbers) -> Numbers:
    """Return the rows of the documents that have vectors with these keys."""
    return keys >> KEY_BITS


def place_of(keys: Numbers) -> Numbers:
    """Return which part of its document each key is of; 0 for the document's own vector."""
    return keys & ((1 << KEY_BITS) - 1)


def places_of(parts: Parts) -> Numbers:
    """Return the place of each part: in order from 1, and 0 for the document itself."""
    is_part = np.fromiter((id_ != "" for id_ in parts.ids), np.int64, len(parts))
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(is_part)])
    starts = np.repeat(before[parts.offsets[:-1]], np.diff(parts.offsets))
    places: Numbers = np.where(is_part, before[1:] - starts, 0)
    return places


def keyed_of(documents: Numbers, records: Records) -> Keyed | None:
    """Return the vectors of records that stand in these rows; None if there are none.

    Nothing is copied unless there are both vectors and parts.
    """
    own, parts = records.vectors, records.parts
    if parts is None or not len(parts):
        if own is None or not len(own):
            return None
        keys = documents << KEY_BITS
        return Keyed(documents=documents, ids=records.ids, counts=None, keys=keys, vectors=own)
    counts = np.diff(parts.offsets)
    part_keys = (np.repeat(documents, counts) << KEY_BITS) + places_of(parts)
    if own is None:
        keys, vectors = part_keys, parts.vectors
    else:
        firsts = parts.offsets[:-1] + np.arange(len(own))
        counts = counts + 1
        is_own = np.zeros(len(own) + len(parts), np.bool_)
        is_own[firsts] = True
        keys = np.empty(len(is_own), np.int64)
        keys[is_own], keys[~is_own] = documents << KEY_BITS, part_keys
        vectors = np.empty((len(is_own), own.shape[1]), np.float32)
        vectors[is_own], vectors[~is_own] = own, parts.vectors
    return Keyed(documents=documents, ids=records.ids, counts=counts, keys=keys, vectors=vectors)
