"""The fields of a serialised protobuf message."""

from __future__ import annotations

from collections.abc import Iterator

from jina_cli.documents.varint import Malformed, read_varint


def fields(data: bytes | bytearray | memoryview) -> Iterator[tuple[int, int, int]]:
    """Yield tag, and start and end of the value, of each field.

    The value of a sized field is without its length, that of a number its encoding.

    Raises:
        Malformed, IndexError: The bytes are not laid out as fields.
    """
    place, size = 0, len(data)
    while place < size:
        tag = data[place]
        begin = place + 1
        if tag > 127:
            tag, begin = read_varint(data, place)
        match tag & 7:
            case 2:
                length = data[begin]
                begin += 1
                if length > 127:
                    length, begin = read_varint(data, begin - 1)
                place = begin + length
            case 0:
                _, place = read_varint(data, begin)
            case 1:
                place = begin + 8
            case 5:
                place = begin + 4
            case kind:
                raise Malformed(f"a field has the unknown wire type {kind}")
        if place > size or tag < 8:
            raise Malformed("a field is longer than its message, or has no number")
        yield tag, begin, place
