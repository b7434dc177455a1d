"""The installed `jina` with streams that are closed or full, and with Ctrl-C as it starts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

JINA = shutil.which("jina", path=os.path.dirname(sys.executable)) or "jina"


def _shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f'jina() {{ {JINA} "$@"; }}; {line}'],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=60,
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", ["--version", "--help", "validate --help", "validate f.yml"])
def test_a_closed_stream_is_no_failure(closed: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "f.yml").write_text("jtype: Flow\nexecutors:\n  - name: a\n")

    done = _shell(f"jina {words} {closed}", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_an_error_keeps_its_code_where_stderr_is_closed(tmp_path: Path) -> None:
    assert _shell("jina validate none.yml 2>&-", tmp_path).returncode == 66


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("words", ["--help", "--version", "validate --help"])
def test_a_full_disk_behind_stdout_is_told(words: str, tmp_path: Path) -> None:
    done = _shell(f"jina {words} >/dev/full", tmp_path)

    assert done.returncode == 74
    assert done.stderr.endswith("No space left on device\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["--help"], ["validate", "f.yml"]])
def test_ctrl_c_as_it_starts_is_silent(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "f.yml").write_text("jtype: Flow\nexecutors:\n  - name: a\n")
    for moment in range(10):
        process = subprocess.Popen(
            [JINA, *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        timer = threading.Timer(moment * 0.012, process.send_signal, [signal.SIGINT])
        timer.start()
        _, told = process.communicate(timeout=60)
        timer.join()

        assert process.returncode in (0, 130, -signal.SIGINT, 1)
        # Before the guard stands, Python itself may complain, of the package it imports.
        assert "/jina_cli/" not in told.replace("/jina_cli/__init__.py", "")
