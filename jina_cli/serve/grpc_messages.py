"""The small messages of Jina's side services: what endpoints there are, and versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jina_cli.vocabulary import DEFAULT_ENDPOINT
from jina_cli.wire.descriptors import message_class
from jina_cli.wire.messages import BadMessage, EndpointInfo
from jina_cli.wire.parameters import read_struct, write_struct


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}], "default": None}


_NUMBERS = {"type": "array", "items": {"type": "number"}, "tensor/array shape": "not specified"}

_ANYTHING: Mapping[str, Any] = {
    "title": "AnyDocument",
    "type": "object",
    "properties": {
        "id": _or_null({"type": "string"}),
        "text": _or_null({"type": "string"}),
        "url": _or_null({"type": "string"}),
        "blob": _or_null({"type": "string", "format": "binary"}),
        "tensor": _or_null(_NUMBERS),
        "embedding": _or_null(_NUMBERS),
        "tags": {"type": "object", "default": {}},
    },
}
"""Documents of which nothing is known. Jina cannot read one that has documents inside."""


def write_endpoints(endpoints: Mapping[str, EndpointInfo]) -> bytes:
    """Return a serialised EndpointsProto, with the schemas as Jina's Executors give them.

    What is asked of no endpoint that is there passes through unchanged; this is told as a
    default endpoint that takes anything. Jina's Gateway chains only Executors that have
    each other's endpoints or a default.
    """
    passes = EndpointInfo(input=_ANYTHING, output=_ANYTHING)
    listed = {DEFAULT_ENDPOINT: passes, **endpoints}
    message = message_class("jina.EndpointsProto")(endpoints=list(listed))
    schemas = {endpoint: _described(info) for endpoint, info in listed.items()}
    message.schemas.ParseFromString(write_struct(schemas))
    data: bytes = message.SerializeToString()
    return data


def read_endpoints(data: bytes) -> dict[str, EndpointInfo]:
    """Return what a serialised EndpointsProto says of each endpoint that does something.

    Raises:
        BadMessage: It is none.
    """
    from google.protobuf.message import DecodeError

    try:
        message = message_class("jina.EndpointsProto").FromString(data)
    except DecodeError as error:
        raise BadMessage(f"is no EndpointsProto: {error}") from None
    schemas = read_struct(message.schemas)
    infos = {endpoint: _info(schemas.get(endpoint)) for endpoint in message.endpoints}
    return {endpoint: info for endpoint, info in infos.items() if info.input != _ANYTHING}


def write_info(versions: Mapping[str, str]) -> bytes:
    """Return a serialised JinaInfoProto; of the environment nothing is told."""
    data: bytes = message_class("jina.JinaInfoProto")(jina=dict(versions)).SerializeToString()
    return data


def _described(info: EndpointInfo) -> dict[str, Any]:
    return {
        "input": {"name": _title(info.input), "model": dict(info.input)},
        "output": {"name": _title(info.output), "model": dict(info.output)},
        "parameters": {
            "name": _title(info.parameters or {}),
            "model": None if info.parameters is None else dict(info.parameters),
        },
        "is_generator": info.is_generator,
        "is_singleton_doc": info.is_singleton,
    }


def _title(schema: Mapping[str, Any]) -> str:
    return str(schema.get("title", ""))


def _info(described: Any) -> EndpointInfo:
    if not isinstance(described, Mapping):
        return EndpointInfo()
    return EndpointInfo(
        input=_model(described, "input") or {},
        output=_model(described, "output") or {},
        parameters=_model(described, "parameters"),
        is_generator=bool(described.get("is_generator")),
        is_singleton=bool(described.get("is_singleton_doc")),
    )


def _model(described: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    part = described.get(key)
    model = part.get("model") if isinstance(part, Mapping) else None
    return model if isinstance(model, Mapping) else None
