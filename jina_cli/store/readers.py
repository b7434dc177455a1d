"""Connections to read an index with."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jina_cli.errors import StorageFailed
from jina_cli.store import schema
from jina_cli.store.changelog import BrokenLog
from jina_cli.store.failures import damaged, storage_failed


class Readers:
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
        except BrokenLog as error:
            raise damaged(self._path, str(error)) from error
        finally:
            if connection is not None:
                self._take_back(connection)

    @contextmanager
    def moment(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees the index as it is now, whatever is written meanwhile.

        Raises:
            StorageFailed: Reading failed, or the index was closed.
        """
        with self.one() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

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
