"""Jina 3's messages: protobuf itself is the judge."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.documents.standard import scan, write
from jina_cli.wire.descriptors import message_class, pool
from jina_cli.wire.jina3 import (
    read_data_request,
    read_data_response,
    write_data_request,
    write_data_response,
)
from jina_cli.wire.jina3_status import read_status, write_status
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
)
from tests.testing.documents import json_values, some_texts, texts
from tests.testing.oversized import deep_parameters

DataRequest = message_class("jina.DataRequestProto")
DOCS = write(some_texts(2))
parameters = st.dictionaries(texts, json_values, max_size=3)


def a_message(**header: Any) -> Any:
    message = DataRequest()
    message.header.request_id = "r" * 32
    message.header.exec_endpoint = "/index"
    for name, value in header.items():
        setattr(message.header, name, value)
    message.data.docs.ParseFromString(DOCS)
    return message


def read(message: Any) -> Request:
    return read_data_request(message.SerializeToString())


def test_a_request_of_jinas_client_is_read() -> None:
    message = a_message(target_executor="enc.*")
    message.parameters.update({"top_k": 10, "x": {"y": [1.5, None, True, "a"]}})

    request = read(message)

    assert request.endpoint == "/index"
    assert request.request_id == "r" * 32
    assert request.target == "enc.*"
    assert request.parameters == {"top_k": 10, "x": {"y": [1.5, None, True, "a"]}}
    assert type(request.parameters["top_k"]) is int
    assert request.wanted is Format.PROTO
    assert request.bodies[0].format is Format.PROTO
    assert scan(request.bodies[0].data).ids == ["d0", "d1"]


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        ("/index", "/index"),
        ("index", "/index"),
        ("", "/default"),
        ("_jina_dry_run_", "_jina_dry_run_"),
    ],
)
def test_an_endpoint_has_its_slash(name: str, endpoint: str) -> None:
    assert read(a_message(exec_endpoint=name)).endpoint == endpoint


def test_the_parameters_that_jinas_client_sends_for_none_are_none() -> None:
    message = a_message()
    message.parameters.update({"__results__": {}})

    assert read(message).parameters == {}


def test_documents_sent_as_bytes_are_documents() -> None:
    message = DataRequest()
    message.data.docs_bytes = DOCS

    assert read(message).bodies[0] == Body(Format.PROTO, DOCS)


def test_a_request_without_documents_has_none() -> None:
    message = DataRequest()
    message.header.exec_endpoint = "/x"

    assert read(message).bodies == (EMPTY,)


def test_parts_of_a_message_are_merged_as_protobuf_merges_them() -> None:
    first, second, third = a_message(), DataRequest(), DataRequest()
    second.header.exec_endpoint = "/search"
    second.data.docs.ParseFromString(write(some_texts(1, prefix="e")))
    data = first.SerializeToString() + second.SerializeToString()

    request = read_data_request(data)

    assert (request.endpoint, request.request_id) == ("/search", "r" * 32)
    assert scan(request.bodies[0].data).ids == ["d0", "d1", "e0"]
    third.data.docs_bytes = DOCS
    assert read_data_request(data + third.SerializeToString()).bodies[0].data == DOCS


def test_fields_of_later_versions_are_passed_over() -> None:
    later = b"\x78\x01" + b"\x81\x01" + bytes(8) + b"\x8a\x01\x02ab" + b"\x95\x01" + bytes(4)

    assert read_data_request(later + a_message().SerializeToString() + later).endpoint == "/index"


@given(
    texts,
    parameters,
    st.lists(
        st.builds(RouteStep, pod=texts, start=st.floats(0, 2e9), end=st.floats(0, 2e9)), max_size=3
    ),
)
def test_protobuf_reads_what_we_write(
    request_id: str, given_parameters: dict[str, Any], routes: list[RouteStep]
) -> None:
    request = Request(endpoint="/index", request_id=request_id, bodies=(Body(Format.PROTO, DOCS),))
    response = Response(body=request.bodies[0], parameters=given_parameters, routes=tuple(routes))

    data = write_data_response(request, response)

    message = DataRequest.FromString(data)
    assert message.header.request_id == request_id
    assert message.header.exec_endpoint == "/index"
    assert message.header.HasField("target_executor")
    assert message.header.status.code == 0
    assert message.data.docs.SerializeToString(deterministic=True) == type(
        message.data.docs
    ).FromString(DOCS).SerializeToString(deterministic=True)
    assert [route.executor for route in message.routes] == [step.pod for step in routes]
    back = read_data_response(data)
    assert back.parameters == given_parameters
    for step, read_step in zip(routes, back.routes, strict=True):
        assert read_step.start == pytest.approx(step.start, abs=1e-6)


def test_a_request_as_our_client_writes_it_is_read_back() -> None:
    request = Request(
        endpoint="/search",
        request_id="r1",
        target="index",
        parameters={"top_k": 3},
        bodies=(Body(Format.PROTO, DOCS),),
        wanted=Format.PROTO,
    )

    assert read_data_request(write_data_request(request)) == request


def test_a_failure_is_told_as_jina_tells_it_with_the_documents_of_the_request() -> None:
    status = Status(
        code=StatusCode.EXECUTOR,
        description="ValueError('boom!')",
        exception="ValueError",
        arguments=("boom!",),
        stacks=("Traceback", "  line"),
        executor="MyExecutor",
    )
    request = Request(endpoint="/x", bodies=(Body(Format.PROTO, DOCS),))

    data = write_data_response(request, Response(status=status))

    message = DataRequest.FromString(data)
    assert message.header.status.code == 1
    assert message.header.status.description == "ValueError('boom!')"
    assert message.header.status.exception.name == "ValueError"
    assert list(message.header.status.exception.args) == ["boom!"]
    assert list(message.header.status.exception.stacks) == ["Traceback", "  line"]
    assert message.header.status.exception.executor == "MyExecutor"
    assert len(message.data.docs.docs) == 2
    assert read_data_response(data).status == status


@pytest.mark.parametrize("code", [code for code in StatusCode if code is not StatusCode.OK])
def test_every_code_of_ours_survives_where_nothing_was_raised(code: StatusCode) -> None:
    status = Status(code=code, description="why")

    written = write_status(status)

    assert read_status(written) == status
    assert message_class("jina.StatusProto").FromString(written).jina_status == status.code.value


def test_all_is_well_takes_no_bytes() -> None:
    assert write_status(OK) == b""
    assert read_status(b"") is OK


def test_documents_in_another_format_are_not_passed_off_as_jinas() -> None:
    request = Request(endpoint="/x")

    with pytest.raises(ValueError, match="documents are COLUMNS, which Jina does not read"):
        write_data_response(request, Response(body=Body(Format.COLUMNS, b"x")))


def test_parameters_that_protobuf_has_no_value_for_are_written_as_text() -> None:
    odd = {"a": object, "b": 10**400, "c": {1: "\ud800"}, "d": (1, 2)}

    back = read_data_response(
        write_data_response(Request(endpoint="/x"), Response(parameters=odd))
    ).parameters

    assert back["a"] == "<class 'object'>"
    assert back["b"] == "1" + "0" * 400
    assert back["c"] == {"1": "?"}
    assert back["d"] == [1, 2]


@settings(max_examples=500)
@given(st.binary(max_size=80))
def test_any_bytes_are_refused_or_read_but_never_crash(data: bytes) -> None:
    try:
        read_data_request(data)
        read_data_response(data)
    except BadMessage:
        return
    DataRequest.FromString(data) if not _has_bad_documents(data) else None


def _has_bad_documents(data: bytes) -> bool:
    """Return whether protobuf refuses a message that we take: we do not look at documents."""
    try:
        DataRequest.FromString(data)
    except Exception:
        return True
    return False


@settings(max_examples=300)
@given(st.data())
def test_damaged_requests_are_refused_or_read_but_never_crash(data: st.DataObject) -> None:
    message = a_message()
    message.parameters.update({"a": [1, {"b": "c"}]})
    raw = bytearray(message.SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))

    for damaged in (bytes(raw), bytes(raw[: data.draw(st.integers(0, len(raw)))])):
        try:
            read_data_request(damaged)
        except BadMessage:
            pass


@pytest.mark.parametrize(
    "data", [b"\x22", b"\x22\x05a", b"\x0a\xff", b"\xff" * 20, b"\x0b", b"\x00\x00", b"\x0d\x01"]
)
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(BadMessage, match="is no DataRequestProto"):
        read_data_request(data)


def test_parameters_nested_too_deep_are_refused() -> None:
    deep = b""
    for _ in range(200):
        value = b"\x2a" + _sized(b"\x0a" + _sized(b"\x0a\x01a\x12" + _sized(deep)))
        deep = value
    data = b"\x12" + _sized(b"\x0a" + _sized(b"\x0a\x01a\x12" + _sized(deep)))

    with pytest.raises(BadMessage):
        read_data_request(data)


def _sized(data: bytes) -> bytes:
    size = len(data)
    return (bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])) + data


def test_all_services_of_jina_are_described() -> None:
    names = list(pool().FindFileByName("jina.proto").services_by_name)
    assert len(names) == 11
    assert names[0] == "JinaRPC"
    call = pool().FindServiceByName("jina.JinaRPC").methods_by_name["Call"]
    assert call.input_type.full_name == "jina.DataRequestProto"


def test_an_unknown_message_has_no_class() -> None:
    with pytest.raises(KeyError):
        message_class("jina.Nothing")


def test_parameters_that_are_too_deep_are_refused_without_a_copy_for_each_level() -> None:
    message = deep_parameters(100_000)
    tracemalloc.start()

    with pytest.raises(BadMessage, match="nested too deep"):
        read_data_request(message)

    assert tracemalloc.get_traced_memory()[1] < 2 * len(message)
    tracemalloc.stop()
