"""Files that are none, or have no end, are refused and not waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jina_cli.errors import InputMissing
from jina_cli.spec.load import check_file
from jina_cli.spec.reading import MAX_BYTES, NotAFile, read_start


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe.yml"
    os.mkfifo(path)
    return path


def test_a_device_a_pipe_and_a_folder_are_told_apart_from_files(pipe: Path) -> None:
    for path, what in (
        (Path("/dev/zero"), "a device"),
        (pipe, "a pipe"),
        (pipe.parent, "a folder"),
    ):
        with pytest.raises(NotAFile, match=f"it is {what}, not a file"):
            read_start(path)
        with pytest.raises(InputMissing, match=f"is {what}, not a YAML file"):
            check_file(path, env={})


def test_of_a_large_file_only_the_start_is_read(tmp_path: Path) -> None:
    with open(tmp_path / "large.yml", "wb") as file:
        file.truncate(2**40)

    assert len(read_start(tmp_path / "large.yml")) == MAX_BYTES + 1
    [found] = check_file(tmp_path / "large.yml", env={}).diagnostics
    assert found.code == "JNA406"


@pytest.mark.parametrize(
    "pod",
    [
        "uses: pipe.yml",
        "uses: pipe.py:Mine",
        "uses: Mine\n    py_modules: [/dev/zero]",
    ],
)
def test_what_a_spec_names_has_to_be_a_file_too(pod: str, pipe: Path) -> None:
    os.mkfifo(pipe.with_suffix(".py"))
    flow = pipe.parent / "flow.yml"
    flow.write_text(f"jtype: Flow\nexecutors:\n  - name: a\n    {pod}\n")

    [found] = check_file(flow, env={}).diagnostics

    assert found.code == "JNA501"
    assert found.message.endswith(("is a pipe, not a file", "is a device, not a file"))
