from __future__ import annotations

import json
from pathlib import Path

import pytest

from jina_cli.supervise.logs import LogLine
from jina_cli.supervise.sinks import KEPT_FILES, LogFile, LogFiles, plain_renderer, render_json

NAMES = ("gateway", "encode/rep-0", "encode/rep-1")


def a_line(text: str = "hello", level: str = "", pea: str = "encode/rep-0") -> LogLine:
    return LogLine(pea=pea, stream="stdout", text=text, time=0.25, level=level)


@pytest.mark.parametrize(
    ("options", "line", "text"),
    [
        ({}, a_line(), "encode/rep-0 | hello"),
        ({}, a_line(pea="gateway"), "gateway | hello"),
        ({"align": True}, a_line(pea="gateway"), "gateway      | hello"),
        ({}, a_line(level="INFO"), "encode/rep-0 | hello"),
        ({}, a_line(level="WARNING"), "encode/rep-0 | WARNING: hello"),
        ({"prefix": False}, a_line(level="ERROR"), "ERROR: hello"),
        ({"colour": True}, a_line(), "\x1b[33mencode/rep-0 |\x1b[0m hello"),
        ({"colour": True}, a_line(pea="encode/rep-1"), "\x1b[33mencode/rep-1 |\x1b[0m hello"),
        ({"colour": True}, a_line(pea="gateway"), "\x1b[36mgateway |\x1b[0m hello"),
        ({}, a_line("x" * 5000), "encode/rep-0 | " + "x" * 5000),
    ],
)
def test_a_line_is_shown(options: dict[str, bool], line: LogLine, text: str) -> None:
    assert plain_renderer(NAMES, **options)(line) == text


def test_json_has_the_keys_of_its_schema() -> None:
    line = LogLine(
        pea="encode/rep-0", stream="log", text='say "hi" ü', time=0.25, level="INFO", logger="x"
    )

    assert json.loads(render_json(line)) == {
        "schema": "jina.log/1",
        "time": "1970-01-01T00:00:00.250Z",
        "pod": "encode",
        "pea": "encode/rep-0",
        "stream": "log",
        "level": "INFO",
        "logger": "x",
        "message": 'say "hi" ü',
    }


def test_each_pea_has_a_file_of_its_own(tmp_path: Path) -> None:
    files = LogFiles(tmp_path / "logs")

    files.write(a_line("one", level="ERROR"))
    files.write(a_line("two", pea="gateway"))
    files.close()

    assert {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()} == {
        "encode.rep-0.log": "1970-01-01T00:00:00.250Z ERROR one\n",
        "gateway.log": "1970-01-01T00:00:00.250Z two\n",
    }


def test_a_file_that_is_full_is_put_aside_and_old_ones_go(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "a.log", max_bytes=60)

    for number in range(10):
        file.write(a_line(f"line {number}"))
    file.reopen()

    found = {path.name: path.read_text().count("\n") for path in tmp_path.iterdir()}
    assert len(found) == KEPT_FILES
    assert (tmp_path / "a.log").read_text().endswith("line 9\n")
    assert all((tmp_path / name).stat().st_size <= 60 for name in found)


def test_a_file_that_was_moved_away_is_made_anew_when_reopened(tmp_path: Path) -> None:
    files = LogFiles(tmp_path)
    files.write(a_line("before"))
    (tmp_path / "encode.rep-0.log").rename(tmp_path / "old")

    files.reopen()
    files.write(a_line("after"))
    files.close()

    assert (tmp_path / "old").read_text().endswith("before\n")
    assert (tmp_path / "encode.rep-0.log").read_text().endswith("after\n")


def test_a_file_that_cannot_be_written_holds_up_nobody(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")

    LogFiles(tmp_path / "taken").write(a_line())

    assert (tmp_path / "taken").read_text() == "a file, not a folder"
