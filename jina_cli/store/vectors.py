"""The vectors of an index in memory, which change one transaction at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jina_cli.store.columns import Columns
from jina_cli.store.exact import prepare
from jina_cli.store.hnsw import Graph
from jina_cli.store.nearest import Nearest
from jina_cli.store.records import BadVectors, Hits, Numbers, Vectors
from jina_cli.store.upkeep import THRESHOLD, Upkeep
from jina_cli.vocabulary import Metric


class VectorTable:
    """Vectors of documents in memory, searched exactly or, where they are many, by a graph.

    Documents and vectors go by numbers: those of documents are the rows of the record, those
    of vectors their keys. Searches and changes wait for each other, so a search sees whole
    transactions. Scores are exact in any case, and a document that a graph finds has the score
    that an exact search gives it; only which documents are found is then approximate.

    Args:
        sidecar: File for the graph, which is made in the background; None for no graph.
        threshold: Vectors above which there is a graph.
        read_only: Another process keeps the file; use it, and leave it as it is.
    """

    def __init__(
        self,
        metric: Metric,
        sidecar: Path | None = None,
        *,
        threshold: int = THRESHOLD,
        read_only: bool = False,
    ) -> None:
        self.lock = threading.Lock()
        self.columns = Columns(metric)
        self.graph: Graph | None = None
        self.draft: Graph | None = None
        self.change = 0
        self.is_writing = False
        self.wrote_at = self.searched_at = 0.0
        self._sidecar = sidecar
        self._threshold = threshold
        self._read_only = read_only
        self._upkeep: Upkeep | None = None

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self.columns)

    @property
    def dim(self) -> int:
        """Length of the vectors; 0 until there is one."""
        return self.columns.dim

    def reserve(self, count: int, dim: int) -> None:
        """Make room for `count` more, so that `put` cannot fail for want of memory.

        From here to the next `committed` a transaction is taken to be on its way.
        """
        with self.lock:
            self.is_writing = True
            self.wrote_at = time.monotonic()
            self.columns.reserve(count, dim)

    def put(
        self,
        documents: Numbers,
        ids: Sequence[str],
        counts: Numbers | None,
        keys: Numbers,
        vectors: Vectors,
    ) -> None:
        """Replace all vectors of some documents.

        Args:
            documents: Shape `(n,)`, distinct.
            ids: One for each document.
            counts: Shape `(n,)`, how many vectors each has, in order; None is one each.
            keys: Shape `(m,)`, distinct, one for each vector.
            vectors: Shape `(m, dim)`.
        """
        prepared = prepare(vectors, self.columns.metric)
        with self.lock:
            self._remove(documents)
            places = self.columns.put(documents, ids, counts, keys, prepared)
            for graph in self._graphs():
                graph.expect(places, self.columns.capacity)
            self.wrote_at = time.monotonic()

    def remove(self, documents: Numbers) -> None:
        """Take out the vectors of documents; those that have none are passed over."""
        with self.lock:
            self._remove(documents)
            self.wrote_at = time.monotonic()

    def committed(self, change: int) -> None:
        """Say that the vectors are those of the record as of `change`."""
        with self.lock:
            self.change = change
            self.is_writing = False
        if self._upkeep is not None:
            self._upkeep.notify()
        elif self._sidecar is not None and len(self) >= self._threshold:
            self._upkeep = Upkeep(
                self, self._sidecar, threshold=self._threshold, read_only=self._read_only
            )

    def close(self) -> None:
        """End what goes on in the background."""
        if self._upkeep is not None:
            self._upkeep.close()

    def search(self, queries: Vectors, top_k: int, allowed: NDArray[np.bool_] | None) -> Hits:
        """Return the documents with the nearest vector, the best `top_k` for each query.

        Args:
            allowed: By number of document, those that may be found; no number behind its end
                is. None is all.

        Raises:
            BadVectors: The queries have another length than the vectors.
        """
        prepared = prepare(queries, self.columns.metric)
        with self.lock:
            self.searched_at = time.monotonic()
            if not len(self.columns):
                return _nothing(len(queries))
            self._check(queries.shape[1])
            return Nearest(self.columns, self.graph, allowed).search(prepared, top_k)

    def scores(self, query: Vectors, documents: Numbers) -> NDArray[np.float32]:
        """Return the score of the best vector of each document for a query, shape `(dim,)`.

        It is NaN for a document that has none.

        Raises:
            BadVectors: The query has another length than the vectors.
        """
        (prepared,) = prepare(query[None], self.columns.metric)
        with self.lock:
            columns = self.columns
            if not len(columns):
                return np.full(len(documents), np.nan, np.float32)
            self._check(len(query))
            places = columns.places_of(documents)
            found = columns.exact().scores(prepared, places)
            asked, position = np.unique(documents, return_inverse=True)
            best = np.full(len(asked), np.nan, np.float32)
            np.fmax.at(best, np.searchsorted(asked, columns.owners[places]), found)
            return best[position]

    def _remove(self, documents: Numbers) -> None:
        places = self.columns.remove(documents)
        for graph in self._graphs():
            graph.forget(places)

    def _graphs(self) -> list[Graph]:
        return [graph for graph in (self.graph, self.draft) if graph is not None]

    def _check(self, dim: int) -> None:
        if dim != self.dim:
            raise BadVectors(
                f"queries have {dim} dimensions, the index has {self.dim}, made by another encoder"
            )


def _nothing(queries: int) -> Hits:
    scores, keys = np.zeros(0, np.float32), np.zeros(0, np.int64)
    return Hits([[] for _ in range(queries)], [scores] * queries, [keys] * queries)
