"""Each format's way from bytes to rows. All are lazy, and go on after a bad row."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from jina_cli.documents.readers.lines import Chunk, lines_of
from jina_cli.documents.readers.row import (
    MAX_ROW_BYTES,
    Items,
    Pause,
    Row,
    RowError,
    Skipped,
    printable,
)
from jina_cli.errors import MissingExtra

Read = Callable[[Iterator[Chunk], str, str], Items]
"""Makes rows of chunks, given the source's printable name and its URI (empty for none)."""

_ARRAY_ROWS = 1024


def read_jsonl(chunks: Iterator[Chunk], source: str, uri: str) -> Items:
    """Yield one row for each line that is a JSON object; empty lines are skipped."""
    for item in lines_of(chunks, source):
        if not isinstance(item, tuple):
            yield item
        elif item[1].strip():
            yield _json_row(source, *item)


def read_json(chunks: Iterator[Chunk], source: str, uri: str) -> Items:
    """Yield the objects of a file that is one JSON array, or JSON Lines after all.

    The rows of an array are numbered by their place in it, since JSON tells no lines.
    """
    held = b"".join(c for c in _limited(chunks) if not isinstance(c, Pause))
    data = held.removeprefix(b"\xef\xbb\xbf")
    if not data.lstrip().startswith(b"["):
        yield from _json_or_lines(data, source, uri)
        return
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        yield RowError(source, 0, f"not JSON: {_clause(error)}")
        return
    for place, value in enumerate(found, 1):
        if isinstance(value, dict):
            yield Row(source=source, line=place, fields=value, raw=orjson.dumps(value))
        else:
            yield RowError(source, place, "not a JSON object", orjson.dumps(value))


def _json_or_lines(data: bytes, source: str, uri: str) -> Items:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        yield from read_jsonl(iter([data]), source, uri)
        return
    if isinstance(value, dict):
        yield Row(source=source, line=1, fields=value, raw=data.strip())
    else:
        yield RowError(source, 1, "not a JSON object", data[:1024])


def read_lines(chunks: Iterator[Chunk], source: str, uri: str) -> Items:
    """Yield one text for each line that is not blank."""
    for item in lines_of(chunks, source):
        if not isinstance(item, tuple):
            yield item
            continue
        number, line = item
        text = _text(line)
        if text is None:
            yield RowError(source, number, "not UTF-8", line, hint=_converting(source))
        elif text.strip():
            place = f"{uri}:{number}" if uri else ""
            yield Row(source=source, line=number, fields={"text": text}, uri=place, raw=line)


def read_text(chunks: Iterator[Chunk], source: str, uri: str) -> Items:
    """Yield the whole as one document, whose id follows from where it stands; none of blanks."""
    held = b"".join(c for c in _limited(chunks) if not isinstance(c, Pause))
    text = _text(held.removeprefix(b"\xef\xbb\xbf"))
    if len(held) > MAX_ROW_BYTES:
        yield RowError(source, 0, f"longer than {MAX_ROW_BYTES // 2**20} MiB")
    elif text is None:
        yield RowError(source, 0, "not UTF-8 text", hint=_converting(source))
    elif not text.strip():
        if uri:
            yield Skipped(source, "empty")
    else:
        identity = b"uri:" + os.fsencode(os.path.abspath(uri)) if uri else None
        yield Row(source=source, line=0, fields={"text": text}, uri=uri, identity=identity)


def read_csv(chunks: Iterator[Chunk], source: str, uri: str) -> Items:
    """Yield one row for each record; the first record names the fields.

    The separator is the one of comma, semicolon and tab that the header has most of. Empty
    fields are left out. Numbers stay text, since CSV knows no types.
    """
    # The module's own limit, for the whole process, is 128 KiB a field.
    csv.field_size_limit(MAX_ROW_BYTES)
    feed = _CsvFeed(lines_of(chunks, source))
    header: list[str] = []
    reader: Any = None
    for item in feed.starts():
        if not isinstance(item, str):
            yield item
            continue
        if reader is None:
            reader = csv.reader(feed, delimiter=_separator(item), strict=True)
        try:
            record = next(reader)
        except csv.Error as error:
            yield RowError(source, feed.line, f"not CSV: {error}", feed.raw())
            continue
        if not header:
            header = [name.strip() for name in record]
        elif record:
            yield _csv_row(header, record, source, feed)


class _CsvFeed:
    """Hands lines to a CSV reader, and remembers which ones a record was made of."""

    def __init__(self, lines: Iterator[tuple[int, bytes] | RowError | Pause]) -> None:
        self._lines = lines
        self._next: tuple[int, bytes] | None = None
        self._used: list[bytes] = []
        self._length = 0
        self.line = 0

    def starts(self) -> Iterator[str | RowError | Pause]:
        """Yield the first line of each record, to be read by the CSV reader then."""
        for item in self._lines:
            if isinstance(item, tuple):
                self._next, self.line = item, item[0]
                self._used, self._length = [], 0
                yield _escaped(item[1])
            else:
                yield item

    def raw(self) -> bytes:
        return b"\n".join(self._used)

    def __iter__(self) -> _CsvFeed:
        return self

    def __next__(self) -> str:
        line = self._take()
        self._used.append(line)
        self._length += len(line)
        if self._length > MAX_ROW_BYTES:
            raise csv.Error("a quote is not closed")
        return _escaped(line) + "\n"

    def _take(self) -> bytes:
        if self._next is not None:
            (_, line), self._next = self._next, None
            return line
        for item in self._lines:  # within quotes a record goes on
            if isinstance(item, tuple):
                return item[1]
            if isinstance(item, RowError):
                raise csv.Error(item.reason)
        raise StopIteration


def _escaped(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")


def _separator(header: str) -> str:
    return max(",;\t", key=header.count)


def _csv_row(header: list[str], record: list[str], source: str, feed: _CsvFeed) -> Row | RowError:
    if len(record) != len(header):
        reason = f"{len(record)} fields where the header has {len(header)}"
        return RowError(source, feed.line, reason, feed.raw())
    if any("\udc80" <= c <= "\udcff" for value in record for c in value):
        return RowError(source, feed.line, "not UTF-8", feed.raw(), hint=_converting(source))
    fields = {name: value for name, value in zip(header, record, strict=True) if name and value}
    columns = tuple(filter(None, header))
    return Row(source=source, line=feed.line, fields=fields, raw=feed.raw(), columns=columns)


def read_npy(path: str) -> Items:
    """Yield each row of the array of a `.npy` file as a `tensor`; the file is mapped, not read.

    Floating-point numbers become float32. An id follows from the file's path and the row.
    """
    source = printable(path)
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        yield RowError(source, 0, f"not a .npy array: {_clause(error)}")
        return
    if not isinstance(array, np.ndarray) or array.ndim == 0 or array.dtype.kind not in "biuf":
        yield RowError(source, 0, "not an array of numbers, one row a document")
        return
    place = b"uri:" + os.fsencode(os.path.abspath(path))
    for start in range(0, len(array), _ARRAY_ROWS):
        rows = np.ascontiguousarray(array[start : start + _ARRAY_ROWS])
        if rows.dtype.kind == "f":
            rows = rows.astype(np.float32, copy=False)
        finite = np.isfinite(rows).reshape(len(rows), -1).all(axis=1)
        for number, (row, good) in enumerate(zip(rows, finite, strict=True), start + 1):
            if good:
                identity = place + f":{number}".encode()
                uri = f"{source}:{number}"
                fields = {"tensor": row}
                yield Row(source=source, line=number, fields=fields, uri=uri, identity=identity)
            else:
                yield RowError(source, number, "a number is NaN or infinite")


def read_parquet(path: str) -> Items:
    """Yield each row of a Parquet table; an id follows from the file's path and the row.

    Times and decimals become text. What `jina dump` wrote comes as the documents it was.
    """
    # pyarrow, an extra, takes longer to import than most files to read.
    from jina_cli.documents.parquet import BadTable, read_tables, rows_of_table

    source = printable(path)
    place = b"uri:" + os.fsencode(os.path.abspath(path))
    number = 0
    try:
        with open(path, "rb") as file:
            for table in read_tables(file):
                columns = tuple(table.column_names)
                for fields in rows_of_table(table):
                    number += 1
                    yield Row(
                        source=source,
                        line=number,
                        fields=fields,
                        uri=f"{source}:{number}",
                        identity=place + f":{number}".encode(),
                        columns=columns,
                    )
    except (OSError, BadTable) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        yield RowError(source, number, f"cannot be read: {reason or error}")
    except MissingExtra as error:
        yield RowError(source, 0, error.message, hint=error.hint)


def sniff(beginning: bytes) -> Read | None:
    """Return how to read a file of unknown name by its first bytes; None if it is not text."""
    if b"\0" in beginning:
        return None
    try:
        beginning.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(beginning) - 3:  # not just cut within a character
            return None
    return read_text


def sniff_stream(beginning: bytes) -> Read:
    """Return how to read a stream by its first bytes: objects as JSON Lines, else lines."""
    start = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    return read_jsonl if start.startswith(b"{") else read_lines


BY_NAME: Mapping[str, Read] = {
    "jsonl": read_jsonl,
    "json": read_json,
    "csv": read_csv,
    "lines": read_lines,
    "text": read_text,
}
"""Formats that `--format` knows, beside `npy` and `parquet`."""

_SUFFIXES: Mapping[str, str] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".npy": "npy",
    ".parquet": "parquet",
    ".txt": "text",
    ".md": "text",
}


def format_of(path: str) -> str:
    """Return the format that a file's name tells; empty if it tells none."""
    return _SUFFIXES.get(Path(path).suffix.lower(), "")


def _limited(chunks: Iterator[Chunk], limit: int = 4 * MAX_ROW_BYTES) -> Iterator[Chunk]:
    """Yield chunks up to a little over `limit` bytes: enough to see that there are too many."""
    length = 0
    for chunk in chunks:
        yield chunk
        length += len(chunk) if isinstance(chunk, bytes) else 0
        if length > limit:
            return


def _json_row(source: str, number: int, line: bytes) -> Row | RowError:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if _text(line) is None:
            return RowError(source, number, "not UTF-8", line, hint=_converting(source))
        return RowError(source, number, f"not JSON: {_clause(error)}", line)
    if not isinstance(value, dict):
        return RowError(source, number, "not a JSON object", line)
    return Row(source=source, line=number, fields=value, raw=line)


def _converting(source: str) -> str:
    file = "" if source == "stdin" else f" {source}"
    return f"if it is in Latin-1, convert it: iconv -f latin1 -t utf-8{file}"


def _text(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _clause(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(": line")[0].rstrip(".")
