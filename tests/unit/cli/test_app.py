"""From a command line to a command, its settings and its exit code."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer

from jina_cli.cli import app
from jina_cli.cli.settings import Settings, settings_of
from jina_cli.errors import Exit, InputMissing, UsageError


class Probe:
    """A command that remembers what it was called with."""

    def __init__(self) -> None:
        self.settings: Settings | None = None
        self.values: dict[str, Any] = {}

    def run(self, *words: str) -> Settings:
        app._run_command(("probe",), self.command(), list(words))
        assert self.settings is not None
        return self.settings

    def command(self) -> Any:
        def probe(
            ctx: typer.Context,
            names: Annotated[list[str] | None, typer.Argument()] = None,
            top_k: Annotated[int, typer.Option("-k", "--top-k", min=1)] = 10,
            format: Annotated[Literal["a", "b"], typer.Option()] = "a",
        ) -> None:
            """Remember."""
            self.settings = settings_of(ctx)
            self.values = {"names": names, "top_k": top_k, "format": format}

        # Typer reads annotations; those of a local function are text here.
        probe.__annotations__ = {
            "ctx": typer.Context,
            "names": Annotated[list[str] | None, typer.Argument()],
            "top_k": Annotated[int, typer.Option("-k", "--top-k", min=1)],
            "format": Annotated[Literal["a", "b"], typer.Option()],
        }
        return probe


def test_global_options_stand_after_the_command_among_its_own() -> None:
    probe = Probe()

    settings = probe.run("x", "--json", "-vv", "-k", "3", "--color=never", "y", "--no-progress")

    assert settings == Settings(json=True, output="json", verbose=2, color="never", progress=False)
    assert probe.values == {"names": ["x", "y"], "top_k": 3, "format": "a"}


@pytest.mark.parametrize(
    ("words", "leading", "rest"),
    [
        ([], [], []),
        (["index", "--json"], [], ["index", "--json"]),
        (["--json", "-q", "index"], ["--json", "-q"], ["index"]),
        (["-C", "dir", "-qv", "index"], ["-C", "dir", "-qv"], ["index"]),
        (["-Cdir", "--output=json", "index", "-k"], ["-Cdir", "--output=json"], ["index", "-k"]),
        (["--color", "never", "--help"], ["--color", "never"], ["--help"]),
    ],
)
def test_global_options_stand_before_the_command(
    words: list[str], leading: list[str], rest: list[str]
) -> None:
    assert app._split_globals(words) == (leading, rest)


@pytest.mark.parametrize("word", ["--jsn", "-k", "-qx", "--json=1"])
def test_another_option_before_the_command_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="no option"):
        app._split_globals([word, "index"])


def test_a_mistyped_command_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        app.dispatch(["serach"])

    assert str(caught.value) == "no command 'serach': did you mean 'search'?"


def test_options_come_from_the_environment_and_flags_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JINA_PROBE_TOP_K", "7")
    monkeypatch.setenv("JINA_PROBE_COLOR", "always")
    monkeypatch.setenv("JINA_COLOR", "never")
    monkeypatch.setenv("JINA_JSON", "1")
    probe = Probe()

    settings = probe.run()
    assert (settings.color, settings.json, probe.values["top_k"]) == ("always", True, 7)

    probe.run("-k", "8")
    assert probe.values["top_k"] == 8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["-k", "0"],
            "--top-k is '0', less than 1",
        ),
        (["--format", "c"], "--format is 'c', not one of a, b"),
        (["--top"], "no such option: --top (Possible options: --output, --top-k)"),
        (
            ["--color", "red"],
            "--color is 'red', not one of auto, always, never",
        ),
    ],
)
def test_a_wrong_option_is_one_line_that_says_where_help_is(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Probe().run(*words)

    assert caught.value.message.casefold() == message.casefold()
    assert caught.value.hint == "see jina probe --help"


def test_an_own_option_wins_over_a_global_one() -> None:
    seen: list[str] = []

    def probe(output: str = "x") -> None:
        """Remember."""
        seen.append(output)

    probe.__annotations__ = {"output": Annotated[str, typer.Option("-o", "--output")]}
    app._run_command(("probe",), probe, ["--output", "file", "--json"])

    assert seen == ["file"]


def test_the_command_runs_in_the_directory_with_the_variables_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEPT", "mine")
    monkeypatch.setenv("NEW", "")
    monkeypatch.delenv("NEW")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "vars").write_text("# some\nNEW='a b'\nexport KEPT=theirs\n\n")

    Probe().run("-C", "sub", "--env-file", "vars")

    assert Path.cwd() == tmp_path / "sub"
    assert (os.environ["NEW"], os.environ["KEPT"]) == ("a b", "mine")


def test_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=r"cannot go to .*: No such file or directory"):
        Probe().run("-C", str(tmp_path / "no"))


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["serach"], ["jina: error: no command 'serach': did you mean 'search'?"]),
        (["ping"], ["jina: error: missing argument", "see jina ping --help"]),
    ],
)
def test_a_usage_error_ends_with_2_and_one_line(
    words: list[str], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = app.run(words)

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert all(line.casefold() in err.casefold() for line in lines)


def test_an_error_in_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    code = app.run(["serach", "--json"])

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert json.loads(err) == {
        "schema": "jina.error/1",
        "code": "JNA901",
        "exit": 2,
        "message": "no command 'serach'",
        "suggestion": "did you mean 'search'?",
    }


def test_quiet_wins_over_progress_and_ci_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    settings = Probe().run("-q")

    assert (settings.progress, settings.no_input) == (False, True)


def test_diagnostics_are_annotations_where_github_runs_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    assert Probe().run().output == "github"
    assert Probe().run("--output", "concise").output == "concise"


@pytest.mark.parametrize(
    "command",
    ["hub", "auth", "cloud", "client", "new", "help", "pod", "export kubernetes"],
)
def test_a_command_of_jina_that_is_not_here_tells_what_to_do(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run([*command.split(), "anything"]) == Exit.USAGE

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"jina: error: there is no command {command!r} here: ")
