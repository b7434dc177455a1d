"""The committed completion scripts are what the command tree gives."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from jina_cli.cli.completions import WRITERS
from jina_cli.cli.described import Command, Takes, Tree, command_tree
from jina_cli.cli.tree import ALIASES, VERBS
from jina_cli.resources import completions_dir


@pytest.fixture(scope="module")
def tree() -> Tree:
    return command_tree()


@pytest.mark.parametrize("name", WRITERS)
def test_a_script_is_what_the_command_tree_gives(name: str, tree: Tree) -> None:
    committed = (completions_dir() / name).read_text("utf-8")

    assert committed == WRITERS[name](tree), "run: python -m jina_cli.cli.completions --write"


@pytest.mark.parametrize(
    ("shell", "name"), [("bash", "jina.bash"), ("zsh", "jina.zsh"), ("fish", "jina.fish")]
)
def test_a_shell_can_read_its_script(shell: str, name: str) -> None:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")

    done = subprocess.run(
        [found, "-n", completions_dir() / name], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_is_in_the_tree(tree: Tree) -> None:
    first_words = {command.words[0] for command in tree.commands}

    assert first_words == {verb.name for verb in VERBS} | set(ALIASES)


def test_an_option_tells_what_it_takes(tree: Tree) -> None:
    index = _command(tree, "index")
    takes = {option.flags[-1]: option.takes for option in index.options}

    assert takes["--format"] is Takes.CHOICE
    assert takes["--uses"] is Takes.FILE
    assert takes["--workspace"] is Takes.FOLDER
    assert takes["--batch"] is Takes.OTHER
    assert takes["--allow-empty"] is Takes.NOTHING
    assert index.argument is Takes.FILE


def test_powershell_knows_no_two_flags_that_differ_in_case_alone(tree: Tree) -> None:
    # Its tables do not tell them apart.
    for command in tree.commands:
        flags = [f for option in (*command.options, *tree.shared) for f in option.flags]
        own = [f for option in command.options for f in option.flags]
        assert len({f.casefold() for f in own}) == len(own), command.words
        assert "-C" in flags


def _command(tree: Tree, *words: str) -> Command:
    return next(command for command in tree.commands if command.words == words)
