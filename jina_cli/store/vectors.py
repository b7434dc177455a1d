"""The vectors of an index in memory, which change one transaction at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from jina_cli.store.exact import Exact, prepare, squares_of
from jina_cli.store.records import BadVectors, Found, Vectors
from jina_cli.vocabulary import Metric

_FIRST_ROWS = 1024


class VectorTable:
    """Vectors under ids, in one matrix that doubles when it is full.

    Searches and changes wait for each other, so a search sees whole transactions.
    """

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._lock = threading.Lock()
        self._ids: list[str] = []
        self._places: dict[str, int] = {}
        self._matrix = np.zeros((0, 0), np.float32)
        self._squares = np.zeros(0, np.float32)
        self._longest = 0.0

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def dim(self) -> int:
        """Length of the vectors; 0 until there is one."""
        return int(self._matrix.shape[1])

    def reserve(self, count: int, dim: int) -> None:
        """Make room for `count` more, so that `put` cannot fail for want of memory."""
        with self._lock:
            self._make_room(count, dim)

    def put(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors, shape `(len(ids), dim)`, in place of those that have their ids.

        `ids` are distinct. Without a `reserve` before it, this may have to copy the matrix.
        """
        prepared = prepare(vectors, self._metric)
        squares = squares_of(prepared)
        longest = float(np.sqrt(squares.max(initial=0.0)))
        with self._lock:
            self._make_room(sum(id_ not in self._places for id_ in ids), vectors.shape[1])
            rows = np.array([self._place(id_) for id_ in ids], np.intp)
            self._matrix[rows] = prepared
            with np.errstate(over="ignore"):
                self._squares[rows] = squares
            self._longest = max(self._longest, longest)

    def remove(self, ids: Sequence[str]) -> None:
        """Take out the vectors of `ids`; those that have none are passed over."""
        with self._lock:
            for id_ in ids:
                place = self._places.pop(id_, None)
                if place is not None:
                    self._fill(place)

    def search(self, queries: Vectors, top_k: int) -> Found:
        """Return the nearest `top_k` for each query.

        Raises:
            BadVectors: The queries have another length than the vectors.
        """
        with self._lock:
            count = len(self._ids)
            if count and queries.shape[1] != self.dim:
                raise BadVectors(
                    f"queries have {queries.shape[1]} dimensions, the index has {self.dim}"
                )
            if not count:
                nothing = np.zeros(0, np.float32)
                return Found([[] for _ in queries], [nothing for _ in queries])
            exact = Exact(
                ids=self._ids,
                matrix=self._matrix[:count],
                squares=self._squares[:count],
                longest=self._longest,
                metric=self._metric,
            )
            return exact.search(queries, top_k)

    def _place(self, id_: str) -> int:
        place = self._places.get(id_)
        if place is None:
            place = self._places[id_] = len(self._ids)
            self._ids.append(id_)
        return place

    def _fill(self, place: int) -> None:
        """Move the last vector to `place`, whose own is gone."""
        last = self._ids.pop()
        end = len(self._ids)
        if place != end:
            self._ids[place] = last
            self._places[last] = place
            self._matrix[place] = self._matrix[end]
            self._squares[place] = self._squares[end]

    def _make_room(self, count: int, dim: int) -> None:
        needed = len(self._ids) + count
        if needed > len(self._matrix) or (not self._ids and dim != self.dim):
            self._grow(max(needed, 2 * len(self._matrix), _FIRST_ROWS), dim)

    def _grow(self, rows: int, dim: int) -> None:
        count = len(self._ids)
        matrix = np.zeros((rows, dim), np.float32)
        squares = np.zeros(rows, np.float32)
        if count:
            matrix[:count] = self._matrix[:count]
            squares[:count] = self._squares[:count]
        self._matrix, self._squares = matrix, squares
