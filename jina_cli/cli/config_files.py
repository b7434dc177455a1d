"""Options that files give: `./jina.toml`, `[tool.jina]` of `./pyproject.toml`, the user's own.

Options of all commands stand at the top, those of one command in a table of its name:

    color = "never"

    [search]
    top-k = 5

    [hello.fashion]
    once = true
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jina_cli.cli.tree import GLOBALS, VERBS
from jina_cli.errors import InputMissing, UsageError
from jina_cli.nearest import nearest

_MARK = b"[tool.jina"
_NOT_HERE = frozenset({"directory"})
"""Where files are looked for cannot be said in one of them."""

Table = Mapping[str, Any]


def defaults_for(
    words: Sequence[str], parameters: Sequence[Any], folder: Path, environ: Mapping[str, str]
) -> dict[str, Any]:
    """Return what files say of a command's options, by the name of the parameter.

    The nearest file wins: `jina.toml`, then `pyproject.toml`, both of the working directory,
    then `$XDG_CONFIG_HOME/jina/config.toml`.

    Args:
        words: Of the command.
        parameters: Of the command that Typer made.
        folder: The working directory.

    Raises:
        UsageError: A file is not TOML, or names what is not there.
        InputMissing: A file may not be read.
    """
    found: dict[str, Any] = {}
    for path, table in _tables(folder, environ):
        _check(path, table)
        by_flag = _by_flag(parameters)
        for key, value in _said(path, table, words):
            parameter = by_flag.get(key.replace("_", "-"))
            if parameter is not None:
                found.setdefault(parameter.name, _value(path, key, value, parameter))
            elif not _is_global(key):
                raise _unknown(path, key, words, by_flag)
    return found


def _tables(folder: Path, environ: Mapping[str, str]) -> Iterator[tuple[Path, Table]]:
    own = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME", ""), ".config")
    for path in (folder / "jina.toml", folder / "pyproject.toml", Path(own, "jina", "config.toml")):
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        except OSError as error:
            raise InputMissing(f"cannot read {path}: {error.strerror}") from error
        is_projects = path.name == "pyproject.toml"
        if is_projects and _MARK not in data:
            continue  # most are long, and not about us
        table = _parsed(path, data)
        yield path, table.get("tool", {}).get("jina", {}) if is_projects else table


def _parsed(path: Path, data: bytes) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error


def _check(path: Path, table: Table) -> None:
    """Check that what stands at the top are commands, and options that all have."""
    commands = [verb.name for verb in VERBS]
    for key, value in table.items():
        if isinstance(value, dict) and key not in commands:
            raise _strange(path, "command", key, commands)
        if not isinstance(value, dict) and not _is_global(key):
            raise _strange(path, "option of all commands", key, list(_globals()))


def _said(path: Path, table: Table, words: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield what a file says of a command, the most special first."""
    levels: list[Table] = [table]
    for word in words:
        inner = levels[-1].get(word, {})
        if not isinstance(inner, dict):
            raise UsageError(f"{path}: {word!r} is a command, so it holds a table")
        levels.append(inner)
    for level in reversed(levels):
        yield from ((k, v) for k, v in level.items() if not isinstance(v, dict))


def _globals() -> Iterator[str]:
    return (o.long.lstrip("-") for o in GLOBALS if o.name not in _NOT_HERE)


def _is_global(key: str) -> bool:
    return key.replace("_", "-") in _globals()


def _by_flag(parameters: Sequence[Any]) -> dict[str, Any]:
    return {
        flag.lstrip("-"): parameter
        for parameter in parameters
        if parameter.param_type_name == "option" and parameter.name not in _NOT_HERE
        for flag in parameter.opts
        if flag.startswith("--")
    }


def _value(path: Path, key: str, value: Any, parameter: Any) -> Any:
    """Return a value as the command line would have given it: as text, or a switch."""
    is_switch = parameter.is_flag or getattr(parameter, "count", False)
    many = bool(parameter.multiple)
    fits = isinstance(value, list) if many else isinstance(value, str | int | float)
    if not fits or isinstance(value, bool) != is_switch:
        wanted = "true or false" if is_switch else "a list" if many else "a text or a number"
        raise UsageError(f"{path}: {key!r} is {value!r}, not {wanted}")
    if many:
        return [str(each) for each in value]
    return value if is_switch else str(value)


def _unknown(path: Path, key: str, words: Sequence[str], by_flag: Mapping[str, Any]) -> UsageError:
    return _strange(path, f"option of jina {' '.join(words)}", key, list(by_flag))


def _strange(path: Path, what: str, key: str, known: Sequence[str]) -> UsageError:
    near = nearest(key, known)
    hint = f"did you mean {near!r}?" if near else ""
    return UsageError(f"{path}: there is no {what} {key!r}", hint=hint)
