"""Messages, headers and endings of calls."""

from __future__ import annotations

import zlib

import pytest
from hpack import Decoder
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.serve import grpc_framing as framing
from jina_cli.serve.grpc_framing import (
    Abort,
    CallHead,
    Message,
    MessageReader,
    Packed,
    TooLong,
    interpret,
    percent_encoded,
    read_timeout,
    unpacked,
)
from jina_cli.serve.http2.blocks import Fields

LIMIT = 1000
ASKED: Fields = [
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", b"/jina.JinaRPC/Call"),
    (b"content-type", b"application/grpc"),
]


def a_message(data: bytes, packed: int = 0) -> bytes:
    return b"%c%b%b" % (packed, len(data).to_bytes(4, "big"), data)


def read_all(body: bytes, size: int) -> list[Message]:
    reader = MessageReader(LIMIT)
    found: list[Message] = []
    for place in range(0, len(body), size):
        found += reader.feed(body[place : place + size])
    assert not reader.is_midway
    return found


@given(st.lists(st.binary(max_size=LIMIT), max_size=5), st.integers(1, 50))
def test_messages_are_whole_however_the_body_is_cut(messages: list[bytes], size: int) -> None:
    assert read_all(b"".join(map(a_message, messages)), size) == messages


@given(st.integers(1, 500))
def test_a_message_that_is_too_long_is_passed_over_and_the_next_is_read(size: int) -> None:
    body = a_message(b"x" * (LIMIT + 1)) + a_message(b"next")

    assert read_all(body, size) == [TooLong(LIMIT + 1), b"next"]


def test_a_compressed_message_is_told_apart() -> None:
    assert read_all(a_message(b"zip", packed=1), 2) == [Packed(bytearray(b"zip"))]


def test_a_body_that_ends_within_a_message_is_midway() -> None:
    reader = MessageReader(LIMIT)
    for part, expected in ((b"\0", True), (b"\0\0\0\2", True), (b"a", True), (b"b", False)):
        reader.feed(part)
        assert reader.is_midway is expected


def test_a_prefix_that_is_none_ends_the_call() -> None:
    with pytest.raises(Abort, match="no gRPC message"):
        MessageReader(LIMIT).feed(b"\x02\0\0\0\0")


@settings(max_examples=200)
@given(st.binary(max_size=60), st.integers(1, 9))
def test_any_body_is_messages_or_the_end_of_the_call(body: bytes, size: int) -> None:
    reader = MessageReader(LIMIT)
    try:
        for place in range(0, len(body), size):
            reader.feed(body[place : place + size])
    except Abort:
        return


@pytest.mark.parametrize(("encoding", "wbits"), [(b"gzip", 31), (b"deflate", 15)])
def test_compressed_messages_are_read_and_written(encoding: bytes, wbits: int) -> None:
    packer = zlib.compressobj(wbits=wbits)
    data = packer.compress(b"text" * 100) + packer.flush()

    assert unpacked(Packed(data), encoding, LIMIT) == b"text" * 100
    written = framing.compressed((b"te", memoryview(b"xt")), encoding)
    assert zlib.decompress(written, wbits) == b"text"


def test_a_message_that_grows_over_the_limit_is_too_long() -> None:
    bomb = zlib.compress(bytes(10 * 2**20))

    assert unpacked(Packed(bomb), b"deflate", LIMIT) == TooLong(LIMIT + 1)


@pytest.mark.parametrize(
    ("data", "encoding", "number"),
    [
        (b"no zip", b"gzip", framing.INTERNAL),
        (zlib.compress(b"x" * 50)[:-4], b"deflate", framing.INTERNAL),
        (b"x", b"identity", framing.INTERNAL),
        (b"x", b"zstd", framing.UNIMPLEMENTED),
    ],
)
def test_a_message_that_cannot_be_unpacked_ends_the_call(
    data: bytes, encoding: bytes, number: int
) -> None:
    with pytest.raises(Abort) as caught:
        unpacked(Packed(data), encoding, LIMIT)

    assert caught.value.number == number


def test_a_call_is_read_off_its_headers() -> None:
    more = [
        (b"grpc-timeout", b"1500m"),
        (b"grpc-encoding", b"gzip"),
        (b"grpc-accept-encoding", b"identity, deflate,gzip"),
        (b"traceparent", b"00-1-2-3"),
        (b"x-bin", b"AAE"),
    ]

    assert interpret([*ASKED, *more]) == CallHead(
        path="/jina.JinaRPC/Call",
        timeout_s=1.5,
        encoding=b"gzip",
        accepts=(b"deflate", b"gzip"),
        metadata={"traceparent": "00-1-2-3"},
    )


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (ASKED[1:], b"400"),
        ([*ASKED, (b":path", b"/b")], b"400"),
        ([ASKED[3], *ASKED[:3]], b"400"),
        ([*ASKED, (b"Upper", b"x")], b"400"),
        ([*ASKED, (b"connection", b"close")], b"400"),
        ([(b":method", b"GET"), *ASKED[1:]], b"405"),
        (ASKED[:3], b"415"),
        ([*ASKED, (b"a", b"v" * 33_000)], b"200"),
        ([*ASKED, (b"grpc-timeout", b"soon")], b"200"),
    ],
)
def test_what_is_no_call_is_refused(fields: Fields, status: bytes) -> None:
    refusal = interpret(fields).refusal

    assert refusal is not None
    told = dict(Decoder().decode(refusal, raw=True))
    assert told[b":status"] == status
    assert (b"grpc-status" in told) is (status == b"200")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(b"2H", 7200), (b"3M", 180), (b"4S", 4), (b"5m", 0.005), (b"6u", 6e-6), (b"7n", 7e-9)],
)
def test_a_timeout_has_a_unit(text: bytes, seconds: float) -> None:
    assert read_timeout(text) == pytest.approx(seconds)


def test_a_timeout_of_centuries_is_one_of_days() -> None:
    assert read_timeout(b"99999999H") == framing.MAX_TIMEOUT_S


@pytest.mark.parametrize("text", [b"", b"S", b"5", b"-5S", b"123456789S", b"5s", b"\xb2S"])
def test_what_is_no_timeout_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="no timeout"):
        read_timeout(text)


def test_a_message_for_people_is_percent_encoded() -> None:
    assert percent_encoded("plain text!") == b"plain text!"
    assert percent_encoded("100% süß\n") == b"100%25 s%C3%BC%C3%9F%0A"


def test_an_end_has_its_status_its_text_and_its_metadata() -> None:
    abort = Abort(8, "näher", [("retry-after", "1"), ("some-bin", "ab")])

    assert list(Decoder().decode(abort.trailers())) == [
        ("grpc-status", "8"),
        ("grpc-message", "n%C3%A4her"),
        ("retry-after", "1"),
        ("some-bin", "YWI"),
    ]
    assert list(Decoder().decode(abort.alone()))[:2] == [
        (":status", "200"),
        ("content-type", "application/grpc"),
    ]
