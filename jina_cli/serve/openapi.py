"""The OpenAPI description of a Flow, out of what its Pods say they serve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jina_cli._version import __version__
from jina_cli.wire.messages import EndpointInfo

HIDDEN = frozenset({"_jina_dry_run_", "_jina_model_schema_"})
"""Endpoints of the machinery, for nobody to call by hand."""

_ANY_DOCUMENT = {"type": "object", "additionalProperties": True}


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
    return {
        "openapi": "3.1.0",
        "info": {"title": title or "Jina Flow", "description": description, "version": __version__},
        "paths": {
            path: {"post": _operation(path, endpoints.get(endpoint, EndpointInfo()))}
            for path, endpoint in sorted(paths.items())
        },
    }


def _operation(path: str, info: EndpointInfo) -> dict[str, Any]:
    name = path.strip("/").replace("/", "_") or "root"
    return {
        "summary": f"Send documents to {path}",
        "operationId": name,
        "requestBody": {"required": True, "content": _json(_request(info))},
        "responses": {
            "200": {
                "description": "The documents it answers with.",
                "content": _json(_answer(info)),
            },
            "default": {"description": "What went wrong.", "content": _json(_PROBLEM)},
        },
    }


def _request(info: EndpointInfo) -> dict[str, Any]:
    document = dict(info.input) or _ANY_DOCUMENT
    return {
        "type": "object",
        "properties": {
            "data": {"anyOf": [{"type": "array", "items": document}, document]},
            "parameters": dict(info.parameters or {"type": "object"}),
            "header": _HEADER,
        },
    }


def _answer(info: EndpointInfo) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "data": {"type": "array", "items": dict(info.output) or _ANY_DOCUMENT},
            "parameters": {"type": "object"},
            "header": _HEADER,
        },
    }


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


_HEADER: Mapping[str, Any] = {
    "type": "object",
    "properties": {"request_id": {"type": "string"}, "target_executor": {"type": "string"}},
}
_PROBLEM: Mapping[str, Any] = {"type": "object", "properties": {"detail": {"type": "string"}}}
