"""Requests and responses over HTTP."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.wire.json import http_status, read_http_request, write_http_response
from jina_cli.wire.messages import (
    EMPTY,
    STATUSES,
    BadMessage,
    Body,
    Format,
    Response,
    Status,
    StatusCode,
)
from tests.testing.documents import json_values, texts

documents = st.lists(st.dictionaries(texts, json_values, max_size=3), max_size=3)


@given(documents, st.dictionaries(texts, json_values, max_size=2), st.booleans())
def test_documents_and_parameters_are_read(
    docs: list[Any], parameters: dict[str, Any], pretty: bool
) -> None:
    body: dict[str, Any] = {"data": docs}
    if parameters:
        body = {"parameters": parameters, "data": docs}

    data = json.dumps(body, indent=2 if pretty else None).encode()
    request = read_http_request("/search", data)

    assert request.parameters == parameters
    assert request.wanted is Format.JSON
    assert json.loads(bytes(request.bodies[0].data)) == docs


def test_all_that_a_body_may_have_is_read() -> None:
    request = read_http_request(
        "search",
        b'{"data": {"text": "a"}, "parameters": {"top_k": 3}, "exec_endpoint": "/x",'
        b' "header": {"request_id": "r1", "target_executor": "index", "other": 5}}',
    )

    assert request.endpoint == "/search"
    assert request.bodies == (Body(Format.JSON, b'[{"text":"a"}]'),)
    assert request.parameters == {"top_k": 3}
    assert (request.request_id, request.target) == ("r1", "index")


@pytest.mark.parametrize("data", [b"", b"  \n", b"{}", b'{"data": null}', b'{"parameters": null}'])
def test_a_body_without_documents_asks_for_nothing(data: bytes) -> None:
    assert read_http_request("/x", data).bodies == (EMPTY,)


def test_an_old_name_of_the_documents_is_known() -> None:
    assert read_http_request("/x", b'{"docs": [{}]}').bodies == (Body(Format.JSON, b"[{}]"),)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"[", "the body is not JSON at line 1 column 2: unexpected end of data"),
        (b'{\n  "data": [,]\n}', "the body is not JSON at line 2 column 12: unexpected character"),
        (b"\xff\xfe", "the body is not JSON at line 1 column 1: "),
        (b"[]", 'the body is a list, not an object; write {"data": [...]}'),
        (b"3", 'the body is a number, not an object; write {"data": [...]}'),
        (b'{"data": 3}', "data is a number, not a list"),
        (b'{"data": [{}, "a"]}', "data[1] is a string, not an object"),
        (b'{"docs": [null]}', "docs[0] is null, not an object"),
        (b'{"parameters": []}', "parameters is a list, not an object"),
        (b'{"header": "a"}', "header is a string, not an object"),
        (b'{"header": {"request_id": 5}}', "request_id is a number, not a string"),
    ],
)
def test_a_body_that_is_wrong_is_told_where(data: bytes, problem: str) -> None:
    with pytest.raises(BadMessage) as caught:
        read_http_request("/x", data)

    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize("depth", [300, 900, 1100, 100_000])
@pytest.mark.parametrize("name", ["data", "parameters"])
@pytest.mark.parametrize("bracket", ["[]", '{"a":}'])
def test_a_body_nested_too_deep_is_refused_or_passed_on_but_never_crashes(
    name: str, depth: int, bracket: str
) -> None:
    opening, closing = (bracket[:-1], bracket[-1])
    deep = opening * depth + "1" + closing * depth
    wrapped = f'[{{"x":{deep}}}]' if name == "data" else f'{{"x":{deep}}}'

    try:
        request = read_http_request("/x", f'{{"{name}":{wrapped},"header":{{}}}}'.encode())
    except BadMessage:
        return
    pytest.fail(f"passed on: {bytes(request.bodies[0].data)[:50]!r}")


@pytest.mark.parametrize(
    "data",
    [
        b'{"data": [{"id": "0"}], "data": [{"id": "1"}]}',
        b'{"data": 5, "data": [{"id": "1"}]}',
        b'{"docs": [], "docs": [{"id": "1"}]}',
        b'{"data": [{"id": "1", "tags": {"data": [1]}}]}',
    ],
)
def test_of_a_key_that_comes_twice_the_last_value_counts(data: bytes) -> None:
    (document,) = orjson.loads(read_http_request("/x", data).bodies[0].data)

    assert document["id"] == "1"


def test_a_million_elements_that_are_no_documents_are_refused_at_the_first() -> None:
    with pytest.raises(BadMessage, match=r"data\[0\] is a number, not an object"):
        read_http_request("/x", b'{"data":[' + b"1," * 1_000_000 + b"1]}")


def test_more_values_than_a_body_may_have_are_refused_unparsed() -> None:
    with pytest.raises(BadMessage, match="the body has over 8,000,000 values: send it in parts"):
        read_http_request("/x", b'{"data":[' + b"{}," * 4_000_001 + b"{}]}")


def test_an_answer_has_jinas_shape() -> None:
    response = Response(
        request_id="r1",
        body=Body(Format.JSON, memoryview(b'[{"id":"1"}]')),
        parameters={"__results__": {"index/0": {"n": 1}}},
    )

    assert json.loads(write_http_response(response)) == {
        "data": [{"id": "1"}],
        "parameters": {"__results__": {"index/0": {"n": 1}}},
        "header": {"request_id": "r1", "target_executor": ""},
    }


def test_an_answer_without_documents_has_an_empty_list() -> None:
    assert json.loads(write_http_response(Response()))["data"] == []


def test_a_failure_says_what_failed_and_where() -> None:
    status = Status(
        code=StatusCode.EXECUTOR, description="ValueError('x')", executor="Mine", pod="encode"
    )
    response = Response(request_id="r1", status=status)

    assert http_status(response) == 500
    assert json.loads(write_http_response(response)) == {
        "detail": "ValueError('x')",
        "code": "EXECUTOR",
        "executor": "Mine",
        "pod": "encode",
        "request_id": "r1",
    }


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (("no Note", "data.1.tags.a"), ["body", "data", 1, "tags", "a"]),
        (("no number", "parameters.top_k"), ["body", "parameters", "top_k"]),
        (("document 3: 'text' is none",), ["body", "data", 3, "text"]),
        (("no Note",), ["body"]),
        ((), ["body"]),
    ],
)
def test_what_is_wrong_with_a_request_is_told_with_its_place(
    arguments: tuple[str, ...], place: list[str | int]
) -> None:
    status = Status(code=StatusCode.INVALID, description="wrong", arguments=arguments)

    told = json.loads(write_http_response(Response(request_id="7", status=status)))

    assert told["detail"] == [{"loc": place, "msg": "wrong", "type": "value_error"}]


def test_an_answer_that_lacks_shards_says_so() -> None:
    response = Response(request_id="7", marks={"failed_shards": "1"})

    assert json.loads(write_http_response(response))["header"]["marks"] == {"failed_shards": "1"}


def test_documents_in_another_format_are_not_passed_off_as_json() -> None:
    with pytest.raises(ValueError, match="documents are COLUMNS, not JSON"):
        write_http_response(Response(body=Body(Format.COLUMNS, b"x")))


def test_every_status_has_a_grpc_and_an_http_status() -> None:
    assert set(STATUSES) == set(StatusCode)
    assert all(http_status(Response(status=Status(code=code))) for code in StatusCode)
