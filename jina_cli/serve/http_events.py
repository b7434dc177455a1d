"""Answers that come as server-sent events, and what is asked for in an address."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from typing import Any
from urllib.parse import parse_qsl

import orjson

from jina_cli.wire.json import documents_of, write_http_response
from jina_cli.wire.json_faults import BadJson
from jina_cli.wire.messages import Response

TYPE = b"text/event-stream; charset=utf-8"
HEADERS = [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
"""Neither a cache nor a proxy may keep events back."""

_MAX_FIELDS = 1000
_TRUE, _FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})


async def events_of(
    first: Response, parts: AsyncGenerator[Response, None]
) -> AsyncGenerator[bytes, None]:
    """Yield an answer's documents as one event each, and one for its end or its failure.

    Args:
        first: The first part.
        parts: The others; closed with this.
    """
    async with aclosing(parts):
        for event in _updates(first):
            yield event
        marks = first.marks
        async for part in parts:
            if not part.status.ok:
                yield _event(b"error", write_http_response(part))
                return
            for event in _updates(part):
                yield event
            marks = part.marks or marks
        yield _event(b"end", orjson.dumps({"marks": marks})) if marks else b"event: end\r\n\r\n"


def document_of(query: bytes, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document that the query of an address is.

    Its values are texts; what the schema says is a number or true or false becomes that.

    Raises:
        BadJson: It has too many fields.
    """
    try:
        pairs = parse_qsl(
            query.decode("latin-1"), keep_blank_values=True, max_num_fields=_MAX_FIELDS
        )
    except ValueError:
        raise BadJson(f"the query has more than {_MAX_FIELDS} fields") from None
    properties = schema.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    return {name: _typed(value, known.get(name)) for name, value in pairs}


def _updates(part: Response) -> list[bytes]:
    return [_event(b"update", document) for document in documents_of(part.body)]


def _event(name: bytes, data: bytes) -> bytes:
    # Jina's client takes apart what it reads wherever it finds these words, also within a
    # document; between JSON's own signs there is no space.
    return b"event: %b\r\ndata: %b\r\n\r\n" % (name, data.replace(b"event: ", b"event:\\u0020"))


def _typed(text: str, schema: Any) -> Any:
    kinds = set(_kinds(schema))
    with suppress(ValueError):
        if "integer" in kinds:
            return int(text)
        if "number" in kinds:
            return float(text)
    if "boolean" in kinds and text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    return text


def _kinds(schema: Any) -> list[str]:
    """Return the types that a schema allows, also as one of several."""
    if not isinstance(schema, Mapping):
        return []
    kind, choices = schema.get("type"), schema.get("anyOf")
    found = [kind] if isinstance(kind, str) else list(kind) if isinstance(kind, list) else []
    if isinstance(choices, list):
        for choice in choices:
            found += _kinds(choice)
    return found
