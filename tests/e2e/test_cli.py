"""The installed `jina`, without a Flow: versions, help, exit codes, streams."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jina_cli import __version__
from jina_cli.cli.top_help import top_help
from jina_cli.cli.tree import VERBS
from tests.testing.processes import Jinas

_LISTS_MODULES = """\
import sys
sys.argv = ["jina", *sys.argv[1:]]
from jina_cli.__main__ import main
try:
    main()
finally:
    sys.stderr.write("\\n".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    with Jinas(tmp_path) as jinas:
        yield jinas


@pytest.mark.parametrize("words", [["--version"], ["-v"], ["--json", "--version"]])
def test_the_version_is_one_line(jina: Jinas, words: list[str]) -> None:
    done = jina.run(*words)

    assert (done.code, done.stdout, done.stderr) == (0, f"jina {__version__}\n", "")


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["--json"]])
def test_help_is_on_stdout(jina: Jinas, words: list[str]) -> None:
    done = jina.run(*words)

    assert (done.code, done.stdout, done.stderr) == (0, top_help() + "\n", "")


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_each_command_has_help(jina: Jinas, verb: str) -> None:
    done = jina.run(verb, "--help")

    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: jina {verb} ")


@pytest.mark.parametrize(
    ("words", "forbidden"),
    [
        (["--version"], {"typer", "rich", "dataclasses", "asyncio", "yaml"}),
        (["--help"], {"typer", "rich", "asyncio", "yaml", "numpy"}),
        (["index", "--help"], {"numpy", "grpc", "docarray", "pydantic", "rich", "yaml"}),
        (["flow", "--help"], {"numpy", "grpc", "docarray", "pydantic", "rich"}),
        (["validate", "f.yml"], {"numpy", "grpc", "docarray", "pydantic", "rich"}),
        (["completion", "bash"], {"numpy", "grpc", "docarray", "pydantic", "rich", "yaml"}),
    ],
)
def test_a_command_imports_only_what_it_needs(
    tmp_path: Path, words: list[str], forbidden: set[str]
) -> None:
    (tmp_path / "f.yml").write_text("jtype: Flow\nexecutors:\n  - name: a\n")
    done = subprocess.run(
        [sys.executable, "-c", _LISTS_MODULES, *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )

    assert forbidden & set(done.stderr.split()) == set()


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["serach"], 2, "jina: error: no command 'serach': did you mean 'search'?\n"),
        (["--jsn"], 2, "jina: error: no option '--jsn': did you mean '--json'?\n"),
        (["index", "--batch", "0"], 2, "jina: error: --batch is '0', less than 1: "),
        (["search", "x", "--host", "h", "--uses", "f"], 2, "jina: error: --uses has no meaning"),
        (["completion"], 2, "jina: error: missing argument SHELL: see jina completion --help\n"),
        (["index", "none.txt"], 66, "jina: error: cannot read none.txt: No such file"),
        (["index", "*.none"], 5, "jina: error: no file in *.none\n"),
        (["-C", "none", "index"], 66, "jina: error: cannot go to none: No such file"),
        (["--env-file", "none", "index"], 2, ""),
        (["search", "x"], 66, "jina: error: nothing is indexed in "),
        (["index", "f.txt", "--errors-to", "no/e"], 73, "jina: error: cannot create no/e: No such"),
        (["index", "f.txt", "--uses", "bad.yml"], 78, "bad.yml:2:1: error[JNA101]"),
    ],
)
def test_a_failure_ends_with_its_code_and_one_cause(
    jina: Jinas, tmp_path: Path, words: list[str], code: int, error: str
) -> None:
    (tmp_path / "f.txt").write_text("x")
    (tmp_path / "bad.yml").write_text("jtype: Flow\nexecutorz: []\n")
    if words[0] == "--env-file":
        (tmp_path / "none").write_text("not a variable")

    done = jina.run(*words)

    assert (done.code, done.stdout) == (code, "")
    assert error in done.stderr
    assert "Traceback" not in done.stderr
    assert words[0] != "index" or code == 78 or done.stderr.count("\n") == 1


def test_an_error_in_json_is_one_line(jina: Jinas) -> None:
    done = jina.run("--json", "index", "none.txt")

    error = json.loads(done.stderr)
    assert (done.code, error["schema"], error["code"], error["exit"]) == (
        66,
        "jina.error/1",
        "JNA904",
        66,
    )


def test_the_completion_script_is_the_committed_one(jina: Jinas) -> None:
    from jina_cli.resources import completions_dir

    done = jina.run("completion", "bash")

    assert done.stdout == (completions_dir() / "jina.bash").read_text("utf-8")


def test_a_reader_that_has_enough_is_no_failure(jina: Jinas) -> None:
    done = subprocess.run(
        [
            "bash",
            "-c",
            f'{sys.executable} -m jina_cli completion bash | head -1; echo "${{PIPESTATUS[0]}}"',
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    assert (done.stdout.splitlines()[-1], done.stderr) == ("0", "")
