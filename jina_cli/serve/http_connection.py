"""One HTTP connection: reads requests, has them answered one after the other, writes.

There is no framework between the socket and `HttpApp`. No timer is set for a request either:
the server looks at all its connections a few times a second (`tick`).
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol, cast

from jina_cli.serve.http_message import Events, HeaderList, HttpRequest, Page, head_of, problem
from jina_cli.serve.http_parser import HttpParser, Upgraded, written
from jina_cli.serve.limits import (
    BODY_IDLE_S,
    CONNECTIONS,
    HEADER_S,
    KEEP_ALIVE_S,
    LINGER_S,
    RETRY_AFTER_S,
    UNREAD_S,
)
from jina_cli.wire.budget import Budget

log = logging.getLogger(__name__)

_JOINED_BYTES = 64 * 1024
"""A body up to this is written together with its head; copying it costs less than a write."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_TOO_MANY = problem(
    503, f"{CONNECTIONS} connections are open: try again", [(b"retry-after", b"%d" % RETRY_AFTER_S)]
)
_CLOSE = (b"connection", b"close")
_KEEP = (b"connection", b"keep-alive")
_CHUNKED = (b"transfer-encoding", b"chunked")


class App(Protocol):
    """What answers the requests of connections."""

    async def answer(self, request: HttpRequest) -> Page | Events:
        """Return the answer; what goes wrong is one, too."""
        ...

    def upgrade(self, request: HttpRequest, house: House) -> Upgrade | Page:
        """Return what speaks WebSocket on a connection that asks for it, or why nobody does."""
        ...


class Upgrade(Protocol):
    """A connection after it has left HTTP."""

    def take_over(self, transport: asyncio.Transport, head: bytes, rest: bytes) -> None:
        """Go on with a connection, of which this much was read."""
        ...


class Guest(Protocol):
    """A connection, as its server knows it."""

    def tick(self, now: float) -> None:
        """Act on what did not come in time."""
        ...

    def drain(self, is_late: bool, is_last: bool) -> None:
        """Close if it is late and nothing is under way; when it is last, take nothing new."""
        ...

    def abort(self) -> int:
        """Close at once; returns how many requests were cut off."""
        ...


@dataclass(slots=True, kw_only=True)
class House:
    """What all connections of a server share.

    Attributes:
        max_body_bytes: The limit of a request's body.
        budget: Room for the bodies of all requests.
        is_draining: Whether clients are told to go elsewhere.
        header_s: How long a client may take over the headers of a request.
        date: As in the header of this name.
        now: On the loop's clock; a moment old.
        guests: The connections that are open.
    """

    app: App
    max_body_bytes: int
    budget: Budget
    is_draining: Callable[[], bool]
    header_s: float = HEADER_S
    date: bytes = b""
    now: float = 0.0
    guests: set[Guest] = field(default_factory=set)


class HttpConnection(asyncio.Protocol):
    """One connection. Its client is gone when it closes it, and so is the work for it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._loop = asyncio.get_running_loop()
        self._parser = HttpParser(max_body_bytes=house.max_body_bytes, budget=house.budget)
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._rest = b""  # read, and not parsed: the requests before it have no answer yet
        self._due = math.inf
        self._head_due = math.inf
        self._stuck_since = math.inf
        self._written: asyncio.Future[None] | None = None

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        house = self._house
        self._transport = cast(asyncio.Transport, transport)
        if len(house.guests) >= CONNECTIONS:
            self._parser.is_over = True
            self._write(HttpRequest(keeps_alive=False), _TOO_MANY)
            self._transport.close()
            return
        house.guests.add(self)
        self._due = self._head_due = house.now + house.header_s

    def data_received(self, data: bytes) -> None:
        if self._rest:
            self._rest += data
        else:
            self._take(data)

    def pause_writing(self) -> None:
        self._stuck_since = self._house.now
        self._written = self._loop.create_future()

    def resume_writing(self) -> None:
        self._stuck_since = math.inf
        written, self._written = self._written, None
        if written is not None and not written.done():
            written.set_result(None)
        if self._task is None:
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self._house.guests.discard(self)
        self._transport = None
        self._parser.close()
        if self._task is not None:
            self._task.cancel()

    # What the server calls.

    def tick(self, now: float) -> None:
        if now - self._stuck_since > UNREAD_S:
            self.abort()
        elif now >= self._due and self._transport is not None:
            if self._parser.in_body:
                self._parser.time_out()
                self._go_on()
            else:
                self._transport.close()

    def drain(self, is_late: bool, is_last: bool) -> None:
        parser = self._parser
        is_busy = self._task is not None or parser.requests or parser.in_body
        if is_late and not is_busy and self._transport is not None:
            self._transport.close()

    def abort(self) -> int:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        return int(self._task is not None) + len(self._parser.requests)

    # Reading.

    def _take(self, data: bytes) -> None:
        """Parse until a request waits for the one before it."""
        parser, place = self._parser, 0
        try:
            while place < len(data) and not parser.is_over and not parser.requests:
                place = parser.feed(data, place)
                if parser.requests and self._task is None and self._written is None:
                    self._next()
        except Upgraded as upgraded:
            self._upgrade(upgraded)
            return
        self._rest = b"" if parser.is_over else data[place:]
        if (self._rest or parser.requests) and self._transport is not None:
            self._transport.pause_reading()
        if parser.awaits_continue and self._task is None and self._transport is not None:
            parser.awaits_continue = False
            self._transport.write(_CONTINUE)
        self._set_due()

    def _set_due(self) -> None:
        now, parser = self._house.now, self._parser
        if self._task is not None:
            self._due = self._head_due = math.inf
        elif parser.in_body:
            self._due, self._head_due = now + BODY_IDLE_S, math.inf
        elif parser.in_head:
            # From its first byte on, however many pieces it comes in.
            self._head_due = min(self._head_due, now + self._house.header_s)
            self._due = self._head_due

    def _next(self) -> None:
        request = self._parser.requests.popleft()
        if request.refusal is not None:
            self._write(request, request.refusal)
            self._linger()
        else:
            self._task = self._loop.create_task(self._serve(request))

    def _go_on(self) -> None:
        """Turn to the next request, which may be here already."""
        transport = self._transport
        if transport is None or self._written is not None:
            return
        if self._parser.requests:
            self._next()
        elif self._rest:
            rest, self._rest = self._rest, b""
            transport.resume_reading()
            self._take(rest)
        else:
            if not transport.is_reading():
                transport.resume_reading()
            self._due = self._house.now + KEEP_ALIVE_S
            self._set_due()

    def _upgrade(self, upgraded: Upgraded) -> None:
        """Hand the connection over; a client that asks for WebSocket waits for the answer."""
        request, transport = upgraded.request, self._transport
        if transport is None:
            return
        is_busy = self._task is not None or bool(self._parser.requests)
        answer = (
            problem(400, "WebSocket is asked for while requests are under way")
            if is_busy
            else self._house.app.upgrade(request, self._house)
        )
        if isinstance(answer, Page):
            request.refusal, request.keeps_alive = answer, False
            self._parser.requests.append(request)
            if not is_busy:
                self._next()
            return
        self._house.guests.discard(self)
        self._transport = None
        head = written(b"GET", upgraded.url, b"1.1", request.headers.items())
        answer.take_over(transport, head, upgraded.rest)

    # Answering.

    async def _serve(self, request: HttpRequest) -> None:
        try:
            answer = await self._house.app.answer(request)
            if isinstance(answer, Page):
                self._write(request, answer)
            else:
                await self._write_events(request, answer)
        except Exception:
            log.exception("a connection failed")
            self.abort()
        finally:
            self._task = None
            request.release(self._house.budget)
        if self._transport is None:
            return
        if request.keeps_alive and not self._house.is_draining():
            self._go_on()
        else:
            self._transport.close()

    def _write(self, request: HttpRequest, page: Page) -> None:
        transport = self._transport
        if transport is None:
            return
        size = len(page.body)
        has_body = page.status != 204
        headers = self._with_connection(request, page.headers)
        head = head_of(
            page.status,
            self._house.date,
            page.content_type if has_body else b"",
            size if has_body else None,
            headers,
        )
        if request.method == "HEAD" or not size:
            transport.write(head)
        elif size <= _JOINED_BYTES:
            transport.write(head + page.body)
        else:
            transport.write(head)
            transport.write(page.body)

    async def _write_events(self, request: HttpRequest, events: Events) -> None:
        """Write each piece as it comes, as one chunk; wait while the client does not read."""
        headers = [*self._with_connection(request, events.headers)]
        if request.is_old:  # it knows no chunks: the end of the connection is the end
            request.keeps_alive = False
        else:
            headers.append(_CHUNKED)
        head = head_of(200, self._house.date, events.content_type, None, headers)
        async with aclosing(events.chunks) as chunks:
            async for chunk in chunks:
                framed = chunk if request.is_old else b"%x\r\n%b\r\n" % (len(chunk), chunk)
                cast(asyncio.Transport, self._transport).write(head + framed)
                head = b""
                if self._written is not None:
                    await self._written
        if not request.is_old:
            cast(asyncio.Transport, self._transport).write(head + b"0\r\n\r\n")

    def _with_connection(self, request: HttpRequest, headers: HeaderList) -> HeaderList:
        if not request.keeps_alive or self._house.is_draining():
            return [*headers, _CLOSE]
        return [*headers, _KEEP] if request.is_old else headers

    def _linger(self) -> None:
        """Read on for a while, and forget it: who is still sending would be reset by a close,
        and might never read the answer."""
        transport = self._transport
        if transport is None:
            return
        self._due = self._house.now + LINGER_S
        transport.resume_reading()
        if transport.can_write_eof():
            transport.write_eof()
