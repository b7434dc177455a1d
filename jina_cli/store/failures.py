"""What SQLite's errors mean to the owner of an index."""

from __future__ import annotations

import enum
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jina_cli.errors import StorageFailed

_SHM_SIZE = 10 | (19 << 8)
"""SQLITE_IOERR_SHMSIZE: the shared-memory file cannot grow, which is a full disk."""


class Kind(enum.Enum):
    """What a failure leaves behind."""

    FULL = "full"  # nothing was written; works again once there is space
    DISK = "disk"  # what is on the disk is unknown: no more writes
    DAMAGED = "damaged"  # what is on the disk is not what was written: no more writes
    OTHER = "other"  # this statement failed, others may not


def kind_of(error: sqlite3.Error) -> Kind:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return Kind.OTHER
    if code == _SHM_SIZE or code & 0xFF == sqlite3.SQLITE_FULL:
        return Kind.FULL
    match code & 0xFF:
        case sqlite3.SQLITE_IOERR:
            return Kind.DISK
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return Kind.DAMAGED
        case _:
            return Kind.OTHER


def storage_failed(path: Path, error: sqlite3.Error) -> StorageFailed:
    """Return what to tell the owner of the index at `path`."""
    match kind_of(error):
        case Kind.FULL:
            return StorageFailed(f"no space left to write {path}", hint="free some and try again")
        case Kind.DISK:
            name = getattr(error, "sqlite_errorname", "")
            return StorageFailed(
                f"the disk failed under {path} ({name})",
                hint="it is read-only until the Flow is started again; check the disk first",
            )
        case Kind.DAMAGED:
            return damaged(path, str(error))
        case Kind.OTHER:
            return StorageFailed(f"{path}: {error}")


def damaged(path: Path, what: str) -> StorageFailed:
    # SQLite's check puts a headline, `*** in database main ***`, above what it found.
    lines = [line for line in what.splitlines() if line and not line.startswith("***")]
    return StorageFailed(
        f"the index {path} is damaged ({lines[0] if lines else what})",
        hint="put back a copy of it, or move it away and index again",
    )


@contextmanager
def of_known_kinds(path: Path) -> Iterator[None]:
    """Say that an index is damaged where what is read of it is of another kind than was written.

    One bit decides whether SQLite takes a text for a number; no checksum is made of a number.
    """
    try:
        yield
    except (AttributeError, TypeError, OverflowError, struct.error) as error:
        raise damaged(path, "a value is of another kind than was written") from error
