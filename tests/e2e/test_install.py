"""`install_requirements`: pip runs only where it is allowed, before the Executor is imported."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testing.processes import Jinas, wait_until

pytest.importorskip("pip")

EXECUTOR = """
import wanted_by_tests
from jina import Executor, requests

class Telling(Executor):
    @requests
    def go(self, docs, **kwargs):
        for doc in docs:
            doc.text = wanted_by_tests.WORD
"""
FLOW = """\
jtype: Flow
gateway: {host: 127.0.0.1, port: 0}
executors:
  - {name: tell, uses: parts/config.yml, install_requirements: true}
"""
REFUSED = (
    "'install_requirements' lets pip run code that it fetches: "
    "allow it with --allow-install or JINA_ALLOW_INSTALL=1, or install them yourself"
)


def _wheel(folder: Path) -> Path:
    name = "wanted-1.0"
    path = folder / f"{name}-py3-none-any.whl"
    files = {
        "wanted_by_tests.py": "WORD = 'installed'\n",
        f"{name}.dist-info/METADATA": "Metadata-Version: 2.1\nName: wanted\nVersion: 1.0\n",
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for inner, text in files.items():
            wheel.writestr(inner, text)
        record = "".join(f"{inner},,\n" for inner in files)
        wheel.writestr(f"{name}.dist-info/RECORD", record)
    return path


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    parts, site = tmp_path / "parts", tmp_path / "site"
    parts.mkdir()
    (parts / "telling.py").write_text(EXECUTOR)
    (parts / "config.yml").write_text("jtype: Telling\npy_modules: [telling.py]\n")
    (parts / "requirements.txt").write_text(f"{_wheel(tmp_path)}\n")
    (tmp_path / "flow.yml").write_text(FLOW)
    # Into a folder of the test's own; nothing is looked up anywhere.
    where = {"PIP_TARGET": str(site), "PIP_NO_INDEX": "1", "PYTHONPATH": str(site)}
    with Jinas(tmp_path, where) as jinas:
        yield jinas


def test_what_an_executor_wants_is_installed_where_it_is_allowed(
    jina: Jinas, tmp_path: Path
) -> None:
    flow = jina.start("flow", "--uses", "flow.yml", "--allow-install")
    wait_until(lambda: "ready in" in flow.stderr or flow.code is not None, 60, "ready")
    address = next(word.rstrip(",") for word in flow.stderr.split() if "grpc://" in word)

    (tmp_path / "rows.jsonl").write_text('{"text": ""}\n')
    done = jina.run("post", "/", "rows.jsonl", "--host", address)

    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["text"] == "installed"
    assert flow.stop() == 0


@pytest.mark.parametrize(
    ("words", "pod"),
    [
        (("flow", "--uses", "flow.yml"), "tell"),
        (("executor", "--uses", "parts/config.yml", "--install-requirements"), "executor0"),
    ],
    ids=["flow", "executor"],
)
def test_nothing_is_installed_or_started_where_nobody_allows_it(
    jina: Jinas, tmp_path: Path, words: tuple[str, ...], pod: str
) -> None:
    done = jina.run(*words)

    assert done.code == 77
    assert done.stderr.splitlines()[-1] == f"jina: error: {pod}: {REFUSED}"
    assert not (tmp_path / "site").exists()


def test_what_pip_cannot_install_is_told_in_one_line(jina: Jinas, tmp_path: Path) -> None:
    wanted = tmp_path / "parts" / "requirements.txt"
    wanted.write_text("not-there-at-all==1.0\n")

    done = jina.run("flow", "--uses", "flow.yml", "--allow-install")

    assert done.code == 1
    assert done.stderr.splitlines()[-1] == (
        f"jina: error: tell/rep-0: pip could not install {wanted}, and said why above (exit code 1)"
    )
