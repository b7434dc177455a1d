"""`NAME=VALUE` options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from jina_cli.errors import UsageError


def parameters_of(texts: Iterable[str], option: str = "--param") -> dict[str, Any]:
    """Return `name=value` texts by name. A value that is JSON is taken as such, others as text.

    Raises:
        UsageError: A text has no name.
    """
    return {name: _value(text) for name, text in _split(texts, option)}


def field_map_of(texts: Iterable[str], option: str = "--field-map") -> dict[str, str]:
    """Return `a=text,b=id` as a mapping from names in the input to names in the document.

    Raises:
        UsageError: A part is no pair.
    """
    parts = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    pairs = dict(_split(parts, option))
    empty = [name for name, value in pairs.items() if not value]
    if empty:
        raise UsageError(f"{option} maps {empty[0]!r} to nothing", hint="write NAME=FIELD")
    return pairs


def _split(texts: Iterable[str], option: str) -> Iterable[tuple[str, str]]:
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{option} is {text!r}, not NAME=VALUE")
        yield name.strip(), value.strip()


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
