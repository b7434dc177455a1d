"""One document a message, as Jina's streams have it."""

from __future__ import annotations

import pytest

from jina_cli.documents.rows import from_rows
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.descriptors import message_class
from jina_cli.wire.jina3 import read_document_request, write_document_responses
from jina_cli.wire.messages import (
    EMPTY,
    BadMessage,
    Body,
    Format,
    Request,
    Response,
    Status,
    StatusCode,
)
from jina_cli.wire.single import documents_of, read_single_response, write_single_request


def _body(*texts: str) -> Body:
    return write_body(from_rows([{"id": text, "text": text} for text in texts]), Format.PROTO)


def test_a_request_is_what_jina_reads() -> None:
    request = Request(endpoint="/x", bodies=(_body("a"),), request_id="1", parameters={"n": 2})

    data = write_single_request(request)

    message = message_class("jina.SingleDocumentRequestProto").FromString(data)
    assert message.header.exec_endpoint == "/x"
    assert message.document.data["text"].text == "a"
    read = read_document_request(data)
    assert (read.request_id, read.parameters) == ("1", {"n": 2})
    assert list(read_body(read.bodies[0]).text()) == ["a"]


def test_a_request_may_have_no_document_but_not_two() -> None:
    assert read_document_request(write_single_request(Request(endpoint="/x"))).bodies == (EMPTY,)
    with pytest.raises(ValueError, match="one document at a time"):
        write_single_request(Request(endpoint="/x", bodies=(_body("a", "b"),)))


def test_what_our_gateway_answers_is_read() -> None:
    request = Request(endpoint="/x", request_id="1")
    failure = Status(code=StatusCode.EXECUTOR, description="no", exception="ValueError")
    good, bad = Response(body=_body("a")), Response(status=failure)

    [document] = map(read_single_response, write_document_responses(request, good))
    [failed] = map(read_single_response, write_document_responses(request, bad))

    assert list(read_body(document.body).text()) == ["a"]
    assert (failed.status.exception, failed.status.description) == ("ValueError", "no")


@pytest.mark.parametrize("data", [b"\xff", b"\x22\x05a", b"\x0a\x7f"])
def test_nonsense_is_no_answer(data: bytes) -> None:
    with pytest.raises(BadMessage):
        read_single_response(data)


def test_documents_of_a_body_are_bodies_of_their_own() -> None:
    assert documents_of(EMPTY) == []
    found = [list(read_body(body).text()) for body in documents_of(_body("a", "b"))]
    assert found == [["a"], ["b"]]
    with pytest.raises(BadMessage):
        documents_of(Body(Format.PROTO, b"\x0a\x7f"))
