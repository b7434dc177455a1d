"""The pages of the HTTP edge that are no endpoints: health, docs, OpenAPI, dry run, status."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import orjson

from jina_cli.serve.board import Board
from jina_cli.serve.http_message import Page, problem
from jina_cli.serve.limits import RETRY_AFTER_S
from jina_cli.serve.openapi import HIDDEN, openapi_of
from jina_cli.serve.versions import versions
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.json import write_status
from jina_cli.wire.messages import Answer, EndpointInfo, Request

_HTML = b"text/html; charset=utf-8"
_HTML_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline';"
        b" connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """What the API calls itself.

    Attributes:
        paths: HTTP path → endpoint, where they differ.
    """

    title: str = ""
    description: str = ""
    paths: Mapping[str, str] = field(default_factory=dict)


class Pages:
    """Answers what is no request to an endpoint.

    Args:
        answer: Carries a dry run through the Flow.
        board: State of the Gateway.
        endpoints: Returns what the Pods serve now.
        title: Of the API.
    """

    def __init__(
        self,
        answer: Answer,
        board: Board,
        endpoints: Callable[[], Mapping[str, EndpointInfo]],
        title: Title,
    ) -> None:
        self._answer = answer
        self._board = board
        self._endpoints = endpoints
        self._title = title
        self._pages: Mapping[str, Callable[[], Awaitable[Page]]] = {
            "/": self._alive,
            "/livez": self._alive,
            "/readyz": self._ready,
            "/docs": self._docs,
            "/redoc": self._docs,
            "/openapi.json": self._openapi,
            "/dry_run": self._dry_run,
            "/status": self._status,
        }

    def owns(self, path: str) -> bool:
        """Return whether `path` is a page, and no Pod has an endpoint of that name."""
        return path in self._pages and path not in self._endpoints()

    def streams(self, path: str) -> bool:
        """Return whether a GET of `path` is answered with events, one for each document."""
        if path in self._pages:
            return False
        info = self._endpoints().get(self._title.paths.get(path, path))
        return info is not None and info.is_generator

    def input_of(self, endpoint: str) -> Mapping[str, Any]:
        """Return the schema of the documents that an endpoint takes."""
        return self._endpoints().get(endpoint, EndpointInfo()).input

    async def answer(self, method: str, path: str) -> Page:
        """Return the page for anything but a request to an endpoint."""
        page = self._pages.get(path)
        if page is not None and method in ("GET", "HEAD"):
            return await page()  # the connection leaves the body out where HEAD asks for that
        if page is not None:
            return problem(405, "Method Not Allowed", [(b"allow", b"GET, HEAD")])
        if path in self._paths():
            allowed = b"GET, POST" if self.streams(path) else b"POST"
            return problem(405, "Method Not Allowed", [(b"allow", allowed)])
        return problem(404, "Not Found")

    def _paths(self) -> dict[str, str]:
        shown = {name: name for name in self._endpoints() if name not in HIDDEN}
        renamed = {path: name for path, name in self._title.paths.items() if name in shown}
        return {**shown, **renamed}

    async def _alive(self) -> Page:
        return _json({"alive": True})

    async def _ready(self) -> Page:
        board = self._board
        told = {
            "ready": board.is_ready,
            "starting": not board.started,
            "draining": board.draining,
            "down": list(board.down),
        }
        if board.is_ready:
            return _json(told)
        headers = [(b"retry-after", b"%d" % RETRY_AFTER_S)]
        return Page(503, orjson.dumps(told), headers=headers)

    async def _docs(self) -> Page:
        html = resources.files("jina_cli.serve").joinpath("docs.html").read_bytes()
        return Page(200, html, _HTML, _HTML_HEADERS)

    async def _openapi(self) -> Page:
        return _json(
            openapi_of(
                self._paths(),
                self._endpoints(),
                title=self._title.title,
                description=self._title.description,
            )
        )

    async def _dry_run(self) -> Page:
        status = (await self._answer(Request(endpoint=DRY_RUN_ENDPOINT))).status
        return _json(write_status(status))

    async def _status(self) -> Page:
        return _json({"jina": versions(), "envs": {}})


def _json(value: Any) -> Page:
    return Page(200, orjson.dumps(value))
