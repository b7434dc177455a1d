"""How an index is opened: made where there is none, refused where it is not what it should be."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from jina_cli.errors import StorageFailed
from jina_cli.store import schema
from jina_cli.store.failures import damaged
from jina_cli.vocabulary import Metric

_UPGRADED_WITHIN_S = 30.0
_ASKED_EVERY_S = 0.05


def make_folder(folder: Path) -> None:
    """Make a folder whose name is on the disk before anything in it is acknowledged."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in new:
        schema.sync_directory(each.parent)


def to_write(path: Path, metric: Metric, factory: type[sqlite3.Connection]) -> sqlite3.Connection:
    """Return a connection to the index at `path`, checked, and brought to our format.

    Raises:
        StorageFailed: It is damaged, of a later format, or of another metric.
        sqlite3.Error: It cannot be opened or read.
    """
    _make(path, metric)
    return _of_metric(path, metric, schema.open_checked(path, factory))


def to_read(path: Path, metric: Metric) -> sqlite3.Connection:
    """Return a connection to the index at `path`, inside a transaction that reads.

    One of an earlier format is waited for: whoever writes it brings it to ours.

    Raises:
        StorageFailed: It is no index, of another format or metric.
        sqlite3.Error: It cannot be opened or read.
    """
    _make(path, metric)
    deadline = time.monotonic() + _UPGRADED_WITHIN_S
    while not schema.is_ours(path):
        if time.monotonic() > deadline:
            raise StorageFailed(
                f"the index {path} is of an earlier format",
                hint="open it to write once, which brings it to that of this version",
            )
        time.sleep(_ASKED_EVERY_S)
    connection = schema.connect(path)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("BEGIN")
    return _of_metric(path, metric, connection)


def _make(path: Path, metric: Metric) -> None:
    if path.exists():
        return
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size and not path.exists():
        raise damaged(path, "it is gone and only its log is left")
    schema.create(path, metric)


def _of_metric(path: Path, metric: Metric, connection: sqlite3.Connection) -> sqlite3.Connection:
    made_for = schema.read_meta(path, connection).metric
    if made_for is not metric:
        connection.close()
        raise StorageFailed(
            f"the index {path} compares by {made_for.value}, not by {metric.value}",
            hint="say the metric it was made with, or use another workspace",
        )
    return connection
