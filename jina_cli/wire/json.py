"""Requests and responses as Jina's HTTP gateway has them: JSON.

    {"data": [{...}, ...], "parameters": {...}, "header": {"request_id": "…"}}

`data` may be one document instead of a list, and `docs` is read as `data`. The documents are
checked to be objects and kept as bytes for who needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from jina_cli.wire.messages import (
    EMPTY,
    STATUSES,
    BadMessage,
    Body,
    Format,
    Request,
    Response,
    with_slash,
)

_NAMES: Mapping[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}

MAX_VALUES = 8_000_000
"""Values of one body. Parsed they take far more room than their two or three bytes each."""

_COUNTED_BYTES = 1024 * 1024


def read_http_request(endpoint: str, data: bytes) -> Request:
    """Return the request of an HTTP body sent to `endpoint`. An empty body asks for nothing.

    Raises:
        BadMessage: It is no such body; the message names the place in it.
    """
    body = _loads(data) if data.strip() else {}
    _expect(body, dict, "the body")
    header = _object(body, "header")
    parameters = _object(body, "parameters")
    if parameters:
        _dumps(parameters, "parameters")  # they may be nested deeper than can be passed on
    return Request(
        endpoint=with_slash(endpoint),
        bodies=(_documents(body, data),),
        request_id=_text(header, "request_id"),
        target=_text(header, "target_executor") or _text(body, "target_executor"),
        parameters=parameters,
        wanted=Format.JSON,
    )


def write_http_response(response: Response) -> bytes:
    """Return the HTTP body of a response; its HTTP status is that of `STATUSES`.

    A failure is `{"detail": …}` with what is known of it, as Jina has it.

    Raises:
        ValueError: The documents are in another format than JSON.
    """
    if not response.status.ok:
        return _failure(response)
    body = response.body
    if body.format not in (Format.NONE, Format.JSON):
        raise ValueError(f"documents are {body.format.name}, not JSON")
    header = {"request_id": response.request_id, "target_executor": ""}
    rest = _dumps({"parameters": response.parameters, "header": header})
    documents = body.data if body.format is Format.JSON else b"[]"
    return b"".join((b'{"data":', documents, b",", memoryview(rest)[1:]))


def http_status(response: Response) -> int:
    """Return the HTTP status of a response."""
    return STATUSES[response.status.code][1]


def _failure(response: Response) -> bytes:
    status = response.status
    detail = {
        "detail": status.description or status.code.value,
        "code": status.code.value,
        "executor": status.executor,
        "pod": status.pod,
        "request_id": response.request_id,
    }
    return _dumps({key: value for key, value in detail.items() if value})


def _loads(data: bytes) -> Any:
    if len(data) > _COUNTED_BYTES and sum(map(data.count, (b"{", b"[", b","))) > MAX_VALUES:
        raise BadMessage(f"the body has over {MAX_VALUES:,} values: send it in parts")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise BadMessage(f"the body is not JSON at {place}: {error.msg}") from None


def _documents(body: dict[str, Any], data: bytes) -> Body:
    name = "data" if "data" in body else "docs"
    documents = body.get(name)
    if documents is None:
        return EMPTY
    is_alone = len(body) == 1 and isinstance(documents, list)
    if isinstance(documents, dict):
        documents = [documents]
    _expect(documents, list, name)
    for place, document in enumerate(documents):
        _expect(document, dict, f"{name}[{place}]")
    if is_alone:
        # Nothing else is in the body, so its first and last brackets are theirs.
        return Body(Format.JSON, data[data.index(b"[") : data.rindex(b"]") + 1])
    return Body(Format.JSON, _dumps(documents, name))


def _dumps(value: Any, name: str = "the answer") -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise BadMessage(f"{name} cannot be passed on: {error}") from None


def _expect(value: Any, kind: type, place: str) -> None:
    if not isinstance(value, kind):
        raise BadMessage(f"{place} is {_NAMES[type(value)]}, not {_NAMES[kind]}")


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    _expect(value, dict, name)
    return dict(value)


def _text(values: dict[str, Any], key: str) -> str:
    value = values.get(key)
    if value is None:
        return ""
    _expect(value, str, key)
    return str(value)
