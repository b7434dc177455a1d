"""The HTTP edge: `POST /<endpoint>` and the pages around it.

No framework stands in between: routing is one look into a dict. The table of statuses is
`wire.messages.STATUSES`; what this edge refuses by itself is 400, 403, 405, 408, 413, 415 and
431.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast

from jina_cli.serve import http_events
from jina_cli.serve.guarded import broken, guarded
from jina_cli.serve.http_connection import House, Upgrade
from jina_cli.serve.http_message import Events, Headers, HttpRequest, Page, passed_on, problem
from jina_cli.serve.http_origins import Origins
from jina_cli.serve.http_pages import Pages
from jina_cli.serve.limits import RETRY_AFTER_S, too_large
from jina_cli.wire import json as wire_json
from jina_cli.wire.messages import (
    STATUSES,
    Answering,
    BadMessage,
    Request,
    Response,
    StatusCode,
    new_request_id,
)

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_MARK = re.compile(r"[a-z0-9_]{1,60}")
_RETRY_AFTER = [(b"retry-after", b"%d" % RETRY_AFTER_S)]
_LATER = frozenset({StatusCode.OVERLOADED, StatusCode.UNAVAILABLE})
_INVALID = STATUSES[StatusCode.INVALID][1]
_INTERNAL = STATUSES[StatusCode.INTERNAL][1]
_EVENTS = b"text/event-stream"
_WITH_ROUTES = b"x-jina-routes"
"""Header of a request whose client wants to know which way it took, and how long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """What the plan says of the HTTP edge.

    Attributes:
        cors: Whether pages of any origin may call it.
        cors_origins: Origins whose pages may, where not any may.
        max_message_bytes: The limit of a body, in and out.
        deadline_s: For requests that bring none.
        paths: HTTP path → endpoint, where they differ.
    """

    cors: bool = False
    cors_origins: tuple[str, ...] = ()
    max_message_bytes: int
    deadline_s: float
    paths: Mapping[str, str] = field(default_factory=dict)


class HttpApp:
    """What a Gateway answers to HTTP.

    Args:
        flow: Carries requests through the Flow.
        pages: Answers everything but requests to endpoints.
        settings: Of the plan.
        websockets: Returns what speaks WebSocket to a client that asks for it, or why not.
    """

    def __init__(
        self,
        flow: Answering,
        pages: Pages,
        settings: HttpSettings,
        websockets: Callable[[HttpRequest, House], Upgrade | Page],
    ) -> None:
        self._flow = flow
        self._pages = pages
        self._settings = settings
        self._websockets = websockets
        self._origins = Origins(any_may=settings.cors, allowed=settings.cors_origins)

    async def answer(self, request: HttpRequest) -> Page | Events:
        """Return the answer to any request; nothing but a cancellation comes out of here."""
        try:
            if request.method == "POST" and not self._pages.owns(request.path):
                answer = self._origins.refuse(request.headers) or await self._post(request)
            else:
                answer = await self._other(request)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            answer = problem(_INTERNAL, "this failed; the log of the Gateway says why")
        return self._origins.dress(request.headers, answer) if self._origins.is_open else answer

    def upgrade(self, request: HttpRequest, house: House) -> Upgrade | Page:
        """Return what speaks WebSocket, or why nobody does.

        A browser lets any page open one, and asks nobody before.
        """
        if not self._origins.may(request.headers):
            return problem(403, "pages of this origin may not open a WebSocket here")
        return self._websockets(request, house)

    async def _other(self, request: HttpRequest) -> Page | Events:
        """Answer what is no request to an endpoint by POST."""
        method, path = request.method, request.path
        if method == "GET" and self._pages.streams(path):
            if not self._origins.may(request.headers):
                return problem(403, "pages of this origin may not call this API")
            return await self._get(request)
        if method == "OPTIONS" and self._origins.is_open:
            return self._origins.preflight(request.headers)
        return await self._pages.answer(method, path)

    async def _post(self, request: HttpRequest) -> Page | Events:
        headers, path = request.headers, request.path
        streamed = b"accept" in headers and _EVENTS in headers[b"accept"]
        try:
            asked = wire_json.read_http_request(
                self._settings.paths.get(path, path),
                request.body,
                request_id=_id_of(headers),
                metadata=passed_on(headers),
                deadline_s=self._settings.deadline_s,
                streamed=streamed,
            )
        except BadMessage as error:
            return Page(_INVALID, wire_json.write_refusal(error, _given_id(headers)))
        if streamed:
            return await self._stream(asked)
        response = await guarded(self._flow.answer, asked)
        return self._write(response, with_routes=_WITH_ROUTES in headers)

    async def _get(self, request: HttpRequest) -> Page | Events:
        """Answer with events; the document is the body, or else the query of the address."""
        headers, path = request.headers, request.path
        endpoint = self._settings.paths.get(path, path)
        try:
            document = (
                wire_json.loads(request.body)
                if request.body
                else http_events.document_of(request.query, self._pages.input_of(endpoint))
            )
            asked = wire_json.read_document(
                endpoint,
                document,
                request_id=_id_of(headers),
                metadata=passed_on(headers),
                streamed=True,
            )
        except BadMessage as error:
            return Page(_INVALID, wire_json.write_refusal(error, _given_id(headers)))
        return await self._stream(asked)

    async def _stream(self, request: Request) -> Page | Events:
        """Answer in parts; what fails before the first one is an answer like any other."""
        parts = self._guarded(request)
        first = await anext(parts, Response(request_id=request.request_id))
        if not first.status.ok:
            await parts.aclose()
            return self._write(first)
        headers = [*http_events.HEADERS, *self._headers(first)]
        return Events(http_events.events_of(first, parts), http_events.TYPE, headers)

    async def _guarded(self, request: Request) -> AsyncGenerator[Response, None]:
        parts = cast(AsyncGenerator[Response, None], self._flow.stream(request))
        try:
            async with aclosing(parts):
                async for part in parts:
                    yield part
        except Exception as error:
            yield broken(request, error)

    def _write(self, response: Response, *, with_routes: bool = False) -> Page:
        code = response.status.code
        try:
            data = wire_json.write_http_response(response, with_routes=with_routes)
        except ValueError as error:
            log.exception("the answer to %s cannot be written", response.request_id)
            return problem(_INTERNAL, str(error))
        limit = self._settings.max_message_bytes
        if len(data) > limit and response.status.ok:
            return problem(STATUSES[StatusCode.TOO_LARGE][1], too_large(limit))
        headers = self._headers(response)
        if code in _LATER:
            headers += _RETRY_AFTER
        return Page(STATUSES[code][1], data, headers=headers)

    def _headers(self, response: Response) -> list[tuple[bytes, bytes]]:
        headers: list[tuple[bytes, bytes]] = []
        if _REQUEST_ID.fullmatch(response.request_id):
            headers.append((b"x-request-id", response.request_id.encode()))
        for name, value in response.marks.items():
            if _MARK.fullmatch(name) and _REQUEST_ID.fullmatch(value):
                header = b"x-jina-" + name.replace("_", "-").encode()
                headers.append((header, value.encode()))
        return headers


def _given_id(headers: Headers) -> str:
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    return given if _REQUEST_ID.fullmatch(given) else ""


def _id_of(headers: Headers) -> str:
    return (b"x-request-id" in headers and _given_id(headers)) or new_request_id()
