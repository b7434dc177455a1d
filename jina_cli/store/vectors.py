"""The vectors of an index in memory, which change one transaction at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jina_cli.store.exact import prepare, squares_of
from jina_cli.store.records import BadVectors, Hits, Numbers, Vectors
from jina_cli.vocabulary import Metric

_FIRST_ROWS = 1024


class VectorTable:
    """Vectors of documents in one matrix that doubles when it is full.

    Documents and vectors go by numbers: those of documents are the rows of the record, those
    of vectors their keys. Searches and changes wait for each other, so a search sees whole
    transactions.

    Args:
        sidecar: File for what makes searches faster; None for none.
    """

    def __init__(self, metric: Metric, sidecar: Path | None = None) -> None:
        self._metric = metric
        self._sidecar = sidecar
        self._lock = threading.Lock()
        self._change = 0
        self._ids: list[str] = []
        self._owners = np.zeros(0, np.int64)
        self._keys = np.zeros(0, np.int64)
        self._places: dict[int, list[int]] = {}
        self._matrix = np.zeros((0, 0), np.float32)
        self._squares = np.zeros(0, np.float32)
        self._longest = 0.0

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self._ids)

    @property
    def dim(self) -> int:
        """Length of the vectors; 0 until there is one."""
        return int(self._matrix.shape[1])

    @property
    def change(self) -> int:
        """The last change of the record that the vectors have."""
        return self._change

    def reserve(self, count: int, dim: int) -> None:
        """Make room for `count` more, so that `put` cannot fail for want of memory."""
        with self._lock:
            self._make_room(count, dim)

    def put(
        self,
        documents: Numbers,
        ids: Sequence[str],
        counts: Numbers | None,
        keys: Numbers,
        vectors: Vectors,
    ) -> None:
        """Replace all vectors of some documents. Without a `reserve` before it, this may copy.

        Args:
            documents: Shape `(n,)`, distinct.
            ids: One for each document.
            counts: Shape `(n,)`, how many vectors each has, in order; None is one each.
            keys: Shape `(m,)`, distinct, one for each vector.
            vectors: Shape `(m, dim)`.
        """
        prepared = prepare(vectors, self._metric)
        squares = squares_of(prepared)
        each = np.ones(len(documents), np.int64) if counts is None else counts
        with self._lock:
            for document in documents.tolist():
                self._forget(document)
            self._make_room(len(keys), vectors.shape[1])
            start, end = len(self._ids), len(self._ids) + len(keys)
            self._matrix[start:end] = prepared
            with np.errstate(over="ignore"):
                self._squares[start:end] = squares
            self._keys[start:end] = keys
            self._owners[start:end] = np.repeat(documents, each)
            for document, id_, count in zip(documents.tolist(), ids, each.tolist(), strict=True):
                if count:
                    place = len(self._ids)
                    self._places[document] = list(range(place, place + count))
                    self._ids.extend([id_] * count)
            self._longest = max(self._longest, float(np.sqrt(squares.max(initial=0.0))))

    def remove(self, documents: Numbers) -> None:
        """Take out the vectors of documents; those that have none are passed over."""
        with self._lock:
            for document in documents.tolist():
                self._forget(document)

    def loaded(self, change: int, changed_since: Callable[[int], Numbers | None]) -> None:
        """Say that all vectors of the record as of `change` are here.

        Args:
            changed_since: Returns which documents were added, replaced or deleted after a
                change, None if that is no longer known. Only called before this returns.
        """
        self._change = change

    def committed(self, change: int) -> None:
        """Say that what was put and removed since the last call is the record as of `change`."""
        self._change = change

    def close(self) -> None:
        """End what goes on in the background."""

    def search(self, queries: Vectors, top_k: int, allowed: NDArray[np.bool_] | None) -> Hits:
        """Return the documents with the nearest vector, the best `top_k` for each query.

        Args:
            allowed: By number of document, those that may be found; no number behind its end
                is. None is all.

        Raises:
            BadVectors: The queries have another length than the vectors.
        """
        with self._lock:
            places = self._allowed(allowed)
            if len(self._ids) and queries.shape[1] != self.dim:
                raise BadVectors(
                    f"queries have {queries.shape[1]} dimensions, the index has {self.dim}"
                )
            found = [
                self._best(query, places, top_k) for query in prepare(queries, self._metric)
            ]
        return Hits(*map(list, zip(*found, strict=True))) if found else Hits([], [], [])

    def scores(self, query: Vectors, documents: Numbers) -> NDArray[np.float32]:
        """Return the score of the best vector of each document for a query, shape `(dim,)`.

        It is NaN for a document that has none.

        Raises:
            BadVectors: The query has another length than the vectors.
        """
        with self._lock:
            if len(self._ids) and len(query) != self.dim:
                raise BadVectors(f"queries have {len(query)} dimensions, the index has {self.dim}")
            (prepared,) = prepare(query[None], self._metric)
            best = np.full(len(documents), np.nan, np.float32)
            for i, document in enumerate(documents.tolist()):
                if places := self._places.get(document):
                    best[i] = self._scores(prepared, np.array(places)).max()
            return best

    def _allowed(self, allowed: NDArray[np.bool_] | None) -> NDArray[np.intp]:
        count = len(self._ids)
        if allowed is None:
            return np.arange(count)
        owners = self._owners[:count]
        known = owners < len(allowed)
        known[known] = allowed[owners[known]]
        return np.flatnonzero(known)

    def _scores(self, query: Vectors, places: NDArray[np.intp]) -> NDArray[np.float32]:
        rows, doubles = self._matrix[places].astype(np.float64), query.astype(np.float64)
        if self._metric is Metric.L2:
            return (-np.sqrt(np.square(rows - doubles).sum(axis=1))).astype(np.float32)
        scores = (rows * doubles).sum(axis=1)
        if self._metric is Metric.COSINE:
            # Float32 left the lengths a little off 1, and equal vectors score exactly 1.
            lengths = np.sqrt(np.square(rows).sum(axis=1) * np.square(doubles).sum())
            scores = (scores / np.where(lengths == 0, 1.0, lengths)).clip(-1, 1)
        return scores.astype(np.float32)

    def _best(
        self, query: Vectors, places: NDArray[np.intp], top_k: int
    ) -> tuple[list[str], NDArray[np.float32], Numbers]:
        if not len(places):
            return [], np.zeros(0, np.float32), np.zeros(0, np.int64)
        scores = self._scores(query, places)
        order = np.lexsort((self._keys[places], -scores))
        _, first = np.unique(self._owners[places][order], return_index=True)
        best = order[first]
        ids = [self._ids[place] for place in places[best].tolist()]
        losses = (-scores[best]).tolist()
        kept = best[sorted(range(len(ids)), key=lambda i: (losses[i], ids[i]))[:top_k]]
        return (
            [self._ids[place] for place in places[kept].tolist()],
            scores[kept],
            self._keys[places[kept]],
        )

    def _forget(self, document: int) -> None:
        for place in sorted(self._places.pop(document, ()), reverse=True):
            self._fill(place)

    def _fill(self, place: int) -> None:
        """Move the last vector to `place`, whose own is gone."""
        last = self._ids.pop()
        end = len(self._ids)
        if place != end:
            rows = self._places[int(self._owners[end])]
            rows[rows.index(end)] = place
            self._ids[place] = last
            for column in (self._matrix, self._squares, self._keys, self._owners):
                column[place] = column[end]

    def _make_room(self, count: int, dim: int) -> None:
        needed = len(self._ids) + count
        if needed > len(self._matrix) or (not self._ids and dim != self.dim):
            self._grow(max(needed, 2 * len(self._matrix), _FIRST_ROWS), dim)

    def _grow(self, rows: int, dim: int) -> None:
        count = len(self._ids)
        old = (self._matrix, self._squares, self._keys, self._owners)
        self._matrix = np.zeros((rows, dim), np.float32)
        self._squares = np.zeros(rows, np.float32)
        self._keys, self._owners = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        if count:
            new = (self._matrix, self._squares, self._keys, self._owners)
            for target, source in zip(new, old, strict=True):
                target[:count] = source[:count]
