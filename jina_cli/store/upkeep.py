"""The thread that makes the graph of an index, keeps it up and saves it, while nobody writes.

A graph is only ever a faster way to what the vectors say. So whatever happens here is logged and
never raised: the vectors that are in no graph are searched exactly.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Protocol

import numpy as np

from jina_cli.errors import MissingExtra
from jina_cli.store import sidecar
from jina_cli.store.columns import Columns
from jina_cli.store.exact import Places, count_of
from jina_cli.store.hnsw import TAIL, Graph, digests_of
from jina_cli.store.nearest import Nearest
from jina_cli.store.records import Vectors
from jina_cli.store.space import Space

log = logging.getLogger(__name__)

THRESHOLD = 50_000
"""Vectors above which a graph is made: an exact search of 64 numbers each takes half a
millisecond there on one core.
"""

_QUIET_S = 0.2
"""So long after a write, the writer is taken to pause."""

_LONGEST_S = 5.0
"""A transaction that takes longer has failed."""

_PATIENCE_S = 30.0
"""After so long without a pause, the graph is made beside the writer, at a part of its pace."""

_CHUNK_S = 0.003
"""What is added at once takes about so long: searches and writes wait for it."""

_BREATH_S = 0.0002
"""Rest between chunks, so that who waits for the lock has it first."""

_FOLLOW_S = 5.0
"""How often a reader looks for a graph that was saved since."""

_RECALL = 0.97
"""What a graph is to find of the ten nearest neighbours of vectors that it has."""

_TRIED = 64
"""Vectors whose neighbours are looked for: one in 640 is a fifth of a percent."""

_LARGEST_EXPANSION = 4096
_TUNED_AGAIN = 1.25
_LARGEST_CHUNK = 4096
_QUEUED = 65_536
_SAMPLE = 10_000
_FEWEST = 1000
_UNSAVED_SHARE = 0.05
_WORN_SHARE = 0.25
_ADOPTED_AT_ONCE = 8192


class Tended(Protocol):
    """The vectors whose graph is kept up. All but the lock is only touched under the lock.

    Attributes:
        graph: Which searches use.
        draft: Which will replace it.
        change: The last change of the record that the vectors have.
        is_writing: A transaction is on its way.
        wrote_at: When it began or vectors last changed, in seconds of the monotonic clock.
        searched_at: As `wrote_at`, for searches.
    """

    lock: threading.Lock
    columns: Columns
    graph: Graph | None
    draft: Graph | None
    change: int
    is_writing: bool
    wrote_at: float
    searched_at: float


class Upkeep:
    """Tends the graph of `table` until `close`.

    Args:
        path: Where the graph is saved.
        threshold: Vectors above which there is one.
        read_only: Use what another process saved, and save nothing.
    """

    def __init__(self, table: Tended, path: Path, *, threshold: int, read_only: bool) -> None:
        self._table = table
        self._path = path
        self._threshold = threshold
        self._read_only = read_only
        self._news = threading.Event()
        self._end = threading.Event()
        self._seen: tuple[int, int] | None = None  # of the file: its number and when it changed
        self._saved_size = 0
        self._tuned: tuple[Graph | None, int] = (None, 0)  # which graph, of what size
        self._queue: Places = np.zeros(0, np.intp)
        self._chunk = 16
        self._is_patient = True
        self._thread = threading.Thread(target=self._run, name="store-graph", daemon=True)
        self._thread.start()

    def notify(self) -> None:
        """Say that vectors changed."""
        self._news.set()

    def close(self) -> None:
        """End soon. What was made is saved if it is much."""
        self._end.set()
        self._news.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._load()
            self._tune()
            if self._read_only:
                self._follow()
            else:
                self._tend()
        except MissingExtra as error:
            log.warning("%d vectors are searched one by one: %s", self._threshold, error)
        except Exception:
            log.exception(
                "the graph of %s is given up, its vectors are searched one by one", self._path
            )
            with self._table.lock:
                self._table.graph = self._table.draft = None

    def _tend(self) -> None:
        while not self._end.is_set():
            self._news.clear()
            while self._find_work() and self._wait_for_pause():
                self._end.wait(self._work())
            self._tune()
            self._save()
            self._news.wait()
        self._save()

    def _follow(self) -> None:
        while not self._end.is_set():
            self._news.clear()
            if self._news.wait(_FOLLOW_S):
                self._end.wait(_QUIET_S)  # the file, if any, comes after the news
            with self._table.lock:
                graph, columns = self._table.graph, self._table.columns
                behind = len(columns) if graph is None else count_of(graph.tail(columns.end))
                is_worn = graph is not None and _is_worn(graph)
            if is_worn or behind > _much(_UNSAVED_SHARE, len(columns)):
                self._load()
            self._tune()

    def _find_work(self) -> bool:
        """Queue places of vectors that should be in the graph; return whether there are any."""
        table = self._table
        if len(self._queue):
            return True
        with table.lock:
            graph = table.draft or table.graph
            if table.draft is None and (graph is None or _is_worn(graph)):
                graph = self._begin()
            if graph is None:
                return False
            labels = graph.labels(table.columns.end)
            self._queue = np.flatnonzero(labels == TAIL)[:_QUEUED]
            if not len(self._queue) and table.draft is not None:
                table.graph, table.draft = table.draft, None
                self._saved_size = 0
        return bool(len(self._queue))

    def _begin(self) -> Graph | None:
        """Begin another graph, if there are vectors enough."""
        table = self._table
        columns = table.columns
        if len(columns) < self._threshold:
            table.graph = None
            return None
        places = _places(columns)
        sample = columns.matrix[places[:: max(1, len(places) // _SAMPLE)]]
        graph = Graph(Space.fit(columns.metric, sample))
        graph.expect(places, columns.capacity)
        if table.graph is None:
            table.graph = graph
        else:
            table.draft = graph
        self._saved_size = 0
        return graph

    def _work(self) -> float:
        """Add some of the queued vectors to the graph; return how long to rest, in seconds."""
        table = self._table
        places, self._queue = self._queue[: self._chunk], self._queue[self._chunk :]
        with table.lock:
            graph = table.draft or table.graph
            if graph is None:
                return 0.0
            # Since they were queued, some may have gone.
            places = places[graph.labels(table.columns.end)[places] == TAIL]
            begun = time.monotonic()
            graph.add(places, table.columns.matrix[places])
            ended = time.monotonic()
            is_alone = ended - table.searched_at > 1.0
        took = ended - begun
        pace = min(2.0, _CHUNK_S / max(took, 1e-6))
        self._chunk = max(1, min(int(self._chunk * pace), _LARGEST_CHUNK))
        if not self._is_patient:
            return 3 * took
        return _BREATH_S if is_alone else max(took, _BREATH_S)

    def _wait_for_pause(self) -> bool:
        """Wait until nobody writes, but not for ever; return False at the end of it all."""
        table = self._table
        begun = time.monotonic()
        while not self._end.is_set():
            with table.lock:
                quiet_s = time.monotonic() - table.wrote_at
                is_pause = quiet_s >= (_LONGEST_S if table.is_writing else _QUIET_S)
            waited_s = time.monotonic() - begun
            self._is_patient = is_pause or (self._is_patient and waited_s < _PATIENCE_S)
            if is_pause or not self._is_patient:
                return True
            self._end.wait(max(_QUIET_S - quiet_s, _QUIET_S / 4))
        return False

    def _tune(self) -> None:
        """Raise ef until the neighbours of some vectors are found.

        How many candidates that takes depends on the vectors: those that lie at random, in no
        clusters, need many times as many, or are searched exactly sooner.
        """
        with self._table.lock:
            graph, columns = self._table.graph, self._table.columns
            known, size = self._tuned
            if graph is None or (graph is known and graph.size < _TUNED_AGAIN * size):
                return
            self._tuned = (graph, graph.size)
            places = graph.places[graph.places >= 0]
            places = places[:: max(1, len(places) // _TRIED)]
            queries = columns.matrix[places]
        while graph.expansion < _LARGEST_EXPANSION and not self._end.is_set():
            shares = [
                self._share_found(graph, query) for query in queries if not self._end.is_set()
            ]
            if not shares or sum(shares) >= _RECALL * len(shares):
                break
            graph.expansion = graph.expansion * 3 // 2

    def _share_found(self, graph: Graph, query: Vectors) -> float:
        """Return what a graph finds of the ten neighbours of a vector that it has."""
        with self._table.lock:
            columns = self._table.columns
            found, right = (
                # The first is the vector itself, which is easy.
                set(Nearest(columns, by, None).search(query[None], 11).ids[0][1:])
                for by in (graph, None)
            )
        return len(found & right) / max(1, len(right))

    def _save(self) -> None:
        """Save the graph if much was added since the last time."""
        table = self._table
        with table.lock:
            graph = table.graph
            if graph is None or graph.size - self._saved_size < _much(_UNSAVED_SHARE, graph.size):
                return
            saved = sidecar.Saved.of(graph, table.columns.keys, table.change)
        self._saved_size = len(saved.keys)
        try:
            sidecar.save(self._path, graph.index, saved)
        except OSError as error:
            log.warning("the graph %s is not saved: %s", self._path, error)

    def _load(self) -> None:
        """Use the graph that is on the disk, as far as its vectors are those of the record."""
        table = self._table
        try:
            facts = self._path.stat()
            if self._seen == (facts.st_ino, facts.st_mtime_ns):
                return
            self._seen = (facts.st_ino, facts.st_mtime_ns)
            with table.lock:
                metric, dim = table.columns.metric, table.columns.dim
            saved, index = sidecar.load(self._path, metric, dim, is_shared=self._read_only)
        except FileNotFoundError:
            return
        except (sidecar.Unusable, OSError) as error:
            log.warning("the graph %s is made again: %s", self._path, error)
            return
        graph = Graph(saved.space, index=index, digests=saved.digests, memory=saved.memory)
        self._adopt(saved, graph)
        self._saved_size = len(saved.keys)

    def _adopt(self, saved: sidecar.Saved, graph: Graph) -> None:
        table = self._table
        with table.lock:
            places = _places(table.columns)
            places = places[np.argsort(table.columns.keys[places])]
            keys = table.columns.keys[places]
            graph.expect(places, table.columns.capacity)
            table.draft = graph
        labels = np.flatnonzero(np.isin(saved.keys, keys))
        for start in range(0, len(labels), _ADOPTED_AT_ONCE):
            some = labels[start : start + _ADOPTED_AT_ONCE]
            there = places[np.searchsorted(keys, saved.keys[some])]
            with table.lock:
                columns = table.columns
                # Meanwhile another vector may have come to a place.
                is_same = (columns.keys[there] == saved.keys[some]) & (
                    digests_of(columns.matrix[there]) == saved.digests[some]
                )
                is_same &= graph.labels(columns.end)[there] == TAIL
                graph.adopt(some[is_same], there[is_same])
        with table.lock:
            table.graph, table.draft = graph, None


def _places(columns: Columns) -> Places:
    rows = columns.rows()
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows


def _is_worn(graph: Graph) -> bool:
    """Return whether too much of a graph leads nowhere, or lies where it cannot reach."""
    return graph.stale + graph.unfit > _much(_WORN_SHARE, graph.size)


def _much(share: float, of: int) -> int:
    return max(_FEWEST, int(share * of))
