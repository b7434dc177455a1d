"""The smallest parts of protobuf's encoding: numbers of variable length, and sized fields."""

from __future__ import annotations

_SMALL = [bytes([n]) for n in range(128)]


class Malformed(ValueError):
    """Bytes are not laid out as protobuf lays out a message."""


def varint(number: int) -> bytes:
    """Return a number from 0 to 2**64 - 1 as a base-128 varint."""
    if number < 128:
        return _SMALL[number]
    if number < 16384:
        return bytes((number & 127 | 128, number >> 7))
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def read_varint(data: bytes | bytearray | memoryview, place: int) -> tuple[int, int]:
    """Return a varint and the place behind it.

    Raises:
        IndexError: The data ends in it.
        Malformed: It has more than ten bytes.
    """
    number = shift = 0
    while True:
        byte = data[place]
        place += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, place
        shift += 7
        if shift > 63:
            raise Malformed("a number has more than ten bytes")


def sized(tag: int, data: bytes) -> bytes:
    """Return a length-delimited field."""
    size = len(data)
    if size < 128:
        return b"%c%c%b" % (tag, size, data)
    return b"%c%b%b" % (tag, varint(size), data)
