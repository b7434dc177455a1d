"""Requests, responses and hellos as frames."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.wire.frames import BadFrame, Frame, FrameReader, Kind, build
from jina_cli.wire.messages import (
    Body,
    EndpointInfo,
    Format,
    Hello,
    Request,
    Response,
    RouteStep,
    Status,
    StatusCode,
)
from jina_cli.wire.native import (
    VERSION,
    decode_hello,
    decode_request,
    decode_response,
    encode_hello,
    encode_request,
    encode_response,
    encode_signal,
)
from tests.testing.documents import json_values, texts

FORMATS = [each for each in Format if each is not Format.HELD]
bodies = st.builds(Body, st.sampled_from(FORMATS[1:]), st.binary(max_size=200))
names = st.dictionaries(texts, texts, max_size=2)
parameters = st.dictionaries(texts, json_values, max_size=3)
requests = st.builds(
    Request,
    endpoint=texts,
    bodies=st.lists(bodies, min_size=1, max_size=3).map(tuple),
    request_id=texts,
    target=texts,
    parameters=parameters,
    wanted=st.sampled_from(FORMATS),
    metadata=names,
)
statuses = st.builds(
    Status,
    code=st.sampled_from(StatusCode),
    description=texts,
    exception=texts,
    arguments=st.lists(texts, max_size=2).map(tuple),
    stacks=st.lists(texts, max_size=2).map(tuple),
    executor=texts,
    pod=texts,
)
steps = st.builds(RouteStep, pod=texts, start=st.floats(0, 2e9), end=st.floats(0, 2e9))
responses = st.builds(
    Response,
    request_id=texts,
    status=statuses,
    body=bodies,
    parameters=parameters,
    routes=st.lists(steps, max_size=3).map(tuple),
)


def through(parts: Any) -> Frame:
    (frame,) = FrameReader(1 << 20).feed(b"".join(parts))
    assert isinstance(frame, Frame)
    return frame


@given(requests)
def test_a_request_comes_back_as_it_was(request: Request) -> None:
    assert decode_request(through(encode_request(3, request))) == request


@given(responses)
def test_a_response_comes_back_as_it_was(response: Response) -> None:
    assert decode_response(through(encode_response(3, response))) == response


def test_an_id_goes_with_every_frame() -> None:
    assert through(encode_request(7, Request(endpoint="/x"))).id == 7
    assert through(encode_response(8, Response())).id == 8
    assert through(encode_signal(Kind.CANCEL, 9)).id == 9


def test_a_deadline_travels_as_the_time_that_is_left() -> None:
    frame = through(encode_request(1, Request(endpoint="/x", deadline=time.monotonic() + 60)))

    assert 59 < orjson.loads(frame.head)["d"] <= 60
    deadline = decode_request(frame).deadline
    assert deadline is not None
    assert deadline == pytest.approx(time.monotonic() + 60, abs=1)


def test_what_is_the_default_takes_no_room() -> None:
    assert orjson.loads(through(encode_request(1, Request(endpoint="/x"))).head) == {"e": "/x"}
    assert orjson.loads(through(encode_response(1, Response())).head) == {}


def test_a_hello_comes_back_as_it_was() -> None:
    info = EndpointInfo(input={"type": "object"}, parameters=None, is_generator=True)
    hello = Hello(pea="index/0", executor="Indexer", endpoints={"/index": info})

    assert decode_hello(through(encode_hello(hello))) == hello


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        (b'{"v":2}', f"the peer speaks version 2 of our protocol, not {VERSION}"),
        (b"{}", f"the peer speaks version None of our protocol, not {VERSION}"),
        (b'{"v":1,"pea":5}', "'pea' of the head is of type int"),
        (b'{"v":1,"endpoints":[]}', "'endpoints' of the head is of type list"),
        (b'{"v":1,"endpoints":{"/x":{"y":1}}}', "an endpoint is described wrongly"),
        (b'{"v":1,"endpoints":{"/x":3}}', "an endpoint is described wrongly"),
    ],
)
def test_a_hello_that_makes_no_sense_is_refused(head: bytes, problem: str) -> None:
    with pytest.raises(BadFrame) as caught:
        decode_hello(through(build(Kind.HELLO, 0, head=head)))

    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(
    "head",
    [
        b"{",
        b"[]",
        b'{"e":1}',
        b'{"r":[]}',
        b'{"p":[]}',
        b'{"d":"soon"}',
        b'{"m":{"a":1}}',
        b'{"b":3}',
        b'{"b":[]}',
        b'{"b":[3]}',
        b'{"b":[[1,-1]]}',
        b'{"b":[[1,1000]]}',
        b'{"b":[[99,1]]}',
        b'{"b":[["1",1]]}',
    ],
)
def test_a_request_with_such_a_head_is_refused(head: bytes) -> None:
    with pytest.raises(BadFrame):
        decode_request(through(build(Kind.REQUEST, 1, head=head, bodies=[b"abc"], format=1)))


@pytest.mark.parametrize(
    "head", [b"null", b'{"s":1}', b'{"s":{"code":1}}', b'{"o":[["a",1]]}', b'{"o":[["a","b",1]]}']
)
def test_a_response_with_such_a_head_is_refused(head: bytes) -> None:
    with pytest.raises(BadFrame):
        decode_response(through(build(Kind.RESPONSE, 1, head=head)))


def test_a_status_of_a_later_release_is_an_internal_error() -> None:
    frame = through(build(Kind.RESPONSE, 1, head=b'{"s":{"code":"NEW","description":"x"}}'))

    assert decode_response(frame).status == Status(code=StatusCode.INTERNAL, description="x")


def test_formats_that_are_none_are_refused() -> None:
    with pytest.raises(BadFrame, match="there is no format 9"):
        decode_request(through(build(Kind.REQUEST, 1, head=b"{}", format=9)))
    with pytest.raises(BadFrame, match="there is no format 8"):
        decode_request(through(build(Kind.REQUEST, 1, head=b"{}", wanted=8)))


def test_parameters_that_cannot_be_written_are_refused() -> None:
    with pytest.raises(BadFrame, match="parameters cannot be sent"):
        encode_request(1, Request(endpoint="/x", parameters={"a": object()}))


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_any_head_is_refused_or_read_but_never_crashes(head: bytes, body: bytes) -> None:
    for kind, decode in (
        (Kind.REQUEST, decode_request),
        (Kind.RESPONSE, decode_response),
        (Kind.HELLO, decode_hello),
    ):
        try:
            decode(through(build(kind, 1, head=head, bodies=[body], format=1)))
        except BadFrame:
            pass
