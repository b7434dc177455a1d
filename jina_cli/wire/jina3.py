"""Requests and responses as Jina 3 writes them: `jina.DataRequestProto`.

Only the four top-level fields are looked at: the documents are cut out as the bytes they are,
and are not parsed. Of the documents' format this module knows no more than that.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from jina_cli.documents.varint import Malformed, read_varint, sized, varint
from jina_cli.vocabulary import DEFAULT_ENDPOINT, RESULTS
from jina_cli.wire.fields import fields
from jina_cli.wire.jina3_status import (
    MARKS,
    read_marks,
    read_status,
    text_field,
    write_marks,
    write_status,
)
from jina_cli.wire.messages import (
    EMPTY,
    OK,
    BadMessage,
    Body,
    Buffer,
    Format,
    Request,
    Response,
    RouteStep,
    Status,
    StatusCode,
    with_slash,
)
from jina_cli.wire.parameters import write_struct
from jina_cli.wire.structs import read_struct_bytes

_HEADER, _PARAMETERS, _ROUTES, _DATA = 0x0A, 0x12, 0x1A, 0x22
_ID, _STATUS, _ENDPOINT, _TARGET, _TIMEOUT = 0x0A, 0x12, 0x1A, 0x22, 0x28
_DOCS, _DOCS_BYTES = 0x0A, 0x12
_NO_PARAMETERS = write_struct({RESULTS: {}})
"""What Jina's client sends where it has no parameters."""

_NO_MARKS: Mapping[str, str] = {}
_EMPTY_PARAMETERS = b"\x12\x00"
_NO_METADATA: Mapping[str, str] = {}
_COPIED_BYTES = 4096
"""Documents up to this size are copied, which is cheaper than a view of the message."""

_TIMESTAMP_BYTES = 13
"""Of a timestamp with its length."""

_MAX_TIMEOUT_S = 864_000

_WRONG = (Malformed, IndexError, UnicodeDecodeError)


def read_data_request(
    data: Buffer, *, deadline: float | None = None, metadata: Mapping[str, str] = _NO_METADATA
) -> Request:
    """Return the request of a serialised DataRequestProto, its documents as they came.

    Args:
        deadline: Of the call that it came by; the request's own may be sooner.
        metadata: Of the call.

    Raises:
        BadMessage: It is none.
    """
    try:
        head, packed, _, contents = _parts(data)
        return _request(head, packed, _body(contents), deadline, metadata)
    except _WRONG as error:
        raise BadMessage(f"is no DataRequestProto: {error}") from None


def read_data_requests(
    data: Buffer, *, deadline: float | None = None, metadata: Mapping[str, str] = _NO_METADATA
) -> Request:
    """Return the requests of a serialised DataRequestListProto as one, as Jina takes them.

    It has the documents of all, one after the other, and all else of the first.

    Raises:
        BadMessage: It is none, or it has no request.
    """
    try:
        view = memoryview(data)
        parts = [_parts(view[begin:end]) for tag, begin, end in fields(data) if tag == 0x0A]
        if not parts:
            raise Malformed("it has no request")
        bodies = [body.data for *_, contents in parts if (body := _body(contents)) is not EMPTY]
        body = Body(Format.PROTO, b"".join(bodies)) if bodies else EMPTY
        return _request(parts[0][0], parts[0][1], body, deadline, metadata)
    except _WRONG as error:
        raise BadMessage(f"is no DataRequestListProto: {error}") from None


def read_document_request(
    data: Buffer, *, deadline: float | None = None, metadata: Mapping[str, str] = _NO_METADATA
) -> Request:
    """Return the request of a serialised SingleDocumentRequestProto, to be answered in parts.

    Raises:
        BadMessage: It is none.
    """
    try:
        head, packed, _, documents = _parts(data)
        docs = b"".join(sized(_DOCS, bytes(document)) for document in documents)
        body = Body(Format.PROTO, docs) if docs else EMPTY
        return _request(head, packed, body, deadline, metadata, streamed=True)
    except _WRONG as error:
        raise BadMessage(f"is no SingleDocumentRequestProto: {error}") from None


def write_data_response(request: Request, response: Response) -> bytes:
    """Return the DataRequestProto that answers `request`; as `data_response_parts`."""
    return b"".join(data_response_parts(request, response))


def data_response_parts(request: Request, response: Response) -> tuple[Buffer, ...]:
    """Return the bytes of the DataRequestProto that answers `request`, to be put together.

    Where the response has no documents because the request failed, it gets the request's, as
    Jina's gateway does.

    Raises:
        ValueError: The documents are in another format than Jina's.
    """
    body = response.body
    if body.format is Format.NONE and not response.status.ok:
        body = next((b for b in request.bodies if b.format is Format.PROTO), EMPTY)
    return _joined(_answer_head(request, response), body)


def write_document_responses(request: Request, response: Response) -> list[bytes]:
    """Return a SingleDocumentRequestProto for each document of a part of an answer.

    A part that tells of a failure is one message, with the documents' place empty.

    Raises:
        ValueError: The documents are in another format than Jina's.
    """
    head, body = _answer_head(request, response), response.body
    if not response.status.ok:
        return [head]
    if body.format not in (Format.PROTO, Format.NONE):
        raise ValueError(f"documents are {body.format.name}, which Jina does not read")
    data = memoryview(body.data)
    documents = [data[begin:end] for tag, begin, end in fields(data) if tag == _DOCS]
    return [head + sized(_DATA, bytes(document)) for document in documents]


def write_data_request(request: Request, *, timed: bool = False) -> bytes:
    """Return the DataRequestProto of a request, as Jina's client writes it.

    Args:
        timed: Whether the header says how long the client waits, in whole seconds; where many
            requests share an RPC, nothing else does.

    Raises:
        ValueError: The documents are in another format than Jina's.
    """
    header = _header(request.request_id, endpoint=request.endpoint, target=request.target or None)
    if timed and request.deadline is not None:
        left_s = math.ceil(request.deadline - time.monotonic())
        header += b"\x28" + varint(min(max(1, left_s), 2**32 - 1))
    parameters = sized(_PARAMETERS, write_struct(request.parameters)) if request.parameters else b""
    return b"".join(_joined(sized(_HEADER, header) + parameters, request.bodies[0]))


def read_data_response(data: Buffer) -> Response:
    """Return the response of a serialised DataRequestProto.

    Raises:
        BadMessage: It is none.
    """
    try:
        head, packed, routes, contents = _parts(data)
        request_id, _, _, _, status = _header_of(head)
        return Response(
            request_id=request_id,
            status=read_status(status) if status else OK,
            marks=read_marks(head) if MARKS in head else _NO_MARKS,
            body=_body(contents),
            parameters=read_struct_bytes(packed),
            routes=tuple(_read_route(bytes(route)) for route in routes),
        )
    except _WRONG as error:
        raise BadMessage(f"is no DataRequestProto: {error}") from None


def _parts(data: Buffer) -> tuple[bytes, bytes, list[Buffer], list[Buffer]]:
    """Return header, parameters, routes and field 4 of a message, none of them opened.

    Header and parameters in several pieces are one, as protobuf puts them together.
    """
    head = packed = b""
    routes: list[Buffer] = []
    contents: list[Buffer] = []
    for tag, begin, end in fields(data):
        if tag == _DATA:
            contents.append(_cut(data, begin, end))
        elif tag == _HEADER:
            head += data[begin:end]
        elif tag == _PARAMETERS:
            packed += data[begin:end]
        elif tag == _ROUTES:
            routes.append(data[begin:end])
    return head, packed, routes, contents


def _cut(data: Buffer, begin: int, end: int) -> Buffer:
    return data[begin:end] if end - begin <= _COPIED_BYTES else memoryview(data)[begin:end]


def _request(
    head: bytes,
    packed: bytes,
    body: Body,
    deadline: float | None,
    metadata: Mapping[str, str],
    *,
    streamed: bool = False,
) -> Request:
    request_id, endpoint, target, timeout_s, _ = _header_of(head)
    if timeout_s:
        until = time.monotonic() + min(timeout_s, _MAX_TIMEOUT_S)
        deadline = until if deadline is None else min(until, deadline)
    parameters: dict[str, Any] = {}
    if packed and packed != _NO_PARAMETERS:
        parameters = read_struct_bytes(packed)
        if parameters.get(RESULTS) == {}:
            del parameters[RESULTS]
    return Request(
        endpoint=with_slash(endpoint or DEFAULT_ENDPOINT),
        bodies=(body,),
        request_id=request_id,
        target=target,
        parameters=parameters,
        wanted=Format.PROTO,
        deadline=deadline,
        metadata=metadata,
        streamed=streamed,
    )


def _header_of(head: bytes) -> tuple[str, str, str, int, bytes]:
    """Return request id, endpoint, target, timeout in seconds and status of a HeaderProto."""
    request_id = endpoint = target = ""
    timeout_s, status = 0, b""
    for tag, begin, end in fields(head):
        if tag == _ID:
            request_id = head[begin:end].decode()
        elif tag == _ENDPOINT:
            endpoint = head[begin:end].decode()
        elif tag == _TARGET:
            target = head[begin:end].decode()
        elif tag == _TIMEOUT:
            timeout_s = read_varint(head, begin)[0] & 0xFFFFFFFF
        elif tag == _STATUS:
            status += head[begin:end]
    return request_id, endpoint, target, timeout_s, status


def _read_route(data: bytes) -> RouteStep:
    pod, start, end_s = "", 0.0, 0.0
    for tag, begin, end in fields(data):
        if tag == 0x0A:
            pod = data[begin:end].decode()
        elif tag == 0x12:
            start = _read_timestamp(data[begin:end])
        elif tag == 0x1A:
            end_s = _read_timestamp(data[begin:end])
    return RouteStep(pod=pod, start=start, end=end_s)


def _read_timestamp(data: bytes) -> float:
    numbers = {tag: read_varint(data, begin)[0] for tag, begin, _ in fields(data) if tag & 7 == 0}
    return float(numbers.get(0x08, 0)) + numbers.get(0x10, 0) / 1e9


def _body(contents: Sequence[Buffer]) -> Body:
    if len(contents) == 1 and (whole := _only_list(contents[0])) is not None:
        return Body(Format.PROTO, whole)
    docs: list[Buffer] = []
    last = 0
    for content in contents:
        for tag, begin, end in fields(content):
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


def _only_list(content: Buffer) -> Buffer | None:
    """Return the list of documents that a field 4 is, where it is nothing else."""
    if len(content) < 2 or content[0] not in (_DOCS, _DOCS_BYTES):
        return None
    size, begin = read_varint(content, 1)
    return content[begin:] if begin + size == len(content) else None


def _joined(head: bytes, body: Body) -> tuple[Buffer, ...]:
    if body.format is Format.NONE:
        return (head,)
    if body.format is not Format.PROTO:
        raise ValueError(f"documents are {body.format.name}, which Jina does not read")
    size = len(body.data)
    docs = b"%c%b" % (_DOCS, varint(size))
    return (b"%b%c%b%b" % (head, _DATA, varint(len(docs) + size), docs), body.data)


def _answer_head(request: Request, response: Response) -> bytes:
    """Return header, parameters and routes of an answer."""
    header = _header(
        response.request_id or request.request_id,
        status=response.status,
        endpoint=request.endpoint,
        target=request.target,
    )
    if response.marks:
        header += write_marks(response.marks)
    parameters = response.parameters or request.parameters
    packed = write_struct(parameters) if parameters else b""
    parts = [sized(_HEADER, header), sized(_PARAMETERS, packed) if packed else _EMPTY_PARAMETERS]
    for step in response.routes:
        parts += (_name(step.pod), _timestamp(step.start), b"\x1a", _timestamp(step.end))
    return b"".join(parts)


def _header(request_id: str, *, endpoint: str, target: str | None, status: Status = OK) -> bytes:
    parts = text_field(_ID, request_id)
    if status.code is not StatusCode.OK:
        parts += sized(_STATUS, write_status(status))
    parts += sized(_ENDPOINT, endpoint.encode("utf-8", "replace"))
    return parts if target is None else parts + sized(_TARGET, target.encode("utf-8", "replace"))


@lru_cache(maxsize=256)
def _name(pod: str) -> bytes:
    """Return what stands before the timestamps of a route: names of Pods are few."""
    field = text_field(0x0A, pod)
    return b"%c%b%b\x12" % (_ROUTES, varint(len(field) + 2 + 2 * _TIMESTAMP_BYTES), field)


def _timestamp(seconds: float) -> bytes:
    """Return a Timestamp with its length; both of its numbers have all their bytes, also zeros."""
    whole = int(seconds) if seconds > 0.0 else 0
    nanos = min(max(0, round((seconds - whole) * 1e9)), 999_999_999)
    return _whole(whole) + _five(nanos)


@lru_cache(maxsize=16)
def _whole(seconds: int) -> bytes:
    """Return a Timestamp's seconds, with all that is not its nanoseconds: one lasts a second."""
    return b"\x0c\x08%b\x10" % _five(seconds)


def _five(number: int) -> bytes:
    """Return a number below 2**35 as a varint of five bytes: always the same length."""
    spread = (
        number & 0x7F
        | (number & 0x3F80) << 1
        | (number & 0x1FC000) << 2
        | (number & 0xFE00000) << 3
        | (number & 0x7F0000000) << 4
    )
    return (spread | 0x80808080).to_bytes(5, "little")
