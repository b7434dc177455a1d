"""Lines of a byte stream."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from jina_cli.documents.readers.lines import Chunk, chunks_of, lines_of
from jina_cli.documents.readers.row import Pause, RowError


def _lines(*chunks: Chunk, max_bytes: int = 100) -> list[object]:
    return list(lines_of(iter(chunks), "f", max_bytes=max_bytes))


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([], []),
        ([b"a\nb\n"], [(1, b"a"), (2, b"b")]),
        ([b"a\r\nb"], [(1, b"a"), (2, b"b")]),
        ([b"a", b"b\nc", b"\n"], [(1, b"ab"), (2, b"c")]),
        ([b"\n\n"], [(1, b""), (2, b"")]),
        ([b"\xef\xbb\xbfa\n"], [(1, b"a")]),
        ([b"a\0b\n"], [(1, b"a\0b")]),
    ],
)
def test_lines_do_not_depend_on_how_bytes_come(chunks: list[bytes], lines: list[object]) -> None:
    assert _lines(*chunks) == lines


def test_a_line_that_is_too_long_is_dropped_and_the_next_is_read() -> None:
    found = _lines(b"a\nxxxx", b"xxxx", b"xxxx\nb\n", max_bytes=8)

    assert found == [(1, b"a"), RowError("f", 2, "longer than 0 MiB", b"xxxx"), (3, b"b")]


def test_a_line_without_end_is_not_held() -> None:
    def endless() -> Iterator[Chunk]:
        for _ in range(10_000):
            yield b"x" * 1000

    found = list(lines_of(endless(), "f", max_bytes=2000))

    assert found == [RowError("f", 1, "longer than 0 MiB", b"x" * 1000)]


def test_a_pause_is_passed_on_where_it_was() -> None:
    assert _lines(b"a\nb", Pause.PAUSE, b"c\n") == [(1, b"a"), Pause.PAUSE, (2, b"bc")]


def test_a_pipe_that_has_nothing_right_now_pauses() -> None:
    read_end, write_end = os.pipe()
    try:
        os.write(write_end, b"a\n")
        chunks = chunks_of(read_end)

        assert next(chunks) == b"a\n"
        assert next(chunks) is Pause.PAUSE

        os.write(write_end, b"b\n")
        os.close(write_end)
        assert list(chunks) == [b"b\n"]
    finally:
        os.close(read_end)
