"""Reads the body of an HTTP request: whole, within its limit, from a client that goes on sending.

Works on any ASGI server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from jina_cli.serve.limits import BODY_IDLE_S, too_large
from jina_cli.wire.budget import OverBudget, Share
from jina_cli.wire.messages import STATUSES, Buffer, StatusCode

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Headers = Mapping[bytes, bytes]


_BUSY = STATUSES[StatusCode.OVERLOADED][1]


class BodyRefused(Exception):
    """The body was not read to its end.

    Attributes:
        status: What to answer with.
        detail: For people.
    """

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(detail)


class ClientGone(Exception):
    """The client closed the connection before its request was whole."""


async def read_body(
    headers: Headers,
    receive: Receive,
    *,
    limit: int,
    idle_s: float = BODY_IDLE_S,
    share: Share | None = None,
) -> Buffer:
    """Return the body; room for it is taken in `share` as it comes.

    Raises:
        BodyRefused: It is over `limit`, compressed, ambiguous, came too slowly, or there is
            no room for it now.
        ClientGone: It ended too early.
    """
    encoding = headers.get(b"content-encoding", b"identity").lower()
    if encoding not in (b"identity", b""):
        name = encoding.decode("latin-1")[:40]
        raise BodyRefused(415, f"the body is encoded as {name}; send it as it is")
    if b"transfer-encoding" in headers and b"content-length" in headers:
        # A proxy in front may have believed the other one (request smuggling).
        raise BodyRefused(400, "the body has both a length and chunks")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limit:
        raise BodyRefused(413, too_large(limit))
    message = await _next(receive, idle_s, share)
    if not message.get("more_body"):
        return _within(message.get("body", b""), limit)
    body = bytearray(message.get("body", b""))
    while message.get("more_body"):
        message = await _next(receive, idle_s, share)
        body += message.get("body", b"")
        _within(body, limit)
    return body


def _within(body: Buffer, limit: int) -> Buffer:
    if len(body) > limit:
        raise BodyRefused(413, too_large(limit))
    return body


async def _next(receive: Receive, idle_s: float, share: Share | None) -> MutableMapping[str, Any]:
    try:
        async with asyncio.timeout(idle_s):
            message = await receive()
    except TimeoutError:
        raise BodyRefused(408, f"no more of the body came for {idle_s:g} s") from None
    if message["type"] != "http.request":
        raise ClientGone
    try:
        if share is not None:
            share.grow(len(message.get("body", b"")))
    except OverBudget as error:
        raise BodyRefused(_BUSY, str(error)) from None
    return message
