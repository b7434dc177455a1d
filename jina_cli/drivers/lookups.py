"""Conditions as Jina 0.9's `FilterQL` has them: `{tags__price__gte: 5, text__contains: a}`.

A key is a path, and behind its last `__` how the value there is compared; without that, they
are equal. All have to hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from jina_cli.documents.condition import All, BadQuery, Compare, Condition, Not, Op

_COMPARED: Mapping[str, Op] = {
    "exact": Op.EQ,
    "neq": Op.NEQ,
    "gt": Op.GT,
    "gte": Op.GTE,
    "lt": Op.LT,
    "lte": Op.LTE,
    "in": Op.IN,
}
_AS_PATTERN: Mapping[str, Callable[[str], str]] = {
    "contains": lambda text: re.escape(text),
    "icontains": lambda text: f"(?i){re.escape(text)}",
    "startswith": lambda text: f"\\A{re.escape(text)}",
    "istartswith": lambda text: f"(?i)\\A{re.escape(text)}",
    "endswith": lambda text: f"{re.escape(text)}\\Z",
    "iendswith": lambda text: f"(?i){re.escape(text)}\\Z",
    "regex": lambda text: text,
}
LOOKUPS = (*_COMPARED, *_AS_PATTERN)
"""How values can be compared."""


def condition_of_lookups(lookups: Any) -> Condition | None:
    """Return the condition of lookups; None if there are none.

    Raises:
        BadQuery: They are no object, or one cannot be compared like that.
    """
    if not isinstance(lookups, Mapping):
        raise BadQuery("lookups", f"{lookups!r} is no object, as {{tags__price__gte: 5}}")
    conditions = [_condition(key, value) for key, value in lookups.items()]
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else All(tuple(conditions))


def _condition(key: Any, value: Any) -> Condition:
    parts = key.split("__") if isinstance(key, str) else []
    if not parts or not all(parts):
        raise BadQuery("lookups", f"{key!r} is no path of a field")
    path, how = (tuple(parts[:-1]), parts[-1]) if len(parts) > 1 else (tuple(parts), "exact")
    if how not in LOOKUPS:
        path, how = tuple(parts), "exact"
    path = _OLD_PATHS.get(path, path)
    if how in _COMPARED:
        if how == "in" and isinstance(value, str | bytes | None | int | float):
            raise BadQuery(key, f"{value!r} is not a list")
        if how == "neq":  # holds where there is nothing at all, too
            return Not(Compare(path, Op.EQ, value))
        return Compare(path, _COMPARED[how], tuple(value) if how == "in" else value)
    if not isinstance(value, str):
        raise BadQuery(key, f"{value!r} is not text")
    try:
        return Compare(path, Op.REGEX, re.compile(_AS_PATTERN[how](value)).pattern)
    except re.error as error:
        raise BadQuery(key, f"{value!r} {error}") from None


_OLD_PATHS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("score", "value"): ("score",),
    ("buffer",): ("blob",),
}
"""Where fields of 0.9 are now."""
