"""Lists of documents: which of each go on, and in which order. Columns all the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, Indices
from jina_cli.documents.traversal import Path, lists_at, put_lists_at

Mask: TypeAlias = NDArray[np.bool_]


def each_list(
    batch: DocumentBatch,
    paths: tuple[Path, ...],
    step: Callable[[DocsColumn], DocsColumn],
) -> DocumentBatch:
    """Return `batch` with the lists at each path replaced by what `step` makes of them."""
    for path in paths:
        lists = lists_at(batch, path)
        if len(lists.docs):
            batch = put_lists_at(batch, path, step(lists))
    return batch


def owners_of(lists: DocsColumn) -> Indices:
    """Return for each document the number of the list it is in, shape `(documents,)`."""
    return np.repeat(np.arange(len(lists)), np.diff(lists.offsets))


def places_of(lists: DocsColumn) -> Indices:
    """Return for each document its place in its list, from 0, shape `(documents,)`."""
    return np.arange(len(lists.docs)) - np.repeat(lists.offsets[:-1], np.diff(lists.offsets))


def chosen(lists: DocsColumn, mask: Mask) -> DocsColumn:
    """Return the lists with those documents alone that `mask` has, in the same order."""
    if mask.all():
        return lists
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(mask)])[lists.offsets]
    return replace(lists, offsets=offsets, docs=lists.docs.take(np.flatnonzero(mask)))


def reordered(lists: DocsColumn, order: Indices) -> DocsColumn:
    """Return the lists with their documents in another order, which keeps each in its list.

    Args:
        order: Places in `lists.docs`, shape `(documents,)`.
    """
    return replace(lists, docs=lists.docs.take(order))


def ends_of(lengths: Indices) -> Indices:
    """Return the offsets of lists of such lengths, shape `(lists + 1,)`."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


def numbered(names: Sequence[str]) -> tuple[list[str], Indices]:
    """Return the distinct names in their order, and for each name its place among them."""
    known = sorted(set(names))
    number = {name: place for place, name in enumerate(known)}
    return known, np.array([number[name] for name in names], np.int64)


def best_first(owners: Indices, scores: NDArray[np.float64], ids: Indices, top_k: int) -> Indices:
    """Return which documents are the best of each list, list after list, the best first.

    Args:
        owners: Number of the list of each document, shape `(n,)`.
        scores: Shape `(n,)`; nan is less than any number.
        ids: What decides between equal scores, the smaller first, shape `(n,)`.
        top_k: Documents of each list at most.
    """
    falling = np.where(np.isnan(scores), np.inf, -scores)
    order = np.lexsort((ids, falling, owners))
    sorted_owners = owners[order]
    places = np.arange(len(order)) - np.searchsorted(sorted_owners, sorted_owners)
    return order[places < top_k]
