"""gRPC as it lies in HTTP/2: what the headers of a call say, its messages, and how it ends."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from jina_cli.serve.http2.blocks import Fields, write_block
from jina_cli.serve.limits import HEADER_BYTES
from jina_cli.vocabulary import PASSED_ON
from jina_cli.wire.messages import Buffer

_PASSED_ON = frozenset(PASSED_ON)

OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND = range(6)
RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 8, 12, 13, 14

PREFIX_BYTES = 5
"""Of a message: whether it is compressed, and its length."""

MAX_TIMEOUT_S = 864_000.0
"""A client that waits for longer than ten days waits for as long."""

ENCODINGS = (b"identity", b"gzip", b"deflate")

_UNITS = {
    b"H": 3600.0,
    b"M": 60.0,
    b"S": 1.0,
    b"m": 1e-3,
    b"u": 1e-6,
    b"n": 1e-9,
}
_PREFIX = struct.Struct(">BI")
_GRPC = (b"content-type", b"application/grpc")
_PLAIN = bytes(byte for byte in range(0x20, 0x7F) if byte != 0x25)
_WBITS = {b"gzip": 31, b"deflate": 15}
_ENTRY_BYTES = 32  # what HPACK adds to each header's length

HEAD = write_block([_GRPC], status=200)
"""The headers of an answer."""

HEADS: Mapping[bytes, bytes] = {
    name: write_block([_GRPC, (b"grpc-encoding", name)], status=200) for name in _WBITS
}
"""The headers of an answer whose messages are compressed, by how."""

OK_TRAILERS = write_block([(b"grpc-status", b"0")])
"""The end of a call that went well."""


class Abort(Exception):
    """A call ends with a gRPC status.

    Attributes:
        number: Of the status.
        text: What the client is told.
        trailing: More trailing metadata.
    """

    def __init__(self, number: int, text: str, trailing: Iterable[tuple[str, str]] = ()) -> None:
        self.number = number
        self.text = text
        self.trailing = tuple(trailing)
        super().__init__(text)

    def alone(self) -> bytes:
        """Return the header block of an answer that is nothing but this."""
        return write_block([_GRPC, *self._fields()], status=200)

    def trailers(self) -> bytes:
        """Return the header block that ends an answer which has begun."""
        return write_block(self._fields())

    def _fields(self) -> Fields:
        fields = [(b"grpc-status", b"%d" % self.number)]
        if self.text:
            fields.append((b"grpc-message", percent_encoded(self.text)))
        return fields + _metadata(self.trailing)


def trailers(trailing: Iterable[tuple[str, str]]) -> bytes:
    """Return the end of a call that went well, with metadata."""
    return write_block([(b"grpc-status", b"0"), *_metadata(trailing)])


@dataclass(frozen=True, slots=True)
class CallHead:
    """What the headers of a call say.

    Attributes:
        path: `/package.Service/method`.
        timeout_s: How long the client waits; None for ever.
        encoding: How its compressed messages are compressed.
        accepts: How ours may be.
        metadata: What is passed on to the Pods.
        refusal: The header block of the answer where this is no call at all.
    """

    path: str
    timeout_s: float | None = None
    encoding: bytes = b"identity"
    accepts: tuple[bytes, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    refusal: bytes | None = None


def interpret(fields: Fields) -> CallHead:
    """Return what the headers of a request say; nonsense among them is a refusal."""
    if sum(len(name) + len(value) + _ENTRY_BYTES for name, value in fields) > HEADER_BYTES:
        text = f"the metadata is over the limit of {HEADER_BYTES} bytes"
        return CallHead("", refusal=Abort(RESOURCE_EXHAUSTED, text).alone())
    found = dict(fields)
    if not _is_well_formed(fields):
        return CallHead("", refusal=write_block([], status=400))
    if found.get(b":method") != b"POST":
        return CallHead("", refusal=write_block([(b"allow", b"POST")], status=405))
    if not found.get(b"content-type", b"").startswith(b"application/grpc"):
        return CallHead("", refusal=write_block([], status=415))
    passed_on = {
        name.decode(): found[name].decode("ascii", "replace") for name in _PASSED_ON & found.keys()
    }
    try:
        timeout_s = read_timeout(found.get(b"grpc-timeout"))
    except ValueError:
        refusal = Abort(INTERNAL, "grpc-timeout is no time").alone()
        return CallHead("", refusal=refusal)
    accepts = found.get(b"grpc-accept-encoding", b"").replace(b" ", b"").split(b",")
    return CallHead(
        found[b":path"].decode("ascii", "replace"),
        timeout_s,
        found.get(b"grpc-encoding", b"identity"),
        tuple(one for one in accepts if one in _WBITS),
        passed_on,
    )


def _is_well_formed(fields: Fields) -> bool:
    """Whether the headers are those of an HTTP/2 request: RFC 9113, 8.2 and 8.3."""
    pseudo = [name for name, _ in fields if name.startswith(b":")]
    return (
        [name for name, _ in fields[: len(pseudo)]] == pseudo
        and len(set(pseudo)) == len(pseudo)
        and {b":method", b":scheme", b":path"} <= set(pseudo)
        and set(pseudo) <= {b":method", b":scheme", b":path", b":authority"}
        and all(name == name.lower() and name != b"connection" for name, _ in fields)
    )


def read_timeout(text: bytes | None) -> float | None:
    """Return the seconds of a `grpc-timeout`, such as `100m`.

    Raises:
        ValueError: It is none.
    """
    if text is None:
        return None
    digits, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not digits.isdigit() or len(digits) > 8:
        raise ValueError("no timeout")
    return min(int(digits) * _UNITS[unit], MAX_TIMEOUT_S)


def percent_encoded(text: str) -> bytes:
    """Return a `grpc-message`: printable ASCII as it is, all other bytes as `%XX`."""
    data = text.encode("utf-8", "replace")
    if not data.translate(None, _PLAIN):
        return data
    return b"".join(b"%c" % byte if byte in _PLAIN else b"%%%02X" % byte for byte in data)


def framed(parts: tuple[Buffer, ...], *, packed: bool = False) -> tuple[Buffer, ...]:
    """Return a message with its prefix."""
    size = len(parts[0]) if len(parts) == 1 else sum(map(len, parts))
    return (_PREFIX.pack(packed, size), *parts)


def compressed(parts: tuple[Buffer, ...], encoding: bytes) -> bytes:
    """Return the compressed bytes of a message; slow for large ones."""
    packer = zlib.compressobj(level=1, wbits=_WBITS[encoding])
    return b"".join([*(packer.compress(part) for part in parts), packer.flush()])


@dataclass(frozen=True, slots=True)
class Packed:
    """A message that is compressed."""

    data: Buffer


@dataclass(frozen=True, slots=True)
class TooLong:
    """A message over the limit, whose bytes are not kept."""

    size: int


Message = bytes | bytearray | Packed | TooLong


def wire_size(message: Message) -> int:
    """Return how long a message was as it came, with its prefix."""
    match message:
        case bytes() | bytearray():
            return PREFIX_BYTES + len(message)
        case Packed(data):
            return PREFIX_BYTES + len(data)
        case TooLong(size):
            return PREFIX_BYTES + size


def unpacked(message: Packed, encoding: bytes, limit: int) -> bytes | TooLong:
    """Return the bytes of a compressed message; slow for large ones.

    Raises:
        Abort: It is compressed in a way that is not known, or not as the headers say.
    """
    wbits = _WBITS.get(encoding)
    if wbits is None:
        asked = encoding.decode(errors="replace")[:50]
        text = f"messages may be compressed as gzip or deflate, not {asked}"
        known = ",".join(name.decode() for name in ENCODINGS)
        number = INTERNAL if encoding == b"identity" else UNIMPLEMENTED
        raise Abort(number, text, [("grpc-accept-encoding", known)])
    unpacker = zlib.decompressobj(wbits)
    try:
        data = unpacker.decompress(message.data, limit + 1)
    except zlib.error:
        raise Abort(INTERNAL, "a message is not compressed as its headers say") from None
    if len(data) > limit:
        return TooLong(len(data))
    if not unpacker.eof:
        raise Abort(INTERNAL, "a compressed message has no end")
    return data


def only_message(data: bytes) -> bytes | None:
    """Return the message that a body is, where it is one message that is not compressed."""
    if len(data) >= PREFIX_BYTES:
        is_packed, size = _PREFIX.unpack_from(data)
        if not is_packed and size == len(data) - PREFIX_BYTES:
            return data[PREFIX_BYTES:]
    return None


class MessageReader:
    """Cuts a body into messages.

    Args:
        limit: Of a message; the bytes of a longer one are passed over.

    Attributes:
        left: Bytes that the message under way still lacks; 0 between two messages.
        size: Length of the message under way.
    """

    __slots__ = ("_head", "_into", "_is_packed", "_limit", "left", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._head = b""
        self._into: bytearray | None = None
        self._is_packed = False
        self.left = 0
        self.size = 0

    @property
    def is_midway(self) -> bool:
        """Whether the body would be incomplete if it ended here."""
        return bool(self.left or self._head)

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that are complete with `data`.

        Raises:
            Abort: This is no sequence of messages.
        """
        if not self.left and not self._head:
            message = only_message(data)  # as most clients send theirs
            if message is not None and len(message) <= self._limit:
                return [message]
        found: list[Message] = []
        place, size = 0, len(data)
        while place < size:
            if not self.left:
                place = self._begin(data, place)
                if self.left or self._head:
                    continue
            else:
                end = min(size, place + self.left)
                if self._into is not None:
                    self._into += memoryview(data)[place:end]
                self.left -= end - place
                place = end
            if not self.left:
                found.append(self._message())
        return found

    def _begin(self, data: bytes, place: int) -> int:
        """Read a prefix, or as much of it as there is; returns the place behind it."""
        lacking = PREFIX_BYTES - len(self._head)
        head = self._head + data[place : place + lacking]
        if len(head) < PREFIX_BYTES:
            self._head = head
            return len(data)
        self._head = b""
        if head[0] > 1:
            raise Abort(INTERNAL, "the body is no gRPC message")
        self._is_packed = bool(head[0])
        self.size = self.left = int.from_bytes(head[1:], "big")
        self._into = bytearray() if self.size <= self._limit else None
        return place + lacking

    def _message(self) -> Message:
        data, self._into = self._into, None
        if data is None:
            return TooLong(self.size)
        return Packed(data) if self._is_packed else data


def _metadata(pairs: Iterable[tuple[str, str]]) -> Fields:
    """Return metadata as headers: binary values as base64, text as printable ASCII."""
    fields: Fields = []
    for name, value in pairs:
        data = value.encode("utf-8", "replace")
        if name.endswith("-bin"):
            data = base64.b64encode(data).rstrip(b"=")
        else:
            data = percent_encoded(value)
        fields.append((name.lower().encode("ascii", "replace"), data))
    return fields
