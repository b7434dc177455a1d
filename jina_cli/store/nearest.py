"""The nearest documents: by a graph where that is quicker, compared exactly in any case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from jina_cli.store.columns import Columns
from jina_cli.store.exact import Exact, Places, Rows, count_of
from jina_cli.store.hnsw import EXPANSION_SEARCH, Graph
from jina_cli.store.records import Hits, Numbers, Vectors

_STEP_ROWS = 50
"""Rows that an exact search reads while a walk of the graph handles one candidate.

Measured: 60,000 rows of 64 numbers take as long as a walk with an ef of 900, 100,000 of 256 as
long as one of 2,500, on one core.
"""

_SCATTERED = 3
"""Rows that are read in order while one is read on its own."""

_SPARE = 6
"""Candidates beyond the wanted ones, since half precision mixes up close neighbours."""

_MARGIN = 1.5
"""How many more candidates are asked for than should do, where some of them will not do."""

_WIDTH = 2
"""ef for each candidate that is asked for, at least: the last ones of a walk are the worst."""

_SMALLEST_SHARE = 1e-6

Hit: TypeAlias = tuple[list[str], NDArray[np.float32], Numbers]


class Nearest:
    """A search of vectors that stay as they are meanwhile.

    Args:
        graph: Of these vectors; None for an exact search.
        allowed: By number of document, those that may be found; None is all.
    """

    def __init__(
        self, columns: Columns, graph: Graph | None, allowed: NDArray[np.bool_] | None
    ) -> None:
        self._columns = columns
        self._graph = graph
        self._exact: Exact = columns.exact()
        self._has_several = columns.has_several
        self._allowed = allowed
        self._count = float(len(columns))  # of the vectors that may be found, about
        if allowed is not None:
            of_each = len(columns) / max(1, columns.documents)
            self._count = of_each * np.count_nonzero(allowed)

    def search(self, queries: Vectors, top_k: int) -> Hits:
        """Return the best `top_k` documents for each of `queries`, prepared."""
        hits = self._by_graph(queries, top_k) if self._graph is not None else None
        if hits is None:
            hits = self._exactly(queries, top_k)
        return Hits([hit[0] for hit in hits], [hit[1] for hit in hits], [hit[2] for hit in hits])

    def _exactly(self, queries: Vectors, top_k: int) -> list[Hit]:
        columns, allowed = self._columns, self._allowed
        rows = columns.rows() if allowed is None else columns.allowed(allowed)
        found = self._exact.candidates(queries, rows, top_k)
        return [
            self._ranked(query, places, top_k) for query, places in zip(queries, found, strict=True)
        ]

    def _by_graph(self, queries: Vectors, top_k: int) -> list[Hit] | None:
        """Search the graph, and its tail exactly; return None where that is no gain.

        What a walk did not come to may be better than what the tail has to offer. So a walk
        alone has to find enough, or all is searched exactly.
        """
        graph = self._graph
        assert graph is not None
        wanted = self._wanted(graph, top_k)
        width = _WIDTH * graph.expansion // EXPANSION_SEARCH
        expansion = max(graph.expansion, width * wanted)
        tail = graph.tail(self._columns.end)
        if _STEP_ROWS * expansion + count_of(tail) > self._cost():
            return None
        aims = graph.space.aim(queries)
        if aims is None:
            return None
        walks = [self._only_allowed(p) for p in graph.search(aims, wanted, expansion)]
        found = walks
        if count_of(tail):
            tails = self._exact.candidates(queries, self._only_allowed_rows(tail), top_k)
            found = [np.concatenate(pair) for pair in zip(walks, tails, strict=True)]
        hits = []
        for query, walk, places in zip(queries, walks, found, strict=True):
            hit = self._ranked(query, places, top_k)
            if self._documents_at(walk) < top_k or self._is_about_zero(hit, graph):
                (hit,) = self._exactly(query[None], top_k)
            hits.append(hit)
        return hits

    def _wanted(self, graph: Graph, top_k: int) -> int:
        """Return how many candidates should have the `top_k` documents among them."""
        wanted = top_k + _SPARE
        if self._allowed is None and not graph.stale and not self._has_several:
            return wanted
        columns = self._columns
        usable = (graph.size - graph.stale) / max(1, graph.size)
        share = max(usable * self._count / len(columns), _SMALLEST_SHARE)
        of_each = len(columns) / max(1, columns.documents)
        return math.ceil(_MARGIN * wanted * of_each / share)

    def _cost(self) -> float:
        """Return what an exact search costs, in rows that are read in order."""
        rows = len(self._columns)
        return rows if self._allowed is None else min(rows, _SCATTERED * self._count)

    def _only_allowed(self, places: Places) -> Places:
        if self._allowed is None:
            return places
        owners = self._columns.owners[places]
        owners[owners >= len(self._allowed)] = -1
        return places[self._allowed[owners] & (owners >= 0)]

    def _only_allowed_rows(self, rows: Rows) -> Rows:
        if self._allowed is None:
            return rows
        if isinstance(rows, slice):
            rows = np.arange(rows.start, rows.stop)
        return self._only_allowed(rows)

    def _documents_at(self, places: Places) -> int:
        return len(np.unique(self._columns.owners[places])) if self._has_several else len(places)

    @staticmethod
    def _is_about_zero(hit: Hit, graph: Graph) -> bool:
        """Return whether zero vectors matter, which are in no graph, or the query is one."""
        last = hit[1][-1]
        return bool(last <= 0 if graph.zeros else last == 0)

    def _ranked(self, query: Vectors, places: Places, top_k: int) -> Hit:
        """Return the best documents among those that have vectors at `places`."""
        columns = self._columns
        scores = self._exact.scores(query, places)
        if self._has_several:
            places, scores = self._best_of_each(places, scores)
        losses = -scores
        order = losses.argsort()[: top_k + 1]
        first = losses[order]
        if np.count_nonzero(first[1:] == first[:-1]):
            kept = np.array(self._by_loss_and_id(places, losses, top_k), np.intp)
        else:
            kept = order[:top_k]
        names = columns.names.take(places[kept], axis=0)
        ids = columns.ids
        return [ids[owner] for owner in names[:, 1].tolist()], scores[kept], names[:, 0]

    def _best_of_each(
        self, places: Places, scores: NDArray[np.float32]
    ) -> tuple[Places, NDArray[np.float32]]:
        """Keep the best vector of each document; of equals, that with the lowest key."""
        order = np.lexsort((self._columns.keys[places], -scores))
        _, first = np.unique(self._columns.owners[places][order], return_index=True)
        best = order[first]
        return places[best], scores[best]

    def _by_loss_and_id(
        self, places: Places, losses: NDArray[np.float32], top_k: int
    ) -> Sequence[int]:
        owners = self._columns.owners[places].tolist()
        ids = [self._columns.ids[owner] for owner in owners]
        keys = losses.tolist()
        return sorted(range(len(ids)), key=lambda i: (keys[i], ids[i]))[:top_k]
