"""The frames of HTTP/2 (RFC 9113), as bytes."""

from __future__ import annotations

import enum
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""The first bytes of every client."""

HEAD = struct.Struct(">HBBBI")
"""A frame's head: its length in two parts, kind, flags and stream."""

HEAD_BYTES = 9

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = range(5)
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(5, 10)

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
HAS_PRIORITY = 0x20

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS = 1, 2, 3
INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = 4, 5, 6

DEFAULT_WINDOW = 65_535
MAX_WINDOW = 2**31 - 1
DEFAULT_FRAME_BYTES = 16_384
MOST_FRAME_BYTES = 2**24 - 1

_WORD = struct.Struct(">I")
_SETTING = struct.Struct(">HI")
_TWO_WORDS = struct.Struct(">II")


class Code(enum.IntEnum):
    """Why a stream or a connection ended, as HTTP/2 numbers it."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    ENHANCE_YOUR_CALM = 11


class Fault(Exception):
    """The peer broke the protocol, or asks too much: the connection ends.

    Attributes:
        code: What it is told.
    """

    def __init__(self, code: Code, what: str) -> None:
        self.code = code
        super().__init__(what)


class StreamFault(Exception):
    """One stream ends; the connection goes on."""

    def __init__(self, stream_id: int, code: Code) -> None:
        self.stream_id = stream_id
        self.code = code
        super().__init__(code.name)


def frame_head(size: int, kind: int, flags: int, stream_id: int) -> bytes:
    """Return the head of a frame whose payload has `size` bytes."""
    return HEAD.pack(size >> 8, size & 255, kind, flags, stream_id)


def frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    return frame_head(len(payload), kind, flags, stream_id) + payload


def settings(values: dict[int, int]) -> bytes:
    payload = b"".join(_SETTING.pack(name, value) for name, value in values.items())
    return frame(SETTINGS, 0, 0, payload)


SETTINGS_ACK = frame(SETTINGS, ACK, 0, b"")


def read_settings(payload: bytes) -> list[tuple[int, int]]:
    """Return name and value of each setting; the length must be a multiple of six."""
    return list(_SETTING.iter_unpack(payload))


def ping(data: bytes, *, ack: bool) -> bytes:
    return frame(PING, ACK if ack else 0, 0, data)


def goaway(last_stream_id: int, code: Code, text: str = "") -> bytes:
    return frame(GOAWAY, 0, 0, _TWO_WORDS.pack(last_stream_id, code) + text.encode()[:200])


def rst_stream(stream_id: int, code: Code) -> bytes:
    return frame(RST_STREAM, 0, stream_id, _WORD.pack(code))


def window_update(stream_id: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream_id, _WORD.pack(increment))


def header_frames(stream_id: int, block: bytes, *, end: bool, max_bytes: int) -> bytes:
    """Return a HEADERS frame, with CONTINUATION frames where the block is too long for one."""
    flags = END_STREAM if end else 0
    if len(block) <= max_bytes:
        return frame(HEADERS, flags | END_HEADERS, stream_id, block)
    parts = [frame(HEADERS, flags, stream_id, block[:max_bytes])]
    for place in range(max_bytes, len(block), max_bytes):
        part = block[place : place + max_bytes]
        last = END_HEADERS if place + max_bytes >= len(block) else 0
        parts.append(frame(CONTINUATION, last, stream_id, part))
    return b"".join(parts)


def unpadded(payload: bytes, flags: int) -> bytes:
    """Return what is left of a payload without its padding.

    Raises:
        Fault: There is more padding than payload.
    """
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise Fault(Code.PROTOCOL_ERROR, "padding is longer than its frame")
    return payload[1 : len(payload) - payload[0]]
