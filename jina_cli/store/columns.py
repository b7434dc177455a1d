"""What is in memory of the vectors of an index, in columns: a place is a row of all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jina_cli.store.exact import Exact, Places, Rows, squares_of
from jina_cli.store.growing import Growing
from jina_cli.store.keyed import place_of
from jina_cli.store.records import Numbers, Vectors
from jina_cli.vocabulary import Metric

_FIRST_PLACES = 1024
_NOBODY = -1


class Columns:
    """Vectors of documents, each at a place that it keeps until it is taken out.

    Nothing here takes a lock.

    Attributes:
        metric: As given.
        end: All places are below it.
        documents: How many documents have a vector.
        owners: By place: the number of its document, or -1 where there is no vector.
        keys: By place.
        ids: By number of document; "" for those that are not here.
        has_parts: Whether there ever was a vector of a part of a document.
    """

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.end = 0
        self.documents = 0
        self.ids: list[str] = []
        self.has_parts = False
        self._matrix = Growing(np.float32, 1)
        self._squares = Growing(np.float32 if metric is Metric.L2 else np.float64)
        self._names = Growing(np.int64, 2)  # key and owner, which are read together
        self._next = Growing(np.int64)  # place → the next one of its document, or -1
        self._first = Growing(np.int64)  # document → 1 + its first place, or 0
        self._free: list[int] = []
        self._longest = 0.0
        self._dim = 0
        self._exact: Exact | None = None  # looks at the columns, which must then not grow

    def __len__(self) -> int:
        """Return the number of vectors."""
        return self.end - len(self._free)

    @property
    def dim(self) -> int:
        """Length of the vectors; 0 until there is one."""
        return self._dim

    @property
    def capacity(self) -> int:
        """Places there is room for."""
        return len(self._names.rows)

    @property
    def keys(self) -> Numbers:
        return self._names.rows[:, 0]

    @property
    def owners(self) -> Numbers:
        return self._names.rows[:, 1]

    @property
    def names(self) -> Numbers:
        """By place: the key and the owner, shape `(capacity, 2)`."""
        return self._names.rows

    @property
    def matrix(self) -> Vectors:
        """The vectors by place, prepared."""
        return self._matrix.rows

    def reserve(self, count: int, dim: int) -> None:
        """Make room for `count` more vectors.

        Raises:
            MemoryError: There is none. Nothing changed.
        """
        self._exact = None
        if dim != self._dim and not len(self):
            self._matrix = Growing(np.float32, dim)
            self._dim = dim
            self.end = 0
            self._free.clear()
        needed = self.end + max(0, count - len(self._free))
        if needed > min(self.capacity, len(self._matrix.rows)):
            capacity = max(needed, 2 * self.capacity, _FIRST_PLACES)
            columns = (self._squares, self._next, self._matrix, self._names)
            for column in columns:
                column.grow(capacity)

    def put(
        self,
        documents: Numbers,
        ids: Sequence[str],
        counts: Numbers | None,
        keys: Numbers,
        prepared: Vectors,
    ) -> Places:
        """Add all vectors of documents that have none, and return where they are."""
        squares = squares_of(prepared)
        self.has_parts = self.has_parts or bool(place_of(keys).any())
        self._longest = max(self._longest, float(np.sqrt(squares.max(initial=0.0))))
        self.reserve(len(keys), prepared.shape[1])
        self._name(documents, ids)
        places = self._take(len(keys))
        rows = _rows(places)
        self._matrix.rows[rows] = prepared
        if self.metric is Metric.COSINE:
            squares[squares == 0] = 1.0
        with np.errstate(over="ignore"):
            self._squares.rows[rows] = squares
        self.keys[rows] = keys
        self.owners[rows] = documents if counts is None else np.repeat(documents, counts)
        self._chain(documents, counts, places)
        return places

    def remove(self, documents: Numbers) -> Places:
        """Take out the vectors of documents, and return where they were."""
        known = documents[documents < len(self.ids)]
        places = self.places_of(known)
        if len(places):
            self._exact = None
            holders = known[self._first.rows[known] > 0]
            self.documents -= len(holders)
            self._first.rows[holders] = 0
            for holder in holders.tolist():
                self.ids[holder] = ""  # rows are seldom given again, so names would gather
            self.owners[places] = _NOBODY
            self._free.extend(places.tolist())
        return places

    def places_of(self, documents: Numbers) -> Places:
        """Return where the vectors of documents are, those of one of them not side by side."""
        known = documents[documents < len(self.ids)]
        current = self._first.rows[known] - 1
        found = []
        while len(current := current[current >= 0]):
            found.append(current)
            current = self._next.rows[current]
        return found[0] if len(found) == 1 else np.concatenate([np.zeros(0, np.intp), *found])

    def rows(self) -> Rows:
        """Return all vectors."""
        if not self._free:
            return slice(0, self.end)
        return np.flatnonzero(self.owners[: self.end] != _NOBODY)

    def allowed(self, allowed: NDArray[np.bool_]) -> Places:
        """Return the vectors of the documents that are allowed, by number."""
        # Mostly in order already, which this sort finds out at once.
        return np.sort(self.places_of(np.flatnonzero(allowed[: len(self.ids)])), kind="stable")

    @property
    def has_several(self) -> bool:
        """Whether a document has more than one vector."""
        return self.documents < len(self)

    def exact(self) -> Exact:
        """Return what compares them, until the next change."""
        if self._exact is None:
            self._exact = Exact(
                matrix=self._matrix.rows[: self.end],
                squares=self._squares.rows[: self.end],
                longest=self._longest,
                metric=self.metric,
                owners=self.owners[: self.end] if self.has_several else None,
            )
        return self._exact

    def _name(self, documents: Numbers, ids: Sequence[str]) -> None:
        start = len(self.ids)
        end = int(documents.max(initial=-1)) + 1
        if end > len(self._first.rows):
            self._first.grow(max(end, 2 * len(self._first.rows), _FIRST_PLACES))
        # As they come where all are new: in order.
        if len(documents) == end - start and np.array_equal(documents, np.arange(start, end)):
            self.ids.extend(ids)
            return
        self.ids.extend([""] * (end - start))
        for document, id_ in zip(documents.tolist(), ids, strict=True):
            self.ids[document] = id_

    def _take(self, count: int) -> Places:
        """Return places that are free from now on no more, fresh ones last."""
        reused = self._free[len(self._free) - min(count, len(self._free)) :]
        del self._free[len(self._free) - len(reused) :]
        start, self.end = self.end, self.end + count - len(reused)
        fresh = np.arange(start, self.end)
        return np.concatenate([np.array(reused, np.intp), fresh]) if reused else fresh

    def _chain(self, documents: Numbers, counts: Numbers | None, places: Places) -> None:
        if counts is None:
            self._first.rows[documents] = places + 1
            self._next.rows[places] = -1
            self.documents += len(documents)
            return
        holders, held = documents[counts > 0], counts[counts > 0]
        starts = np.cumsum(held) - held
        self._first.rows[holders] = places[starts] + 1
        following = np.append(places[1:], -1)
        following[np.cumsum(held) - 1] = -1
        self._next.rows[places] = following
        self.documents += len(holders)


def _rows(places: Places) -> Rows:
    """Return places in a row as a slice, which is written faster."""
    if len(places) and places[-1] - places[0] == len(places) - 1 and (np.diff(places) == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return places
