"""The command tree as values: what completions, and whoever wants to show it, are made of."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo, ParameterInfo

from jina_cli.cli.command import Function, load, members, spellings, summary
from jina_cli.cli.tree import ALIASES, GLOBALS, VERBS, GlobalOption


class Takes(enum.Enum):
    """What comes after an option, or in the place of an argument."""

    NOTHING = "nothing"
    FILE = "file"
    FOLDER = "folder"
    CHOICE = "choice"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option.

    Attributes:
        flags: All spellings, `--no-x` among them.
        choices: For `Takes.CHOICE`.
    """

    flags: tuple[str, ...]
    help: str
    takes: Takes = Takes.NOTHING
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command that runs.

    Attributes:
        words: What calls it, `("hello", "fashion")`.
        argument: What its arguments are; `NOTHING` if it has none.
        choices: Words its first argument may be.
    """

    words: tuple[str, ...]
    help: str
    options: tuple[Option, ...]
    argument: Takes = Takes.NOTHING
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The whole command line.

    Attributes:
        verbs: Each first word with its help, in the order of top-level help.
        groups: First words that need a second.
        shared: Options that all commands have.
    """

    verbs: tuple[tuple[str, str], ...]
    groups: tuple[str, ...]
    commands: tuple[Command, ...]
    shared: tuple[Option, ...]


HELP = Option(flags=("-h", "--help"), help="Print help.")
VERSION = Option(flags=("--version",), help="Print the version.")

_FIRST_WORDS: dict[str, tuple[str, ...]] = {"ping": ("flow", "executor", "gateway")}
"""Words that may stand before the arguments proper, which annotations do not tell."""

_FILES = frozenset({"FILE", "FLOW", "INPUT", "PATH", "YAML", "CONFIG", "F", "OUT", "HTML"})
_FOLDERS = frozenset({"DIR", "FOLDER"})


def command_tree() -> Tree:
    """Return the command line; imports every command."""
    commands: list[Command] = []
    groups: list[str] = []
    for verb in VERBS:
        found = load(verb)
        if isinstance(found, typer.Typer):
            groups.append(verb.name)
            for name, function in members(found).items():
                commands.append(_command((verb.name, name), summary(function), function))
        else:
            commands.append(_command((verb.name,), verb.help, found))
    aliases = [(name, f"The same as jina {' '.join(words)}.") for name, words in ALIASES.items()]
    return Tree(
        verbs=(*((verb.name, verb.help) for verb in VERBS), *aliases),
        groups=tuple(groups),
        commands=(*commands, *_aliased(commands)),
        shared=(*(_shared(option) for option in GLOBALS), HELP),
    )


def _aliased(commands: Sequence[Command]) -> Iterator[Command]:
    by_words = {command.words: command for command in commands}
    for name, words in ALIASES.items():
        command = by_words.get(words) or by_words.get(words[:1])
        if command is not None:
            yield Command(words=(name,), help=command.help, options=command.options)


def _shared(option: GlobalOption) -> Option:
    takes = _takes(option.metavar, option.choices) if option.metavar else Takes.NOTHING
    return Option(flags=option.flags, help=option.help, takes=takes, choices=option.choices)


def _command(words: tuple[str, ...], help_: str, function: Function) -> Command:
    hints = get_type_hints(function, include_extras=True)
    options: list[Option] = []
    argument, choices = Takes.NOTHING, _FIRST_WORDS.get(words[0], ())
    for name in inspect.signature(function).parameters:
        kind, info = _split(hints[name])
        if isinstance(info, OptionInfo) and not info.hidden:
            options.append(_option(name, kind, info))
        elif isinstance(info, ArgumentInfo) and argument is Takes.NOTHING:
            found = _choices(kind)
            argument, choices = _kind_takes(kind, info, found), choices or found
    return Command(
        words=words, help=help_, options=tuple(options), argument=argument, choices=choices
    )


def _split(hint: Any) -> tuple[Any, ParameterInfo | None]:
    """Return an annotation's type, without `None` and `list`, and what Typer is told of it."""
    info = next((a for a in get_args(hint)[1:] if isinstance(a, ParameterInfo)), None)
    kind = get_args(hint)[0] if info is not None else hint
    parts = [part for part in get_args(kind) if part is not type(None)]
    if get_origin(kind) is not Literal and len(parts) == 1:
        inner, _ = _split(parts[0])
        return inner, info
    return kind, info


def _option(name: str, kind: Any, info: OptionInfo) -> Option:
    flags = tuple(spellings(info, name))
    bare = not info.param_decls and info.default in (..., None)
    if kind is bool and bare:
        flags += (f"--no-{flags[0].removeprefix('--')}",)
    choices = _choices(kind)
    switch = kind is bool or info.count
    takes = Takes.NOTHING if switch else _kind_takes(kind, info, choices)
    return Option(flags=flags, help=info.help or "", takes=takes, choices=choices)


def _choices(kind: Any) -> tuple[str, ...]:
    if get_origin(kind) is Literal:
        return tuple(str(choice) for choice in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return tuple(str(member.value) for member in kind)
    return ()


def _kind_takes(kind: Any, info: ParameterInfo, choices: Sequence[str]) -> Takes:
    metavar = (info.metavar or "").strip("[].").upper()
    found = _takes(metavar, choices)
    is_path = getattr(kind, "__name__", "") == "Path"
    return Takes.FILE if is_path and found is Takes.OTHER else found


def _takes(metavar: str, choices: Sequence[str]) -> Takes:
    if choices:
        return Takes.CHOICE
    word = metavar.partition("|")[0].partition("=")[0].rstrip("…. ")
    if word in _FOLDERS:
        return Takes.FOLDER
    return Takes.FILE if word in _FILES else Takes.OTHER
