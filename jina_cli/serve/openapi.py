"""The OpenAPI description of a Flow, out of what its Pods say they serve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jina_cli._version import __version__
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.messages import EndpointInfo

HIDDEN = frozenset({DRY_RUN_ENDPOINT, "_jina_model_schema_"})
"""Endpoints of the machinery, for nobody to call by hand."""

Schema = dict[str, Any]

_ANY_DOCUMENT: Schema = {"type": "object", "additionalProperties": True}
_HEADER: Schema = {
    "type": "object",
    "properties": {"request_id": {"type": "string"}, "target_executor": {"type": "string"}},
}
_PROBLEM: Schema = {"type": "object", "properties": {"detail": {"type": "string"}}}
_DEFINITIONS = "#/$defs/"


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
    described = {
        path: {"post": _operation(path, endpoints.get(endpoint, EndpointInfo()), schemas)}
        for path, endpoint in sorted(paths.items())
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": title or "Jina Flow", "description": description, "version": __version__},
        "paths": described,
        "components": {"schemas": schemas},
    }


def _operation(path: str, info: EndpointInfo, schemas: Schema) -> Schema:
    name = path.strip("/").replace("/", "_") or "root"
    given = _shared(info.input, f"{name}.input", schemas) or _ANY_DOCUMENT
    answered = _shared(info.output, f"{name}.output", schemas) or _ANY_DOCUMENT
    parameters = _shared(info.parameters or {}, f"{name}.parameters", schemas) or {"type": "object"}
    request = {
        "data": {"anyOf": [{"type": "array", "items": given}, given]},
        "parameters": parameters,
        "header": _HEADER,
    }
    answer = {
        "data": {"type": "array", "items": answered},
        "parameters": {"type": "object"},
        "header": _HEADER,
    }
    return {
        "summary": f"Send documents to {path}",
        "operationId": name,
        "requestBody": {"required": True, "content": _json(_object(request))},
        "responses": {
            "200": {
                "description": "The documents of the answer.",
                "content": _json(_object(answer)),
            },
            "default": {"description": "What went wrong.", "content": _json(_PROBLEM)},
        },
    }


def _shared(schema: Mapping[str, Any], prefix: str, schemas: Schema) -> Schema:
    """Return `schema` with its definitions moved into `schemas`, where its references lead.

    A reference is read from the root of the whole description, not of the schema it came in.
    """
    rest = {key: value for key, value in schema.items() if key != "$defs"}
    for name, definition in schema.get("$defs", {}).items():
        schemas[f"{prefix}.{name}"] = _moved(definition, prefix)
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
    return f"#/components/schemas/{prefix}.{target.removeprefix(_DEFINITIONS)}"


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}
