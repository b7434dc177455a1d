"""The durable index of one shard: documents by id, by words, and by nearness of vectors."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from jina_cli.errors import StorageFailed
from jina_cli.store import schema, text
from jina_cli.store.failures import damaged, storage_failed
from jina_cli.store.lock import WriterLock
from jina_cli.store.records import BadRecords, Found, Records, Stored, Vectors, as_vectors
from jina_cli.store.snapshot import Snapshot
from jina_cli.store.transaction import Change, Delete, Upsert
from jina_cli.store.vectors import VectorTable
from jina_cli.store.writer import Writer
from jina_cli.vocabulary import Metric

_CHUNK = 2048


class Store:
    """The index in one directory, which only this object writes.

    What was acknowledged is on the disk and is seen by every later call, also after
    `kill -9`; a batch is there whole or not at all. Methods may be called from any thread.
    Use `Store.open`.
    """

    def __init__(self, path: Path, *, lock: WriterLock, connection: sqlite3.Connection) -> None:
        meta = schema.read_meta(path, connection)
        self.path = path
        self.metric = meta.metric
        self._lock = lock
        self._readers = _Readers(path)
        self._vectors = VectorTable(meta.metric)
        self._load(connection, meta)
        self._writer = Writer(path, connection, prepare=self._reserve, committed=self._committed)

    @classmethod
    def open(
        cls,
        directory: str | Path,
        *,
        metric: Metric = Metric.COSINE,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> Self:
        """Open the index in `directory`, or make an empty one there.

        Args:
            metric: How vectors are compared; fixed when the index is made.
            factory: What the writer talks to SQLite with.

        Raises:
            StorageFailed: Another process writes it, it is damaged, of a later format or of
                another metric, or the disk refused. What is there was not changed.
        """
        folder = Path(directory)
        path = folder / schema.FILE_NAME
        try:
            _make(folder)
        except OSError as error:
            raise StorageFailed(f"cannot make {folder}: {error.strerror}") from error
        lock = WriterLock(folder)
        try:
            return cls(path, lock=lock, connection=_connection(path, metric, factory))
        except sqlite3.Error as error:
            lock.release()
            raise storage_failed(path, error) from error
        except OSError as error:
            lock.release()
            raise StorageFailed(f"cannot open {path}: {error.strerror}") from error
        except BaseException:
            lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish what was submitted, and let another process write. May be called twice."""
        self._writer.close()
        if self._readers.close():
            self._lock.release()

    @property
    def dim(self) -> int:
        """Length of the vectors; 0 until there was one."""
        return self.meta().dim

    @property
    def transactions(self) -> int:
        """How many transactions were committed since it was opened."""
        return self._writer.transactions

    def submit(self, records: Records) -> Future[int]:
        """Queue records to be added, in place of those with their ids.

        Batches that are queued at the same time share a transaction, and fail one by one.
        The result, once they are durable, is how many were added; it raises `BadVectors` for
        vectors of another length than those that are there, and `StorageFailed`.
        """
        return self._writer.submit(Upsert(_checked(records.distinct())))

    def upsert(self, records: Records) -> int:
        """Add records, in place of those with their ids, and return once they are durable.

        Raises:
            BadVectors: The vectors do not fit. Nothing was added.
            StorageFailed: The disk refused. Nothing was added.
        """
        return self.submit(records).result()

    def submit_delete(self, ids: Sequence[str]) -> Future[int]:
        """Queue documents to be deleted; the result, once durable, is how many there were."""
        return self._writer.submit(Delete(list(ids)))

    def delete(self, ids: Sequence[str]) -> int:
        """Delete documents and return, once that is durable, how many there were."""
        return self.submit_delete(ids).result()

    def count(self) -> int:
        """Return the number of documents."""
        return self.meta().documents

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
        with self._readers.one() as connection:
            connection.execute("BEGIN")
            try:
                yield Snapshot(self.path, connection)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def __iter__(self) -> Iterator[Stored]:
        """Give every document, in the order in which their ids first came.

        Those that are added or deleted meanwhile may be given or not.
        """
        last = 0
        while True:
            with self._readers.one() as connection:
                last, documents = Snapshot(self.path, connection).after(last, _CHUNK)
            if not documents:
                return
            yield from documents

    def search_vectors(self, queries: Vectors, top_k: int) -> Found:
        """Return the `top_k` documents nearest to each query, shape `(queries, dim)`.

        Exact. The score is the cosine, the inner product, or minus the Euclidean distance.

        Raises:
            BadVectors: The queries have another length than the vectors, or are not finite.
        """
        return self._vectors.search(as_vectors(queries, what="queries"), _at_least_one(top_k))

    def search_text(self, queries: Sequence[str], top_k: int) -> Found:
        """Return the `top_k` documents that fit the words of each query best, by BM25.

        A document fits if it has any of the words, in any of their English inflections.
        """
        with self._readers.one() as connection:
            return text.search_text(connection, queries, _at_least_one(top_k))

    def verify(self) -> None:
        """Read everything and compare it with its checksums, and the words with the texts.

        Costs about what indexing the texts again would.

        Raises:
            StorageFailed: Something is not what was written; the message names the first.
        """
        for _ in self:
            pass
        with self._readers.one() as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise damaged(self.path, verdict)
        try:
            schema.check_terms(self.path)
        except sqlite3.Error as error:
            raise storage_failed(self.path, error) from error

    def _load(self, connection: sqlite3.Connection, meta: schema.Meta) -> None:
        """Read all vectors into memory."""
        if not meta.dim:
            return
        self._vectors.reserve(meta.documents, meta.dim)
        cursor = connection.execute(
            "SELECT id, vector, vector_crc FROM documents"
            " LEFT JOIN vectors ON vectors.rowid = documents.rowid WHERE vector_crc NOT NULL"
        )
        while rows := cursor.fetchmany(_CHUNK):
            for id_, vector, crc in rows:
                if schema.part_crc(id_, vector) != crc or len(vector) != 4 * meta.dim:
                    raise damaged(self.path, f"the vector of {id_!r} is not what was written")
            joined = np.frombuffer(b"".join([row[1] for row in rows]), "<f4")
            self._vectors.put([row[0] for row in rows], joined.reshape(len(rows), meta.dim))

    def _reserve(self, changes: Sequence[Upsert]) -> None:
        vectors = [c.records.vectors for c in changes if c.records.vectors is not None]
        if vectors:
            dim = self._vectors.dim or vectors[0].shape[1]
            self._vectors.reserve(sum(map(len, vectors)), dim)

    def _committed(self, change: Change) -> None:
        match change:
            case Upsert(records) if records.vectors is not None:
                self._vectors.put(records.ids, records.vectors)
            case Upsert(records):
                self._vectors.remove(records.ids)
            case Delete(ids):
                self._vectors.remove(ids)


class _Readers:
    """Connections to read with, as many as are used at the same time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._is_closed = False

    @contextmanager
    def one(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection.

        Raises:
            StorageFailed: Reading failed, or the index was closed.
        """
        with self._lock:
            if self._is_closed:
                raise StorageFailed(f"the index {self._path} is closed")
            connection = self._idle.pop() if self._idle else None
        try:
            if connection is None:
                connection = schema.connect(self._path)
                connection.execute("PRAGMA query_only = ON")
            yield connection
        except sqlite3.Error as error:
            raise storage_failed(self._path, error) from error
        finally:
            if connection is not None:
                self._take_back(connection)

    def close(self) -> bool:
        """Close those that are not lent; return whether this was the first call."""
        with self._lock:
            was_open, self._is_closed = not self._is_closed, True
            for connection in self._idle:
                connection.close()
            self._idle.clear()
        return was_open

    def _take_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if self._is_closed:
                connection.close()
            else:
                self._idle.append(connection)


def _make(folder: Path) -> None:
    """Make a folder whose name is on the disk before anything in it is acknowledged."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in new:
        schema.sync_directory(each.parent)


def _connection(
    path: Path, metric: Metric, factory: type[sqlite3.Connection]
) -> sqlite3.Connection:
    if not path.exists():
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise damaged(path, "it is gone and only its log is left")
        schema.create(path, metric)
    connection = schema.open_checked(path, factory)
    made_for = schema.read_meta(path, connection).metric
    if made_for is not metric:
        connection.close()
        raise StorageFailed(
            f"the index {path} compares by {made_for.value}, not by {metric.value}",
            hint="say the metric it was made with, or use another workspace",
        )
    return connection


def _checked(records: Records) -> Records:
    try:
        "".join(records.ids).encode()
    except UnicodeEncodeError as error:
        raise BadRecords("an id has half of a surrogate pair, which no UTF-8 can hold") from error
    if records.vectors is None:
        return records
    vectors = as_vectors(records.vectors)
    if vectors.shape[1] == 0:
        raise BadRecords("vectors must have at least one dimension")
    return replace(records, vectors=vectors)


def _at_least_one(top_k: int) -> int:
    if top_k < 1:
        raise ValueError(f"top_k must be at least 1, not {top_k}")
    return top_k
