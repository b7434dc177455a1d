"""What is said of JSON that is no request: what is wrong, and where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jina_cli.wire.messages import BadMessage, Status

Place = tuple[str | int, ...]
"""Where something stands in a body: `("data", 0, "text")`."""

_NAMES: Mapping[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}
_KINDS: Mapping[type, str] = {dict: "dict_type", list: "list_type", str: "string_type"}

_PLACE = re.compile(r"(?:data|parameters)(?:\.|$)")
_DOCUMENT = re.compile(r"document (\d+): (?:'([^']+)' )?")
"""Begins what a Pea says of a document that is wrong."""


class BadJson(BadMessage):
    """A body is not what it should be.

    Attributes:
        place: Where in the body.
        kind: Stable name of the kind of problem, as FastAPI has them: `extra_forbidden`.
    """

    def __init__(self, problem: str, place: Place = (), kind: str = "value_error") -> None:
        self.place = place
        self.kind = kind
        super().__init__(problem)


def place_in(status: Status) -> Place:
    """Return where that stands which a Pea found wrong; empty where it does not say."""
    if len(status.arguments) == 2 and _PLACE.match(status.arguments[1]):
        return tuple(
            int(step) if step.isdecimal() else step for step in status.arguments[1].split(".")
        )
    found = _DOCUMENT.match(status.arguments[0]) if status.arguments else None
    if found is None:
        return ()
    row, name = found.groups()
    path = name.split(".") if name else []
    return ("data", int(row), *(int(step) if step.isdecimal() else step for step in path))


def expect(value: Any, kind: type, name: str, place: Place) -> None:
    """Check that a value is of a kind.

    Raises:
        BadJson: It is not.
    """
    if not isinstance(value, kind):
        raise other_kind(name, value, kind, place)


def other_kind(name: str, value: Any, kind: type, place: Place, hint: str = "") -> BadJson:
    """Return what is raised where a value is of another kind than it should be."""
    problem = f"{name} is {_NAMES[type(value)]}, not {_NAMES[kind]}{hint}"
    return BadJson(problem, place, _KINDS[kind])
