"""Values that users give by keyword, as the plain data that YAML could have said."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterable, Mapping
from typing import Any


def plain(value: Any, name: str) -> Any:
    """Return a value as text, numbers, lists and dicts; those are what reaches another process.

    Paths become text, enums what they hold (a `str` enum) or are called, numbers of numpy those
    of Python.

    Args:
        name: Of the argument, for the message: `uses_with['model']`.

    Raises:
        TypeError: It, or something in it, is none of these.
    """
    match value:
        case enum.Enum():
            return value.value if isinstance(value.value, str) else value.name
        case None | bool() | int() | float() | str():
            return value
        case os.PathLike():
            return os.fspath(value)
        case Mapping():
            return {_key(k, name): plain(v, f"{name}[{k!r}]") for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item, f"{name}[{at}]") for at, item in enumerate(_in_order(value))]
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return plain(value.item(), name)
    raise TypeError(
        f"{name} is a {type(value).__name__}: only text, numbers, lists and dicts of them "
        "reach the process of an Executor"
    )


def _key(key: Any, name: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{name} has the key {key!r}, which is no text")
    return key


def _in_order(value: Iterable[Any]) -> Iterable[Any]:
    return sorted(value, key=str) if isinstance(value, set | frozenset) else value
