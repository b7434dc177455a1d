"""What the user names as input: files, patterns, folders and streams, found and opened."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from jina_cli.documents.readers.formats import (
    BY_NAME,
    format_of,
    read_npy,
    read_parquet,
    sniff,
    sniff_stream,
)
from jina_cli.documents.readers.lines import Chunk, chunks_of
from jina_cli.documents.readers.row import Items, Pause, RowError, Skipped, printable
from jina_cli.errors import InputMissing, NothingMatched, NotPermitted

Format = Literal["auto", "jsonl", "json", "csv", "lines", "text", "npy", "parquet"]

STDIN = "-"
_SNIFF_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to read.

    Attributes:
        path: With any bytes in it, as `os.fsdecode` gives them; `-` is stdin.
        named: Whether the user named it, rather than a folder that it is in. A file that
            was only found is passed by if it holds no text.
        stream: Whether it is no file: stdin, a pipe, a device.
    """

    path: str
    named: bool = True
    stream: bool = False


def find_sources(inputs: Sequence[str], *, format_: Format = "auto") -> Sequence[Source]:
    """Return what `inputs` name, in their order; folders sorted, hidden files left out.

    Raises:
        InputMissing: A file is not there.
        NotPermitted: A file may not be read.
        NothingMatched: There are inputs, and all are empty folders or match no file.
    """
    found: list[Source] = []
    for text in inputs:
        found += _found(text)
    if inputs and not found:
        raise NothingMatched(f"no file in {' '.join(printable(text) for text in inputs)}")
    if format_ in ("npy", "parquet") and any(source.stream for source in found):
        what = ".npy arrays are" if format_ == "npy" else "Parquet is"
        raise InputMissing(f"{what} read from files, not from a stream")
    return found


def _found(text: str) -> list[Source]:
    if text == STDIN:
        return [Source(STDIN, stream=True)]
    try:
        mode = os.stat(text).st_mode
    except OSError as error:
        if glob.has_magic(text):
            return _matching(text)
        raise InputMissing(f"cannot read {printable(text)}: {error.strerror}") from error
    except ValueError as error:  # a zero byte
        raise InputMissing(f"cannot read {printable(text)}: {error}") from error
    if stat.S_ISDIR(mode):
        return [Source(path, named=False) for path in _walk(text)]
    if not os.access(text, os.R_OK):
        raise NotPermitted(f"cannot read {printable(text)}: Permission denied")
    return [Source(text, stream=not stat.S_ISREG(mode))]


def _matching(pattern: str) -> list[Source]:
    paths = sorted(glob.glob(pattern, recursive=True), key=os.fsencode)
    return [source for path in paths for source in _found(path)]


def _walk(folder: str) -> Iterator[str]:
    """Yield the regular files below a folder. Links to folders are not followed: they may
    lead back."""
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        raise NotPermitted(f"cannot read {printable(folder)}: {error.strerror}") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)
        elif entry.is_file():
            yield entry.path.removeprefix("./")


def read_sources(sources: Sequence[Source], *, format_: Format = "auto") -> Items:
    """Yield the rows of all sources, one after another; each is opened when it is its turn."""
    for source in sources:
        name = format_ if format_ != "auto" else format_of(source.path)
        if name == "npy":
            yield from read_npy(source.path)
        elif name == "parquet":
            yield from read_parquet(source.path)
        else:
            yield from _read(source, name)


def _read(source: Source, name: str) -> Items:
    shown = "stdin" if source.path == STDIN else printable(source.path)
    try:
        descriptor = 0 if source.path == STDIN else os.open(source.path, os.O_RDONLY)
    except OSError as error:
        yield RowError(shown, 0, f"cannot be read: {error.strerror}")
        return
    try:
        with closing(chunks_of(descriptor)) as chunks:
            yield from _read_chunks(source, shown, name, chunks)
    except OSError as error:
        yield RowError(shown, 0, f"cannot be read: {error.strerror}")
    finally:
        if descriptor != 0:
            os.close(descriptor)


def _read_chunks(source: Source, shown: str, name: str, chunks: Iterator[Chunk]) -> Items:
    uri = "" if source.stream else shown
    if name in BY_NAME:
        yield from BY_NAME[name](chunks, shown, uri)
        return
    beginning, rest = _peek(chunks)
    if not beginning.strip():
        if not source.stream:
            yield Skipped(shown, "empty")
        return
    if source.stream:
        yield from sniff_stream(beginning)(rest, shown, uri)
        return
    read = sniff(beginning)
    if read is not None:
        yield from read(rest, shown, uri)
    elif source.named:
        yield RowError(shown, 0, "neither text nor a known format")
    else:
        yield Skipped(shown, "not text")


def _peek(chunks: Iterator[Chunk]) -> tuple[bytes, Iterator[Chunk]]:
    """Return the first bytes that are more than blanks, and all chunks with them."""
    held = b""
    for chunk in chunks:
        held += b"" if isinstance(chunk, Pause) else chunk
        if held.strip() or len(held) > _SNIFF_BYTES:
            break

    def all_of() -> Iterator[Chunk]:
        yield held
        yield from chunks

    return held[:_SNIFF_BYTES], all_of()
