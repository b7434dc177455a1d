"""The command line: finds the command, runs it, and turns how it ended into an exit code.

This is the one place that exits and that catches everything. A command imports what it
needs inside its function; only the module of the command that was called is imported.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from jina_cli.cli.command import build, load, members, summary
from jina_cli.cli.config_files import defaults_for
from jina_cli.cli.environment import read_env_file
from jina_cli.cli.failures import end_of, usage_failed
from jina_cli.cli.jina_flags import ELSEWHERE, as_ours
from jina_cli.cli.jina_flags import VERBS as JINAS
from jina_cli.cli.settings import Settings
from jina_cli.cli.top_help import group_help, top_help
from jina_cli.cli.tree import ALIASES, GLOBALS, VERBS, Verb, global_of, verb_of
from jina_cli.errors import Exit, InputMissing, UsageError
from jina_cli.nearest import nearest

_HELP = frozenset({"-h", "--help"})


def run(arguments: Sequence[str], *, interrupts: bool = False) -> int:
    """Run a command line and return its exit code; never raises, never leaves half a line.

    Args:
        arguments: Those after the program's name.
        interrupts: Whether SIGINT shall be `KeyboardInterrupt` from here on.
    """
    try:
        if interrupts:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        code = dispatch(arguments)
        sys.stdout.flush()
    except BaseException as error:
        try:
            return end_of(error, arguments)
        except Exception as another:  # in the telling of it: a bug, told as one
            return end_of(another, arguments)
    return code


def dispatch(arguments: Sequence[str]) -> int:
    """Find the command and run it.

    Raises:
        UsageError: There is no such command or option.
        JinaError: Whatever the command ends with.
    """
    leading, rest = _split_globals(arguments)
    if not rest or rest[0] in _HELP:
        print(top_help())
        return Exit.OK
    if rest[0] == "--version":
        from jina_cli._version import __version__

        print(f"jina {__version__}")
        return Exit.OK
    words = [*ALIASES.get(rest[0], (rest[0],)), *rest[1:]]
    verb = verb_of(words[0])
    if verb is None:
        _refuse_elsewhere(words[0])
        raise _unknown("command", words[0], [v.name for v in VERBS] + list(ALIASES))
    return _run_verb(verb, leading, words[1:])


def _run_verb(verb: Verb, leading: list[str], rest: list[str]) -> int:
    found = load(verb)
    if not isinstance(found, typer.Typer):
        return _run_command((verb.name,), found, leading + rest)
    commands = members(found)
    more, rest = _split_globals(rest)
    if not rest or rest[0] in _HELP:
        rows = [(name, summary(function)) for name, function in commands.items()]
        print(group_help((verb.name,), verb.help, rows))
        return Exit.OK
    if rest[0] not in commands:
        _refuse_elsewhere(f"{verb.name} {rest[0]}")
        raise _unknown(f"command of jina {verb.name}", rest[0], list(commands))
    return _run_command((verb.name, rest[0]), commands[rest[0]], leading + more + rest[1:])


def _run_command(words: tuple[str, ...], function: object, arguments: list[str]) -> int:
    assert callable(function)
    command = build(words, function, prepare)
    name = " ".join(("jina", *words))
    if _HELP.intersection(arguments[: _end_of_options(arguments)]):
        print(command.get_help(command.make_context(name, [], resilient_parsing=True)))
        return Exit.OK
    try:
        folder = Path(_directory_of(arguments[: _end_of_options(arguments)]))
        if words[0] in JINAS:
            arguments = as_ours(words[0], arguments, command.params)
        given = defaults_for(words, command.params, folder, os.environ)
        result = command.main(
            args=arguments, prog_name=name, standalone_mode=False, default_map=given
        )
    except usage_failed() as error:
        text = error.format_message().strip().rstrip(".")  # type: ignore[attr-defined]
        raise UsageError(text[:1].lower() + text[1:], hint=f"see {name} --help") from error
    except UsageError as error:
        if error.hint:
            raise
        raise UsageError(error.message, hint=f"see {name} --help") from error
    return result if isinstance(result, int) else Exit.OK


def _directory_of(arguments: Sequence[str]) -> str:
    """Return where the command will run, on a command line that is not parsed yet."""
    for place, word in enumerate(arguments):
        if word in ("-C", "--directory") and place + 1 < len(arguments):
            return arguments[place + 1]
        if word.startswith("--directory="):
            return word.partition("=")[2]
        if word.startswith("-C") and not word.startswith("--"):
            return word[2:]
    return os.environ.get("JINA_DIRECTORY") or "."


def _end_of_options(arguments: Sequence[str]) -> int:
    return arguments.index("--") if "--" in arguments else len(arguments)


def prepare(settings: Settings) -> None:
    """Go to the directory, lay the variables of the file under the environment, set the log level.

    Raises:
        InputMissing: One of them is not there.
        UsageError: The file of variables cannot be read.
    """
    if settings.directory is not None:
        try:
            os.chdir(settings.directory)
        except OSError as error:
            text = f"cannot go to {settings.directory}: {error.strerror}"
            raise InputMissing(text) from error
    if settings.env_file is not None:
        for name, value in read_env_file(settings.env_file).items():
            os.environ.setdefault(name, value)
    if settings.verbose:
        os.environ["JINA_LOG_LEVEL"] = "DEBUG"


def _split_globals(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the global options that stand first, and the rest.

    Raises:
        UsageError: An option that is none of ours stands before the command.
    """
    leading: list[str] = []
    place = 0
    while place < len(arguments) and arguments[place].startswith("-"):
        word = arguments[place]
        if word in _HELP or word == "--version":
            break
        width = _width(word)
        if width == 0:
            flags = [flag for option in GLOBALS for flag in option.flags]
            raise _unknown("option", word.partition("=")[0], [*flags, "--version", "--help"])
        leading += arguments[place : place + width]
        place += width
    return leading, list(arguments[place:])


def _width(word: str) -> int:
    """Return how many words a global option takes up; 0 if it is none."""
    flag, equals, _ = word.partition("=")
    option = global_of(flag if word.startswith("--") else word[:2])
    if option is None:
        return 0
    if not option.metavar:
        switches = not word.startswith("--") and all(global_of("-" + c) for c in word[1:])
        return 1 if switches or (word == flag and word in option.flags) else 0
    attached = equals or (not word.startswith("--") and len(word) > 2)
    return 1 if attached else 2


def _refuse_elsewhere(words: str) -> None:
    if words in ELSEWHERE:
        raise UsageError(f"there is no command {words!r} here", hint=ELSEWHERE[words])


def _unknown(what: str, word: str, known: Sequence[str]) -> UsageError:
    near = nearest(word, known)
    hint = f"did you mean {near!r}?" if near else "see jina --help"
    return UsageError(f"no {what} {word!r}", hint=hint)
