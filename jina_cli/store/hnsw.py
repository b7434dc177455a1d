"""A graph of neighbours (HNSW, Malkov & Yashunin 2018) over vectors that others keep.

It finds places of vectors that are likely the nearest; whoever asks compares these exactly. What it
has is half-precision copies under labels of its own, which are never given twice: a vector that is
replaced leaves a label that leads nowhere. So the graph never takes an old vector for a new one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jina_cli.extras import need
from jina_cli.store.exact import Places, Rows
from jina_cli.store.growing import Growing
from jina_cli.store.records import Vectors
from jina_cli.store.space import Space

if TYPE_CHECKING:
    from usearch.index import Index

CONNECTIVITY = 16
EXPANSION_ADD = 128
"""M and ef_construction: usearch's defaults; the paper has M from 5 to 48 and 100 for the other."""

EXPANSION_SEARCH = 128
"""ef, for ten hits. With usearch's 64 the recall of 100,000 embeddings of short texts is 0.967,
with 128 it is 0.985 (`tests/bench/nearest.py`): it falls as an index grows, so there has to be
room above 0.95.
"""

TAIL = -1
"""Label of a vector that is not in the graph yet."""
UNFIT = -2
"""Label of a vector that will never be in this graph: the space has no place for it."""
ZERO = -3
"""Label of a zero vector where it is as near to all as to none."""
GONE = -4
"""Label of a place without vector."""

_LEAST_LABELS = 1024
_WEIGHTS_SEED = 20200731

Digests = NDArray[np.uint64]


def new_index(dim: int) -> Index:
    """Return an empty index for points of `dim` numbers.

    Raises:
        MissingExtra: usearch is not installed.
    """
    found: Index = need("usearch.index", "ann", what="fast search of many vectors").Index(
        ndim=dim,
        metric="l2sq",
        dtype="f16",
        connectivity=CONNECTIVITY,
        expansion_add=EXPANSION_ADD,
        expansion_search=EXPANSION_SEARCH,
        enable_key_lookups=False,
    )
    return found


def digests_of(prepared: Vectors) -> Digests:
    """Return a number for each vector by which it is known again, shape `(n,)`.

    Two vectors that differ have the same one with a chance of about 2**-32: multilinear hashing
    with weights drawn once, modulo 2**64.
    """
    rng = np.random.default_rng(_WEIGHTS_SEED)
    weights = rng.integers(1, 2**64, prepared.shape[1], np.uint64) | np.uint64(1)
    words = np.ascontiguousarray(prepared).view(np.uint32)
    digests = np.empty(len(words), np.uint64)
    for start in range(0, len(words), 4096):
        part = words[start : start + 4096] * weights
        np.add.reduce(part, axis=1, out=digests[start : start + 4096])
    return digests ^ (digests >> np.uint64(32))


class Graph:
    """Neighbours among vectors at places. Nothing here takes a lock; one call at a time.

    Args:
        space: Where vectors go.
        index: What to begin with; None for nothing.
        digests: By label, of what is in `index`; none of them leads anywhere before `adopt`.
        memory: What `index` looks at, if it is not its own.

    Attributes:
        space: As given.
        index: As given, or made.
        size: How many labels were given.
        stale: How many of them lead nowhere.
        unfit: How many vectors are `UNFIT`.
        zeros: How many vectors are `ZERO`.
        expansion: ef, for ten hits; at least `EXPANSION_SEARCH`, more where these vectors need it.
    """

    def __init__(
        self,
        space: Space,
        *,
        index: Index | None = None,
        digests: Digests | None = None,
        memory: memoryview | None = None,
    ) -> None:
        self.space = space
        self.index = new_index(space.dim) if index is None else index
        self._memory = memory  # let go of after the index
        self.size = self.stale = 0 if digests is None else len(digests)
        self.unfit = self.zeros = 0
        self.expansion = EXPANSION_SEARCH
        self._compiled: Any = self.index._compiled
        self._expansion = 0
        self._threads = max(1, (os.cpu_count() or 1) // 2)
        self._labels = Growing(np.int32)  # by place
        self._places = Growing(np.int64)  # by label; -1 where it leads nowhere
        self._digests = Growing(np.uint64)  # by label
        self._tail: Rows | None = None
        if digests is not None:
            self._make_labels(self.size)
            self._places.rows[: self.size] = -1
            self._digests.rows[: self.size] = digests

    @property
    def digests(self) -> Digests:
        """By label: the digest of the vector that got it."""
        return self._digests.rows[: self.size]

    @property
    def places(self) -> Places:
        """By label: where its vector is, -1 where that is gone."""
        return self._places.rows[: self.size]

    def labels(self, end: int) -> NDArray[np.int32]:
        """Return, for the places below `end`, the label of the vector there or why it has none."""
        return self._labels.rows[:end]

    def expect(self, places: Places, capacity: int) -> None:
        """Take note of vectors that are new at places, of which there may be `capacity`."""
        known = len(self._labels.rows)
        if capacity > known:
            self._labels.grow(capacity)
            self._labels.rows[known:] = GONE
        self._labels.rows[places] = TAIL
        self._tail = None

    def forget(self, places: Places) -> None:
        """Take note that the vectors at places are gone."""
        labels = self._labels.rows[places]
        given = labels[labels >= 0]
        self._places.rows[given] = -1
        self.stale += len(given)
        self.unfit -= int((labels == UNFIT).sum())
        self.zeros -= int((labels == ZERO).sum())
        self._labels.rows[places] = GONE
        self._tail = None

    def add(self, places: Places, prepared: Vectors) -> None:
        """Take in vectors, shape `(n, dim)`, that are in the tail."""
        points, fits = self.space.place(prepared)
        self._tail = None
        if not fits.all():
            self._leave_out(places[~fits], prepared[~fits])
            places, prepared, points = places[fits], prepared[fits], points[fits]
        end = self.size + len(places)
        labels = np.arange(self.size, end, dtype=np.uint64)
        if len(labels):
            self._compiled.add_many(labels, points, copy=True, threads=self._threads)
        self._make_labels(end)
        self._places.rows[self.size : end] = places
        self._digests.rows[self.size : end] = digests_of(prepared)
        self._labels.rows[places] = labels
        self.size = end

    def adopt(self, labels: Places, places: Places) -> None:
        """Let labels that lead nowhere lead to vectors in the tail, which have their digests."""
        self._places.rows[labels] = places
        self._labels.rows[places] = labels
        self.stale -= len(labels)
        self._tail = None

    def search(self, aims: Vectors, wanted: int, expansion: int) -> list[Places]:
        """Return for each of `aims`, from `Space.aim`, places likely nearest to it, in order.

        Args:
            wanted: How many for each; there are fewer where labels lead nowhere.
            expansion: How many candidates the walk keeps, at least `wanted`.
        """
        if expansion != self._expansion:
            self._compiled.expansion_search = self._expansion = expansion
        found = self._compiled.search_many(aims, wanted, threads=1)
        labels, counts = found[0].view(np.int64), found[2]
        rows = self._places.rows
        places = [
            rows.take(row[:count]) for row, count in zip(labels, counts.tolist(), strict=True)
        ]
        return [row[row >= 0] for row in places] if self.stale else places

    def tail(self, end: int) -> Rows:
        """Return the places below `end` of vectors that only an exact search finds."""
        if self._tail is None:
            labels = self._labels.rows[:end]
            rows = np.flatnonzero((labels == TAIL) | (labels == UNFIT))
            is_run = len(rows) and rows[-1] - rows[0] == len(rows) - 1
            self._tail = slice(int(rows[0]), int(rows[-1]) + 1) if is_run else rows
        return self._tail

    def _leave_out(self, places: Places, prepared: Vectors) -> None:
        is_zero = np.zeros(len(places), np.bool_)
        if self.space.has_no_zero:
            is_zero = np.linalg.norm(prepared, axis=1) == 0
        self._labels.rows[places] = np.where(is_zero, ZERO, UNFIT)
        self.zeros += int(is_zero.sum())
        self.unfit += len(places) - int(is_zero.sum())

    def _make_labels(self, end: int) -> None:
        if end > len(self._places.rows):
            capacity = max(end, 2 * len(self._places.rows), _LEAST_LABELS)
            self._digests.grow(capacity)
            self._places.grow(capacity)
