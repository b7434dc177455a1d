"""Our own protocol: requests and responses as frames, see `frames`. No I/O here.

The head of a frame has one-letter keys, left out where they would say what is the default; a
head with `b` lists format and length of every body. The side that accepts a connection says
HELLO first, with the version of this layout.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from jina_cli.wire.frames import (
    ALIGNMENT,
    STREAMED,
    BadFrame,
    Frame,
    FrameReader,
    Kind,
    Oversized,
    build,
)
from jina_cli.wire.messages import (
    EMPTY,
    OK,
    Body,
    Buffer,
    EndpointInfo,
    Format,
    Hello,
    Request,
    Response,
    RouteStep,
    Status,
    StatusCode,
)

__all__ = [
    "VERSION",
    "BadFrame",
    "Frame",
    "FrameReader",
    "Kind",
    "Oversized",
    "decode_credit",
    "decode_hello",
    "decode_request",
    "decode_response",
    "encode_credit",
    "encode_hello",
    "encode_request",
    "encode_response",
    "encode_signal",
]

VERSION = 1

_FORMATS: Mapping[int, Format] = {
    format.value: format for format in Format if format is not Format.HELD
}
_CODES: Mapping[str, StatusCode] = {code.value: code for code in StatusCode}


def encode_request(id: int, request: Request) -> list[Buffer]:
    """Return the frame of a request; its deadline becomes the seconds that are left."""
    head: dict[str, Any] = {"e": request.endpoint}
    if request.request_id:
        head["r"] = request.request_id
    if request.target:
        head["t"] = request.target
    if request.parameters:
        head["p"] = request.parameters
    if request.deadline is not None:
        head["d"] = request.deadline - time.monotonic()
    if request.metadata:
        head["m"] = request.metadata
    flags = STREAMED if request.streamed else 0
    return _frame(Kind.REQUEST, id, head, request.bodies, request.wanted, flags)


def decode_request(frame: Frame) -> Request:
    """Return the request of a frame, its deadline on this process's clock.

    Raises:
        BadFrame: The head or the bodies are malformed.
    """
    head = _head(frame)
    left = _field(head, "d", (int, float), None)
    return Request(
        endpoint=_field(head, "e", str, ""),
        bodies=_bodies(frame, head),
        request_id=_field(head, "r", str, ""),
        target=_field(head, "t", str, ""),
        parameters=_field(head, "p", dict, {}),
        wanted=_format(frame.wanted),
        deadline=None if left is None else time.monotonic() + left,
        metadata=_texts(_field(head, "m", dict, {}), "metadata"),
        streamed=bool(frame.flags & STREAMED),
    )


def encode_response(id: int, response: Response, kind: Kind = Kind.RESPONSE) -> list[Buffer]:
    """Return the frame of a response, or of a PART of one."""
    head: dict[str, Any] = {}
    if response.request_id:
        head["r"] = response.request_id
    if response.status is not OK:
        head["s"] = _describe_status(response.status)
    if response.parameters:
        head["p"] = response.parameters
    if response.routes:
        head["o"] = [[step.pod, step.start, step.end] for step in response.routes]
    if response.marks:
        head["k"] = response.marks
    return _frame(kind, id, head, (response.body,), Format.NONE)


def decode_response(frame: Frame) -> Response:
    """Return the response of a frame.

    Raises:
        BadFrame: The head or the body is malformed.
    """
    head = _head(frame)
    status = _field(head, "s", dict, None)
    return Response(
        request_id=_field(head, "r", str, ""),
        status=OK if status is None else _status(status),
        body=_bodies(frame, head)[0],
        parameters=_field(head, "p", dict, {}),
        routes=tuple(_step(step) for step in _field(head, "o", list, [])),
        marks=_texts(_field(head, "k", dict, {}), "a mark"),
    )


def encode_hello(hello: Hello) -> list[Buffer]:
    """Return the frame that the accepting side says first."""
    return _frame(Kind.HELLO, 0, {"v": VERSION, **asdict(hello)}, (), Format.NONE)


def decode_hello(frame: Frame) -> Hello:
    """Return what a peer says of itself.

    Raises:
        BadFrame: It speaks another version, or says nothing sensible.
    """
    head = _head(frame)
    if head.get("v") != VERSION:
        raise BadFrame(f"the peer speaks version {head.get('v')} of our protocol, not {VERSION}")
    try:
        return Hello(
            pea=_field(head, "pea", str, ""),
            executor=_field(head, "executor", str, ""),
            endpoints=_endpoints(_field(head, "endpoints", dict, {})),
            window=_field(head, "window", int, 0),
            is_ready=_field(head, "is_ready", bool, True),
            pods={pod: _endpoints(of) for pod, of in _field(head, "pods", dict, {}).items()},
        )
    except TypeError as error:
        raise BadFrame(f"an endpoint is described wrongly: {error}") from None


def _endpoints(infos: Mapping[str, Any]) -> dict[str, EndpointInfo]:
    return {name: EndpointInfo(**info) for name, info in infos.items()}


def encode_credit(id: int, parts: int, size: int) -> list[Buffer]:
    """Return a frame that says that so many PARTs, of so many bytes, were taken."""
    return build(Kind.CREDIT, id, head=_dump({"n": parts, "z": size}))


def decode_credit(frame: Frame) -> tuple[int, int]:
    """Return how many PARTs, and how many bytes, were taken.

    Raises:
        BadFrame: The head is malformed.
    """
    head = _head(frame)
    parts, size = _field(head, "n", int, 0), _field(head, "z", int, 0)
    if parts < 0 or size < 0:
        raise BadFrame("nobody takes less than no part of an answer")
    return parts, size


def encode_signal(kind: Kind, id: int = 0) -> list[Buffer]:
    """Return a frame that says all by its kind: CANCEL, GOAWAY, PING or PONG."""
    return build(kind, id)


def _frame(
    kind: Kind,
    id: int,
    head: Mapping[str, Any],
    bodies: Sequence[Body],
    wanted: Format,
    flags: int = 0,
) -> list[Buffer]:
    if len(bodies) > 1:
        head = {**head, "b": [[body.format, len(body.data)] for body in bodies]}
    return build(
        kind,
        id,
        head=_dump(head),
        bodies=[body.data for body in bodies],
        format=bodies[0].format if bodies else Format.NONE,
        wanted=wanted,
        flags=flags,
    )


def _dump(head: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(head, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        raise BadFrame(f"parameters cannot be sent: {error}") from None


def _head(frame: Frame) -> dict[str, Any]:
    if not frame.head:
        return {}
    try:
        head = orjson.loads(frame.head)
    except ValueError as error:
        raise BadFrame(f"the head is not JSON: {error}") from None
    if type(head) is not dict:
        raise BadFrame("the head is not an object")
    return head


def _field(head: dict[str, Any], key: str, kind: type | tuple[type, ...], default: Any) -> Any:
    value = head.get(key, default)
    if value is not default and not isinstance(value, kind):
        raise BadFrame(f"{key!r} of the head is of type {type(value).__name__}")
    return value


def _texts(values: dict[str, Any], what: str) -> dict[str, str]:
    if any(type(value) is not str for value in values.values()):
        raise BadFrame(f"{what} is not text")
    return values


def _format(number: int) -> Format:
    format = _FORMATS.get(number)
    if format is None:
        raise BadFrame(f"there is no format {number}")
    return format


def _bodies(frame: Frame, head: dict[str, Any]) -> tuple[Body, ...]:
    listed = _field(head, "b", list, None)
    payload = frame.payload
    if listed is None:
        return (Body(_format(frame.format), payload) if payload or frame.format else EMPTY,)
    if not listed:
        raise BadFrame("the list of bodies is empty")
    bodies: list[Body] = []
    start = 0
    for item in listed:
        if type(item) is not list or list(map(type, item)) != [int, int]:
            raise BadFrame("the list of bodies is malformed")
        number, size = item
        if size < 0 or start + size > len(payload):
            raise BadFrame(f"a body of {size} bytes is longer than its frame")
        bodies.append(Body(_format(number), payload[start : start + size]))
        start += size + -size % ALIGNMENT
    return tuple(bodies)


def _describe_status(status: Status) -> dict[str, Any]:
    described: dict[str, Any] = {"code": status.code.value}
    for name in ("description", "exception", "arguments", "stacks", "executor", "pod"):
        value = getattr(status, name)
        if value:
            described[name] = value
    return described


def _status(described: dict[str, Any]) -> Status:
    texts = {
        name: _field(described, name, str, "")
        for name in ("description", "exception", "executor", "pod")
    }
    return Status(
        code=_CODES.get(_field(described, "code", str, ""), StatusCode.INTERNAL),
        arguments=tuple(map(str, _field(described, "arguments", list, []))),
        stacks=tuple(map(str, _field(described, "stacks", list, []))),
        **texts,
    )


def _step(step: Any) -> RouteStep:
    match step:
        case [str(pod), int() | float() as start, int() | float() as end]:
            return RouteStep(pod=pod, start=start, end=end)
        case _:
            raise BadFrame("a route is malformed")
