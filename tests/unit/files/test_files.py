"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

import pytest

from jina_cli.files import write_whole, write_whole_text


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
