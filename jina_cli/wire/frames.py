"""Frames: how messages between our own processes are cut out of a stream of bytes. No I/O.

    length u32 | id u32 | kind u8 | format u8 | wanted u8 | flags u8 | length of head u32
    | head | body | body | …

All numbers are little-endian; `length` counts what follows it. An id belongs to one request of
one connection, and its answer carries it back. The head is JSON. Bodies begin on multiples of
64 bytes of the frame: spaces fill up the head, zeros the gaps between bodies, so that tensors
in them are aligned. `format` is the first body's. `flags` is 0, or `STREAMED`.
"""

from __future__ import annotations

import enum
import mmap
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from jina_cli.quick import quick
from jina_cli.wire.messages import Buffer

ALIGNMENT = 64
HEADER = struct.Struct("<IIBBBBI")
LENGTH_BYTES = 4
COALESCE_BYTES = 32 * 1024
"""Frames up to this are one piece of memory; larger ones are sent from where their bodies lie."""

STREAMED = 1
"""Flag of a REQUEST whose answer may come in PARTs."""

_HEADER_SIZE = HEADER.size
_HEAD_BYTES = HEADER.size - LENGTH_BYTES
_SPACES = b" " * ALIGNMENT
_pack = HEADER.pack
_unpack_from = HEADER.unpack_from

_RING_BYTES = 64 * 1024
_MAPPED_BYTES = 4 * 1024 * 1024


class Kind(enum.IntEnum):
    """What a frame is. The numbers are on the wire."""

    HELLO = 1
    REQUEST = 2
    RESPONSE = 3
    CANCEL = 4  # the asker no longer waits for the answer to this id
    GOAWAY = 5  # the sender starts no new request on this connection, and asks for none
    PING = 6
    PONG = 7
    PART = 8  # some documents of an answer that goes on; its RESPONSE ends it
    CREDIT = 9  # the asker takes so many more PARTs of the answer to this id


class BadFrame(ValueError):
    """What arrived is not one of our frames; the connection is of no more use."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it arrived.

    Attributes:
        head: JSON, or empty.
        payload: What follows the head: the bodies.
        held: Bytes of room that was taken for it before it was here; 0 for small frames.
    """

    kind: Kind
    id: int
    format: int
    wanted: int
    head: Buffer
    payload: Buffer
    flags: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class Oversized:
    """A frame that is not taken. Its bytes are thrown away as they come.

    Attributes:
        has_no_room: Whether it is no longer than it may be, but was not admitted now.
    """

    kind: Kind
    id: int
    size: int
    has_no_room: bool = False


_KINDS: Mapping[int, Kind] = {kind.value: kind for kind in Kind}
_frame = quick(Frame)


def build(
    kind: Kind,
    id: int,
    *,
    head: bytes = b"",
    bodies: Sequence[Buffer] = (),
    format: int = 0,
    wanted: int = 0,
    flags: int = 0,
) -> list[Buffer]:
    """Return a frame, in parts that are to be sent one after another.

    Raises:
        BadFrame: It would be longer than a frame can say, 4 GiB.
    """
    if len(bodies) == 1 and bodies[0]:
        return build_single(kind, id, head, bodies[0], format, wanted, flags)
    total = sum(map(len, bodies))
    if total:
        head += b" " * (-(HEADER.size + len(head)) % ALIGNMENT)
    gaps = [-len(body) % ALIGNMENT for body in bodies[:-1]]
    length = _HEAD_BYTES + len(head) + total + sum(gaps)
    if length >= 2**32:
        raise BadFrame(f"a message of {length} bytes does not fit into one frame")
    start = HEADER.pack(length, id, kind, format, wanted, flags, len(head)) + head
    if not total:
        return [start]
    parts: list[Buffer] = [start]
    for body, gap in zip(bodies, [*gaps, 0], strict=True):
        parts.append(body)
        if gap:
            parts.append(bytes(gap))
    return [b"".join(parts)] if length <= COALESCE_BYTES else parts


def build_single(
    kind: Kind, id: int, head: bytes, body: Buffer, format: int, wanted: int, flags: int
) -> list[Buffer]:
    """Return a frame with one body that is not empty, as `build` does: nearly all are such.

    Raises:
        BadFrame: It would be longer than a frame can say, 4 GiB.
    """
    head_size = len(head)
    padding = -(_HEADER_SIZE + head_size) % ALIGNMENT
    length = _HEAD_BYTES + head_size + padding + len(body)
    if length <= COALESCE_BYTES:
        start = _pack(length, id, kind, format, wanted, flags, head_size + padding)
        return [b"".join((start, head, _SPACES[:padding], body))]
    if length >= 2**32:
        raise BadFrame(f"a message of {length} bytes does not fit into one frame")
    start = _pack(length, id, kind, format, wanted, flags, head_size + padding)
    return [b"".join((start, head, _SPACES[:padding])), body]


class FrameReader:
    """Cut what a connection delivers into frames.

    The caller fills `get_buffer()` and tells `received(count)`, as asyncio's BufferedProtocol
    does. Small frames are read many at a time into one ring; a frame that does not fit is read
    straight into memory of its own, which its payload then is a view of. That is taken when the
    ring is full of it: a peer that claims a length and sends nothing costs no memory.

    Args:
        max_bytes: The longest frame to take. A longer one is reported once, as `Oversized`,
            and its bytes are thrown away, so that the connection lives on.
        admit: Says whether there is room for a frame of so many bytes that is too long for
            the ring, before they come; None admits all.

    Attributes:
        held: Bytes that were admitted for a frame which is not here yet.
    """

    def __init__(self, max_bytes: int, admit: Callable[[int], bool] | None = None) -> None:
        self._max_bytes = max_bytes
        self._admit = admit
        self.held = 0
        self._ring = memoryview(bytearray(_RING_BYTES))
        self._start = 0  # of what is not cut yet
        self._filled = 0
        self._coming = 0  # length of the frame in the ring that will not fit into it
        self._large: memoryview | None = None
        self._large_filled = 0
        self._skip = 0

    def get_buffer(self) -> memoryview:
        """Return where the next bytes go; never empty."""
        if self._large is not None:
            return self._large[self._large_filled :]
        return self._ring[self._filled :]

    def received(self, count: int) -> Sequence[Frame | Oversized]:
        """Take note of `count` more bytes, and return the frames that are now complete.

        Raises:
            BadFrame: The bytes are no frame of ours.
        """
        if self._large is not None:
            self._large_filled += count
            if self._large_filled < len(self._large):
                return ()
            view, self._large = self._large.toreadonly(), None
            held, self.held = self.held, 0
            return (_cut(view, held),)
        self._filled += count
        if self._coming:
            if self._filled == _RING_BYTES:
                self._begin_large()
            return ()
        return self._cut_ring()

    def feed(self, data: Buffer) -> list[Frame | Oversized]:
        """Return the frames that `data` completes, for callers without a BufferedProtocol.

        Raises:
            BadFrame: The bytes are no frame of ours.
        """
        rest = memoryview(data)
        frames: list[Frame | Oversized] = []
        while rest:
            room = self.get_buffer()
            count = min(len(room), len(rest))
            room[:count] = rest[:count]
            frames.extend(self.received(count))
            rest = rest[count:]
        return frames

    def _cut_ring(self) -> list[Frame | Oversized]:
        frames: list[Frame | Oversized] = []
        ring, start = self._ring, self._start
        while True:
            if self._skip:
                step = min(self._skip, self._filled - start)
                self._skip -= step
                start += step
            available = self._filled - start
            if available < _HEADER_SIZE:
                break
            length, id, number, format, wanted, flags, head = _unpack_from(ring, start)
            kind = _KINDS.get(number)
            if kind is None or length < _HEAD_BYTES + head:
                raise BadFrame("this is not our protocol")
            total = length + LENGTH_BYTES
            if total > self._max_bytes or (total > _RING_BYTES and not self._has_room(total)):
                self._skip = total
                frames.append(Oversized(kind, id, total, total <= self._max_bytes))
            elif total <= available:
                payload = start + _HEADER_SIZE + head
                opened = bytes(ring[start + _HEADER_SIZE : payload])
                start += total
                frames.append(
                    _frame(kind, id, format, wanted, opened, bytes(ring[payload:start]), flags)
                )
            elif total > _RING_BYTES:
                self._coming = total
                break
            else:
                break
        self._start = start
        self._make_room()
        if self._coming and self._filled == _RING_BYTES:
            self._begin_large()
        return frames

    def _has_room(self, size: int) -> bool:
        if self._admit is None:
            return True
        if not self._admit(size):
            return False
        self.held = size
        return True

    def _make_room(self) -> None:
        left = self._filled - self._start
        full = self._filled == _RING_BYTES
        is_narrow = full or left == 0 or self._start > _RING_BYTES // 2 or self._coming
        if self._start and is_narrow:
            self._ring[:left] = bytes(self._ring[self._start : self._filled])
            self._start, self._filled = 0, left

    def _begin_large(self) -> None:
        """Take memory for the frame that the whole ring is the beginning of."""
        total, self._coming = self._coming, 0
        # Mapped memory costs nothing until bytes arrive, whatever length a peer claims.
        is_mapped = total > _MAPPED_BYTES
        memory = mmap.mmap(-1, total, mmap.MAP_PRIVATE) if is_mapped else bytearray(total)
        self._large = memoryview(memory)
        self._large[:_RING_BYTES] = self._ring
        self._large_filled = _RING_BYTES
        self._filled = 0


def _cut(view: memoryview, held: int) -> Frame:
    """Return the frame that `view` is; its payload stays where it is."""
    _, id, kind, format, wanted, flags, head_size = _unpack_from(view)
    start = _HEADER_SIZE + head_size
    head = bytes(view[_HEADER_SIZE:start])
    return _frame(_KINDS[kind], id, format, wanted, head, view[start:], flags, held)
