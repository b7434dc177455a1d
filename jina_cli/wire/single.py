"""Requests and answers with one document each, and lists of requests, as Jina 3 writes them.

A SingleDocumentRequestProto has the fields of a DataRequestProto, but that field 4 is the
document itself and not a message with a list of them. A DataRequestListProto is what an
Executor gets whose needs stay apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jina_cli.documents.varint import Malformed, sized
from jina_cli.wire import jina3
from jina_cli.wire.fields import fields
from jina_cli.wire.messages import EMPTY, BadMessage, Body, Format, Request, Response

_REQUEST, _DOCUMENT, _DOCS = 0x0A, 0x22, 0x0A


def documents_of(body: Body) -> list[Body]:
    """Return each document of a body in Jina's format as a body of its own.

    Raises:
        BadMessage: The bytes are no DocListProto.
    """
    if body.format is Format.NONE:
        return []
    view = memoryview(body.data)
    return [
        Body(Format.PROTO, view[start:end]) for tag, start, _, end in _fields(view) if tag == _DOCS
    ]


def write_single_request(request: Request) -> bytes:
    """Return a serialised SingleDocumentRequestProto; the body has at most one document.

    Raises:
        BadMessage: The bytes of the body are no DocListProto.
        ValueError: The body has more documents, or is in another format than Jina's.
    """
    head = bytes(jina3.write_data_request(replace(request, bodies=(EMPTY,))))
    body = request.bodies[0]
    if body.format is Format.NONE:
        return head
    view = memoryview(body.data)
    found = [view[begin:end] for tag, _, begin, end in _fields(view) if tag == _DOCS]
    if body.format is not Format.PROTO or len(found) > 1:
        raise ValueError("a streaming endpoint takes one document at a time")
    return head + (sized(_DOCUMENT, bytes(found[0])) if found else b"")


def read_single_response(data: bytes) -> Response:
    """Return the answer that a serialised SingleDocumentRequestProto is.

    Raises:
        BadMessage: It is none.
    """
    view = memoryview(data)
    rest: list[memoryview] = []
    body = EMPTY
    for tag, start, begin, end in _fields(view):
        if tag == _DOCUMENT:
            body = Body(Format.PROTO, sized(_DOCS, bytes(view[begin:end])))
        else:
            rest.append(view[start:end])
    return replace(jina3.read_data_response(b"".join(rest)), body=body)


def write_request_list(requests: Sequence[Request]) -> bytes:
    """Return a serialised DataRequestListProto.

    Raises:
        ValueError: Documents are in another format than Jina's.
    """
    written = (bytes(jina3.write_data_request(request)) for request in requests)
    return b"".join(sized(_REQUEST, one) for one in written)


def _fields(data: memoryview) -> list[tuple[int, int, int, int]]:
    """Return tag, start, and start and end of the value, of each field.

    Raises:
        BadMessage: The bytes are not laid out as fields.
    """
    found: list[tuple[int, int, int, int]] = []
    start = 0
    try:
        for tag, begin, end in fields(data):
            found.append((tag, start, begin, end))
            start = end
    except (Malformed, IndexError) as error:
        raise BadMessage(f"is no message of Jina's: {error}") from None
    return found
