"""How a command ended, as the last words on stderr and an exit code."""

from __future__ import annotations

import errno
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from jina_cli.cli.command import ReaderGone
from jina_cli.cli.settings import When
from jina_cli.errors import (
    Bug,
    Exit,
    InputMissing,
    JinaError,
    NotPermitted,
    PodFailed,
    RequestFailed,
    SpecInvalid,
    StorageFailed,
)

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})

_OF_SYSTEM: Mapping[Exit, type[JinaError]] = {
    Exit.FAILED: JinaError,
    Exit.NO_INPUT: InputMissing,
    Exit.IO_ERROR: StorageFailed,
    Exit.NO_PERMISSION: NotPermitted,
}
"""What the system refused, by exit code → the error of ours whose code it has."""


def usage_failed() -> type[Exception]:
    """Return the class of all errors that parsing raises.

    Typer exports only this subclass of it, and where the class itself lives differs among
    its versions.
    """
    return typer.BadParameter.__bases__[0]


def end_of(error: BaseException, arguments: Sequence[str]) -> int:
    """Say how a command ended, and return its exit code.

    Args:
        error: What came out of it.
        arguments: Its command line: decides on JSON and tracebacks even where it did not
            get as far as being parsed.
    """
    wants_json = "--json" in arguments or bool(os.environ.get("JINA_JSON"))
    debug = "--debug" in arguments or bool(os.environ.get("JINA_DEBUG"))
    if isinstance(error, BrokenPipeError | ReaderGone):
        return _after_broken_pipe()
    if isinstance(error, KeyboardInterrupt):
        return Exit.SIGINT
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else Exit.FAILED
    if debug:
        traceback.print_exception(error)
    error = _innermost(error)
    if isinstance(error, SpecInvalid):
        return _end_of_spec(error, arguments, wants_json)
    if isinstance(error, JinaError):
        _say(_json_of(error) if wants_json else _lines_of(error))
        return error.exit_code
    if isinstance(error, OSError):
        return _end_of_os_error(error, wants_json)
    return _end_of_bug(error, arguments, wants_json)


def _innermost(error: BaseException) -> BaseException:
    """Return the failure inside a group of one or more, ours before others."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    inner = [_innermost(each) for each in error.exceptions]
    return next((each for each in inner if isinstance(each, JinaError)), inner[0])


def _say(text: str) -> None:
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        _give_up_stdout()
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        pass  # nobody listens


def _lines_of(error: JinaError) -> str:
    lines = [f"  {line}" for line in error.tail] if isinstance(error, PodFailed) else []
    if lines:
        # The cause is the first line and the last: what came before it may be long.
        lines = [f"jina: error: {error.message}", "its last lines were:", *lines]
    lines.append(f"jina: error: {error}")
    return "\n".join(lines)


def _json_of(error: JinaError) -> str:
    more: dict[str, Any] = {}
    if isinstance(error, PodFailed):
        more = {"pea": error.pea, "cause": error.cause, "tail": list(error.tail)}
    if isinstance(error, RequestFailed):
        more = {"status": error.status, "executor": error.executor}
    return error_line(error.code, error.exit_code, error.message, error.hint, **more)


def error_line(code: str, exit_code: int, message: str, suggestion: str = "", **more: Any) -> str:
    """Return an error as one line of JSON."""
    data = {
        "schema": "jina.error/1",
        "code": code,
        "exit": int(exit_code),
        "message": message,
        "suggestion": suggestion or None,
        **more,
    }
    return json.dumps(data, ensure_ascii=False)


def _end_of_spec(error: SpecInvalid, arguments: Sequence[str], wants_json: bool) -> int:
    from jina_cli.cli.render import uses_color
    from jina_cli.cli.render_diagnostics import read_sources, render

    style = "json" if wants_json else _value_of("--output", arguments, "JINA_OUTPUT")
    if not style:
        style = "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "human"
    when = _value_of("--color", arguments, "JINA_COLOR")
    chosen: When = "always" if when == "always" else "never" if when == "never" else "auto"
    color = uses_color(chosen, sys.stderr)
    _say(render(error.diagnostics, style, read_sources(error.diagnostics), color=color))
    return error.exit_code


def _value_of(flag: str, arguments: Sequence[str], variable: str) -> str:
    """Return what a global option has on a command line that may not have been parsed."""
    for place, word in enumerate(arguments):
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
        if word == flag and place + 1 < len(arguments):
            return arguments[place + 1]
    return os.environ.get(variable, "")


def _end_of_os_error(error: OSError, wants_json: bool) -> int:
    """End with what the system refused; it is no bug of ours that a disk is full."""
    code = Exit.IO_ERROR
    if isinstance(error, PermissionError):
        code = Exit.NO_PERMISSION
    elif isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError):
        code = Exit.NO_INPUT
    elif error.errno not in _FULL:
        code = Exit.FAILED
    text = error.strerror or str(error)
    if error.filename:
        text = f"{os.fsdecode(error.filename)}: {text}"
    _say(error_line(_OF_SYSTEM[code].code, code, text) if wants_json else f"jina: error: {text}")
    return code


def _after_broken_pipe() -> int:
    """Whoever read our output has enough: that is success."""
    _give_up_stdout()
    return Exit.OK


def _give_up_stdout() -> None:
    # Python writes what is left at exit, and would complain then.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _end_of_bug(error: BaseException, arguments: Sequence[str], wants_json: bool) -> int:
    where = _keep_crash(error, arguments)
    name = traceback.format_exception_only(error)[-1].strip()
    kept = f"the details are in {where}" if where else "run it again with --debug for details"
    text = f"this is a bug of jina: {name}"
    hint = f"{kept}; please send them to the project that you have jina from"
    said = (
        error_line(Bug.code, Exit.BUG, text, hint) if wants_json else f"{hint}\njina: error: {text}"
    )
    _say(said)
    return Exit.BUG


def _keep_crash(error: BaseException, arguments: Sequence[str]) -> Path | None:
    """Write what is needed to mend a bug into a file of its own, and return its path."""
    from jina_cli._version import __version__

    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    head = f"jina {__version__}, Python {sys.version.split()[0]}, {sys.platform}\n"
    # Arguments may hold secrets and private text; the command's name is enough.
    head += f"command: {next((a for a in arguments if not a.startswith('-')), '')}\n\n"
    text = head + "".join(traceback.format_exception(error))
    for folder in (Path(state) / "jina" / "crashes", Path(tempfile.gettempdir())):
        path = folder / f"jina-crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
        except OSError:
            continue
        return path
    return None
