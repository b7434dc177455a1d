"""Requests and responses as Jina 3 writes them: `jina.DataRequestProto`.

Only the four top-level fields are looked at: the documents are cut out as the bytes they are,
and are not parsed. Of the documents' format this module knows no more than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jina_cli.documents.varint import Malformed, read_varint, sized, varint
from jina_cli.vocabulary import DEFAULT_ENDPOINT, RESULTS
from jina_cli.wire.descriptors import message_class
from jina_cli.wire.messages import (
    EMPTY,
    OK,
    BadMessage,
    Body,
    Format,
    Request,
    Response,
    RouteStep,
    Status,
    StatusCode,
    with_slash,
)
from jina_cli.wire.parameters import read_struct, write_struct

_HEADER, _PARAMETERS, _ROUTES, _DATA = 0x0A, 0x12, 0x1A, 0x22
_DOCS, _DOCS_BYTES = 0x0A, 0x12
_CODES = {code.value: code for code in StatusCode}


def read_data_request(data: bytes) -> Request:
    """Return the request of a serialised DataRequestProto, its documents as they came.

    Raises:
        BadMessage: It is none.
    """
    head, body = _parse(data)
    header = head.header
    parameters = read_struct(head.parameters)
    if parameters.get(RESULTS) == {}:
        # Jina's client sends this where it has no parameters.
        del parameters[RESULTS]
    return Request(
        endpoint=with_slash(header.exec_endpoint or DEFAULT_ENDPOINT),
        bodies=(body,),
        request_id=header.request_id,
        target=header.target_executor,
        parameters=parameters,
        wanted=Format.PROTO,
    )


def write_data_response(request: Request, response: Response) -> bytes:
    """Return the DataRequestProto that answers `request`.

    Where the response has no documents because the request failed, it gets the request's, as
    Jina's gateway does.

    Raises:
        ValueError: The documents are in another format than Jina's.
    """
    body = response.body
    if body.format is Format.NONE and not response.status.ok:
        body = next((b for b in request.bodies if b.format is Format.PROTO), EMPTY)
    header = _header(
        response.request_id or request.request_id,
        status=response.status,
        endpoint=request.endpoint,
        target=request.target,
    )
    routes = b"".join(sized(_ROUTES, _route(step)) for step in response.routes)
    parameters = response.parameters or request.parameters
    return _join(header, sized(_PARAMETERS, write_struct(parameters)) + routes, body)


def write_data_request(request: Request) -> bytes:
    """Return the DataRequestProto of a request, as Jina's client writes it.

    Raises:
        ValueError: The documents are in another format than Jina's.
    """
    header = _header(request.request_id, endpoint=request.endpoint, target=request.target or None)
    parameters = sized(_PARAMETERS, write_struct(request.parameters)) if request.parameters else b""
    return _join(header, parameters, request.bodies[0])


def read_data_response(data: bytes) -> Response:
    """Return the response of a serialised DataRequestProto.

    Raises:
        BadMessage: It is none.
    """
    head, body = _parse(data)
    return Response(
        request_id=head.header.request_id,
        status=read_status(head.header.status),
        body=body,
        parameters=read_struct(head.parameters),
        routes=tuple(
            RouteStep(
                pod=route.executor,
                start=route.start_time.seconds + route.start_time.nanos / 1e9,
                end=route.end_time.seconds + route.end_time.nanos / 1e9,
            )
            for route in head.routes
        ),
    )


def write_status(status: Status) -> bytes:
    """Return a status as a serialised StatusProto, which is empty where all is well.

    Jina knows success and failure alone: our code stands as the exception's name where no
    exception was raised.
    """
    if status.ok:
        return b""
    exception = _text(0x0A, status.exception or status.code.value)
    exception += b"".join(_text(0x12, argument) for argument in status.arguments)
    exception += b"".join(_text(0x1A, line) for line in status.stacks)
    exception += _text(0x22, status.executor or status.pod)
    return b"\x08\x01" + _text(0x12, status.description) + sized(0x1A, exception)


def read_status(message: Any) -> Status:
    """Return the status of a StatusProto message."""
    if message.code == 0:
        return OK
    exception = message.exception
    code = _CODES.get(exception.name)
    return Status(
        code=code or StatusCode.EXECUTOR,
        description=message.description,
        exception="" if code else exception.name,
        arguments=tuple(exception.args),
        stacks=tuple(exception.stacks),
        executor=exception.executor,
    )


def _parse(data: bytes) -> tuple[Any, Body]:
    """Return everything but the documents as a message, and the documents."""
    from google.protobuf.message import DecodeError

    view = memoryview(data)
    rest: list[memoryview] = []
    contents: list[memoryview] = []
    try:
        for tag, start, begin, end in _fields(view):
            if tag == _DATA:
                contents.append(view[begin:end])
            else:
                rest.append(view[start:end])
        body = _body(contents)
        head = message_class("jina.DataRequestProtoWoData")()
        head.ParseFromString(b"".join(rest))
    except (Malformed, IndexError, DecodeError, RecursionError) as error:
        raise BadMessage(f"is no DataRequestProto: {error}") from None
    return head, body


def _fields(view: memoryview) -> Iterator[tuple[int, int, int, int]]:
    """Yield tag, start of the field, and start and end of its value, of each field."""
    place = 0
    while place < len(view):
        start = place
        tag, begin = read_varint(view, place)
        match tag & 7:
            case 0:
                _, place = read_varint(view, begin)
            case 1:
                place = begin + 8
            case 2:
                size, begin = read_varint(view, begin)
                place = begin + size
            case 5:
                place = begin + 4
            case kind:
                raise Malformed(f"a field has the unknown wire type {kind}")
        if place > len(view) or tag < 8:
            raise Malformed("a field is longer than its message, or has no number")
        yield tag, start, begin, place


def _body(contents: list[memoryview]) -> Body:
    docs: list[memoryview] = []
    last = 0
    for content in contents:
        for tag, _, begin, end in _fields(content):
            if tag not in (_DOCS, _DOCS_BYTES):
                continue
            if tag != last or tag == _DOCS_BYTES:
                docs.clear()
            last = tag
            docs.append(content[begin:end])
    if not docs:
        return EMPTY
    # Parts of one list, one after the other, are that list.
    return Body(Format.PROTO, docs[0] if len(docs) == 1 else b"".join(docs))


def _join(header: bytes, between: bytes, body: Body) -> bytes:
    head = sized(_HEADER, header) + between
    if body.format is Format.NONE:
        return head
    if body.format is not Format.PROTO:
        raise ValueError(f"documents are {body.format.name}, which Jina does not read")
    size = len(body.data)
    docs = b"%c%b" % (_DOCS, varint(size))
    data = b"%c%b%b" % (_DATA, varint(len(docs) + size), docs)
    return b"".join((head, data, body.data))


def _header(request_id: str, *, endpoint: str, target: str | None, status: Status = OK) -> bytes:
    parts = [_text(0x0A, request_id)]
    if not status.ok:
        parts.append(sized(0x12, write_status(status)))
    parts.append(sized(0x1A, _utf8(endpoint)))
    if target is not None:
        parts.append(sized(0x22, _utf8(target)))
    return b"".join(parts)


def _route(step: RouteStep) -> bytes:
    return (
        _text(0x0A, step.pod)
        + sized(0x12, _timestamp(step.start))
        + sized(0x1A, _timestamp(step.end))
    )


def _timestamp(seconds: float) -> bytes:
    whole, nanos = divmod(round(max(0.0, seconds) * 1e9), 1_000_000_000)
    return b"\x08" + varint(whole) + b"\x10" + varint(nanos)


def _text(tag: int, text: str) -> bytes:
    return sized(tag, _utf8(text)) if text else b""


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
