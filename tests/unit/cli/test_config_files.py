"""Options that files give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jina_cli.cli.command import build, load
from jina_cli.cli.config_files import defaults_for
from jina_cli.cli.tree import verb_of
from jina_cli.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own" / "jina").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    return tmp_path


def _found(folder: Path, *words: str) -> dict[str, Any]:
    verb = verb_of(words[0])
    assert verb is not None
    function = load(verb)
    assert callable(function)
    command = build(words, function, lambda settings: None)
    environ = {"XDG_CONFIG_HOME": str(folder / "own")}
    return defaults_for(words, command.params, folder / "here", environ)


def test_without_files_nothing_is_given(folder: Path) -> None:
    assert _found(folder, "search") == {}


def test_the_nearest_file_wins_and_the_table_wins_over_the_top(folder: Path) -> None:
    (folder / "own/jina/config.toml").write_text(
        'color = "always"\nquiet = true\n[search]\ntop-k = 1\nbatch = 2\n[index]\nbatch = 9\n'
    )
    (folder / "here/pyproject.toml").write_text(
        '[tool.other]\nx = 1\n[tool.jina]\ncolor = "never"\n[tool.jina.search]\ntop_k = 3\n'
    )
    (folder / "here/jina.toml").write_text('[search]\ntop-k = 4\nparam = ["a=1"]\n')

    assert _found(folder, "search") == {
        "top_k": "4",
        "param": ["a=1"],
        "color": "never",
        "quiet": True,
        "batch": "2",
    }


def test_a_project_that_does_not_speak_of_us_is_not_read(folder: Path) -> None:
    (folder / "here/pyproject.toml").write_text("this is not TOML")

    assert _found(folder, "search") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = ", "is not TOML: Invalid value"),
        ("[serch]\n", "there is no command 'serch': did you mean 'search'?"),
        ("colour = 1\n", "there is no option of all commands 'colour': did you mean 'color'?"),
        ("[search]\ntopk = 1\n", "no option of jina search 'topk': did you mean 'top-k'?"),
        ("[search]\ntop-k = true\n", "'top-k' is True, not a text or a number"),
        ("[search]\nparam = 'a'\n", "'param' is 'a', not a list"),
        ("[search]\nallow-empty = 'a'\n", "'allow-empty' is 'a', not true or false"),
        ("search = 1\n", "there is no option of all commands 'search'"),
        ("directory = 'x'\n", "there is no option of all commands 'directory'"),
    ],
)
def test_what_a_file_says_wrongly_is_told(folder: Path, text: str, message: str) -> None:
    (folder / "here/jina.toml").write_text(text)

    with pytest.raises(UsageError) as raised:
        _found(folder, "search")

    assert str(raised.value).startswith(str(folder / "here/jina.toml"))
    assert message in str(raised.value)
