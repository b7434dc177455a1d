"""Completion in a real bash, and in fish and zsh where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from jina_cli.resources import completions_dir

_BASH = """\
source "$1"; shift
COMP_WORDS=("$@")
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
complete -p jina >/dev/null || exit 9
_jina
printf '%s\\n' "${COMPREPLY[@]}"
"""


def _in_bash(*words: str, cwd: Path | None = None) -> list[str]:
    script = completions_dir() / "jina.bash"
    done = subprocess.run(
        [shutil.which("bash") or "bash", "--norc", "-c", _BASH, "bash", script, *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=cwd,
        env={"PATH": ""},  # nothing can be started
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("jina se", ["search"]),
        ("jina hello", ["hello", "hello-world"]),
        ("jina --json --color never ind", ["index"]),
        ("jina -C /tmp se", ["search"]),
        ("jina --co", ["--color"]),
        ("jina --color a", ["auto", "always"]),
        ("jina index --format c", ["csv"]),
        ("jina index --format = l", ["lines"]),
        ("jina search --fo", ["--format"]),
        ("jina search query --output conc", ["concise"]),
        ("jina -q search --format t", ["table", "trec"]),
        ("jina index --batch ", []),
        ("jina ping ex", ["executor"]),
        ("jina completion ", ["bash", "zsh", "fish", "powershell"]),
        ("jina hello f", ["fashion"]),
        ("jina export --json s", ["schema"]),
        ("jina export schema --draft ", ["2020-12", "7"]),
        ("jina nosuch ", []),
    ],
)
def test_bash_completes(line: str, words: list[str]) -> None:
    assert _in_bash(*line.split(" ")) == words


def test_bash_completes_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "a b.txt").touch()
    (tmp_path / "dir").mkdir()

    assert sorted(_in_bash("jina", "index", "", cwd=tmp_path)) == ["a b.txt", "dir"]
    assert _in_bash("jina", "index", "--workspace", "", cwd=tmp_path) == ["dir"]
    assert _in_bash("jina", "search", "--uses", "a", cwd=tmp_path) == ["a b.txt"]


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("jina se", ["search"]),
        ("jina -C /tmp --json sea", ["search"]),
        ("jina index --format j", ["json", "jsonl"]),
        ("jina hello ", ["fashion"]),
        ("jina ping g", ["gateway"]),
        ("jina search --fo", ["--format"]),
    ],
)
def test_fish_completes(line: str, words: list[str], tmp_path: Path) -> None:
    script = completions_dir() / "jina.fish"
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )

    assert sorted(row.partition("\t")[0] for row in done.stdout.splitlines()) == words


_ZSH = """\
autoload -Uz compinit; compinit -d {folder}/zcompdump
source {script}
[[ ${{_comps[jina]}} == _jina ]] && print registered
"""


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_registers_the_script_that_is_sourced(tmp_path: Path) -> None:
    text = _ZSH.format(script=completions_dir() / "jina.zsh", folder=tmp_path)
    done = subprocess.run(
        ["zsh", "-f", "-c", text], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert done.stdout == "registered\n"
