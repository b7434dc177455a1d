"""`grpc.health.v1`: the whole Gateway under the empty name, and each of its services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from jina_cli.documents.varint import Malformed
from jina_cli.serve import grpc_framing as framing
from jina_cli.serve.board import Board
from jina_cli.serve.grpc_calls import Call, Reply
from jina_cli.serve.grpc_framing import Abort
from jina_cli.wire.fields import fields
from jina_cli.wire.messages import Buffer

# HealthCheckResponse, whose one field is the number of a status.
_SERVING, _NOT_SERVING, _SERVICE_UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"


class Health:
    """Answers by what a board shows.

    Args:
        board: State of the Gateway.
        services: Names that are known beside the empty one.
    """

    def __init__(self, board: Board, services: Iterable[str]) -> None:
        self._board = board
        self._known = frozenset({"", *services})

    async def check(self, call: Call, data: Buffer) -> Reply:
        """`Check`: whether a service can be used now."""
        name = _service(data)
        if name not in self._known:
            raise Abort(framing.NOT_FOUND, f"there is no service {name[:100]}")
        return Reply((self._told(name),))

    async def watch(self, call: Call, data: Buffer) -> AsyncIterator[Reply]:
        """`Watch`: the same, and whenever it changes."""
        name = _service(data)
        last = b""
        while True:
            changed = asyncio.ensure_future(self._board.changed())
            try:
                told = self._told(name)
                if told != last:
                    yield Reply((told,))
                    last = told
                await changed
            finally:
                changed.cancel()

    def _told(self, name: str) -> bytes:
        if name not in self._known:
            return _SERVICE_UNKNOWN
        return _SERVING if self._board.is_ready else _NOT_SERVING


def _service(data: Buffer) -> str:
    name = ""
    try:
        for tag, begin, end in fields(data):
            if tag == 0x0A:
                name = bytes(data[begin:end]).decode()
    except (Malformed, IndexError, UnicodeDecodeError):
        raise Abort(framing.INVALID_ARGUMENT, "no HealthCheckRequest") from None
    return name
