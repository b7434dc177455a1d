"""Heads of requests that came before on a connection.

A client that asks again and again sends the same head each time. What llhttp made of it the
first time is what it would make of it now.
"""

from __future__ import annotations

from dataclasses import dataclass

from jina_cli.serve.http_message import HttpRequest

_END = b"\r\n\r\n"

_REMEMBERED = 16
"""Heads of one connection; those of a client whose bodies are all of another length end there."""

_REMEMBERED_BYTES = 1024
"""The longest of them."""

_WHOLE_BYTES = 4096
"""The longest request that is made of a known head; what is left to parse of longer ones is
little against their bodies."""

_NOT_PLAIN = (b"transfer-encoding", b"expect", b"upgrade", b"connection")
"""Headers with which a head alone does not say how its request goes on."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a head says.

    Attributes:
        headers: Shared by all requests that have this head.
        length: Of the body.
    """

    method: str
    path: str
    query: bytes
    headers: dict[bytes, bytes]
    length: int


class Heads:
    """Remembers what heads say, for one connection."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Known] = {}

    def find(self, data: bytes, start: int) -> tuple[HttpRequest, int] | None:
        """Return the request that begins at `start`, and its end; None where that is not known."""
        if not self._known:
            return None
        head_end = data.find(_END, start, start + _REMEMBERED_BYTES + len(_END))
        known = self._known.get(data[start:head_end]) if head_end > 0 else None
        if known is None:
            return None
        begin = head_end + len(_END)
        end = begin + known.length
        if end > len(data):
            return None
        request = HttpRequest(
            method=known.method,
            path=known.path,
            query=known.query,
            headers=known.headers,
            body=data[begin:end],
        )
        return request, end

    def learn(self, data: bytes, start: int, end: int, request: HttpRequest) -> None:
        """Remember the head of a request that was read off `data` from `start` to `end`."""
        headers = request.headers
        if len(self._known) >= _REMEMBERED or end - start > _WHOLE_BYTES:
            return
        if request.refusal is not None or not request.keeps_alive or request.is_old:
            return
        if any(name in headers for name in _NOT_PLAIN):
            return
        head_end = data.find(_END, start, min(end, start + _REMEMBERED_BYTES + len(_END)))
        length = len(request.body)
        # Anything else between the two ends would be no part of the head.
        if head_end > 0 and head_end + len(_END) + length == end:
            self._known[data[start:head_end]] = _Known(
                request.method, request.path, request.query, headers, length
            )
