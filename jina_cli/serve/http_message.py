"""Requests and answers of the HTTP edge, as values; and how the head of an answer is written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson

from jina_cli.vocabulary import PASSED_ON
from jina_cli.wire.budget import Budget, Share
from jina_cli.wire.messages import Buffer

Headers = Mapping[bytes, bytes]
"""Values by lower-case name; what came several times is joined by commas."""

HeaderList = Sequence[tuple[bytes, bytes]]

JSON = b"application/json"

_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Page:
    """One HTTP answer that is whole."""

    status: int
    body: Buffer
    content_type: bytes = JSON
    headers: HeaderList = ()


@dataclass(frozen=True, slots=True)
class Events:
    """An answer that comes in pieces; closing `chunks` ends the work for it."""

    chunks: AsyncGenerator[bytes, None]
    content_type: bytes
    headers: HeaderList = ()


def problem(status: int, detail: str, headers: HeaderList = ()) -> Page:
    """Return an error as Jina's HTTP Gateway gives it."""
    return Page(status, orjson.dumps({"detail": detail}), headers=headers)


@dataclass(slots=True, kw_only=True)
class HttpRequest:
    """One request, whole; or as much of it as was read before it was refused.

    Attributes:
        method: `POST`.
        path: Unquoted, without the query.
        query: As it came.
        body: Whole.
        keeps_alive: Whether the connection may serve another request after this one.
        is_old: Whether the client speaks HTTP/1.0.
        refusal: What to answer, where it was refused by how it is written.
        share: Room for its body, given back by `release`.
    """

    method: str = ""
    path: str = ""
    query: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: Buffer = b""
    keeps_alive: bool = True
    is_old: bool = False
    refusal: Page | None = None
    share: Share | None = None

    def release(self, budget: Budget) -> None:
        """Let go of its body, and give back the room of it."""
        self.body = b""
        share, self.share = self.share, None
        if share is not None:
            budget.give(share.held)


def passed_on(headers: Headers) -> Mapping[str, str]:
    """Return the headers of a request that travel on with it, by name."""
    found = [name for name in PASSED_ON if name in headers]
    if not found:
        return _NOTHING
    return {name.decode(): headers[name].decode("latin-1") for name in found}


def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Client Closed Request" if status == 499 else ""
    return b"HTTP/1.1 %d %b\r\ndate: " % (status, phrase.encode())


_STATUS_LINES = {status: _status_line(status) for status in range(100, 600)}


def head_of(
    status: int, date: bytes, content_type: bytes, size: int | None, headers: HeaderList
) -> bytes:
    """Return everything of an answer that stands before its body.

    Args:
        date: For the header of this name.
        content_type: Empty for an answer without a body.
        size: Of the body; None for one that comes in chunks.
        headers: More of them; their values hold no line ends.
    """
    parts = [_STATUS_LINES[status], date]
    if content_type:
        parts += (b"\r\ncontent-type: ", content_type)
    if size is not None:
        parts.append(b"\r\ncontent-length: %d" % size)
    for name, value in headers:
        parts += (b"\r\n", name, b": ", value)
    parts.append(b"\r\n\r\n")
    return b"".join(parts)
