"""Files of whole documents, with vectors and chunks: written batch by batch, read the same."""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, BinaryIO, Final, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import RaggedColumn, TensorColumn, presence_of
from jina_cli.documents.columns import decode, encode
from jina_cli.documents.jsonlines import from_lines, to_lines
from jina_cli.documents.parquet import (
    BadTable,
    Kinds,
    kinds_of,
    kinds_of_both,
    read_parquet,
    schema_of,
    write_parquet,
)
from jina_cli.documents.readers.batches import ReadBatch
from jina_cli.documents.readers.inputs import STDIN, Source
from jina_cli.documents.readers.lines import chunks_of, lines_of
from jina_cli.documents.readers.row import Pause, Row, RowError, printable
from jina_cli.documents.rows import BadRow

DumpFormat: TypeAlias = Literal["jsonl", "parquet"]

MAX_LINE_BYTES: Final = 256 * 2**20
"""A longer line is refused: documents come with their chunks, and with the vectors of these."""

MAX_BATCH_BYTES: Final = 8 * 2**20
"""A batch is handed on when its lines hold about this much."""

_SUFFIXES: Final = {".parquet": "parquet", ".pq": "parquet"}
_SIZE = struct.Struct("<Q")


def format_of(path: str) -> DumpFormat:
    """Return the format that a file's name tells; JSON Lines if it tells none."""
    return "parquet" if Path(path).suffix.lower() in _SUFFIXES else "jsonl"


class Writer(Protocol):
    """Takes documents, and has them all in its file after `end`."""

    def write(self, docs: DocumentBatch) -> None:
        """Take more documents.

        Raises:
            OSError: The disk is full.
            BadField: A document has what the format cannot hold.
        """

    def end(self) -> None:
        """Complete the file, which stays open. Raises as `write`."""

    def close(self) -> None:
        """Let go of what it needed besides its file."""


def writer_of(format_: DumpFormat, file: BinaryIO, folder: str | None = None) -> Writer:
    """Return what writes a format to a file.

    Args:
        folder: For a file without a name, about as large; None for where the system has them.

    Raises:
        MissingExtra: Parquet, and the extra `parquet` is not installed.
    """
    if format_ == "parquet":
        schema_of({})  # to say now, not after all documents were asked for, that pyarrow is missing
        return _Parquet(file, folder)
    return _JsonLines(file)


class _JsonLines:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, docs: DocumentBatch) -> None:
        self._file.writelines(to_lines(docs))

    def end(self) -> None:
        self._file.flush()

    def close(self) -> None:
        pass


class _Parquet:
    """Keeps batches in a file without a name: the table's columns are known at the end alone."""

    def __init__(self, file: BinaryIO, folder: str | None) -> None:
        self._file = file
        self._kept: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # see `close`
        self._kinds: Kinds = {}

    def write(self, docs: DocumentBatch) -> None:
        self._kinds = kinds_of_both(self._kinds, kinds_of(docs))
        data = b"".join(encode(docs))
        self._kept.write(_SIZE.pack(len(data)) + data)

    def end(self) -> None:
        self._kept.seek(0)
        write_parquet(self._file, self._batches(), self._kinds)
        self._file.flush()

    def close(self) -> None:
        self._kept.close()

    def _batches(self) -> Iterator[DocumentBatch]:
        while size := self._kept.read(_SIZE.size):
            yield decode(self._kept.read(_SIZE.unpack(size)[0]))


def read_dumps(
    sources: Sequence[Source], *, format_: DumpFormat | None = None, size: int
) -> Iterator[ReadBatch]:
    """Yield the documents of files, in order, holding one batch in memory.

    Args:
        format_: Of all of them; None for what their names tell.
        size: Documents in a batch at most.
    """
    for source in sources:
        kind = format_ or format_of(source.path)
        if kind == "parquet":
            yield from _read_parquet(source, size)
        else:
            yield from _read_lines(source, size)


def have_vectors(docs: DocumentBatch) -> NDArray[np.bool_]:
    """Return which documents have a vector, or a chunk that has: shape `(documents,)`.

    A `tensor` is content, and no vector; every other field of arrays is one.
    """
    mask = np.zeros(len(docs), np.bool_)
    for name, column in docs.columns.items():
        if isinstance(column, TensorColumn | RaggedColumn) and name != "tensor":
            mask |= presence_of(column)
    chunks = docs.docs("chunks")
    if chunks is not None:
        inner = np.concatenate([[0], np.cumsum(have_vectors(chunks.docs))])
        mask |= inner[chunks.offsets[1:]] > inner[chunks.offsets[:-1]]
    return mask


def without_vectors(docs: DocumentBatch) -> DocumentBatch:
    """Return documents without their vectors, those of their chunks included."""
    kinds = (TensorColumn, RaggedColumn)
    gone = [n for n, c in docs.columns.items() if isinstance(c, kinds) and n != "tensor"]
    docs = docs.without(*gone) if gone else docs
    chunks = docs.docs("chunks")
    if chunks is None:
        return docs
    inner = without_vectors(chunks.docs)
    return docs.with_columns(chunks=type(chunks)(chunks.offsets, inner, chunks.present))


def _shown(source: Source) -> str:
    return "stdin" if source.path == STDIN else printable(source.path)


def _read_lines(source: Source, size: int) -> Iterator[ReadBatch]:
    shown = _shown(source)
    try:
        descriptor = 0 if source.path == STDIN else os.open(source.path, os.O_RDONLY)
    except OSError as error:
        yield _failed(shown, f"cannot be read: {error.strerror}")
        return
    try:
        with closing(chunks_of(descriptor)) as chunks:
            yield from _batches_of_lines(
                lines_of(chunks, shown, max_bytes=MAX_LINE_BYTES), shown, size
            )
    except OSError as error:
        yield _failed(shown, f"cannot be read: {error.strerror}")
    finally:
        if descriptor:
            os.close(descriptor)


def _batches_of_lines(
    items: Iterator[tuple[int, bytes] | RowError | Pause], shown: str, size: int
) -> Iterator[ReadBatch]:
    rows: list[Row] = []
    errors: list[RowError] = []
    length = 0
    for item in items:
        if isinstance(item, RowError):
            errors.append(item)
        elif isinstance(item, tuple) and item[1].strip():
            rows.append(Row(source=shown, line=item[0], fields={}, raw=item[1]))
            length += len(item[1])
        if max(len(rows), len(errors)) >= size or length > MAX_BATCH_BYTES:
            yield _batch_of_lines(rows, errors)
            rows, errors, length = [], [], 0
    if rows or errors:
        yield _batch_of_lines(rows, errors)


def _batch_of_lines(rows: Sequence[Row], errors: Sequence[RowError]) -> ReadBatch:
    try:
        return ReadBatch(from_lines([row.raw for row in rows]), rows, errors)
    except BadRow:
        pass  # one by one, to know which
    good: list[Row] = []
    docs: list[DocumentBatch] = []
    bad = list(errors)
    for row in rows:
        try:
            docs.append(from_lines([row.raw]))
        except BadRow as error:
            bad.append(RowError(row.source, row.line, _problem(error), row.raw))
        else:
            good.append(row)
    return ReadBatch(DocumentBatch.concat(docs), good, sorted(bad, key=lambda e: e.line))


def _problem(error: BadRow) -> str:
    return f"{error.field!r} {error.problem}" if error.field else error.problem


def _read_parquet(source: Source, size: int) -> Iterator[ReadBatch]:
    shown = _shown(source)
    number = 0
    try:
        with tempfile.TemporaryFile() if source.stream else open(source.path, "rb") as file:
            if source.stream:
                _copy(source, file)
            for docs in read_parquet(file, size):
                rows = [
                    Row(source=shown, line=number + place, fields={})
                    for place in range(1, len(docs) + 1)
                ]
                number += len(docs)
                yield ReadBatch(docs, rows, ())
    except OSError as error:
        yield _failed(shown, f"cannot be read: {error.strerror or error}")
    except BadTable as error:
        yield _failed(shown, str(error))
    except BadRow as error:
        yield ReadBatch(
            DocumentBatch([]), (), [RowError(shown, number + error.row + 1, _problem(error))]
        )


def _copy(source: Source, held: IO[bytes]) -> None:
    # The end of a table says where its columns are: a stream has to be there as a whole.
    descriptor = 0 if source.path == STDIN else os.open(source.path, os.O_RDONLY)
    try:
        while data := os.read(descriptor, 2**20):
            held.write(data)
    finally:
        if descriptor:
            os.close(descriptor)
    held.seek(0)


def _failed(shown: str, reason: str, line: int = 0) -> ReadBatch:
    return ReadBatch(DocumentBatch([]), (), [RowError(shown, line, reason)])
