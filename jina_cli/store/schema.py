"""The file of an index: what is in it, how it is made, and how it is checked when opened.

    meta(key, value)                 what `Meta` has
    documents(rowid, id, text, body, vector_crc, rest_crc, crc, parts_crc, hash)
    vectors(rowid, vector)           of the documents that have a `vector_crc`
    rests(rowid, rest)               of the documents that have a `rest_crc`
    parts(key, id, body, vector, crc)  of the documents that have a `parts_crc`
    texts                            a view of the documents that have text
    terms                            FTS5 over texts; holds no text of its own
    log                              which documents changed, see `changelog`

Vectors are little-endian float32. They and the rests have tables of their own so that a page holds
many documents. `vector_crc` covers id and vector, `rest_crc` id and rest, `parts_crc` the checksums
of all parts in their order, and `crc` the other three and what stands in `documents`, so that each
part alone is known to be what was written. The key of a part is the row of its document, shifted
by `KEY_BITS`, plus its place from 1; place 0 is the key of the document's own vector.

The version of the format is the file's `user_version`, readable without SQLite; files with a
higher one than ours are not touched. Format 1 had neither parts, hashes nor a log; what it wrote
needs no change but the tables, so a file of it is brought to format 2 when it is opened to write.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote
from zlib import crc32

from jina_cli.errors import StorageFailed
from jina_cli.store.failures import damaged
from jina_cli.vocabulary import Metric

FORMAT_VERSION = 2
FILE_NAME = "documents.sqlite"
KEY_BITS = 20

_APPLICATION_ID = 0x4A494E41  # "JINA"
_ALWAYS_CHECKED_BYTES = 256 << 20
_HEADER_BYTES = 100
_WRITE_VERSION, _WAL = 18, 2  # where a file says that it has a log to be read with it, and how
_TABLES = f"""
    PRAGMA journal_mode = DELETE;
    PRAGMA application_id = {_APPLICATION_ID};
    BEGIN;
    PRAGMA user_version = 1;
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
_FROM_1_TO_2 = (
    "ALTER TABLE documents ADD COLUMN parts_crc INTEGER",
    "ALTER TABLE documents ADD COLUMN hash BLOB",
    "CREATE TABLE parts (key INTEGER PRIMARY KEY, id TEXT NOT NULL, body BLOB NOT NULL,"
    " vector BLOB NOT NULL, crc INTEGER NOT NULL)",
    "CREATE TABLE log (change INTEGER PRIMARY KEY, before INTEGER NOT NULL,"
    " documents BLOB NOT NULL, position INTEGER NOT NULL, crc INTEGER NOT NULL)",
    # Of files that format 1 wrote, nobody knows which fields their rests hold.
    "INSERT INTO meta SELECT 'beside', CASE WHEN EXISTS (SELECT 1 FROM rests)"
    " THEN NULL ELSE '[]' END",
    "INSERT INTO meta VALUES ('forgotten', 0)",
    "PRAGMA user_version = 2",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What an index says of itself.

    Attributes:
        dim: Length of its vectors; 0 until there is one.
        changes: Grows with every transaction.
        documents: How many it holds.
        beside: Names of the fields that the rests hold, or some once held; None if not known.
        forgotten: Texts that were taken out of the words since these were last merged.
    """

    metric: Metric
    dim: int
    changes: int
    documents: int
    beside: frozenset[str] | None
    forgotten: int


def connect(
    path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open the file at `path`, which must exist, for any one thread at a time.

    Raises:
        StorageFailed: It is damaged.
        sqlite3.Error: It cannot be opened or read.
    """
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        factory=factory,
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        # The writer decides when, so that a failed sync is seen and not passed over.
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA cache_size = -16384")
    except UnicodeDecodeError as error:
        # SQLite quotes what it does not understand, which then need not be text.
        connection.close()
        raise damaged(path, "its schema is not what was written") from error
    return connection


def create(path: Path, metric: Metric) -> None:
    """Make an empty index at `path`, which appears whole or not at all.

    One that somebody else made there meanwhile is left as it is.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".new")
    os.close(descriptor)
    draft = Path(name)
    try:
        connection = connect(draft)
        try:
            connection.executescript(_TABLES)
            connection.execute("INSERT INTO meta VALUES ('metric', ?)", (metric.value,))
            for statement in _FROM_1_TO_2:
                connection.execute(statement)
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    sync_directory(path.parent)


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring a file of an earlier format to ours, in one transaction.

    The journal is the kind that writes the file itself, whose first bytes then tell an earlier
    version of jina at once that it is not for it.
    """
    if read_version(connection) >= FORMAT_VERSION:
        return
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _FROM_1_TO_2:
            connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def read_version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def check_header(path: Path) -> int:
    """Look at the first bytes of `path`, and let nothing touch it that we do not know.

    Returns the version of its format.

    Raises:
        StorageFailed: It is not an index of ours, is cut off, or is of a later format.
    """
    header = _header(path)
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
    return version


def is_ours(path: Path) -> bool:
    """Return whether the index at `path` is of our format, and not just being brought to it.

    Raises:
        StorageFailed: As `check_header`.
    """
    return check_header(path) == FORMAT_VERSION and _header(path)[_WRITE_VERSION] == _WAL


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEADER_BYTES)


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
    logs = [path.with_name(f"{path.name}-{kind}") for kind in ("wal", "journal")]
    is_unclean = any(log.exists() and log.stat().st_size > 0 for log in logs)
    connection = connect(path, factory)
    try:
        if is_unclean or path.stat().st_size <= _ALWAYS_CHECKED_BYTES:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise damaged(path, verdict)
        expected = read_meta(path, connection).documents
        (documents,) = connection.execute("SELECT count(*) FROM documents").fetchone()
        if documents != expected:
            raise damaged(path, f"it holds {documents} documents instead of {expected}")
        upgrade(connection)
        connection.execute("PRAGMA journal_mode = WAL")
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


def check_owners(path: Path, connection: sqlite3.Connection) -> None:
    """Look for vectors, rests and parts of documents that are not there or have none.

    Raises:
        StorageFailed: There is one.
    """
    for table, row, has in (
        ("vectors", "vectors.rowid", "vector_crc"),
        ("rests", "rests.rowid", "rest_crc"),
        ("parts", f"parts.key >> {KEY_BITS}", "parts_crc"),
    ):
        (orphans,) = connection.execute(
            f"SELECT count(*) FROM {table} LEFT JOIN documents ON documents.rowid = {row}"
            f" WHERE {has} IS NULL"
        ).fetchone()
        if orphans:
            raise damaged(path, f"{orphans} {table} belong to no document")


def read_meta(path: Path, connection: sqlite3.Connection) -> Meta:
    values = dict(connection.execute("SELECT key, value FROM meta"))
    try:
        beside = values.get("beside")
        return Meta(
            metric=Metric(values["metric"]),
            dim=int(values["dim"]),
            changes=int(values["changes"]),
            documents=int(values["documents"]),
            beside=None if beside is None else frozenset(json.loads(beside)),
            forgotten=int(values.get("forgotten", 0)),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise damaged(path, "what it says of itself cannot be read") from error


def crc_of(id_: str, data: bytes | memoryview | None) -> int | None:
    """Return the checksum of the vector or the rest of a document; None if it has none."""
    return None if data is None else crc32(data, crc32(id_.encode()))


def part_crc(id_: str, body: bytes, vector: bytes | memoryview) -> int:
    """Return the checksum of a row of `parts`."""
    return crc32(vector, crc32(body, crc32(id_.encode())))


def parts_crc(crcs: Sequence[int]) -> int | None:
    """Return the checksum of all parts of a document; None if it has none."""
    return crc32(struct.pack(f"<{len(crcs)}I", *crcs)) if crcs else None


class Checked(NamedTuple):
    """What a checksum of a row of `documents` covers besides id, text and body."""

    vector_crc: int | None
    rest_crc: int | None
    parts_crc: int | None
    hash: bytes | None


def document_crc(id_: str, text: str | None, body: bytes, checked: Checked) -> int:
    """Return the checksum of a row of `documents`."""
    vector_crc, rest_crc, of_parts, hash_ = checked
    crc = crc32(id_.encode(), (vector_crc or 0) ^ (rest_crc or 0))
    crc = crc32(body, crc if text is None else crc32(text.encode(), crc))
    # Without these two it is what format 1 had.
    if of_parts is not None:
        crc = crc32(of_parts.to_bytes(4, "little"), crc)
    return crc if hash_ is None else crc32(hash_, crc32(b"hash", crc))


def sync_directory(directory: Path) -> None:
    """Make what was put into a folder, or renamed in it, survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
