from __future__ import annotations

import json
from collections.abc import Iterable
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.lifeline import LOG_MARK
from jina_cli.supervise.logs import (
    MAX_LINE_BYTES,
    MAX_LINES_A_SECOND,
    LineReader,
    LogLine,
    PeaLog,
    harmless,
)


def lines_of(*parts: bytes, ended: bool = False) -> list[LogLine]:
    reader = LineReader("encode", "stdout")
    lines = [line for part in parts for line in reader.feed(part, 5.0)]
    return lines + (list(reader.end(5.0)) if ended else [])


def texts(lines: Iterable[LogLine]) -> list[str]:
    return [line.text for line in lines]


def test_a_line_is_put_together_from_pieces() -> None:
    assert texts(lines_of(b"on", b"e\ntwo\nth", b"ree")) == ["one", "two"]


def test_what_stands_without_line_end_comes_at_the_end() -> None:
    assert texts(lines_of(b"one\ntwo", ended=True)) == ["one", "two"]


def test_a_line_without_end_is_cut_and_its_rest_forgotten() -> None:
    lines = lines_of(b"x" * 10 * MAX_LINE_BYTES, b"x" * MAX_LINE_BYTES, b"\nnext\n")

    assert texts(lines) == ["x" * MAX_LINE_BYTES + " … (line cut)", "next"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("a\tb", "a\tb"),
        ("nul \x00 csi \x9b", "nul \\x00 csi \\x9b"),
        ("one\u2028two \u202egpj.exe", "one\\x2028two \\x202egpj.exe"),
        ("ümläut 🙂", "ümläut 🙂"),
    ],
)
def test_a_terminal_is_not_hijacked(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.lists(st.binary(max_size=60)))
def test_any_bytes_become_lines_without_control_characters(parts: list[bytes]) -> None:
    lines = lines_of(*parts, ended=True)

    controls = {char for char in "".join(texts(lines)) if category(char) == "Cc"}
    assert controls <= {"\t", "\n"}
    assert len(lines) >= b"".join(parts).count(b"\n")


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert texts(lines_of(b"caf\xe9\r\n")) == ["caf\ufffd"]


def test_a_record_keeps_its_level_its_logger_and_its_time() -> None:
    record = {"level": "WARNING", "logger": "my.executor", "time": 7.5, "message": "slow\nvery"}

    lines = lines_of(f"{LOG_MARK}{json.dumps(record)}\n".encode())

    assert lines == [
        LogLine(
            pea="encode", stream="log", text=text, time=7.5, level="WARNING", logger="my.executor"
        )
        for text in ("slow", "very")
    ]


def test_a_traceback_is_in_lines_of_its_own() -> None:
    record = {"level": "ERROR", "logger": "x", "message": "failed", "traceback": "Trace\n  it"}

    assert texts(lines_of(f"{LOG_MARK}{json.dumps(record)}\n".encode())) == [
        "failed",
        "Trace",
        "  it",
    ]


@pytest.mark.parametrize("data", [b"{", b"[1]", b"7", b'"text"'])
def test_what_only_looks_like_a_record_is_plain_output(data: bytes) -> None:
    lines = lines_of(LOG_MARK.encode() + data + b"\n")

    assert [(line.text, line.stream, line.level) for line in lines] == [
        (data.decode(), "stdout", "")
    ]


def test_the_last_lines_of_a_process_are_kept() -> None:
    log = PeaLog("encode", lambda line: None)
    log.feed("stdout", b"of the process before\n", 1.0)
    log.begin()

    log.feed("stdout", b"".join(b"%d\n" % n for n in range(30)), 2.0)
    log.feed("stderr", b"the end", 2.0)
    log.end(2.0)

    assert list(log.tail) == [*(str(n) for n in range(11, 30)), "the end"]


def test_a_flood_is_dropped_with_a_count() -> None:
    written: list[LogLine] = []
    log = PeaLog("encode", written.append)
    flood = b"x\n" * 1000

    for _ in range(MAX_LINES_A_SECOND // 1000 + 5):
        log.feed("stdout", flood, 1.0)
    log.feed("stdout", b"later\n", 2.0)

    assert len(written) == MAX_LINES_A_SECOND + 1000 + 2
    assert texts(written[-2:]) == ["4000 lines dropped: more than 20000 a second", "later"]
