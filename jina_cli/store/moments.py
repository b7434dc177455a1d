"""The record and the vectors in memory, both as they are at one moment."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jina_cli.errors import StorageFailed
from jina_cli.store.loading import Loader
from jina_cli.store.readers import Readers
from jina_cli.store.schema import Meta, read_meta
from jina_cli.store.transaction import Applied
from jina_cli.store.vectors import VectorTable

_APPLIED_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Moment:
    """What is the same for as long as it is lent.

    Attributes:
        connection: Inside a transaction of the record.
        meta: What the index says of itself in it.
        vectors: As the record has them.
    """

    connection: sqlite3.Connection
    meta: Meta
    vectors: VectorTable


class Moments:
    """Lends moments; while one is lent, the vectors in memory do not change.

    Args:
        path: The file, for messages.
        follows: Whether another process writes, so that its changes have to be read; if not,
            all changes come by `apply`.
        new_table: Makes an empty table.
    """

    def __init__(
        self, path: Path, readers: Readers, *, follows: bool, new_table: Callable[[], VectorTable]
    ) -> None:
        self._path = path
        self._readers = readers
        self._follows = follows
        self._new_table = new_table
        self._gate = threading.Condition()
        self._vectors = new_table()

    @property
    def vectors(self) -> VectorTable:
        """The vectors as they are now, which may not be what the record has."""
        return self._vectors

    def load(self, connection: sqlite3.Connection, meta: Meta) -> None:
        """Read all vectors into memory.

        Raises:
            StorageFailed: One is not what was written.
        """
        Loader(self._path, connection, meta).load(self._vectors)

    def apply(self, applied: Sequence[Applied], meta: Meta) -> None:
        """Change the vectors as the record was changed by its last transaction."""
        with self._gate:
            for each in applied:
                if each.vectors is None:
                    self._vectors.remove(each.documents)
                else:
                    keyed = each.vectors
                    self._vectors.put(
                        keyed.documents, keyed.ids, keyed.counts, keyed.keys, keyed.vectors
                    )
            self._vectors.committed(meta.changes)
            self._gate.notify_all()

    @contextmanager
    def one(self) -> Iterator[Moment]:
        """Lend the moment of now: with all that was committed before.

        Raises:
            StorageFailed: Reading failed, or the index was closed.
        """
        with self._gate:
            # The record is never behind the vectors, since these change after it, and here.
            while True:
                with self._readers.moment() as connection:
                    meta = read_meta(self._path, connection)
                    if self._follows and self._vectors.change != meta.changes:
                        self._follow(connection, meta)
                    if self._vectors.change == meta.changes:
                        yield Moment(connection, meta, self._vectors)
                        return
                if not self._gate.wait(_APPLIED_WITHIN_S):
                    raise StorageFailed(
                        f"what is in memory of {self._path} is not what is on the disk",
                        hint="start the Flow again",
                    )

    def close(self) -> None:
        """End what the vectors do in the background."""
        with self._gate:
            self._vectors.close()

    def _follow(self, connection: sqlite3.Connection, meta: Meta) -> None:
        loader = Loader(self._path, connection, meta)
        if loader.follow(self._vectors):
            return
        self._vectors.close()
        self._vectors = self._new_table()
        loader.load(self._vectors)
