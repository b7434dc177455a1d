"""Header blocks (HPACK, RFC 7541): a reader with a memory, and a writer that needs none.

Clients of gRPC send the same few bytes with every call: each header is a number of their
table. While that table stays as it is, the same bytes mean the same headers, and what was made
of them the last time is used again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from hpack import Decoder, HPACKError, OversizedHeaderListError
from hpack.table import HeaderTable

from jina_cli.serve.http2.frames import Code, Fault

Fields = list[tuple[bytes, bytes]]
Head = TypeVar("Head")

_REMEMBERED = 64
"""Blocks of one connection."""

_REMEMBERED_BYTES = 1024
"""The longest of them."""


class _Table(HeaderTable):  # type: ignore[misc, unused-ignore]  # hpack's types are partial
    """A header table that counts its changes."""

    def __init__(self) -> None:
        super().__init__()
        self.changes = 0

    def add(self, name: bytes, value: bytes) -> None:
        self.changes += 1
        super().add(name, value)


class BlockReader(Generic[Head]):
    """Reads the header blocks of one connection, in their order.

    Args:
        interpret: Makes of headers what the owner wants to know of a request.
        max_bytes: Of all headers of a block, counted as HPACK does (names, values, and 32 for
            each).
    """

    def __init__(self, interpret: Callable[[Fields], Head], max_bytes: int) -> None:
        self._interpret = interpret
        self._table = _Table()
        self._decoder = Decoder(max_header_list_size=max_bytes)
        self._decoder.header_table = self._table
        self._known: dict[bytes, Head] = {}

    def read(self, block: bytes) -> Head:
        """Return what a block says.

        Raises:
            Fault: It is malformed or too long; nothing that follows could be read.
        """
        known = self._known.get(block)
        if known is not None:
            return known
        changes = self._table.changes
        head = self._interpret(self.fields(block))
        if self._table.changes == changes and len(block) <= _REMEMBERED_BYTES:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[block] = head
        return head

    def fields(self, block: bytes) -> Fields:
        """Return the headers of a block; used alone where they do not begin a request.

        Raises:
            Fault: As `read`.
        """
        changes = self._table.changes
        if b"\x20" <= block[:1] < b"\x40":
            self._table.changes += 1  # the block begins with a new size of the table
        try:
            return list(self._decoder.decode(block, raw=True))
        except OversizedHeaderListError:
            raise Fault(Code.ENHANCE_YOUR_CALM, "too many headers") from None
        except (HPACKError, IndexError, ValueError) as error:
            raise Fault(Code.COMPRESSION_ERROR, f"headers are malformed: {error}") from None
        finally:
            if self._table.changes != changes:
                self._known.clear()


def write_block(fields: Iterable[tuple[bytes, bytes]], *, status: int | None = None) -> bytes:
    """Return a header block that leaves the peer's table as it is.

    It has no state, so it can be made once and sent on every connection.

    Args:
        fields: Lower-case names, and values.
        status: Of the response, put in front; None in trailers.
    """
    parts = [] if status is None else [_status(status)]
    for name, value in fields:
        parts.append(b"\x00" + _sized(name) + _sized(value))
    return b"".join(parts)


def _status(status: int) -> bytes:
    # Number 8 of the static table is ":status: 200"; other numbers take its name alone.
    return b"\x88" if status == 200 else b"\x08" + _sized(b"%d" % status)


def _sized(text: bytes) -> bytes:
    """Return a string with its length, which has 7 bits in its first byte."""
    size = len(text)
    if size < 127:
        return b"%c%b" % (size, text)
    size -= 127
    length = bytearray((127,))
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    length.append(size)
    return bytes(length) + text
