"""The HTTP edge: `POST /<endpoint>` and the pages around it, as one raw ASGI callable.

No framework stands in between: routing is one look into a dict. The table of statuses is
`wire.messages.STATUSES`; what this edge refuses by itself is 400, 405, 408, 413 and 415.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any

from jina_cli.serve.board import Board
from jina_cli.serve.http_body import BodyRefused, ClientGone, Headers, Receive, read_body
from jina_cli.serve.http_connection import CONNECTION, Connection
from jina_cli.serve.http_pages import Answer, Page, Pages, problem
from jina_cli.serve.limits import RETRY_AFTER_S, too_large
from jina_cli.wire import json as wire_json
from jina_cli.wire.budget import Budget
from jina_cli.wire.messages import (
    STATUSES,
    BadMessage,
    Buffer,
    Request,
    Response,
    Status,
    StatusCode,
    new_request_id,
)

log = logging.getLogger(__name__)

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Scope = MutableMapping[str, Any]

PASSED_ON = (b"traceparent", b"tracestate", b"baggage")
"""Headers that travel with a request to the Pods."""

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_RETRY_AFTER = [(b"retry-after", b"%d" % RETRY_AFTER_S)]
_LATER = frozenset({StatusCode.OVERLOADED, StatusCode.UNAVAILABLE})
_SIMPLE_TYPES = (b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data")
_PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"*"),
    (b"access-control-max-age", b"600"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """What the plan says of the HTTP edge.

    Attributes:
        cors: Whether pages of any origin may call it.
        max_message_bytes: The limit of a body, in and out.
        paths: HTTP path → endpoint, where they differ.
    """

    cors: bool = False
    max_message_bytes: int
    paths: Mapping[str, str] = field(default_factory=dict)


class HttpApp:
    """The ASGI application of a Gateway.

    Args:
        answer: Carries a request through the Flow.
        board: Whether the Gateway is ready, or draining.
        pages: Answers everything but requests to endpoints.
        settings: Of the plan.
        budget: Room for the bodies of requests.
    """

    def __init__(
        self, answer: Answer, board: Board, pages: Pages, settings: HttpSettings, budget: Budget
    ) -> None:
        self._answer = answer
        self._board = board
        self._pages = pages
        self._settings = settings
        self._budget = budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        method, path = scope["method"], scope["path"]
        if method == "POST" and not self._pages.owns(path):
            await self._post(scope, receive, send)
        elif method == "OPTIONS" and self._settings.cors:
            await self._send(send, Page(204, b"", headers=_PREFLIGHT))
        else:
            await self._send(send, await self._cold(method, path))

    async def _cold(self, method: str, path: str) -> Page:
        try:
            return await self._pages.answer(method, path)
        except Exception:
            log.exception("the page %s failed", path)
            return problem(500, "this page failed; the log of the Gateway says why")

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection: Connection | None = scope.get("state", {}).get(CONNECTION)
        headers = dict(scope["headers"])
        try:
            _refuse_foreign_forms(headers, self._settings.cors)
            limit = self._settings.max_message_bytes
            with self._budget.share() as share:
                data = await read_body(headers, receive, limit=limit, share=share)
                page = await self._work(scope["path"], headers, data, connection)
        except BodyRefused as refused:
            if connection is not None:
                connection.linger()
            busy = refused.status == STATUSES[StatusCode.OVERLOADED][1]
            page = problem(refused.status, refused.detail, _RETRY_AFTER if busy else ())
        except ClientGone:
            return
        except asyncio.CancelledError:
            if connection is None or connection.transport is not None:
                raise
            return  # the client is gone, and so is the work for it
        await self._send(send, page)

    async def _work(
        self, path: str, headers: Headers, data: Buffer, connection: Connection | None
    ) -> Page:
        try:
            request = self._read(path, headers, data)
        except BadMessage as error:
            return problem(STATUSES[StatusCode.INVALID][1], str(error))
        if connection is None:
            return self._write(await self._ask(request))
        task = asyncio.current_task()
        assert task is not None
        connection.on_lost = task.cancel
        try:
            return self._write(await self._ask(request))
        finally:
            connection.on_lost = None

    def _read(self, path: str, headers: Headers, data: Buffer) -> Request:
        endpoint = self._settings.paths.get(path, path)
        request = wire_json.read_http_request(endpoint, bytes(data))
        passed_on = {
            name.decode(): headers[name].decode("latin-1") for name in PASSED_ON if name in headers
        }
        request_id = request.request_id or _id_of(headers) or new_request_id()
        return replace(request, request_id=request_id, metadata=passed_on)

    async def _ask(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except Exception as error:
            log.exception("request %s failed in the Gateway", request.request_id)
            text = f"{type(error).__name__} in the Gateway; its log says more"
            status = Status(code=StatusCode.INTERNAL, description=text, pod="gateway")
            return Response(request_id=request.request_id, status=status)

    def _write(self, response: Response) -> Page:
        code = response.status.code
        try:
            data = wire_json.write_http_response(response)
        except ValueError as error:
            log.exception("the answer to %s cannot be written", response.request_id)
            return problem(STATUSES[StatusCode.INTERNAL][1], str(error))
        limit = self._settings.max_message_bytes
        if len(data) > limit and response.status.ok:
            return problem(STATUSES[StatusCode.TOO_LARGE][1], too_large(limit))
        headers: list[tuple[bytes, bytes]] = []
        if _REQUEST_ID.fullmatch(response.request_id):
            headers.append((b"x-request-id", response.request_id.encode()))
        if code in _LATER:
            headers += _RETRY_AFTER
        return Page(STATUSES[code][1], data, headers=headers)

    async def _send(self, send: Send, page: Page) -> None:
        headers = [
            (b"content-type", page.content_type),
            (b"content-length", b"%d" % len(page.body)),
            *page.headers,
        ]
        if self._settings.cors:
            headers.append((b"access-control-allow-origin", b"*"))
        if self._board.draining:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": page.status, "headers": headers})
        await send({"type": "http.response.body", "body": page.body})


def _id_of(headers: Headers) -> str:
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    return given if _REQUEST_ID.fullmatch(given) else ""


def _refuse_foreign_forms(headers: Headers, cors: bool) -> None:
    """Refuse what a page of another origin can send without asking first (CSRF).

    A browser sends JSON across origins only after a preflight, which fails without CORS; the
    types of plain forms it sends at once.
    """
    if cors or b"origin" not in headers:
        return
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind in _SIMPLE_TYPES or not kind:
        raise BodyRefused(415, "send application/json")
