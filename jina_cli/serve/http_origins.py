"""Which pages of other origins may call the HTTP API (CORS), and which may not even try."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from jina_cli.serve.http_message import Events, HeaderList, Headers, Page, problem

_SIMPLE_TYPES = (b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data")
_NAMES = re.compile(rb"[\w\-, ]{1,1000}")
_VARY = (b"vary", b"origin")
_METHODS = (b"access-control-allow-methods", b"GET, POST, OPTIONS")
_MAX_AGE = (b"access-control-max-age", b"600")
_EXPOSED = (b"access-control-expose-headers", b"*")


class Origins:
    """The origins that may call.

    Args:
        any_may: Whether all of them may.
        allowed: Those that may where not any may, `https://example.org`.
    """

    def __init__(self, *, any_may: bool, allowed: Collection[str] = ()) -> None:
        self._any_may = any_may
        self._allowed = frozenset(origin.rstrip("/").encode() for origin in allowed)
        self.is_open = any_may or bool(allowed)
        """Whether there is anything to say of origins in an answer."""

    def may(self, headers: Headers) -> bool:
        """Return whether who sent these headers is no page, or one that may call."""
        origin = headers.get(b"origin")
        if origin is None or self._any_may or origin in self._allowed:
            return True
        host = headers.get(b"host", b"")
        return origin in (b"http://" + host, b"https://" + host)

    def preflight(self, headers: Headers) -> Page:
        """Return the answer to a page's browser that asks before it sends."""
        if not self.may(headers):
            origin = headers[b"origin"].decode("latin-1")[:200]
            return problem(403, f"pages of {origin} may not call this API: see 'cors'")
        asked = headers.get(b"access-control-request-headers", b"")
        names = asked if _NAMES.fullmatch(asked) else b"*"
        return Page(
            204, b"", headers=[_METHODS, (b"access-control-allow-headers", names), _MAX_AGE]
        )

    def refuse(self, headers: Headers) -> Page | None:
        """Return the refusal of what a foreign page sends without asking first (CSRF).

        A browser sends JSON across origins only after a preflight, which fails; the types of
        plain forms it sends at once.
        """
        if b"origin" not in headers or self.may(headers):
            return None
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        is_simple = kind in _SIMPLE_TYPES or not kind
        return problem(415, "send application/json") if is_simple else None

    def dress(self, headers: Headers, answer: Page | Events) -> Page | Events:
        """Return an answer with what its browser wants to know before it shows it."""
        return replace(answer, headers=[*answer.headers, *self._said(headers)])

    def _said(self, headers: Headers) -> HeaderList:
        if self._any_may:
            return [(b"access-control-allow-origin", b"*"), _EXPOSED]
        origin = headers.get(b"origin")
        if origin not in self._allowed:
            return [_VARY]
        return [(b"access-control-allow-origin", origin), _EXPOSED, _VARY]
