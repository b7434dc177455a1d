"""Requests off a connection's bytes: those whose head came before are what they were then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.serve.http_message import HttpRequest
from jina_cli.serve.http_parser import HttpParser
from jina_cli.wire.budget import Budget
from jina_cli.wire.messages import STATUSES, StatusCode

HEAD = b"POST /search?a=b%%20c HTTP/1.1\r\nHost: here\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: %d"

CHUNKED = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"


def a_request(body: bytes, head: bytes = HEAD) -> bytes:
    return head % len(body) + b"\r\n\r\n" + body


def a_parser(room: int = 10_000) -> HttpParser:
    return HttpParser(max_body_bytes=1000, budget=Budget(room))


def read(parser: HttpParser, data: bytes) -> list[HttpRequest]:
    """Feed all of it, as a connection does, and take out the requests."""
    found, place = [], 0
    while place < len(data) and not parser.is_over:
        place = parser.feed(data, place)
        while parser.requests:
            found.append(parser.requests.popleft())
    return found


def told(request: HttpRequest) -> tuple[object, ...]:
    body = bytes(request.body)
    held = request.share.held if request.share is not None else 0
    refusal = request.refusal.status if request.refusal is not None else 0
    return request.method, request.path, request.query, request.headers, body, held, refusal


def test_a_request_whose_head_came_before_is_read_like_the_first() -> None:
    parser = a_parser()

    first, second = read(parser, a_request(b"one")) + read(parser, a_request(b"two"))

    assert told(second) == (*told(first)[:4], b"two", 3, 0)
    assert second.headers[b"x-two"] == b"1, 2"
    assert second.keeps_alive


def test_a_head_whose_body_is_another_is_another_head() -> None:
    parser = a_parser()
    read(parser, a_request(b"one"))

    (longer,) = read(parser, a_request(b"eleven"))

    assert longer.body == b"eleven"


def test_a_known_head_and_half_a_body_wait_for_the_rest() -> None:
    parser = a_parser()
    read(parser, a_request(b"one"))
    whole = a_request(b"two")

    assert read(parser, whole[:-1]) == []
    assert parser.in_body
    (request,) = read(parser, whole[-1:])

    assert bytes(request.body) == b"two"


def test_requests_behind_each_other_are_all_read_after_one_is_known() -> None:
    parser = a_parser()

    bodies = [bytes(r.body) for r in read(parser, a_request(b"a") * 3 + a_request(b"bc"))]

    assert bodies == [b"a", b"a", b"a", b"bc"]


def test_a_known_request_for_which_there_is_no_room_is_refused() -> None:
    parser = a_parser(room=5)
    (first,) = read(parser, a_request(b"one"))
    assert first.refusal is None

    (second,) = read(parser, a_request(b"two"))

    assert second.refusal is not None
    assert second.refusal.status == STATUSES[StatusCode.OVERLOADED][1]
    assert parser.is_over


def test_after_a_last_request_nothing_is_read_though_its_head_is_known() -> None:
    parser = a_parser()
    read(parser, a_request(b"one"))
    last = b"POST / HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

    found = read(parser, last + a_request(b"two"))

    assert [request.keeps_alive for request in found] == [False]


@pytest.mark.parametrize("header", [b"Connection: close", b"Expect: 100-continue"])
def test_a_head_that_says_more_than_its_request_is_read_each_time(header: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: here\r\n" + header + b"\r\nContent-Length: %d"

    for _ in range(2):
        (request,) = read(a_parser(), a_request(b"x", head))
        assert bytes(request.body) == b"x"


@given(
    st.lists(
        st.sampled_from(
            [
                a_request(b"one"),
                a_request(b"two"),
                a_request(b""),
                b"GET /status HTTP/1.1\r\nHost: here\r\n\r\n",
                CHUNKED,
            ]
        ),
        max_size=8,
    ),
    st.integers(1, 300),
)
def test_however_requests_are_cut_they_are_those_that_new_connections_read(
    sent: list[bytes], size: int
) -> None:
    data = b"".join(sent)
    parser = a_parser()
    pieces = [data[place : place + size] for place in range(0, len(data), size)]

    found = [told(request) for piece in pieces for request in read(parser, piece)]

    assert found == [told(read(a_parser(), one)[0]) for one in sent]


def test_nothing_of_a_client_that_varies_its_heads_grows_without_end() -> None:
    parser = a_parser()
    for number in range(100):
        read(
            parser, a_request(b"", b"POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: %%d" % number)
        )

    assert len(parser._heads._known) <= 16
