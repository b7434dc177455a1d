"""Requests as bytes of Jina's wire contract, written by hand.

So a client costs the same whoever answers, and what differs between two runs is the server.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Sequence

IMAGE_FLOATS = 784
EMBEDDING_FLOATS = 64
_ID_DIGITS = 32
_ID_TYPE = b"j\x02id"
"""How the node of an id ends: field 13, the text `id`. The digits stand just before it."""


class Kind(enum.Enum):
    """What documents hold."""

    TEXT = "text"  # an id, a text, two fields that are null
    IMAGE = "image"  # the same, and tensors of 784 and 64 float32


def a_request(kind: Kind, size: int, endpoint: str = "/") -> bytes:
    """Return a `jina.DataRequestProto` with `size` documents."""
    return request_of([f"hello {place}" for place in range(size)], endpoint, kind)


def request_of(texts: Sequence[str], endpoint: str, kind: Kind = Kind.TEXT) -> bytes:
    """Return a `jina.DataRequestProto` with a document of each text."""
    documents = b"".join(_field(1, _document(kind, text.encode())) for text in texts)
    header = _field(1, _digits()) + _field(3, endpoint.encode())
    return _field(1, header) + _field(4, _field(1, documents))


def documents_of(request: bytes) -> bytes:
    """Return the `docarray.DocListProto` inside a request of `a_request`."""
    header_size, start = _read_varint(request, 1)
    _, start = _read_varint(request, start + header_size + 1)
    size, start = _read_varint(request, start + 1)
    return request[start : start + size]


def mark_of(message: bytes) -> bytes:
    """Return the id of the last document: the name by which question and answer are paired."""
    end = message.rindex(_ID_TYPE)
    return message[end - _ID_DIGITS : end]


def is_answered(question: bytes, answer: bytes, *, by_ids: bool = False) -> bool:
    """Return whether an answer holds the documents of a question, and no failure.

    Args:
        by_ids: Whether it is enough that all documents are named.
    """
    if by_ids:
        is_whole = answer.count(_ID_TYPE) == question.count(_ID_TYPE)
    else:
        is_whole = len(answer) > 0.8 * len(question)
    return is_whole and b"Traceback" not in answer and mark_of(question) in answer


def _document(kind: Kind, text: bytes) -> bytes:
    fields = _entry(b"text", _field(1, text))
    if kind is Kind.IMAGE:
        fields += _entry(b"tensor", _tensor(IMAGE_FLOATS))
        fields += _entry(b"embedding", _tensor(EMBEDDING_FLOATS))
    else:
        fields += _entry(b"tensor", b"") + _entry(b"embedding", b"")
    # The id comes last, so that nothing else can look like the end of it.
    return fields + _entry(b"id", _field(1, _digits()) + _field(13, b"id"))


def _tensor(floats: int) -> bytes:
    # Small numbers: random bytes would be NaNs here and there.
    data = b"".join(random.choice(_FLOATS) for _ in range(floats))
    dense = _field(1, data) + _field(2, _varint(floats)) + _field(3, b"<f4")
    return _field(6, _field(1, dense)) + _field(13, b"ndarray")


_FLOATS = (b"\0\0\0\0", b"\0\0\x80\x3f", b"\0\0\0\x40", b"\0\0\x40\x40")


def _digits() -> bytes:
    return b"%032x" % random.getrandbits(128)


def _entry(key: bytes, node: bytes) -> bytes:
    return _field(1, _field(1, key) + _field(2, node))


def _field(number: int, data: bytes) -> bytes:
    """Return a length-delimited protobuf field."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    """Return the number at `place` and where it ends."""
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
