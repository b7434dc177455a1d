"""The OpenAPI description of a Flow, out of what its Pods say they serve."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jina_cli._version import __version__
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.messages import EndpointInfo

HIDDEN = frozenset({DRY_RUN_ENDPOINT, "_jina_model_schema_"})
"""Endpoints of the machinery, for nobody to call by hand."""

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_ANY_DOCUMENT: Schema = {"type": "object", "additionalProperties": True}
_SCALARS = frozenset({"string", "integer", "number", "boolean"})
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]")
"""What may not stand in the name of a component, nor well in that of an operation."""

_DEFINITIONS = "#/$defs/"
_ASKED: Schema = {
    "exec_endpoint": {**_TEXT, "description": "Passed over: the address says it."},
    "target_executor": {
        **_TEXT,
        "format": "regex",
        "maxLength": 256,
        "description": "Pods whose name it does not match are passed by.",
    },
}
_HEADER: Schema = {
    "type": "object",
    "properties": {
        "request_id": _TEXT,
        **_ASKED,
        "timeout": {"type": "number", "minimum": 1, "description": "Seconds for the answer."},
    },
}
_ANSWER_HEADER: Schema = {
    "type": "object",
    "properties": {"request_id": _TEXT, "target_executor": _TEXT},
}
_PLACED: Schema = {
    "type": "object",
    "properties": {
        "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
        "msg": _TEXT,
        "type": _TEXT,
    },
}
_PROBLEM: Schema = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {"anyOf": [_TEXT, {"type": "array", "items": _PLACED}]},
        "code": _TEXT,
        "executor": _TEXT,
        "pod": _TEXT,
        "request_id": _TEXT,
    },
}
_PAGES: Mapping[str, tuple[str, Schema]] = {
    "/": ("Whether the Gateway is alive", {"type": "object"}),
    "/readyz": ("Whether the Flow is ready, and which Pods are down", {"type": "object"}),
    "/dry_run": (
        "Whether all Executors answer: 0 if they do",
        {"type": "object", "properties": {"code": {"type": "integer"}, "description": _TEXT}},
    ),
    "/status": ("Versions", {"type": "object"}),
}
"""Path of a page → what it tells, and the schema of that."""


def openapi_of(
    paths: Mapping[str, str],
    endpoints: Mapping[str, EndpointInfo],
    *,
    title: str = "",
    description: str = "",
) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document.

    Args:
        paths: HTTP path → endpoint behind it.
        endpoints: What the Pods say of each endpoint.
        title: Of the API; empty takes the product's name.
        description: Of the API.
    """
    schemas: Schema = {}
    described: dict[str, Schema] = {}
    for path, name in _names_of(sorted(paths)).items():
        info = endpoints.get(paths[path], EndpointInfo())
        described[path] = {"post": _post(path, name, info, schemas)}
        if info.is_generator:
            described[path]["get"] = _get(path, name, info)
    for path in _PAGES:
        described.setdefault(path, {}).setdefault("get", _page(path))
    return {
        "openapi": "3.1.0",
        "info": {"title": title or "Jina Flow", "description": description, "version": __version__},
        "paths": described,
        "components": {"schemas": schemas},
    }


def _names_of(paths: Iterable[str]) -> dict[str, str]:
    """Return a name for each path, of which no two are equal."""
    names: dict[str, str] = {}
    taken = set()
    for path in paths:
        name = first = _named(path.strip("/").replace("/", "_")) or "root"
        number = 1
        while name in taken:
            number += 1
            name = f"{first}_{number}"
        taken.add(name)
        names[path] = name
    return names


def _named(text: str) -> str:
    return _NO_NAME.sub(lambda found: f".{ord(found[0]):x}.", text)


def _post(path: str, name: str, info: EndpointInfo, schemas: Schema) -> Schema:
    given = _shared(info.input, f"{name}.input", schemas) or _ANY_DOCUMENT
    answered = _shared(info.output, f"{name}.output", schemas) or _ANY_DOCUMENT
    parameters = _shared(info.parameters or {}, f"{name}.parameters", schemas) or {"type": "object"}
    request = {
        "data": {"anyOf": [{"type": "array", "items": given}, given]},
        "parameters": parameters,
        "header": _HEADER,
        **_ASKED,
    }
    answer = {
        "data": {"type": "array", "items": answered},
        "parameters": {"type": "object"},
        "header": _ANSWER_HEADER,
    }
    content = _json(_object(answer)) | (_events() if info.is_generator else {})
    return {
        "summary": f"Send documents to {path}",
        "operationId": name,
        "requestBody": {
            "required": True,
            "content": _json({**_object(request), "additionalProperties": False}),
        },
        "responses": _responses("The documents of the answer.", content),
    }


def _get(path: str, name: str, info: EndpointInfo) -> Schema:
    """Return the operation of a streaming endpoint, whose document is the query."""
    properties = info.input.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    return {
        "summary": f"Stream what {path} makes of one document",
        "operationId": f"{name}.stream",
        "parameters": [
            {"name": field, "in": "query", "required": False, "schema": schema}
            for field, schema in known.items()
            if isinstance(schema, Mapping) and schema.get("type") in _SCALARS
        ],
        "responses": _responses("A document in each event.", _events()),
    }


def _page(path: str) -> Schema:
    summary, schema = _PAGES[path]
    return {
        "summary": summary,
        "operationId": f"page.{path.strip('/') or 'root'}",
        "responses": {
            "200": {"description": summary, "content": _json(schema)},
            "default": {"description": "It is not.", "content": _json({"type": "object"})},
        },
    }


def _responses(description: str, content: Schema) -> Schema:
    return {
        "200": {"description": description, "content": content},
        "422": {"description": "What is wrong with the request.", "content": _json(_PROBLEM)},
        "default": {"description": "What went wrong.", "content": _json(_PROBLEM)},
    }


def _shared(schema: Mapping[str, Any], prefix: str, schemas: Schema) -> Schema:
    """Return `schema` with its definitions moved into `schemas`, where its references lead.

    A reference is read from the root of the whole description, not of the schema it came in.
    """
    rest = {key: value for key, value in schema.items() if key != "$defs"}
    for name, definition in schema.get("$defs", {}).items():
        schemas[f"{prefix}.{_named(name)}"] = _moved(definition, prefix)
    moved: Schema = _moved(rest, prefix)
    return moved


def _moved(value: Any, prefix: str) -> Any:
    if isinstance(value, list):
        return [_moved(item, prefix) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: _reference(item, prefix) if key == "$ref" else _moved(item, prefix)
        for key, item in value.items()
    }


def _reference(target: Any, prefix: str) -> Any:
    if not isinstance(target, str) or not target.startswith(_DEFINITIONS):
        return target
    return f"#/components/schemas/{prefix}.{_named(target.removeprefix(_DEFINITIONS))}"


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _events() -> Schema:
    return {"text/event-stream": {}}
