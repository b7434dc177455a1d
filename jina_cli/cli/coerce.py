"""Texts of the command line as the values that annotations ask for.

Typer can do this too, but imports pydantic for it: 50 ms and 12 MB in every command.
"""

from __future__ import annotations

import enum
import inspect
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from typer.models import ParameterInfo

from jina_cli.errors import UsageError
from jina_cli.nearest import nearest

Convert = Callable[[str], Any]

_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
_FALSE = frozenset({"0", "false", "no", "off", "n", "f", ""})


class _Wrong(ValueError):
    """A text is not what is asked for; the message goes after `NAME is TEXT, `."""


def take_over(parameter: Any, annotation: Any) -> None:
    """Have one of Typer's parameters read its values by us, if we know its type.

    Args:
        parameter: Of a command that Typer made; its `process_value` is replaced.
        annotation: `Annotated[type, typer.Option(…)]`, as the function has it.
    """
    kind, *extras = get_args(annotation)
    info = next((extra for extra in extras if isinstance(extra, ParameterInfo)), None)
    if info is None or _is_special(info):
        return
    kind, is_list = _element(kind)
    convert = _converter(kind, info)
    if convert is None:
        return

    def process(ctx: Any, value: Any) -> Any:
        if value is None or (is_list and not value):
            if parameter.required:
                raise UsageError(f"missing {parameter.param_type_name} {_name(parameter)}")
            return value
        if is_list and not isinstance(value, str):
            return tuple(_read(parameter, convert, each) for each in value)
        return _read(parameter, convert, value)

    parameter.process_value = process


def _is_special(info: ParameterInfo) -> bool:
    return any((info.callback, info.parser, info.exists, info.resolve_path))


def _element(kind: Any) -> tuple[Any, bool]:
    """Return a type without `None` and `list`, and whether it had the latter."""
    if get_origin(kind) in (Union, types.UnionType):
        parts = [part for part in get_args(kind) if part is not type(None)]
        kind = parts[0] if len(parts) == 1 else kind
    if get_origin(kind) is list:
        return get_args(kind)[0], True
    return kind, False


def _converter(kind: Any, info: ParameterInfo) -> Convert | None:
    if get_origin(kind) is Literal:
        return _choice({str(choice): choice for choice in get_args(kind)})
    if inspect.isclass(kind) and issubclass(kind, enum.Enum):
        return _choice({str(member.value): member for member in kind})
    if kind is int or kind is float:
        return _number(kind, info.min, info.max)
    if kind is bool:
        return _switch
    return kind if kind in (str, Path) else None


def _read(parameter: Any, convert: Convert, value: Any) -> Any:
    if not isinstance(value, str):
        return value  # a default, or a switch that was given
    try:
        return convert(value)
    except _Wrong as error:
        raise UsageError(f"{_name(parameter)} is {value!r}, {error}") from error


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return str(max(parameter.opts, key=len))


def _choice(known: dict[str, Any]) -> Convert:
    def convert(text: str) -> Any:
        found = known.get(text, known.get(text.lower()))  # Jina's choices are in capitals
        if found is not None:
            return found
        near = nearest(text, known)
        hint = f"; did you mean {near!r}?" if near else ""
        raise _Wrong(f"not one of {_listed(list(known))}{hint}")

    return convert


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)


def _number(kind: type[int] | type[float], least: float | None, most: float | None) -> Convert:
    def convert(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError as error:
            raise _Wrong("not a whole number" if kind is int else "not a number") from error
        if least is not None and not value >= least:
            raise _Wrong(f"less than {least}")
        if most is not None and not value <= most:
            raise _Wrong(f"more than {most}")
        return value

    return convert


def _switch(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise _Wrong("neither 1 nor 0")
    return word in _TRUE
