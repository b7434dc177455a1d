"""Bytes that nearly are what a protocol wants: made from good ones, by chance but repeatably."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Change = Callable[[random.Random, bytearray], None]


def mangled(chance: random.Random, good: bytes) -> bytes:
    """Return `good` with one to four things wrong."""
    data = bytearray(good)
    for _ in range(chance.randint(1, 4)):
        if data:
            chance.choice(_CHANGES)(chance, data)
    return bytes(data)


def _flip(chance: random.Random, data: bytearray) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _cut(chance: random.Random, data: bytearray) -> None:
    del data[chance.randrange(len(data)) :]


def _drop(chance: random.Random, data: bytearray) -> None:
    start = chance.randrange(len(data))
    del data[start : start + chance.randint(1, 8)]


def _repeat(chance: random.Random, data: bytearray) -> None:
    start = chance.randrange(len(data))
    part = data[start : start + chance.randint(1, 64)]
    data[start:start] = part * chance.randint(1, 20)


def _insert(chance: random.Random, data: bytearray) -> None:
    place = chance.randrange(len(data) + 1)
    data[place:place] = chance.choice(_NASTY)


def _noise(chance: random.Random, data: bytearray) -> None:
    start = chance.randrange(len(data))
    size = chance.randint(1, 32)
    data[start : start + size] = chance.randbytes(size)


_CHANGES: Sequence[Change] = (_flip, _cut, _drop, _repeat, _insert, _noise)
_NASTY = (
    b"\0" * 16,
    b"\xff" * 16,
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # the largest varint
    b"[" * 2000,
    b'{"a":' * 2000,
    b"\r\n\r\n",
    b"\xed\xa0\x80",  # half of a surrogate pair
    b"1e999999",
    b'"\\ud800"',
    b"NaN",
)
