"""Group commit: one thread that writes everything that waits in one transaction.

A transaction costs a sync of the disk whatever is in it. So nobody waits for a clock: while one
transaction is being written, changes gather, and the next takes all of them.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from jina_cli.errors import StorageFailed
from jina_cli.store.failures import Kind, kind_of, storage_failed
from jina_cli.store.schema import Meta, read_meta
from jina_cli.store.tidying import Tidying
from jina_cli.store.transaction import (
    Applied,
    Change,
    Delete,
    DeleteWhere,
    Matching,
    Transaction,
    Upsert,
)

_MAX_WAITING = 1024
_MAX_GROUP_RECORDS = 16_384
_CHECKPOINT_BYTES = 16 << 20
_TIDIED_BYTES = 1 << 20
_LONG_LOG_PAGES = 16_384
_READERS_MAY_TAKE_MS = 250
_USUAL_PATIENCE_MS = 5000  # Python's own, of every connection


@dataclass(frozen=True, slots=True)
class _Order:
    change: Change
    answer: Future[int]


class Writer:
    """Carries out changes in the order of `submit`, and answers when they are durable.

    Args:
        path: The file, for messages.
        connection: Belongs to the writer from now on, which closes it.
        matching: For changes that are about what a condition says.
        prepare: Called with the upserts of a group before they are written; if it fails, so do
            they, and nothing was written.
        committed: Called with what a transaction changed, in order, and with what the index then
            says of itself, after that is durable and before it is answered.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        *,
        matching: Matching,
        prepare: Callable[[Sequence[Upsert]], None],
        committed: Callable[[Sequence[Applied], Meta], None],
    ) -> None:
        self._path = path
        self._connection = connection
        self._tidying = Tidying(connection, read_meta(path, connection))
        self._matching = matching
        self._prepare = prepare
        self._committed = committed
        self._orders: queue.Queue[_Order | None] = queue.Queue(_MAX_WAITING)
        self._gate = threading.Lock()  # nothing is queued behind the order to end
        self._is_closed = False
        self._refusal: StorageFailed | None = None
        self._unsaved_bytes = 0
        self.transactions = 0
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, change: Change) -> Future[int]:
        """Queue a change; waits only if very many are queued already.

        The result is how many records the change was about. It raises what `apply` raises, or
        `StorageFailed`; the change was then not made.
        """
        order = _Order(change, Future())
        with self._gate:
            if self._is_closed:
                raise StorageFailed(f"the index {self._path} is closed")
            self._orders.put(order)
        return order.answer

    def close(self) -> None:
        """Write what is queued, put the log back into the file, and end."""
        with self._gate:
            if self._is_closed:
                return
            self._is_closed = True
            self._orders.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            group, is_last = self._next_group()
            if group:
                self._write(group)
        if self._refusal is None:
            self._checkpoint("TRUNCATE")
        self._connection.close()

    def _next_group(self) -> tuple[list[_Order], bool]:
        group: list[_Order] = []
        records = 0
        order = self._next_order()
        while order is not None:
            if order.answer.set_running_or_notify_cancel():
                group.append(order)
                records += _size(order.change)
            if records >= _MAX_GROUP_RECORDS:
                return group, False
            try:
                order = self._orders.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _next_order(self) -> _Order | None:
        while self._tidying.is_due and self._refusal is None:
            try:
                return self._orders.get_nowait()
            except queue.Empty:
                self._tidy()
        return self._orders.get()

    def _write(self, group: Sequence[_Order]) -> None:
        try:
            if self._refusal is not None:
                raise self._refusal
            self._prepare([o.change for o in group if isinstance(o.change, Upsert)])
            results, meta = self._commit(group)
            self._tell([each for each in results if isinstance(each, Applied)], meta)
        except Exception as error:  # whatever it is, those who wait must hear of it
            self._undo(error)
            if len(group) > 1 and self._refusal is None and _may_be_of_one(error):
                for order in group:
                    self._write([order])
            else:
                self._fail(group, error)
            return
        for order, result in zip(group, results, strict=True):
            if isinstance(result, Applied):
                order.answer.set_result(result.count)
                self._unsaved_bytes += _bytes(order.change)
            else:
                order.answer.set_exception(result)  # nothing is known of what it holds
        if self._unsaved_bytes >= _CHECKPOINT_BYTES and self._refusal is None:
            self._put_log_back()
        self._tidying.note(meta)
        if self._tidying.is_due and self._refusal is None:
            self._tidy()

    def _fail(self, group: Sequence[_Order], error: Exception) -> None:
        failure = error
        if isinstance(error, sqlite3.Error):
            failure = storage_failed(self._path, error)
            failure.__cause__ = error
        for order in group:
            order.answer.set_exception(failure)

    def _tell(self, applied: Sequence[Applied], meta: Meta) -> None:
        try:
            self._committed(applied, meta)
        except BaseException:
            self._refusal = StorageFailed(
                f"what is in memory of {self._path} is not what is on the disk",
                hint="start the Flow again",
            )
            raise

    def _commit(self, group: Sequence[_Order]) -> tuple[list[Applied | Exception], Meta]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        transaction = Transaction(connection, read_meta(self._path, connection), self._matching)
        results = [self._apply(transaction, order.change) for order in group]
        meta = transaction.finish()
        connection.execute("COMMIT")
        self.transactions += 1
        return results, meta

    def _apply(self, transaction: Transaction, change: Change) -> Applied | Exception:
        """Make one change; return why it is refused, if nothing was written of it."""
        # No savepoint: it would copy every page that a change touches, for what never happens.
        written = self._connection.total_changes
        try:
            return transaction.apply(change)
        except Exception as error:
            if isinstance(error, sqlite3.Error) or self._connection.total_changes != written:
                raise
            return error

    def _undo(self, error: Exception) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error as second:
                self._refuse_from_now_on(second)
        if isinstance(error, sqlite3.Error):
            self._refuse_from_now_on(error)

    def _refuse_from_now_on(self, error: sqlite3.Error) -> None:
        # After a sync that failed, a later one may report success for pages that were
        # dropped. So nothing is acknowledged any more until the file was opened afresh.
        if kind_of(error) in (Kind.DISK, Kind.DAMAGED):
            self._refusal = storage_failed(self._path, error)

    def _tidy(self) -> None:
        try:
            self._tidying.step()
            self._unsaved_bytes += _TIDIED_BYTES
        except sqlite3.Error as error:
            self._undo(error)  # nothing is lost by it, and nobody waits for it

    def _put_log_back(self) -> None:
        """Put the log back into the file, so that it begins anew.

        It does not while somebody reads what is in it, so where there is always somebody it would
        grow for ever. Once it is long, those who read now are waited for; who comes meanwhile
        reads the file alone.
        """
        if self._checkpoint("PASSIVE") >= _LONG_LOG_PAGES:
            self._connection.execute(f"PRAGMA busy_timeout = {_READERS_MAY_TAKE_MS}")
            self._checkpoint("RESTART")
            self._connection.execute(f"PRAGMA busy_timeout = {_USUAL_PATIENCE_MS}")

    def _checkpoint(self, mode: str) -> int:
        """Put the log back as far as `mode` can, and return how many pages are in it."""
        try:
            result = self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
            self._unsaved_bytes = 0
            return int(result[1])
        except sqlite3.Error as error:
            # The log still has everything, so nobody is told but those who come after.
            self._refuse_from_now_on(error)
            return 0


def _may_be_of_one(error: Exception) -> bool:
    """Return whether a group may have failed for what one of its changes is."""
    return not isinstance(error, sqlite3.Error) or kind_of(error) is Kind.OTHER


def _size(change: Change) -> int:
    match change:
        case Upsert(records):
            return len(records)
        case Delete(ids):
            return len(ids)
        case DeleteWhere():
            return _MAX_GROUP_RECORDS  # nobody knows yet


def _bytes(change: Change) -> int:
    """Return about how many bytes a change adds to the log."""
    if not isinstance(change, Upsert):
        return 4096 + 512 * _size(change)
    records, parts = change.records, change.records.parts
    vectors = 0 if records.vectors is None else records.vectors.nbytes
    if parts is not None:
        vectors += parts.vectors.nbytes + sum(map(len, parts.bodies)) + 64 * len(parts)
    texts = sum(len(text or "") for text in records.texts or ())
    rests = sum(len(rest or b"") for rest in records.rests or ())
    bodies = sum(map(len, records.bodies))
    return 4096 + 64 * len(records) + vectors + 2 * texts + bodies + rests
