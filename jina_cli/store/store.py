"""The durable index of one shard: documents by id, by words, and by nearness of vectors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jina_cli.documents.condition import Condition
from jina_cli.errors import StorageFailed
from jina_cli.store import changelog, opening, schema, text
from jina_cli.store.failures import damaged, storage_failed
from jina_cli.store.filters import Filters, matching
from jina_cli.store.keyed import place_of
from jina_cli.store.lock import WriterLock
from jina_cli.store.moments import Moment, Moments
from jina_cli.store.readers import Readers
from jina_cli.store.records import (
    BadRecords,
    Found,
    Hits,
    Records,
    Stored,
    Vectors,
    as_vectors,
    numbers_of,
)
from jina_cli.store.snapshot import Snapshot
from jina_cli.store.transaction import Change, Delete, DeleteWhere, Upsert, select_ids
from jina_cli.store.upkeep import THRESHOLD
from jina_cli.store.vectors import VectorTable
from jina_cli.store.writer import Writer
from jina_cli.vocabulary import Metric

_CHUNK = 2048
_SIDECAR = "vectors.usearch"


class Store:
    """The index in one directory, which this object writes alone, or only reads.

    What was acknowledged is on the disk and is seen by every later call, also after
    `kill -9`; a batch is there whole or not at all. One that only reads sees all that the
    writer, in whatever process, had acknowledged before the call. Methods may be called from
    any thread. Use `Store.open`.

    A condition means of a document here what `documents.query.matches` says, of the fields that
    are in its body and its rest, its text and its own vector, which is its `embedding`.
    """

    def __init__(
        self,
        path: Path,
        *,
        connection: sqlite3.Connection,
        lock: WriterLock | None,
        graph_above: int = THRESHOLD,
    ) -> None:
        meta = schema.read_meta(path, connection)
        self.path = path
        self.metric = meta.metric
        self._lock = lock
        self._readers = Readers(path)
        self._filters = Filters()
        # Until parts are found: their names stand in the record, as do changes of other writers.
        self._is_writer = lock is not None
        sidecar = path.with_name(_SIDECAR)
        self._moments = Moments(
            path,
            self._readers,
            follows=lock is None,
            new_table=lambda: VectorTable(
                meta.metric, sidecar, threshold=graph_above, read_only=lock is None
            ),
        )
        self._moments.load(connection, meta)
        self._writer: Writer | None = None
        if lock is None:
            connection.close()
        else:
            self._writer = Writer(
                path,
                connection,
                matching=matching,
                prepare=self._reserve,
                committed=self._moments.apply,
            )

    @classmethod
    def open(
        cls,
        directory: str | Path,
        *,
        metric: Metric = Metric.COSINE,
        read_only: bool = False,
        graph_above: int = THRESHOLD,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> Self:
        """Open the index in `directory`, or make an empty one there.

        Args:
            metric: How vectors are compared; fixed when the index is made.
            read_only: Follow what another process writes; any number may at the same time.
            graph_above: From so many vectors on, a graph makes searches faster, in which a
                near document may be missing; it needs the extra `ann`.
            factory: What the writer talks to SQLite with.

        Raises:
            StorageFailed: Another process writes it, it is damaged, of a later format or of
                another metric, or the disk refused. What is there was not changed.
        """
        folder = Path(directory)
        path = folder / schema.FILE_NAME
        try:
            opening.make_folder(folder)
        except OSError as error:
            raise StorageFailed(f"cannot make {folder}: {error.strerror}") from error
        lock = None if read_only else WriterLock(folder)
        try:
            if lock is None:
                connection = opening.to_read(path, metric)
                return cls(path, connection=connection, lock=None, graph_above=graph_above)
            connection = opening.to_write(path, metric, factory)
            return cls(path, connection=connection, lock=lock, graph_above=graph_above)
        except BaseException as error:
            if lock is not None:
                lock.release()
            if isinstance(error, sqlite3.Error):
                raise storage_failed(path, error) from error
            if isinstance(error, OSError):
                raise StorageFailed(f"cannot open {path}: {error.strerror}") from error
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish what was submitted, and let another process write. May be called twice."""
        if self._writer is not None:
            self._writer.close()
        if self._readers.close():
            self._moments.close()
            if self._lock is not None:
                self._lock.release()

    @property
    def dim(self) -> int:
        """Length of the vectors; 0 until there was one."""
        return self.meta().dim

    @property
    def transactions(self) -> int:
        """How many transactions were committed since it was opened."""
        return 0 if self._writer is None else self._writer.transactions

    def submit(self, records: Records) -> Future[int]:
        """Queue records to be added, in place of those with their ids.

        Batches that are queued at the same time share a transaction, and fail one by one.
        The result, once they are durable, is how many were added; it raises `BadVectors` for
        vectors of another length than those that are there, and `StorageFailed`.
        """
        return self._submit(Upsert(_checked(records.distinct())))

    def upsert(self, records: Records) -> int:
        """Add records, in place of those with their ids, and return once they are durable.

        Raises:
            BadVectors: The vectors do not fit. Nothing was added.
            StorageFailed: The disk refused. Nothing was added.
        """
        return self.submit(records).result()

    def submit_delete(self, ids: Sequence[str]) -> Future[int]:
        """Queue documents to be deleted; the result, once durable, is how many there were."""
        return self._submit(Delete(list(ids)))

    def delete(self, ids: Sequence[str]) -> int:
        """Delete documents and return, once that is durable, how many there were."""
        return self.submit_delete(ids).result()

    def submit_delete_where(self, where: Condition) -> Future[int]:
        """Queue the documents to be deleted that are as `where` says when their turn comes.

        The result, once durable, is how many there were.
        """
        return self._submit(DeleteWhere(where))

    def delete_where(self, where: Condition) -> int:
        """Delete the documents that are as `where` says; return, once durable, how many."""
        return self.submit_delete_where(where).result()

    def count(self, where: Condition | None = None) -> int:
        """Return the number of documents, of those that are as `where` says."""
        if where is None:
            return self.meta().documents
        with self._readers.moment() as connection:
            return int(np.count_nonzero(self._allowed(connection, where)))

    def meta(self) -> schema.Meta:
        """Return what the index says of itself, as of now."""
        with self._readers.one() as connection:
            return schema.read_meta(self.path, connection)

    def get(self, ids: Sequence[str]) -> Mapping[str, Stored]:
        """Return those of the documents `ids` that are there, by id.

        Raises:
            StorageFailed: One is not what was written.
        """
        with self.snapshot() as now:
            return now.get(ids)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Lend a view of the documents that stays as it is while others write."""
        with self._readers.moment() as connection:
            yield Snapshot(self.path, connection)

    def hashes(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        """Return the hashes of those of the documents `ids` that are there and have one, by id."""
        with self._readers.one() as connection:
            return Snapshot(self.path, connection).hashes(ids)

    def page(
        self, after: str | None = None, limit: int = 100, where: Condition | None = None
    ) -> list[Stored]:
        """Return the next documents in order of id, of those that are as `where` says.

        Args:
            after: Only those whose ids come after this one, in order of code points; None
                is all.
            limit: How many at most.

        Raises:
            StorageFailed: One is not what was written.
        """
        with self._readers.moment() as connection:
            allowed = None if where is None else self._allowed(connection, where)
            return Snapshot(self.path, connection).page(after, limit, allowed)

    def __iter__(self) -> Iterator[Stored]:
        """Give every document, in the order in which their ids first came.

        Those that are added or deleted meanwhile may be given or not.
        """
        last = 0
        while True:
            with self._readers.moment() as connection:
                last, documents = Snapshot(self.path, connection).after(last, _CHUNK)
            if not documents:
                return
            yield from documents

    def search_vectors(
        self, queries: Vectors, top_k: int, *, where: Condition | None = None
    ) -> Found:
        """Return the `top_k` documents nearest to each query, shape `(queries, dim)`.

        A document is as near as its nearest vector. The score is the cosine, the inner product,
        or minus the Euclidean distance, exactly.

        Args:
            where: Only documents that are as it says.

        Raises:
            BadVectors: The queries have another length than the vectors, or are not finite.
        """
        vectors = as_vectors(queries, what="queries")
        table = self._moments.vectors
        if where is None and self._is_writer and not table.columns.has_parts:
            # All that was acknowledged is in memory, so the record need not be asked.
            hits = table.search(vectors, _at_least_one(top_k), None)
            if not table.columns.has_parts:  # nor did one come meanwhile
                return Found(hits.ids, hits.scores, [[""] * len(ids) for ids in hits.ids])
        if where is not None:
            self.count(where)  # so that what follows is short, and no commit waits for it
        with self._moments.one() as now:
            allowed = None
            if where is not None:
                allowed = self._filters.allowed(now.connection, where, now.meta)
            hits = now.vectors.search(vectors, _at_least_one(top_k), allowed)
            return Found(hits.ids, hits.scores, self._parts(hits, now))

    def search_text(
        self, queries: Sequence[str], top_k: int, *, where: Condition | None = None
    ) -> Found:
        """Return the `top_k` documents that fit the words of each query best, by BM25.

        A document fits if it has any of the words, in any of their English inflections.

        Args:
            where: Only documents that are as it says.
        """
        with self._readers.moment() as connection:
            allowed = None if where is None else self._allowed(connection, where)
            return text.search_text(connection, queries, _at_least_one(top_k), allowed)

    def score_vectors(self, query: Vectors, ids: Sequence[str]) -> NDArray[np.float32]:
        """Return the score of each of the documents `ids` for a query, shape `(dim,)`.

        As `search_vectors` has it; NaN for one that is not there or has no vector.

        Raises:
            BadVectors: The query has another length than the vectors, or is not finite.
        """
        (vector,) = as_vectors(np.asarray(query)[None], what="queries")
        with self._moments.one() as now:
            select = "SELECT id, rowid FROM documents"
            rows = dict(select_ids(now.connection, select, ids))
            documents = numbers_of(rows.get(id_, 0) for id_ in ids)  # none is in row 0
            return now.vectors.scores(vector, documents)

    def verify(self) -> None:
        """Read everything and compare it with its checksums, and the words with the texts.

        Costs about what indexing the texts again would.

        Raises:
            StorageFailed: Something is not what was written; the message names the first.
        """
        for _ in self:
            pass
        with self._readers.moment() as connection:
            changelog.check(connection)
            schema.check_owners(self.path, connection)
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise damaged(self.path, verdict)
        try:
            schema.check_terms(self.path)
        except sqlite3.Error as error:
            raise storage_failed(self.path, error) from error

    def _submit(self, change: Change) -> Future[int]:
        if self._writer is None:
            raise StorageFailed(f"the index {self.path} was opened to read only")
        return self._writer.submit(change)

    def _allowed(self, connection: sqlite3.Connection, where: Condition) -> NDArray[np.bool_]:
        return self._filters.allowed(connection, where, schema.read_meta(self.path, connection))

    def _parts(self, hits: Hits, now: Moment) -> list[list[str]]:
        keys = [set(of_query[place_of(of_query) > 0].tolist()) for of_query in hits.keys]
        named = Snapshot(self.path, now.connection).part_ids(set().union(*keys))
        return [[named.get(key, "") for key in of_query.tolist()] for of_query in hits.keys]

    def _reserve(self, changes: Sequence[Upsert]) -> None:
        vectors = [given for change in changes for given in change.records.all_vectors()]
        if vectors:
            table = self._moments.vectors
            table.reserve(sum(map(len, vectors)), table.dim or vectors[0].shape[1])


def _checked(records: Records) -> Records:
    parts = records.parts
    try:
        "".join(chain(records.ids, () if parts is None else parts.ids)).encode()
    except UnicodeEncodeError as error:
        raise BadRecords("an id has half of a surrogate pair, which no UTF-8 can hold") from error
    vectors = None if records.vectors is None else _vectors(records.vectors)
    if parts is not None and len(parts):
        whole = parts.distinct()
        parts = replace(whole, vectors=_vectors(whole.vectors))
    return replace(records, vectors=vectors, parts=parts if parts and len(parts) else None)


def _vectors(given: Vectors) -> Vectors:
    vectors = as_vectors(given)
    if vectors.shape[1] == 0:
        raise BadRecords("vectors must have at least one dimension")
    return vectors


def _at_least_one(top_k: int) -> int:
    if top_k < 1:
        raise ValueError(f"top_k must be at least 1, not {top_k}")
    return top_k
