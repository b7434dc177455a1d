"""Each documented exit code, one by one, from the installed `jina` where it can be reached."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jina_cli.errors import Exit
from tests.testing.processes import Jinas

FAILING = """\
from jina import Executor, requests

class Failing(Executor):
    @requests
    def fail(self, docs, **kwargs):
        raise ValueError("no")
"""

FLOWS = {
    "text.yml": "jtype: Flow\nexecutors: [{name: index, uses: TextIndexer}]\n",
    "failing.yml": "jtype: Flow\nexecutors: [{name: a, uses: 'failing.py:Failing'}]\n",
    "bad.yml": "jtype: Flow\nexecutorz: []\n",
}

Case = tuple[Exit, list[str], str]

CASES: list[Case] = [
    (Exit.OK, ["index", "a.txt"], ""),
    (Exit.OK, ["validate", "text.yml"], ""),
    (Exit.FAILED, ["index", "a.txt", "--uses", "failing.yml"], "ValueError"),
    (Exit.USAGE, ["index", "--format", "xml"], "--format is 'xml', not one of"),
    (Exit.NOTHING, ["index", "*.none"], "no file in *.none"),
    (Exit.BAD_DATA, ["index", "bad.jsonl"], "1 row was refused"),
    (Exit.NO_INPUT, ["index", "none.txt"], "cannot read none.txt"),
    (Exit.UNAVAILABLE, ["search", "x", "--host", "grpc://{nobody}"], "nobody answers"),
    (Exit.UNAVAILABLE, ["ping", "{nobody}"], "nobody answers"),
    (Exit.CANNOT_CREATE, ["index", "a.txt", "--errors-to", "no/such"], "cannot create"),
    (Exit.TIMED_OUT, ["ping", "{nobody}", "--wait", "--wait-timeout", "100ms"], "not ready within"),
    (Exit.BAD_SPEC, ["index", "a.txt", "--uses", "bad.yml"], "JNA101"),
    (Exit.BAD_SPEC, ["validate", "bad.yml"], "JNA101"),
]


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    for name, text in FLOWS.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "failing.py").write_text(FAILING)
    (tmp_path / "a.txt").write_text("a text")
    (tmp_path / "bad.jsonl").write_text('{"text": "good"}\n{broken\n')
    with Jinas(tmp_path) as jinas:
        yield jinas


@pytest.mark.parametrize(("code", "words", "cause"), CASES, ids=lambda x: str(x)[:40])
def test_a_command_ends_with(jina: Jinas, code: Exit, words: list[str], cause: str) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{sock.getsockname()[1]}"

        done = jina.run(*(word.format(nobody=nobody) for word in words))

    assert done.code == code, done.stderr
    assert cause in done.stderr
    assert "Traceback" not in done.stderr or code is Exit.FAILED


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody who may not read")
def test_a_file_that_may_not_be_read_is_77(jina: Jinas, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("x")
    secret.chmod(0)
    program = (
        "import os, sys; from jina_cli.documents.readers import find_sources;"
        "from jina_cli.cli.failures import end_of\n"
        "os.chdir(sys.argv[1]); os.setuid(65534)\n"
        "try: find_sources(['secret.txt'])\n"
        "except BaseException as error: sys.exit(end_of(error, []))"
    )
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)

    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (
        Exit.NO_PERMISSION,
        "jina: error: cannot read secret.txt: Permission denied\n",
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_74(jina: Jinas, tmp_path: Path) -> None:
    done = jina.run("index", "bad.jsonl", "--errors-to", "/dev/full")

    assert done.code == Exit.IO_ERROR
    assert done.stderr.splitlines()[-1] == (
        "jina: error: cannot write /dev/full: No space left on device"
    )


def test_a_bug_is_70_and_keeps_its_details(jina: Jinas, tmp_path: Path) -> None:
    program = (
        "import sys; from jina_cli.cli import app;"
        "app.dispatch = lambda arguments: 1 / 0; sys.exit(app.run(['index', 'private.txt']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=jina.environ,
        check=False,
    )

    [crash] = (tmp_path / "state" / "jina" / "crashes").iterdir()
    assert done.returncode == Exit.BUG
    assert str(crash) in done.stderr
    assert done.stderr.splitlines()[-1] == (
        "jina: error: this is a bug of jina: ZeroDivisionError: division by zero"
    )
    assert "private" not in crash.read_text()


def test_a_reader_that_is_gone_is_0(jina: Jinas) -> None:
    line = f"{sys.executable} -m jina_cli explain | true; echo ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("0\n", "")


def test_every_code_is_asked_for_here_or_where_signals_are() -> None:
    here = {code for code, _, _ in CASES} | {Exit.NO_PERMISSION, Exit.IO_ERROR, Exit.BUG}
    by_signal = {Exit.SIGINT, Exit.SIGTERM}  # tests/e2e/test_index_search.py

    assert set(Exit) == here | by_signal
