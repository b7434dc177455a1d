"""What the user names, found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jina_cli.documents.readers import Row, RowError, find_sources, read_sources
from jina_cli.documents.readers.row import Skipped, printable
from jina_cli.errors import InputMissing, NothingMatched


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.txt", "a.md", "sub/c.jsonl", "sub/.hidden", ".git/x.txt", "sub/d/e.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"text": "x"}')
    (tmp_path / "image.png").write_bytes(b"\x89PNG\0\0")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def _names(folder: Path, *inputs: str) -> list[str]:
    return [os.path.relpath(s.path, folder) for s in find_sources(inputs)]


def test_a_folder_is_walked_in_order_without_what_is_hidden_or_no_file(folder: Path) -> None:
    assert _names(folder, str(folder)) == [
        "a.md",
        "b.txt",
        "image.png",
        "sub/c.jsonl",
        "sub/d/e.py",
    ]


def test_patterns_match_in_order_and_below_with_two_stars(folder: Path) -> None:
    assert _names(folder, f"{folder}/*.txt", f"{folder}/sub/**/*.py") == ["b.txt", "sub/d/e.py"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=r"cannot read .*/nope: No such file or directory"):
        find_sources([str(tmp_path / "nope")])


@pytest.mark.parametrize("name", ["empty", "*.none"])
def test_an_empty_folder_or_pattern_is_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(NothingMatched):
        find_sources([str(tmp_path / name)])


def test_a_file_that_is_no_text_is_passed_by_in_a_folder_and_refused_by_name(
    folder: Path,
) -> None:
    image = folder / "image.png"

    items = read_sources(find_sources([str(folder)]))
    in_folder = [item for item in items if isinstance(item, RowError | Skipped)]
    by_name = list(read_sources(find_sources([str(image)])))

    assert in_folder == [Skipped(str(image), "not text")]
    assert by_name == [RowError(str(image), 0, "neither text nor a known format")]


@pytest.mark.parametrize("name", ["a.txt", "README"])
@pytest.mark.parametrize("content", ["", " \n\n"])
def test_a_file_of_blanks_is_no_document(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)

    items = list(read_sources(find_sources([str(tmp_path)])))

    assert items == [Skipped(str(tmp_path / name), "empty")]


def test_a_file_that_is_not_utf_8_says_how_to_convert_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("café".encode("latin-1"))

    [refused] = read_sources(find_sources([str(tmp_path)]))

    assert isinstance(refused, RowError)
    assert refused.hint.endswith(f"iconv -f latin1 -t utf-8 {tmp_path}/a.txt")


def test_source_code_in_a_folder_is_text(folder: Path) -> None:
    rows = [i for i in read_sources(find_sources([str(folder / "sub/d")])) if isinstance(i, Row)]

    assert [row.fields for row in rows] == [{"text": '{"text": "x"}'}]


def test_a_file_name_may_have_any_bytes(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"\xff \n\xc3\xa9.txt")
    with open(path, "wb") as file:
        file.write(b"hello")

    [row] = [i for i in read_sources(find_sources([str(tmp_path)])) if isinstance(i, Row)]

    assert row.uri == f"{tmp_path}/%FF %0Aé.txt"
    assert row.uri.encode("utf-8")


def test_a_file_that_is_gone_when_it_is_its_turn_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    sources = find_sources([str(tmp_path)])
    (tmp_path / "a.txt").unlink()

    gone, there = read_sources(sources)

    assert gone == RowError(f"{tmp_path}/a.txt", 0, "cannot be read: No such file or directory")
    assert isinstance(there, Row)


def test_a_format_holds_for_all_inputs(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")

    rows = list(read_sources(find_sources([str(tmp_path)]), format_="lines"))

    assert [row.fields for row in rows if isinstance(row, Row)] == [
        {"text": "one"},
        {"text": "two"},
    ]


def test_control_characters_of_a_name_are_not_shown() -> None:
    assert printable("a\x1b[31m\udcff") == "a%1B[31m%FF"
