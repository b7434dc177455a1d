"""Serves HTTP on inherited sockets, and stops without losing a request."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from email.utils import formatdate

from jina_cli.serve.http_connection import App, House, HttpConnection
from jina_cli.serve.limits import HEADER_S
from jina_cli.serve.listening import Listening
from jina_cli.wire.budget import Budget

_POLL_S = 0.02
_TICK_S = 1.0
_QUIET_S = 0.3
"""How long a connection without a request is kept in a drain."""
_LAST_S = 0.5
"""So long before the end of a drain even a busy WebSocket is not listened to any more."""


def _never() -> bool:
    return False


class HttpServer:
    """One application on any number of listening sockets.

    Args:
        app: Answers requests.
        max_body_bytes: The limit of a request's body.
        budget: Room for the bodies of all requests.
        is_draining: Whether clients are told to go elsewhere.
        tls: Context for TLS; None serves plain HTTP.
        header_s: How long a client may take over the headers of a request.
    """

    def __init__(
        self,
        app: App,
        *,
        max_body_bytes: int,
        budget: Budget,
        is_draining: Callable[[], bool] = _never,
        tls: ssl.SSLContext | None = None,
        header_s: float = HEADER_S,
    ) -> None:
        self.house = House(
            app=app,
            max_body_bytes=max_body_bytes,
            budget=budget,
            is_draining=is_draining,
            header_s=header_s,
        )
        self._tls = tls
        self._listening = Listening(self._make)
        self._clock: asyncio.Task[None] | None = None

    async def start(self, sock: socket.socket) -> None:
        """Accept connections on `sock`, which stays open until `stop_accepting`."""
        if self._clock is None:
            self._tick()
            self._clock = asyncio.create_task(self._keep_time())
        await self._listening.add(sock, self._tls)

    async def stop_accepting(self) -> None:
        """Refuse new connections; those that the system has taken already are served."""
        await self._listening.end()

    async def finish(self, timeout_s: float) -> int:
        """Let each connection end with the request it is at; return how many were cut off.

        A connection on which nothing is asked is closed a moment later: its client may have
        sent a request that has not arrived yet, and would take the end for a failure.
        """
        guests, start = self.house.guests, time.monotonic()
        while guests and (spent := time.monotonic() - start) < timeout_s:
            is_late = spent >= min(_QUIET_S, timeout_s / 2)
            is_last = timeout_s - spent < min(_LAST_S, timeout_s / 4)
            for guest in list(guests):
                guest.drain(is_late, is_last)
            await asyncio.sleep(_POLL_S)
        cut = sum(guest.abort() for guest in list(guests))
        if self._clock is not None:
            self._clock.cancel()
        return cut

    def _make(self) -> HttpConnection:
        return HttpConnection(self.house)

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(min(_TICK_S, self.house.header_s / 4))
            self._tick()

    def _tick(self) -> None:
        house = self.house
        house.date = formatdate(time.time(), usegmt=True).encode()
        house.now = asyncio.get_running_loop().time()
        for guest in list(house.guests):
            guest.tick(house.now)
