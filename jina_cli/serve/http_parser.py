"""Bytes of a connection → requests, without a socket. llhttp reads, the bounds are here.

What is refused by how it is written (too long, compressed, ambiguous, no HTTP) is a request
too: one with a `refusal`, and the last of its connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NoReturn
from urllib.parse import unquote_to_bytes

import httptools

from jina_cli.serve.http_heads import Heads
from jina_cli.serve.http_message import HttpRequest, Page, problem
from jina_cli.serve.limits import HEADER_BYTES, RETRY_AFTER_S, too_large
from jina_cli.wire.budget import Budget, OverBudget, Share
from jina_cli.wire.messages import STATUSES, StatusCode

SLICE_BYTES = 4096
"""What is parsed at a time, so that many tiny requests in one read are not all made at once."""

_ONCE = frozenset({b"host", b"content-length", b"content-type", b"origin", b"x-request-id"})
"""Headers that mean nothing, or two things, when they come twice."""

_OFFERS = frozenset({b"upgrade", b"http2-settings", b"connection"})
"""Headers with which a client offers another protocol."""

_OVERHEAD_BYTES = 64 * 1024
_OVERHEAD_TIMES = 8
"""A body in chunks may be this much larger on the wire: sizes and extensions of tiny chunks."""

_BUSY = STATUSES[StatusCode.OVERLOADED][1]
_RETRY_AFTER = [(b"retry-after", b"%d" % RETRY_AFTER_S)]
_HEADERS_TOO_LARGE = problem(431, f"the headers are over the limit of {HEADER_BYTES} bytes")


class _Refused(Exception):
    """Ends the reading from within a callback."""


class Upgraded(Exception):
    """The client asks for WebSocket.

    Attributes:
        request: Its head.
        url: As it came.
        rest: What came after it.
    """

    def __init__(self, request: HttpRequest, url: bytes, rest: bytes) -> None:
        self.request = request
        self.url = url
        self.rest = rest
        super().__init__(request.path)


class HttpParser:
    """Reads the requests of one connection.

    Args:
        max_body_bytes: A longer body is refused.
        budget: Room for bodies.

    Attributes:
        requests: Those that are whole, or refused; taken out by who answers them.
        in_head: Whether a request has begun whose headers have not ended.
        in_body: Whether the headers of a request have ended and its body has not.
        awaits_continue: Whether the client waits for leave before it sends the body.
        is_over: Whether nothing more is read: the last request said so, or was refused.
    """

    def __init__(self, *, max_body_bytes: int, budget: Budget) -> None:
        self._max_body_bytes = max_body_bytes
        self._budget = budget
        self._parser = httptools.HttpRequestParser(self)
        self._request = HttpRequest()
        self._refusal: Page | None = None
        self._url = b""
        self._length: int | None = 0
        self._body_bytes = self._wire_bytes = self._idle_bytes = self._header_bytes = 0
        self._heads = Heads()
        self.requests: deque[HttpRequest] = deque()
        self.in_head = False
        self.in_body = False
        self.awaits_continue = False
        self.is_over = False

    def feed(self, data: bytes, start: int = 0) -> int:
        """Read on from `start`; returns the place up to which `data` was taken.

        Raises:
            Upgraded: The client asks for WebSocket; nothing more is read here.
        """
        is_between = not (self.in_head or self.in_body or self.is_over)
        if is_between and (end := self._read_again(data, start)):
            return end
        size = len(data) - start
        if size > SLICE_BYTES:
            left = self._length - self._body_bytes if self.in_body and self._length else 0
            size = min(size, max(SLICE_BYTES, left))
        end = start + size
        piece: bytes | memoryview = data
        if size < len(data):
            piece = memoryview(data)[start:end]
        before = self._body_bytes
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade as error:
            place = start + int(error.args[0])
        except httptools.HttpParserError as error:
            self._end(error)
            return end
        else:
            if self.in_head or self.in_body:
                self._measure(size, self._body_bytes - before)
            elif is_between and len(self.requests) == 1:
                self._heads.learn(data, start, end, self.requests[0])
            return end
        self._upgrade(data, place, end)
        return end

    def time_out(self) -> None:
        """Refuse the request whose body does not go on."""
        self._refuse(problem(408, "the rest of the body did not come in time"))

    def close(self) -> None:
        """Give back what is held of requests that nobody will answer."""
        self.is_over = True
        self._request.release(self._budget)
        for request in self.requests:
            request.release(self._budget)
        self.requests.clear()

    def _read_again(self, data: bytes, start: int) -> int:
        """Take a request whose head is known; returns its end, or 0 if it is another."""
        found = self._heads.find(data, start)
        if found is None:
            return 0
        request, end = found
        if request.body:
            share = request.share = Share(self._budget)
            try:
                share.grow(len(request.body))
            except OverBudget:
                return 0  # it is refused as all others are
        self.requests.append(request)
        return end

    # What llhttp calls, in this order.

    def on_message_begin(self) -> None:
        self._url = b""
        self._length = 0
        self._body_bytes = self._wire_bytes = self._idle_bytes = self._header_bytes = 0
        self.in_head = True

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > HEADER_BYTES:
            self._stop(_HEADERS_TOO_LARGE)
        if self.in_body:
            return  # a trailer: it must not change what was decided by the headers
        headers = self._request.headers
        name = name.lower()
        if name not in headers:
            headers[name] = value
        elif name in _ONCE:
            self._stop(problem(400, f"the header {name.decode('latin-1')} came twice"))
        else:
            headers[name] += b", " + value

    def on_headers_complete(self) -> None:
        request, parser = self._request, self._parser
        headers = request.headers
        request.method = parser.get_method().decode("ascii")
        request.keeps_alive = parser.should_keep_alive()
        self._read_url(request)
        has_host = b"host" in headers
        if not has_host or b"connection" in headers:
            request.is_old = parser.get_http_version() == "1.0"
            if not has_host and not request.is_old:
                self._stop(problem(400, "the header host is missing"))
        self.in_head = False
        if not parser.should_upgrade():
            self.in_body = True
            self._check_body(headers)

    def on_body(self, piece: bytes) -> None:
        request = self._request
        self._body_bytes += len(piece)
        if self._body_bytes > self._max_body_bytes:
            self._stop(problem(413, too_large(self._max_body_bytes)))
        share = request.share
        if share is None:
            share = request.share = Share(self._budget)
        try:
            share.grow(len(piece))
        except OverBudget as error:
            self._stop(problem(_BUSY, str(error), _RETRY_AFTER))
        if not request.body:
            request.body = piece
        elif isinstance(request.body, bytearray):
            request.body += piece
        else:
            request.body = bytearray(request.body) + piece

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade():
            return
        self.in_body = self.awaits_continue = False
        self.requests.append(self._request)
        self.is_over = not self._request.keeps_alive
        self._request = HttpRequest()

    def _read_url(self, request: HttpRequest) -> None:
        url = self._url
        if url[:1] != b"/" or b"?" in url or b"#" in url:
            try:
                parsed = httptools.parse_url(url)
            except httptools.HttpParserInvalidURLError:
                self._stop(problem(400, "the address is none"))
            url, request.query = parsed.path or b"/", parsed.query or b""
        if b"%" in url:
            url = unquote_to_bytes(url)
        request.path = url.decode("utf-8", "replace")

    def _check_body(self, headers: dict[bytes, bytes]) -> None:
        coding = headers.get(b"transfer-encoding")
        if coding is not None:
            self._length = None
            if coding.strip().lower() != b"chunked":
                self._stop(problem(400, "of transfer encodings only chunked is known"))
        encoding = headers.get(b"content-encoding")
        if encoding is not None and encoding.lower() not in (b"identity", b""):
            name = encoding.decode("latin-1")[:40]
            self._stop(problem(415, f"the body is encoded as {name}; send it as it is"))
        length = headers.get(b"content-length")
        if length is not None:
            self._length = int(length)
            if self._length > self._max_body_bytes:
                self._stop(problem(413, too_large(self._max_body_bytes)))
        if b"expect" in headers:
            self.awaits_continue = headers[b"expect"].lower() == b"100-continue"

    def _stop(self, page: Page) -> NoReturn:
        self._refusal = page
        raise _Refused

    def _measure(self, size: int, body_size: int) -> None:
        """Count what llhttp does not tell of: an endless header, and what is around chunks."""
        self._wire_bytes += size
        if self.in_head:
            if self._wire_bytes > HEADER_BYTES + SLICE_BYTES:
                self._refuse(_HEADERS_TOO_LARGE)
            return
        if self._length is not None:
            return
        self._idle_bytes = 0 if body_size else self._idle_bytes + size
        is_padded = self._wire_bytes > _OVERHEAD_BYTES + _OVERHEAD_TIMES * self._body_bytes
        if is_padded or self._idle_bytes > _OVERHEAD_BYTES:
            self._refuse(problem(400, "the chunks of the body hold hardly any of it"))

    def _end(self, error: httptools.HttpParserError) -> None:
        """Act on what a callback raised, or on bytes that are no HTTP."""
        if self._refusal is not None:
            self._refuse(self._refusal)
        elif not self.is_over:  # what comes after a last request is nobody's
            self._refuse(problem(400, f"this is no HTTP request: {error}"))

    def _refuse(self, page: Page) -> None:
        request, self._request = self._request, HttpRequest()
        request.release(self._budget)
        request.body = b""
        request.refusal, request.keeps_alive = page, False
        self.in_head = self.in_body = self.awaits_continue = False
        self.is_over = True
        self.requests.append(request)

    def _upgrade(self, data: bytes, place: int, end: int) -> None:
        request, self._request = self._request, HttpRequest()
        headers = request.headers
        if request.method == "GET" and headers.get(b"upgrade", b"").lower() == b"websocket":
            self.is_over = True
            raise Upgraded(request, self._url, data[place:])
        if request.method == "CONNECT":
            self._refuse(problem(405, "Method Not Allowed"))
            return
        # Nobody has to take up such an offer (`h2c` is one that common clients make): the
        # request is read again without it, now with its body.
        self._parser = httptools.HttpRequestParser(self)
        kept = [header for header in headers.items() if header[0] not in _OFFERS]
        if not request.keeps_alive:
            kept.append((b"connection", b"close"))
        version = b"1.0" if request.is_old else b"1.1"
        again = written(request.method.encode(), self._url, version, kept) + data[place:end]
        place = 0
        while place < len(again) and not self.is_over:
            place = self.feed(again, place)


def written(
    method: bytes, url: bytes, version: bytes, headers: Iterable[tuple[bytes, bytes]]
) -> bytes:
    """Return the head of a request as it goes over the wire."""
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, url, version, lines)
