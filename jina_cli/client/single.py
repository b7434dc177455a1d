"""Requests and answers with one document: `jina.SingleDocumentRequestProto`.

Its fields are those of a DataRequestProto, but that field 4 is the document itself and not a
message with a list of them.
"""

from __future__ import annotations

from dataclasses import replace

from jina_cli.documents.varint import Malformed, sized
from jina_cli.wire import jina3
from jina_cli.wire.fields import fields
from jina_cli.wire.messages import EMPTY, BadMessage, Body, Format, Request, Response

_DOCUMENT, _DOCS = 0x22, 0x0A


def write_request(request: Request) -> bytes:
    """Return a serialised SingleDocumentRequestProto; the body has at most one document.

    Raises:
        ValueError: The body has more, or is in another format than Jina's.
    """
    head = jina3.write_data_request(replace(request, bodies=(EMPTY,)))
    body = request.bodies[0]
    if body.format is Format.NONE:
        return head
    data = bytes(body.data)
    documents = [data[begin:end] for _, begin, end in fields(data)]
    if body.format is not Format.PROTO or len(documents) != 1:
        raise ValueError("a streaming endpoint takes one document at a time")
    return head + sized(_DOCUMENT, documents[0])


def read_response(data: bytes) -> Response:
    """Return the answer that a serialised SingleDocumentRequestProto is.

    Raises:
        BadMessage: It is none.
    """
    rest: list[bytes] = []
    document = b""
    has_document = False
    try:
        for tag, begin, end in fields(data):
            if tag == _DOCUMENT:
                document, has_document = data[begin:end], True
            elif tag & 7 == 2:
                rest.append(sized(tag, data[begin:end]))
    except (Malformed, IndexError) as error:
        raise BadMessage(f"is no SingleDocumentRequestProto: {error}") from None
    response = jina3.read_data_response(b"".join(rest))
    if not has_document:
        return response
    return replace(response, body=Body(Format.PROTO, sized(_DOCS, document)))
