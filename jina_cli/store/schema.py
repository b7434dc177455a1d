"""The file of an index: what is in it, how it is made, and how it is checked when opened.

    meta(key, value)                 metric, dim (0 until the first vector), changes, documents
    documents(rowid, id, text, body, vector_crc, rest_crc, crc)
    vectors(rowid, vector)           of the documents that have a `vector_crc`
    rests(rowid, rest)               of the documents that have a `rest_crc`
    texts                            a view of the documents that have text
    terms                            FTS5 over texts; holds no text of its own

Vectors are little-endian float32. They and the rests have tables of their own so that a page holds
many documents. `vector_crc` covers id and vector, `rest_crc` id and rest, and `crc` the other two
and what stands in `documents`, so that each part alone is known to be what was written.
The version of the format is the file's `user_version`, readable without SQLite; files with a
higher one than ours are not touched.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from zlib import crc32

from jina_cli.errors import StorageFailed
from jina_cli.store.failures import damaged
from jina_cli.vocabulary import Metric

FORMAT_VERSION = 1
FILE_NAME = "documents.sqlite"

_APPLICATION_ID = 0x4A494E41  # "JINA"
_ALWAYS_CHECKED_BYTES = 256 << 20
_HEADER_BYTES = 100
_TABLES = f"""
    PRAGMA journal_mode = DELETE;
    PRAGMA application_id = {_APPLICATION_ID};
    PRAGMA user_version = {FORMAT_VERSION};
    BEGIN;
    CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE documents (
        rowid INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        text TEXT,
        body BLOB NOT NULL,
        vector_crc INTEGER,
        rest_crc INTEGER,
        crc INTEGER NOT NULL
    );
    CREATE TABLE vectors (rowid INTEGER PRIMARY KEY, vector BLOB NOT NULL);
    CREATE TABLE rests (rowid INTEGER PRIMARY KEY, rest BLOB NOT NULL);
    CREATE VIEW texts AS SELECT rowid, text FROM documents WHERE text NOT NULL;
    CREATE VIRTUAL TABLE terms USING fts5(
        text, content='texts', content_rowid='rowid', tokenize='porter unicode61'
    );
    INSERT INTO meta VALUES ('dim', 0), ('changes', 0), ('documents', 0);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What an index says of itself.

    Attributes:
        dim: Length of its vectors; 0 until there is one.
        changes: Grows with every transaction.
        documents: How many it holds.
    """

    metric: Metric
    dim: int
    changes: int
    documents: int


def connect(
    path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open the file at `path`, which must exist, for any one thread at a time."""
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        factory=factory,
    )
    connection.execute("PRAGMA synchronous = FULL")
    # The writer decides when, so that a failed sync is seen and not passed over.
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA cache_size = -16384")
    return connection


def create(path: Path, metric: Metric) -> None:
    """Make an empty index at `path`, which appears whole or not at all."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = connect(draft)
    try:
        connection.executescript(_TABLES)
        connection.execute("INSERT INTO meta VALUES ('metric', ?)", (metric.value,))
        connection.execute("COMMIT")
    finally:
        connection.close()
    draft.rename(path)
    sync_directory(path.parent)


def check_header(path: Path) -> None:
    """Look at the first bytes of `path`, and let nothing touch it that we do not know.

    Raises:
        StorageFailed: It is not an index of ours, is cut off, or is of a later format.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(b"SQLite format 3\0"):
        raise damaged(path, "it does not begin like one")
    if int.from_bytes(header[68:72], "big") != _APPLICATION_ID:
        raise StorageFailed(f"{path} is not an index", hint="use another workspace")
    version = int.from_bytes(header[60:64], "big")
    if version > FORMAT_VERSION:
        raise StorageFailed(
            f"the index {path} has format {version}, this version reads up to {FORMAT_VERSION}",
            hint="install the version of jina that wrote it, or a later one",
        )


def open_checked(
    path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open the index at `path` in WAL mode, after its writer ended in whatever way.

    The tree of pages is checked unless the file is large and was closed in order: that
    check reads all of it.

    Raises:
        StorageFailed: It is damaged, or `check_header` refused it.
        sqlite3.Error: It cannot be opened or read.
    """
    check_header(path)
    log = path.with_name(f"{path.name}-wal")
    is_unclean = log.exists() and log.stat().st_size > 0
    connection = connect(path, factory)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        if is_unclean or path.stat().st_size <= _ALWAYS_CHECKED_BYTES:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise damaged(path, verdict)
        expected = read_meta(path, connection).documents
        (documents,) = connection.execute("SELECT count(*) FROM documents").fetchone()
        if documents != expected:
            raise damaged(path, f"it holds {documents} documents instead of {expected}")
    except BaseException:
        connection.close()
        raise
    return connection


def check_terms(path: Path) -> None:
    """Compare the words of an index with its texts.

    Raises:
        sqlite3.DatabaseError: They differ.
    """
    connection = connect(path)
    try:
        # An insert to FTS5, so it needs a connection that may write; the 1 says: with the texts.
        connection.execute("INSERT INTO terms(terms, rank) VALUES ('integrity-check', 1)")
    finally:
        connection.close()


def read_meta(path: Path, connection: sqlite3.Connection) -> Meta:
    values = dict(connection.execute("SELECT key, value FROM meta"))
    try:
        return Meta(
            metric=Metric(values["metric"]),
            dim=int(values["dim"]),
            changes=int(values["changes"]),
            documents=int(values["documents"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise damaged(path, "what it says of itself cannot be read") from error


def part_crc(id_: str, part: bytes | memoryview | None) -> int | None:
    """Return the checksum of the vector or the rest of a document; None if it has none."""
    return None if part is None else crc32(part, crc32(id_.encode()))


def document_crc(
    id_: str, text: str | None, body: bytes, vector_crc: int | None, rest_crc: int | None
) -> int:
    """Return the checksum of a row of `documents`."""
    crc = crc32(id_.encode(), (vector_crc or 0) ^ (rest_crc or 0))
    return crc32(body, crc if text is None else crc32(text.encode(), crc))


def sync_directory(directory: Path) -> None:
    """Make what was put into a folder, or renamed in it, survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
