"""Our own protocol: requests and responses as frames, see `frames`. No I/O here.

The head of a frame has one-letter keys, left out where they would say what is the default; a
head with `b` lists format and length of every body. The side that accepts a connection says
HELLO first, with the version of this layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from time import monotonic
from typing import Any

import orjson

from jina_cli.quick import quick
from jina_cli.wire.frames import (
    ALIGNMENT,
    STREAMED,
    BadFrame,
    Frame,
    FrameReader,
    Kind,
    Oversized,
    build,
    build_single,
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

_NUMBERS = (float, int)
_REQUEST_FIELDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys("ert", (str,)),
    **dict.fromkeys("pm", (dict,)),
    "d": _NUMBERS,
}
_RESPONSE_FIELDS: Mapping[str, tuple[type, ...]] = {
    "r": (str,),
    "o": (list,),
    **dict.fromkeys("pks", (dict,)),
}
_NOTHING: dict[str, Any] = {}
_NO_STEPS: list[Any] = []
_NO_BODIES = (EMPTY,)
_REQUEST = Kind.REQUEST

_request = quick(Request)
_response = quick(Response)
_route_step = quick(RouteStep)
_body = quick(Body)

_FORMATS: Mapping[int, Format] = {
    format.value: format for format in Format if format is not Format.HELD
}
_CODES: Mapping[str, StatusCode] = {code.value: code for code in StatusCode}


def encode_request(id: int, request: Request) -> list[Buffer]:
    """Return the frame of a request; its deadline becomes the seconds that are left.

    Raises:
        BadFrame: Its parameters cannot be written.
    """
    head: dict[str, Any] = {"e": request.endpoint}
    if request.request_id:
        head["r"] = request.request_id
    if request.target:
        head["t"] = request.target
    if request.parameters:
        head["p"] = request.parameters
    if request.deadline is not None:
        head["d"] = request.deadline - monotonic()
    if request.metadata:
        head["m"] = request.metadata
    flags = STREAMED if request.streamed else 0
    bodies = request.bodies
    if len(bodies) == 1 and bodies[0].data:
        body = bodies[0]
        return build_single(
            _REQUEST, id, _dump(head), body.data, body.format, request.wanted, flags
        )
    return _frame(Kind.REQUEST, id, head, bodies, request.wanted, flags)


def decode_request(frame: Frame) -> Request:
    """Return the request of a frame, its deadline on this process's clock.

    Raises:
        BadFrame: The head or the bodies are malformed.
    """
    head = _head(frame)
    get = head.get
    endpoint, request_id, target = get("e", ""), get("r", ""), get("t", "")
    parameters, metadata, left = get("p", _NOTHING), get("m", _NOTHING), get("d")
    wanted = _FORMATS.get(frame.wanted)
    if (
        type(endpoint) is not str
        or type(request_id) is not str
        or type(target) is not str
        or type(parameters) is not dict
        or type(metadata) is not dict
        or wanted is None
        or (left is not None and type(left) not in _NUMBERS)
    ):
        raise _misfit(head, _REQUEST_FIELDS, frame.wanted)
    return _request(
        endpoint=endpoint,
        bodies=_bodies(frame, head),
        request_id=request_id,
        target=target,
        parameters=parameters or {},
        wanted=wanted,
        deadline=None if left is None else monotonic() + left,
        metadata=_texts(metadata, "metadata") if metadata else {},
        streamed=bool(frame.flags & STREAMED),
    )


def encode_response(id: int, response: Response, kind: Kind = Kind.RESPONSE) -> list[Buffer]:
    """Return the frame of a response, or of a PART of one.

    Raises:
        BadFrame: Its parameters cannot be written.
    """
    head: dict[str, Any] = {}
    if response.request_id:
        head["r"] = response.request_id
    if response.status is not OK:
        head["s"] = _describe_status(response.status)
    if response.parameters:
        head["p"] = response.parameters
    if response.routes:
        head["o"] = [(step.pod, step.start, step.end) for step in response.routes]
    if response.marks:
        head["k"] = response.marks
    body = response.body
    if body.data:
        return build_single(kind, id, _dump(head), body.data, body.format, 0, 0)
    return _frame(kind, id, head, (body,), Format.NONE)


def decode_response(frame: Frame, *, with_routes: bool = True) -> Response:
    """Return the response of a frame.

    Args:
        with_routes: Whether anybody looks at the steps it took; if not, they are left out.

    Raises:
        BadFrame: The head or the body is malformed.
    """
    head = _head(frame)
    get = head.get
    request_id, parameters, status = get("r", ""), get("p", _NOTHING), get("s")
    routes, marks = get("o", _NO_STEPS), get("k", _NOTHING)
    if (
        type(request_id) is not str
        or type(parameters) is not dict
        or type(routes) is not list
        or type(marks) is not dict
        or (status is not None and type(status) is not dict)
    ):
        raise _misfit(head, _RESPONSE_FIELDS, frame.wanted)
    return _response(
        request_id=request_id,
        status=OK if status is None else _status(status),
        body=_bodies(frame, head)[0],
        parameters=parameters or {},
        routes=tuple([_step(step) for step in routes]) if with_routes and routes else (),
        marks=_texts(marks, "a mark") if marks else {},
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


def _misfit(head: dict[str, Any], fields: Mapping[str, tuple[type, ...]], wanted: int) -> BadFrame:
    """Return what is wrong with a head, of which it is known that something is."""
    for key, kinds in fields.items():
        if key in head and type(head[key]) not in kinds:
            return BadFrame(f"{key!r} of the head is of type {type(head[key]).__name__}")
    return BadFrame(f"there is no format {wanted}")


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
    listed = head.get("b")
    payload = frame.payload
    if listed is None:
        format = _FORMATS.get(frame.format)
        if format is None:
            raise BadFrame(f"there is no format {frame.format}")
        return (_body(format, payload),) if payload or format else _NO_BODIES
    if type(listed) is not list:
        raise BadFrame(f"'b' of the head is of type {type(listed).__name__}")
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
            return _route_step(pod=pod, start=start, end=end)
        case _:
            raise BadFrame("a route is malformed")
