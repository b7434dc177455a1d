"""Our half of an HTTP/2 connection; the `h2` library is the other half, and the judge."""

from __future__ import annotations

import pytest
from h2.events import (
    DataReceived,
    PingAckReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.settings import SettingCodes
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.serve.http2 import frames
from jina_cli.serve.http2.blocks import write_block
from jina_cli.serve.http2.connection import Limits
from jina_cli.serve.http2.frames import Code
from tests.testing.http2 import ASKED, Heard, Peer, body_of

HEAD = write_block([(b"content-type", b"application/grpc")], status=200)
TRAILERS = write_block([(b"grpc-status", b"0")])
GREETING = frames.PREFACE + frames.settings({})


def code_of(peer: Peer) -> Code | None:
    """Return why ours ended the connection, if it did."""
    place = peer.raw.rfind(b"\x07\x00\x00\x00\x00\x00")
    return Code(int.from_bytes(peer.raw[place + 10 : place + 14], "big")) if place >= 0 else None


@settings(max_examples=50)
@given(
    st.lists(st.binary(max_size=40_000), min_size=1, max_size=4),
    st.sampled_from([1, 7, 9, 16384, None]),
)
def test_bodies_arrive_whole_and_go_back_whole_however_they_are_cut(
    bodies: list[bytes], chunk: int | None
) -> None:
    bodies = [body[:300] if chunk in (1, 7, 9) else body for body in bodies]
    peer = Peer(chunk=chunk)
    ids = []
    for body in bodies:
        id = peer.theirs.get_next_available_stream_id()
        peer.theirs.send_headers(id, ASKED)
        for place in range(0, len(body), 16_384):
            peer.theirs.send_data(id, body[place : place + 16_384])
            peer.exchange()
        peer.theirs.end_stream(id)
        peer.exchange()
        ids.append(id)

    assert [bytes(heard.data) for heard in peer.heard] == bodies
    for heard in peer.heard:
        heard.stream.answer(HEAD, (bytes(heard.data),), TRAILERS)
    drain(peer)
    for id, body in zip(ids, bodies, strict=True):
        parts = [event.data for event in peer.of(DataReceived) if event.stream_id == id]
        assert b"".join(parts) == body
    assert [event.stream_id for event in peer.of(StreamEnded)] == ids
    assert not peer.ours.streams


def drain(peer: Peer) -> None:
    """Let the client read all, giving room as it does."""
    given_back = 0
    while True:
        peer.exchange()
        read = sum(event.flow_controlled_length for event in peer.of(DataReceived))
        if read == given_back:
            return
        for event in peer.of(DataReceived):
            event_size, event.flow_controlled_length = event.flow_controlled_length, 0
            if event_size:
                peer.theirs.acknowledge_received_data(event_size, event.stream_id)


def test_a_response_has_headers_body_and_trailers() -> None:
    peer = Peer()
    peer.ask(b"question")

    peer.heard[0].stream.answer(HEAD, (b"an", b"swer"), TRAILERS)
    peer.exchange()

    assert (":path", "/a/b") in [(n.decode(), v.decode()) for n, v in peer.heard[0].fields]
    assert peer.of(ResponseReceived)[0].headers == [
        (":status", "200"),
        ("content-type", "application/grpc"),
    ]
    assert body_of(peer) == b"answer"
    assert peer.of(TrailersReceived)[0].headers == [("grpc-status", "0")]


def test_an_answered_stream_lets_go_of_its_call() -> None:
    peer = Peer()
    peer.ask(b"question")
    heard = peer.heard[0]

    heard.stream.answer(HEAD, (b"answer",), TRAILERS)

    # Else each would hold the other until the garbage collector comes.
    assert heard.stream.receiver is None


def test_what_the_client_gives_no_room_for_waits_and_then_goes() -> None:
    peer = Peer()
    peer.theirs.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 10})
    peer.ask(b"q")
    heard = peer.heard[0]

    heard.stream.send_head(HEAD)
    heard.stream.send((b"x" * 25,))
    peer.exchange()
    assert (body_of(peer), heard.stream.pending, peer.ours.pending) == (b"x" * 10, 15, 15)

    peer.theirs.increment_flow_control_window(15, heard.stream.id)
    peer.exchange()
    assert (body_of(peer), heard.stream.pending, peer.ours.pending) == (b"x" * 25, 0, 0)
    assert heard.was_writable == 1
    heard.stream.finish(TRAILERS)
    peer.exchange()
    assert peer.of(StreamEnded)


def test_a_window_of_one_byte_that_opens_byte_by_byte_is_served() -> None:
    peer = Peer()
    peer.theirs.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    peer.ask(b"q")
    stream = peer.heard[0].stream

    stream.answer(HEAD, (b"abc",), TRAILERS)
    for _ in range(3):
        peer.exchange()
        peer.theirs.increment_flow_control_window(1, stream.id)
    peer.exchange()

    assert body_of(peer) == b"abc"
    assert peer.of(StreamEnded)


def test_a_window_made_smaller_by_the_settings_may_be_below_zero() -> None:
    peer = Peer()
    peer.ask(b"q")
    stream = peer.heard[0].stream
    stream.send_head(HEAD)
    stream.send((b"x" * 1000,))
    peer.exchange()

    peer.theirs.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 500})
    peer.exchange()
    stream.send((b"y" * 10,))
    peer.exchange()

    assert body_of(peer) == b"x" * 1000
    assert stream.pending == 10


def test_streams_that_wait_for_the_same_window_take_turns() -> None:
    peer = Peer()
    first, second = peer.ask(b"1"), peer.ask(b"2")
    peer.theirs.increment_flow_control_window(2**20, first)
    peer.theirs.increment_flow_control_window(2**20, second)
    peer.exchange()
    for heard in peer.heard:
        heard.stream.send_head(HEAD)
        heard.stream.send((b"x" * 500_000,))

    peer.exchange()
    peer.theirs.increment_flow_control_window(200_000)
    peer.exchange()

    sizes = dict.fromkeys((first, second), 0)
    for event in peer.of(DataReceived):
        sizes[event.stream_id] += len(event.data)
    assert sum(sizes.values()) == 65_535 + 200_000
    assert min(sizes.values()) > 65_536


def test_a_client_may_not_send_more_than_its_window() -> None:
    peer = Peer(Limits(window=100), consumes=False)
    peer.exchange()
    block = peer.theirs.encoder.encode(ASKED)

    out = peer.give(frames.frame(frames.HEADERS, frames.END_HEADERS, 1, block))
    out += peer.give(frames.frame(frames.DATA, 0, 1, b"x" * 101))

    assert frames.rst_stream(1, Code.FLOW_CONTROL_ERROR) in out
    assert peer.heard[0].is_lost
    assert not peer.ours.is_over


def test_what_nobody_takes_in_is_not_sent_on() -> None:
    peer = Peer(Limits(window=1000), consumes=False)
    peer.exchange()
    id = peer.theirs.get_next_available_stream_id()
    peer.theirs.send_headers(id, ASKED)
    peer.theirs.send_data(id, b"x" * 1000)
    peer.exchange()
    assert peer.theirs.local_flow_control_window(id) == 0

    peer.heard[0].stream.consume(1000)
    peer.exchange()

    assert peer.theirs.local_flow_control_window(id) == 1000


def test_a_wider_window_lets_the_client_be_further_ahead() -> None:
    peer = Peer(Limits(window=1000), consumes=False)
    peer.exchange()
    id = peer.theirs.get_next_available_stream_id()
    peer.theirs.send_headers(id, ASKED)
    peer.theirs.send_data(id, b"x" * 1000)
    peer.exchange()

    peer.heard[0].stream.widen(50_000)
    peer.exchange()

    assert peer.theirs.local_flow_control_window(id) == 49_000


def test_a_client_that_cancels_takes_its_stream_away() -> None:
    peer = Peer()
    id = peer.theirs.get_next_available_stream_id()
    peer.theirs.send_headers(id, ASKED)
    peer.exchange()

    peer.theirs.reset_stream(id)
    peer.exchange()

    assert peer.heard[0].is_lost
    assert not peer.ours.streams
    peer.heard[0].stream.answer(HEAD, (b"late",), TRAILERS)
    peer.exchange()
    assert not peer.of(ResponseReceived)


def test_an_early_answer_ends_the_clients_half_too() -> None:
    peer = Peer(accept=lambda heard: heard.stream.refuse(HEAD))
    id = peer.theirs.get_next_available_stream_id()
    peer.theirs.send_headers(id, ASKED)
    late = frames.frame(frames.DATA, 0, id, b"late")
    peer.exchange()

    assert peer.of(StreamReset)[0].error_code == Code.NO_ERROR
    assert peer.give(late) == b""
    assert not peer.ours.is_over


def test_headers_in_many_pieces_are_one_block() -> None:
    peer = Peer()
    fields = [*ASKED, ("x-long", "v" * 40_000)]

    peer.ask(b"q", fields)

    assert (b"x-long", b"v" * 40_000) in peer.heard[0].fields


def test_padding_is_no_part_of_the_body_and_its_room_is_given_back() -> None:
    peer = Peer(Limits(window=1000))
    peer.exchange()
    id = peer.theirs.get_next_available_stream_id()
    peer.theirs.send_headers(id, ASKED)
    for _ in range(20):
        peer.theirs.send_data(id, b"x" * 10, pad_length=200)
        peer.exchange()
    peer.theirs.end_stream(id)
    peer.exchange()

    assert bytes(peer.heard[0].data) == b"x" * 200


def test_a_ping_is_answered_and_so_is_ours() -> None:
    peer = Peer()
    peer.theirs.ping(b"12345678")
    peer.exchange()
    assert peer.of(PingAckReceived)

    peer.ours.ping()
    assert peer.ours.awaits_ping
    peer.exchange()
    assert not peer.ours.awaits_ping


def test_a_table_that_the_client_makes_smaller_is_acknowledged_in_the_next_headers() -> None:
    peer = Peer()
    peer.theirs.update_settings({SettingCodes.HEADER_TABLE_SIZE: 0})
    peer.ask(b"q")

    peer.heard[0].stream.answer(HEAD, (b"a",), TRAILERS)
    peer.exchange()

    assert peer.of(ResponseReceived)
    assert peer.of(TrailersReceived)


def test_a_connection_that_is_left_answers_what_it_has_and_ends() -> None:
    peer = Peer()
    peer.ask(b"q")

    peer.ours.leave()
    assert peer.taken() == frames.goaway(1, Code.NO_ERROR)
    assert not peer.ours.is_over
    peer.heard[0].stream.answer(HEAD, (b"a",), TRAILERS)

    assert peer.ours.is_over
    assert frames.frame(frames.DATA, 0, 1, b"a") in peer.taken()


def test_a_new_stream_after_the_last_is_refused() -> None:
    peer = Peer()
    peer.ask(b"q")
    peer.ours.leave()
    peer.taken()

    block = peer.theirs.encoder.encode(ASKED)
    out = peer.give(frames.frame(frames.HEADERS, frames.END_HEADERS | 1, 3, block))

    assert out == frames.rst_stream(3, Code.REFUSED_STREAM)
    assert len(peer.heard) == 1


def test_more_streams_than_may_be_are_refused_one_by_one() -> None:
    peer = Peer(Limits(streams=2))
    peer.exchange()
    block = write_block([(name.encode(), value.encode()) for name, value in ASKED])

    out = b"".join(
        peer.give(frames.frame(frames.HEADERS, frames.END_HEADERS, id, block)) for id in (1, 3, 5)
    )

    assert out == frames.rst_stream(5, Code.REFUSED_STREAM)
    assert len(peer.heard) == 2


def test_a_lost_connection_is_told_to_every_stream_once() -> None:
    peer = Peer()
    peer.ask(b"1")
    peer.ask(b"2")

    peer.ours.lost()
    peer.ours.lost()

    assert [heard.is_lost for heard in peer.heard] == [True, True]


HEADERS_1 = frames.frame(
    frames.HEADERS,
    frames.END_HEADERS,
    1,
    write_block([(name.encode(), value.encode()) for name, value in ASKED]),
)

WRONG: dict[str, tuple[bytes, Code | None]] = {
    "another protocol": (b"GET / HTTP/1.1\r\n", None),
    "a frame too long": (frames.frame_head(2**20, 0, 0, 1), Code.FRAME_SIZE_ERROR),
    "data on a stream that never was": (frames.frame(0, 0, 1, b"x"), Code.PROTOCOL_ERROR),
    "data on no stream": (frames.frame(0, 0, 0, b"x"), Code.PROTOCOL_ERROR),
    "a stream with an even number": (frames.frame(1, 4, 2, b""), Code.PROTOCOL_ERROR),
    "a push": (frames.frame(5, 4, 1, b"\0\0\0\2"), Code.PROTOCOL_ERROR),
    "a continuation of nothing": (frames.frame(9, 4, 1, b""), Code.PROTOCOL_ERROR),
    "something between headers and their continuation": (
        frames.frame(1, 0, 1, b"") + frames.ping(b"12345678", ack=False),
        Code.PROTOCOL_ERROR,
    ),
    "padding longer than its frame": (frames.frame(1, 12, 1, b"\xff\x82"), Code.PROTOCOL_ERROR),
    "padding without its length": (frames.frame(1, 12, 1, b""), Code.PROTOCOL_ERROR),
    "headers that are none": (frames.frame(1, 4, 1, b"\xff" * 20), Code.COMPRESSION_ERROR),
    "a table larger than allowed": (frames.frame(1, 4, 1, b"\x3f\xff\xff\x7f"), None),
    "half a ping": (frames.frame(6, 0, 0, b"1234"), Code.PROTOCOL_ERROR),
    "half a setting": (frames.frame(4, 0, 0, b"1234"), Code.PROTOCOL_ERROR),
    "settings on a stream": (frames.frame(4, 0, 1, b""), Code.PROTOCOL_ERROR),
    "a window over its maximum": (
        frames.window_update(0, 2**31 - 1),
        Code.FLOW_CONTROL_ERROR,
    ),
    "a first window over its maximum": (frames.settings({4: 2**31}), Code.FLOW_CONTROL_ERROR),
    "a frame size below the least": (frames.settings({5: 100}), Code.PROTOCOL_ERROR),
    "a window that opens by nothing": (frames.window_update(0, 0), Code.PROTOCOL_ERROR),
    "a reset of a stream that never was": (frames.rst_stream(7, Code.CANCEL), Code.PROTOCOL_ERROR),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_connection_ends_with_its_reason_at(what: str) -> None:
    data, code = WRONG[what]
    peer = Peer()

    peer.give((b"" if code is None and what == "another protocol" else GREETING) + data)

    assert peer.ours.is_over
    if code is not None:
        assert code_of(peer) is code


def floods() -> dict[str, bytes]:
    """Return a flood of each kind, long enough to be one."""
    many = 6000
    return {
        "pings": frames.ping(b"12345678", ack=False) * many,
        "settings": frames.settings({}) * many,
        "empty data": HEADERS_1 + frames.frame(0, 0, 1, b"") * many,
        "priorities": frames.frame(2, 0, 1, bytes(5)) * many,
        "kinds nobody knows": frames.frame(0x77, 0, 0, b"") * many,
        "continuations": frames.frame(1, 0, 1, b"") + frames.frame(9, 0, 1, b"") * many,
        "resets": b"".join(
            frames.frame(frames.HEADERS, frames.END_HEADERS, id, HEADERS_1[9:])
            + frames.rst_stream(id, Code.CANCEL)
            for id in range(1, 2 * many, 2)
        ),
    }


@pytest.mark.parametrize("kind", floods())
def test_a_flood_is_stopped_of(kind: str) -> None:
    peer = Peer()

    peer.give(GREETING + floods()[kind])

    assert peer.ours.is_over
    assert code_of(peer) is Code.ENHANCE_YOUR_CALM
    assert not peer.ours.streams


def test_headers_that_grow_without_end_are_stopped() -> None:
    peer = Peer()
    long = frames.frame(9, 0, 1, b"\0" * 60_000)

    peer.give(GREETING + frames.frame(1, 0, 1, b"") + long * 2)

    assert code_of(peer) is Code.ENHANCE_YOUR_CALM


def test_a_small_block_that_means_large_headers_is_stopped() -> None:
    peer = Peer()
    # One header of 4,000 bytes goes into the table, and is then named by one byte each.
    block = b"\x40" + b"\x01a" + b"\x7f\xa1\x1e" + b"v" * 4000 + b"\xbe" * 500

    peer.give(GREETING + frames.frame(1, 4, 1, block))

    assert code_of(peer) is Code.ENHANCE_YOUR_CALM


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_end_the_connection_or_do_nothing(data: bytes, greets: bool) -> None:
    peer = Peer(accept=lambda heard: heard.stream.send_head(HEAD))

    peer.give((GREETING if greets else b"") + data)
    peer.ours.lost()


FRAMES = st.builds(
    frames.frame,
    st.integers(0, 11),
    st.integers(0, 255),
    st.sampled_from([0, 1, 1, 3, 5]),
    st.one_of(st.binary(max_size=20), st.just(HEADERS_1[9:])),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(FRAMES, max_size=12), st.integers(1, 50))
def test_any_frames_end_the_connection_or_are_served(parts: list[bytes], chunk: int) -> None:
    def answer(heard: Heard) -> None:
        heard.stream.send_head(HEAD)
        heard.stream.send((b"x" * 100,))

    peer = Peer(accept=answer)
    data = GREETING + b"".join(parts)

    for place in range(0, len(data), chunk):
        peer.give(data[place : place + chunk])
    for heard in peer.heard:
        heard.stream.finish(TRAILERS)
    peer.ours.lost()

    assert peer.ours.pending == 0
    assert all(not heard.stream.pending for heard in peer.heard)


def test_a_stream_that_ends_while_another_is_told_to_send_on_ends_once() -> None:
    peer = Peer()
    peer.theirs.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    peer.ask(b"1")
    peer.ask(b"2")
    first, second = peer.heard
    first.stream.send_head(HEAD)
    first.stream.send((b"x",))
    second.stream.answer(HEAD, (b"y",), TRAILERS)
    first.when_writable = lambda: first.stream.send((b"x" * 20_000,))

    peer.theirs.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 100_000})
    peer.exchange()

    assert [event.stream_id for event in peer.of(StreamEnded)] == [second.stream.id]
    assert len(body_of(peer)) == 20_002


def test_of_a_setting_that_is_repeated_the_last_one_counts() -> None:
    peer = Peer()
    peer.ask(b"q")
    name = SettingCodes.INITIAL_WINDOW_SIZE.value
    payload = b"".join(
        name.to_bytes(2, "big") + size.to_bytes(4, "big") for size in range(10_000, 0, -1)
    )

    peer.give(frames.frame(frames.SETTINGS, 0, 0, payload))
    peer.heard[0].stream.send((b"xy",))

    assert peer.heard[0].stream.pending == 1
