"""Requests and responses as Jina's HTTP and WebSocket gateways have them: JSON.

    {"data": [{...}, ...], "parameters": {...}, "header": {"request_id": "…"}}

`data` may be one document instead of a list, and `docs` is read as `data`. The documents are
checked to be objects and kept as bytes for who needs them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from jina_cli.nearest import nearest
from jina_cli.vocabulary import DEFAULT_ENDPOINT
from jina_cli.wire.json_faults import BadJson, Place, expect, other_kind, place_in
from jina_cli.wire.messages import (
    EMPTY,
    STATUSES,
    BadMessage,
    Body,
    Buffer,
    Format,
    Request,
    Response,
    Status,
    StatusCode,
    with_slash,
)

MAX_VALUES = 8_000_000
"""Values of one body. Parsed they take far more room than their two or three bytes each."""

_COUNTED_BYTES = 1024 * 1024

KEYS = frozenset({"data", "docs", "parameters", "header", "exec_endpoint", "target_executor"})
"""What a body may have. Of its header other keys than ours are passed over, as by Jina."""

_OF_OLD = {"execEndpoint": "exec_endpoint", "targetExecutor": "target_executor"}
"""Names that clients of Jina before documents of version 2 used."""

_LONGEST_S = 1e6
_NO_METADATA: Mapping[str, str] = {}


def read_http_request(
    endpoint: str,
    data: Buffer,
    *,
    request_id: str = "",
    metadata: Mapping[str, str] = _NO_METADATA,
    deadline_s: float | None = None,
    streamed: bool = False,
) -> Request:
    """Return the request of an HTTP body sent to `endpoint`. An empty body asks for nothing.

    Args:
        endpoint: Of the address; what the body says of it is passed over.
        data: The body.
        request_id: Where the body has none.
        metadata: Headers to pass on.
        deadline_s: From now, where the body has no `timeout` or a later one; None for none.
        streamed: Whether the answer may come in parts.

    Raises:
        BadJson: It is no such body.
    """
    body = {} if not data or data.isspace() else _loads(data)  # type: ignore[union-attr]
    return _request(endpoint, body, data, request_id, metadata, deadline_s, streamed)


def read_message(
    data: bytes,
    *,
    request_id: str,
    metadata: Mapping[str, str] = _NO_METADATA,
    deadline_s: float | None = None,
) -> Request | None:
    """Return the request of a message that names its endpoint itself; None for `{}`.

    Args: As of `read_http_request`.

    Raises:
        BadJson: It is no such message.
    """
    body = _loads(data)
    if body == {}:
        return None
    endpoint = ""
    if isinstance(body, dict):
        header = body.get("header")
        endpoint = _text(body, "exec_endpoint") or (
            _text(header, "exec_endpoint", "header") if isinstance(header, dict) else ""
        )
    endpoint = endpoint or DEFAULT_ENDPOINT
    return _request(endpoint, body, data, request_id, metadata, deadline_s, False)


def read_document(endpoint: str, document: Any, **more: Any) -> Request:
    """Return the request that has one document; `more` as of `Request`.

    Raises:
        BadJson: It is none.
    """
    if not isinstance(document, dict):
        raise other_kind("the body", document, dict, ())
    body = Body(Format.JSON, _dumps([document], "the document"))
    return Request(endpoint=with_slash(endpoint), bodies=(body,), wanted=Format.JSON, **more)


def loads(data: Buffer) -> Any:
    """Return the value of a JSON text.

    Raises:
        BadJson: It is none, or holds more values than a body may.
    """
    return _loads(data)


def write_http_response(response: Response, *, with_routes: bool = False) -> bytes:
    """Return the HTTP body of a response; its HTTP status is that of `STATUSES`.

    A failure is `{"detail": …}` with what is known of it, as Jina has it.

    Args:
        with_routes: Whether it says which way the request took; Jina's HTTP does not.

    Raises:
        ValueError: The documents are in another format than JSON.
    """
    if not response.status.ok:
        return _failure(response)
    header: dict[str, Any] = {"request_id": response.request_id, "target_executor": ""}
    if response.marks:
        header["marks"] = response.marks
    told: dict[str, Any] = {"parameters": response.parameters, "header": header}
    if with_routes:
        told["routes"] = _routes(response)
    rest = _dumps(told)
    return b"".join((b'{"data":', _documents_of(response.body), b",", memoryview(rest)[1:]))


def write_message(request: Request, response: Response) -> bytes:
    """Return the message that answers `request`; a failure is in the status of its header.

    Raises:
        ValueError: The documents are in another format than JSON.
    """
    header: dict[str, Any] = {
        "request_id": response.request_id,
        "exec_endpoint": request.endpoint,
        "target_executor": request.target,
    }
    if not response.status.ok:
        header["status"] = write_status(response.status)
    if response.marks:
        header["marks"] = response.marks
    rest = _dumps(
        {"parameters": response.parameters, "header": header, "routes": _routes(response)}
    )
    # A failure gives back the documents in whatever form it has them, or none.
    is_readable = response.status.ok or response.body.format is Format.JSON
    documents = _documents_of(response.body) if is_readable else b"[]"
    return b"".join((b'{"data":', documents, b",", memoryview(rest)[1:]))


def write_status(status: Status) -> dict[str, Any]:
    """Return a status as Jina's JSON has it: 0 for success and 1 for failure.

    Our own name of a failure is its `jina_status`, and stands as that of the exception where
    none was raised.
    """
    if status.ok:
        return {"code": 0, "description": "", "exception": None}
    exception = {
        "name": status.exception or status.code.value,
        "args": list(status.arguments),
        "stacks": list(status.stacks),
        "executor": status.executor or status.pod,
    }
    return {
        "code": 1,
        "description": status.description,
        "exception": exception,
        "jina_status": status.code.value,
    }


def write_refusal(error: BadMessage, request_id: str = "") -> bytes:
    """Return the HTTP body that refuses what is wrong with a body; its status is 422."""
    place: Place = error.place if isinstance(error, BadJson) else ()
    kind = error.kind if isinstance(error, BadJson) else "value_error"
    refusal: dict[str, Any] = {
        "detail": [{"loc": ["body", *place], "msg": str(error), "type": kind}],
        "code": StatusCode.INVALID.value,
    }
    if request_id:
        refusal["request_id"] = request_id
    return orjson.dumps(refusal)


def http_status(response: Response) -> int:
    """Return the HTTP status of a response."""
    return STATUSES[response.status.code][1]


def documents_of(body: Body) -> Iterator[bytes]:
    """Yield each document of a body in JSON, as JSON.

    Raises:
        ValueError: The body is in another format.
    """
    for document in orjson.loads(_documents_of(body)):
        yield orjson.dumps(document)


def _request(
    endpoint: str,
    body: Any,
    data: Buffer,
    request_id: str,
    metadata: Mapping[str, str],
    deadline_s: float | None,
    streamed: bool,
) -> Request:
    if not isinstance(body, dict):
        raise other_kind("the body", body, dict, (), '; write {"data": [...]}')
    if not body.keys() <= KEYS:
        raise _unknown_key(body)
    header, parameters = body.get("header"), body.get("parameters")
    target = ""
    if header is not None:
        expect(header, dict, "header", ("header",))
        request_id = _text(header, "request_id", "header") or request_id
        target = _text(header, "target_executor", "header")
        if (timeout := header.get("timeout")) is not None:
            left_s = _seconds(timeout)
            deadline_s = left_s if deadline_s is None else min(left_s, deadline_s)
    if parameters is None:
        parameters = {}
    else:
        expect(parameters, dict, "parameters", ("parameters",))
        _dumps(parameters, "parameters")  # they may be nested deeper than can be passed on
    return Request(
        endpoint=with_slash(endpoint),
        bodies=(_documents(body, data),),
        request_id=request_id,
        target=target or _text(body, "target_executor"),
        parameters=parameters,
        wanted=Format.JSON,
        deadline=None if deadline_s is None else time.monotonic() + deadline_s,
        metadata=metadata,
        streamed=streamed,
    )


def _failure(response: Response) -> bytes:
    status = response.status
    text = status.description or status.code.value
    detail: Any = text
    if status.code is StatusCode.INVALID:
        detail = [{"loc": ["body", *place_in(status)], "msg": text, "type": "value_error"}]
    told = {
        "detail": detail,
        "code": status.code.value,
        "executor": status.executor,
        "pod": status.pod,
        "request_id": response.request_id,
    }
    if status.exception:
        told["exception"] = {"name": status.exception, "args": list(status.arguments)}
    failure = {key: value for key, value in told.items() if value}
    if http_status(response) in (503, 504):
        # Jina's own client looks for the reason there.
        failure["header"] = {"request_id": response.request_id, "status": write_status(status)}
    return _dumps(failure)


def _loads(data: Buffer) -> Any:
    if len(data) > _COUNTED_BYTES:
        text = bytes(data)
        if sum(map(text.count, (b"{", b"[", b","))) > MAX_VALUES:
            raise BadJson(f"the body has over {MAX_VALUES:,} values: send it in parts")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        problem = f"the body is not JSON at {place}: {error.msg}"
        raise BadJson(problem, (error.pos,), "json_invalid") from None


def _documents(body: dict[str, Any], data: Buffer) -> Body:
    name = "data" if "data" in body else "docs"
    documents = body.get(name)
    if documents is None:
        return EMPTY
    is_alone = len(body) == 1 and isinstance(documents, list)
    if isinstance(documents, dict):
        documents = [documents]
    elif not isinstance(documents, list):
        raise other_kind(name, documents, list, (name,))
    for place, document in enumerate(documents):
        if not isinstance(document, dict):
            raise other_kind(f"{name}[{place}]", document, dict, (name, place))
    if is_alone:
        text = data if isinstance(data, bytes) else bytes(data)
        if text.count(b'"%b"' % name.encode()) == 1:
            # Nothing else is in the body, nor is this twice: the outer brackets are theirs.
            return Body(Format.JSON, text[text.index(b"[") : text.rindex(b"]") + 1])
    return Body(Format.JSON, _dumps(documents, name))


def _documents_of(body: Body) -> Buffer:
    if body.format is Format.JSON:
        return body.data
    if body.format is Format.NONE:
        return b"[]"
    raise ValueError(f"documents are {body.format.name}, not JSON")


def _routes(response: Response) -> list[dict[str, Any]]:
    return [
        {
            "executor": step.pod,
            "start_time": datetime.fromtimestamp(step.start, UTC),
            "end_time": datetime.fromtimestamp(step.end, UTC),
        }
        for step in response.routes
    ]


def _dumps(value: Any, name: str = "the answer") -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise BadJson(f"{name} cannot be passed on: {error}", (name,)) from None


def _unknown_key(body: dict[str, Any]) -> BadJson:
    key = min(body.keys() - KEYS)
    near = _OF_OLD.get(key) or nearest(key, sorted(KEYS))
    hint = f"; did you mean {near!r}?" if near else f"; there are {', '.join(sorted(KEYS))}"
    return BadJson(f"{key[:100]!r} is no key of a request{hint}", (key[:100],), "extra_forbidden")


def _seconds(timeout: Any) -> float:
    if type(timeout) not in (int, float) or not timeout >= 0:
        place = ("header", "timeout")
        raise BadJson("timeout is no number of seconds", place, "greater_than_equal")
    return float(min(timeout, _LONGEST_S))


def _text(values: dict[str, Any], key: str, inside: str = "") -> str:
    value = values.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise other_kind(key, value, str, (inside, key) if inside else (key,))
    return value
