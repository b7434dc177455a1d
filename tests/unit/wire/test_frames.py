"""Frames, whatever the pieces in which they arrive."""

from __future__ import annotations

import random
import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.wire.frames import (
    ALIGNMENT,
    COALESCE_BYTES,
    HEADER,
    BadFrame,
    Frame,
    FrameReader,
    Kind,
    Oversized,
    build,
)

LIMIT = 8 * 1024 * 1024
SIZES = (0, 1, 63, 64, 65, 5000, 40_000, 65_535, 70_000, 300_000)


def a_frame(size: int, *, id: int = 1, head: bytes = b"{}") -> bytes:
    data = random.Random(size).randbytes(size)
    return b"".join(build(Kind.REQUEST, id, head=head, bodies=[data], format=1))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(SIZES), min_size=1, max_size=8),
    st.lists(st.sampled_from([1, 7, 15, 16, 17, 100, 4096, 65_536, 1 << 20]), min_size=1),
)
def test_frames_are_the_same_in_whatever_pieces_they_arrive(
    sizes: list[int], pieces: list[int]
) -> None:
    stream = b"".join(a_frame(size, id=number) for number, size in enumerate(sizes))
    if len(stream) > 100_000:
        pieces = [max(piece, 4096) for piece in pieces]
    reader = FrameReader(LIMIT)

    frames: list[Frame | Oversized] = []
    place = number = 0
    while place < len(stream):
        piece = pieces[number % len(pieces)]
        frames += reader.feed(stream[place : place + piece])
        place += piece
        number += 1

    assert [frame.id for frame in frames] == list(range(len(sizes)))
    for frame, size in zip(frames, sizes, strict=True):
        assert isinstance(frame, Frame)
        assert bytes(frame.payload) == random.Random(size).randbytes(size)
        assert frame.head.strip() == b"{}"  # type: ignore[union-attr]


@pytest.mark.parametrize("head", [b"{}", b'{"a":1}', b"x" * 100])
def test_a_body_begins_on_a_multiple_of_64_bytes(head: bytes) -> None:
    data = a_frame(100, head=head)

    assert (len(data) - 100) % ALIGNMENT == 0
    assert data.endswith(random.Random(100).randbytes(100))


def test_several_bodies_begin_on_multiples_of_64_bytes() -> None:
    frame = b"".join(build(Kind.REQUEST, 1, head=b"{}", bodies=[b"a" * 3, b"b" * 70, b"c"]))

    assert [frame.index(letter) % ALIGNMENT for letter in (b"aaa", b"bbb", b"c")] == [0, 0, 0]


def test_small_frames_are_one_piece_and_large_ones_are_not_copied() -> None:
    large = bytes(COALESCE_BYTES)

    assert len(build(Kind.REQUEST, 1, bodies=[b"abc"])) == 1
    assert any(part is large for part in build(Kind.REQUEST, 1, bodies=[large]))


def test_a_large_payload_is_a_view_of_what_was_received() -> None:
    (frame,) = FrameReader(LIMIT).feed(a_frame(300_000))

    assert isinstance(frame, Frame)
    assert isinstance(frame.payload, memoryview)
    assert frame.payload.readonly


def test_what_follows_a_large_frame_is_read_on() -> None:
    reader = FrameReader(LIMIT)

    frames = reader.feed(a_frame(200_000, id=1) + a_frame(10, id=2) + a_frame(5_000_000, id=3))

    assert [frame.id for frame in frames] == [1, 2, 3]


def test_a_frame_over_the_limit_is_told_once_and_thrown_away() -> None:
    reader = FrameReader(1000)
    stream = a_frame(10, id=1) + a_frame(500_000, id=2) + a_frame(10, id=3)

    frames: list[Frame | Oversized] = []
    for start in range(0, len(stream), 999):
        frames += reader.feed(stream[start : start + 999])

    assert [frame.id for frame in frames] == [1, 2, 3]
    assert isinstance(frames[1], Oversized)
    assert frames[1].size == len(a_frame(500_000))


@pytest.mark.parametrize("claimed", [3 * 2**20, 2**32 - 100])
def test_a_length_that_is_only_claimed_takes_no_memory(claimed: int) -> None:
    reader = FrameReader(2**32)
    tracemalloc.start()
    reader.feed(HEADER.pack(claimed, 1, Kind.REQUEST, 1, 1, 0, 2))

    assert reader.feed(b"{}") == []

    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_large_frame_that_comes_in_pieces_after_small_ones_is_whole() -> None:
    data = a_frame(40_000, id=1) + a_frame(70_000, id=2) + a_frame(40_000, id=3)
    reader = FrameReader(2**20)
    frames = [
        frame
        for start in range(0, len(data), 777)
        for frame in reader.feed(data[start : start + 777])
    ]

    assert [frame.id for frame in frames] == [1, 2, 3]
    assert [len(frame.payload) for frame in frames] == [40_000, 70_000, 40_000]


@pytest.mark.parametrize(
    "data",
    [
        bytes(16),
        b"GET / HTTP/1.1\r\n\r\n",
        HEADER.pack(12, 1, 99, 0, 0, 0, 0),
        HEADER.pack(11, 1, Kind.PING, 0, 0, 0, 0),
        HEADER.pack(12, 1, Kind.PING, 0, 0, 0, 1),
        HEADER.pack(20, 1, Kind.PING, 0, 0, 0, 2**32 - 1),
    ],
)
def test_what_is_no_frame_of_ours_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrame, match="this is not our protocol"):
        FrameReader(LIMIT).feed(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_waited_for_but_never_crash(data: bytes) -> None:
    reader = FrameReader(1000)
    try:
        reader.feed(data)
        assert len(reader.get_buffer()) > 0
    except BadFrame:
        pass


def test_a_message_that_no_frame_can_hold_is_refused() -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 2**32

    with pytest.raises(BadFrame, match="does not fit into one frame"):
        build(Kind.REQUEST, 1, bodies=[Huge()])


def test_a_reader_always_has_room() -> None:
    reader = FrameReader(LIMIT)
    data = a_frame(3000) * 50
    rng = random.Random(0)
    place = 0
    while place < len(data):
        room = reader.get_buffer()
        count = min(len(room), len(data) - place, rng.randrange(1, 5000))
        room[:count] = data[place : place + count]
        reader.received(count)
        place += count
        assert len(reader.get_buffer()) > 0


def test_the_layout_is_what_it_says() -> None:
    (data,) = build(Kind.CANCEL, 7)

    assert data == struct.pack("<IIBBBBI", 12, 7, 4, 0, 0, 0, 0)


class Room:
    """Admits frames up to a bound, and remembers which were asked about."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.asked: list[int] = []

    def __call__(self, size: int) -> bool:
        self.asked.append(size)
        if size > self.left:
            return False
        self.left -= size
        return True


def test_room_is_taken_for_a_large_frame_before_its_bytes_come() -> None:
    whole = b"".join(build(Kind.REQUEST, 7, bodies=[bytes(200_000)]))
    room = Room(250_000)
    reader = FrameReader(1 << 20, room)

    first = reader.feed(whole[:100])
    held = reader.held
    (frame,) = reader.feed(whole[100:])

    assert (first, held, reader.held) == ([], len(whole), 0)
    assert isinstance(frame, Frame)
    assert frame.held == len(whole)


def test_a_large_frame_without_room_is_thrown_away_and_the_next_is_read() -> None:
    large = b"".join(build(Kind.REQUEST, 7, bodies=[bytes(200_000)]))
    small = b"".join(build(Kind.REQUEST, 8, bodies=[b"x"]))
    room = Room(100_000)

    refused, taken = FrameReader(1 << 20, room).feed(large + small)

    assert refused == Oversized(Kind.REQUEST, 7, len(large), has_no_room=True)
    assert (taken.id, room.asked) == (8, [len(large)])


def test_a_frame_over_the_limit_asks_for_no_room() -> None:
    room = Room(1 << 30)
    large = b"".join(build(Kind.REQUEST, 7, bodies=[bytes(200_000)]))

    (refused,) = FrameReader(100_000, room).feed(large)

    assert refused == Oversized(Kind.REQUEST, 7, len(large))
    assert room.asked == []
