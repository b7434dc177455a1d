"""Completion scripts from the command tree: `python -m jina_cli.cli.completions --write`.

They are static: completing a word starts no Python.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from jina_cli.cli.described import Tree, command_tree
from jina_cli.cli.shells.bash import bash
from jina_cli.cli.shells.fish import fish
from jina_cli.cli.shells.powershell import powershell
from jina_cli.cli.shells.zsh import zsh
from jina_cli.resources import completions_dir

WRITERS: Mapping[str, Callable[[Tree], str]] = {
    "jina.bash": bash,
    "jina.zsh": zsh,
    "jina.fish": fish,
    "jina.ps1": powershell,
}
"""The files, and what writes each."""


def generate(arguments: Sequence[str]) -> int:
    """Check the committed scripts, or with `--write` replace them; return an exit code."""
    tree = command_tree()
    differ: list[str] = []
    for name, write in WRITERS.items():
        path = completions_dir() / name
        text = write(tree)
        if path.exists() and path.read_text("utf-8") == text:
            continue
        differ.append(name)
        if "--write" in arguments:
            path.write_text(text, "utf-8")
    for name in differ:
        print(f"{name} {'written' if '--write' in arguments else 'is out of date'}")
    return 0 if "--write" in arguments or not differ else 1


if __name__ == "__main__":
    sys.exit(generate(sys.argv[1:]))
