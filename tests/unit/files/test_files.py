"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

import pytest

from jina_cli.errors import CannotWrite
from jina_cli.files import save_text, write_whole, write_whole_text


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    place = tmp_path / "page.html"
    place.write_text("old")

    write_whole_text(place, "néw", mode=0o600)

    assert place.read_text("utf-8") == "néw"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [place]


def test_of_a_write_that_fails_nothing_is_left_and_the_old_file_stays(tmp_path: Path) -> None:
    place = tmp_path / "page.html"
    place.write_text("old")

    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_whole(place, fail, durable=True)

    assert place.read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    place, link = tmp_path / "page.html", tmp_path / "link"
    link.symlink_to(place)

    write_whole_text(link, "new")

    assert link.is_symlink()
    assert place.read_text() == "new"


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_whole_text(Path(os.devnull), "gone")

    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_file_that_the_user_named_is_saved_with_its_folders_or_it_is_said_why(
    tmp_path: Path,
) -> None:
    save_text(tmp_path / "a" / "b.txt", "ü")

    assert (tmp_path / "a" / "b.txt").read_text("utf-8") == "ü"
    with pytest.raises(CannotWrite, match=r"cannot write .*a/b\.txt/c: File exists"):
        save_text(tmp_path / "a" / "b.txt" / "c", "")
