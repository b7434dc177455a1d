"""Lines of a byte stream of any length, in bounded memory."""

from __future__ import annotations

import os
import select
from collections.abc import Generator, Iterator

from jina_cli.documents.readers.row import MAX_ROW_BYTES, Pause, RowError

_CHUNK_BYTES = 256 * 1024
_PAUSE_S = 0.2
_SHOWN_BYTES = 1024

Chunk = bytes | Pause


def chunks_of(descriptor: int) -> Generator[Chunk, None, None]:
    """Yield what a descriptor gives, as soon as it gives it, until its end.

    A `Pause` follows where nothing more came for a moment: whoever reads a slow pipe can
    hand on what there is.

    Raises:
        OSError: Reading failed.
    """
    waits = _can_wait(descriptor)
    while True:
        if waits and not select.select([descriptor], [], [], _PAUSE_S)[0]:
            yield Pause.PAUSE
            select.select([descriptor], [], [])
        chunk = os.read(descriptor, _CHUNK_BYTES)
        if not chunk:
            return
        yield chunk


def _can_wait(descriptor: int) -> bool:
    try:
        select.select([descriptor], [], [], 0)
    except (OSError, ValueError):  # a number over FD_SETSIZE, or a kind that cannot wait
        return False
    return True


def lines_of(
    chunks: Iterator[Chunk], source: str, *, max_bytes: int = MAX_ROW_BYTES
) -> Iterator[tuple[int, bytes] | RowError | Pause]:
    """Yield each line with its number from 1, without its line end, `\\n` or `\\r\\n`.

    A line of more than `max_bytes` becomes a `RowError` and is dropped as it comes. A byte
    order mark at the beginning is left out.
    """
    number = 1
    parts: list[bytes] = []
    length = 0
    first = True
    for chunk in chunks:
        if isinstance(chunk, Pause):
            yield chunk
            continue
        data = chunk
        if first:
            data, first = data.removeprefix(b"\xef\xbb\xbf"), False
        *whole, rest = data.split(b"\n")
        for piece in whole:
            length += len(piece)
            yield _line(number, [*parts, piece], length, source, max_bytes)
            number, parts, length = number + 1, [], 0
        length += len(rest)
        # Of a line that is too long only the beginning is kept, to be shown.
        if rest and length - len(rest) <= max_bytes:
            parts.append(rest)
    if length:
        yield _line(number, parts, length, source, max_bytes)


def _line(
    number: int, parts: list[bytes], length: int, source: str, max_bytes: int
) -> tuple[int, bytes] | RowError:
    if length > max_bytes:
        reason = f"longer than {max_bytes // 2**20} MiB"
        return RowError(source, number, reason, b"".join(parts[:1])[:_SHOWN_BYTES])
    return number, b"".join(parts).removesuffix(b"\r")
