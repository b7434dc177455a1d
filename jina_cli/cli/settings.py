"""The options that every command has, as one frozen value."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from jina_cli.cli.tree import GLOBALS, GlobalOption

Style = Literal["human", "concise", "json", "github"]
When = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the user wants of any command.

    Attributes:
        json: Results as JSON Lines on stdout, errors as JSON on stderr.
        output: How diagnostics of files are shown; `json` where `--json` was given alone.
        quiet: Nothing but results and errors.
        verbose: How often `-v` was given.
        color: `auto` looks at the stream and the environment, see `render.uses_color`.
        progress: Whether progress may be shown at all.
        no_input: Whether asking is forbidden.
        directory: Where the command runs; it is already the working directory.
        env_file: Its variables are already in the environment, under those that were there.
        project: Keeps Flows of one name apart; empty for the default.
        debug: Whether tracebacks are wanted.
    """

    json: bool = False
    output: Style = "human"
    quiet: bool = False
    verbose: int = 0
    color: When = "auto"
    progress: bool = True
    no_input: bool = False
    directory: Path | None = None
    env_file: Path | None = None
    project: str = ""
    debug: bool = False


def settings_of(ctx: typer.Context) -> Settings:
    """Return the settings of the command that runs."""
    return cast(Settings, ctx.obj)


def from_files(ctx: typer.Context) -> frozenset[str]:
    """Return the names of the parameters whose values come from a file of options.

    Such a value yields to what a Flow's YAML says, which others of the command line do not.
    """
    sources = ((name, ctx.get_parameter_source(name)) for name in ctx.params)
    return frozenset(name for name, found in sources if found and found.name == "DEFAULT_MAP")


def settings_from(values: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Return settings from the values of the global options, by parameter name.

    `GITHUB_ACTIONS=true` makes annotations of diagnostics, unless a style was asked for.
    """
    output: Any = values.get("output")
    if output is None:
        github = environ.get("GITHUB_ACTIONS") == "true"
        output = "json" if values.get("json") else "github" if github else "human"
    quiet = bool(values.get("quiet"))
    return Settings(
        json=bool(values.get("json")),
        output=output,
        quiet=quiet,
        verbose=values.get("verbose") or 0,
        color=values.get("color") or "auto",
        progress=not (quiet or values.get("no_progress")),
        no_input=bool(values.get("no_input")) or bool(environ.get("CI")),
        directory=_path(values.get("directory")),
        env_file=_path(values.get("env_file")),
        project=values.get("project") or "",
        debug=bool(values.get("debug")),
    )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def global_parameters(words: tuple[str, ...]) -> list[inspect.Parameter]:
    """Return the global options as parameters with Typer's annotations.

    They are hidden, since top-level help explains them once for all commands.

    Args:
        words: Of the command; they name the environment variables, `JINA_INDEX_JSON`.
    """
    return [_parameter(option, words) for option in GLOBALS]


def _parameter(option: GlobalOption, words: tuple[str, ...]) -> inspect.Parameter:
    kind: Any = str
    default: Any = None
    if option.choices:
        kind = Literal[option.choices]
    elif option.counted:
        kind, default = int, 0
    elif not option.metavar:
        kind, default = bool, False
    if default is None:
        kind = kind | None
    info = typer.Option(
        *option.flags,
        help=option.help,
        metavar=option.metavar or None,
        count=option.counted,
        envvar=[variable(words, option.long), variable((), option.long)],
        show_envvar=False,
        hidden=True,
    )
    annotation = Annotated[kind, info]
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def variable(words: tuple[str, ...], flag: str) -> str:
    """Return the environment variable of a flag: `index`, `--batch` → `JINA_INDEX_BATCH`."""
    return "_".join(["jina", *words, flag.lstrip("-")]).upper().replace("-", "_")
