"""Requests and answers with one document: `jina.SingleDocumentRequestProto`.

Its fields are those of a DataRequestProto, but that field 4 is the document itself and not a
message with a list of them.
"""

from __future__ import annotations

from jina_cli.documents.varint import Malformed, read_varint, sized
from jina_cli.wire import jina3
from jina_cli.wire.messages import EMPTY, BadMessage, Body, Format, Request, Response

_DATA, _DOCUMENT, _DOCS = 0x22, 0x22, 0x0A


def write_request(request: Request) -> bytes:
    """Return a serialised SingleDocumentRequestProto; the body has at most one document.

    Raises:
        ValueError: The body has more, or is in another format than Jina's.
    """
    from dataclasses import replace

    head = jina3.write_data_request(replace(request, bodies=(EMPTY,)))
    body = request.bodies[0]
    return head + (
        sized(_DOCUMENT, _only_document(body)) if body.format is not Format.NONE else b""
    )


def read_response(data: bytes) -> Response:
    """Return the answer that a serialised SingleDocumentRequestProto is.

    Raises:
        BadMessage: It is none.
    """
    rest, document = _cut(data)
    response = jina3.read_data_response(rest)
    if document is None:
        return response
    from dataclasses import replace

    return replace(response, body=Body(Format.PROTO, sized(_DOCS, document)))


def _only_document(body: Body) -> bytes:
    view = memoryview(body.data)
    tag, place = read_varint(view, 0)
    size, begin = read_varint(view, place)
    if body.format is not Format.PROTO or tag != _DOCS or begin + size != len(view):
        raise ValueError("a streaming endpoint takes one document at a time")
    return bytes(view[begin:])


def _cut(data: bytes) -> tuple[bytes, bytes | None]:
    """Return the message without its document, and the document."""
    view = memoryview(data)
    rest: list[memoryview] = []
    document: bytes | None = None
    place = 0
    try:
        while place < len(view):
            start = place
            tag, place = read_varint(view, place)
            if tag & 7 != 2:
                raise Malformed("a field of an unknown kind")
            size, begin = read_varint(view, place)
            place = begin + size
            if tag == _DOCUMENT:
                document = bytes(view[begin:place])
            else:
                rest.append(view[start:place])
    except (Malformed, IndexError) as error:
        raise BadMessage(f"is no SingleDocumentRequestProto: {error}") from None
    return b"".join(rest), document
