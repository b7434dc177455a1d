"""Serves an ASGI application on inherited sockets, and stops without losing a request.

uvicorn's protocol does the work on a connection; its `Server` is not used, since it takes
over signals and drops connections that wait in the backlog when it stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from email.utils import formatdate
from typing import Any

from uvicorn.server import ServerState

from jina_cli.serve.http_connection import config_of, connection_class
from jina_cli.serve.limits import HEADER_S

_BACKLOG = 2048
_POLL_S = 0.02
_QUIET_S = 0.3
"""How long a connection without a request is kept in a drain."""


class HttpServer:
    """One application on any number of listening sockets.

    Args:
        app: Called for each request.
        tls: Context for TLS; None serves plain HTTP.
        header_s: How long a client may take over the headers of a request.
    """

    def __init__(
        self, app: Any, *, tls: ssl.SSLContext | None = None, header_s: float = HEADER_S
    ) -> None:
        self._state = ServerState()
        make = connection_class(config_of(app), header_s)
        self._make = lambda: make(self._state)
        self._tls = tls
        self._servers: list[asyncio.Server] = []
        self._listening: list[socket.socket] = []
        self._clock: asyncio.Task[None] | None = None

    async def start(self, sock: socket.socket) -> None:
        """Accept connections on `sock`, which stays open until `stop_accepting`."""
        if self._clock is None:
            self._clock = asyncio.create_task(self._keep_date())
        # The loop closes the socket it is given, and the last connections are taken from
        # the backlog after that.
        self._listening.append(sock.dup())
        loop = asyncio.get_running_loop()
        self._servers.append(
            await loop.create_server(self._make, sock=sock, ssl=self._tls, backlog=_BACKLOG)
        )

    async def stop_accepting(self) -> None:
        """Refuse new connections; those that the system has taken already are served."""
        loop = asyncio.get_running_loop()
        for server in self._servers:
            server.close()
        for sock in self._listening:
            waiting = _take_all(sock)
            # Never shut down: it is the parent's socket too, on which the next Gateway listens.
            sock.close()
            for connection in waiting:
                with contextlib.suppress(OSError):
                    await loop.connect_accepted_socket(self._make, connection, ssl=self._tls)
        self._servers.clear()
        self._listening.clear()

    async def finish(self, timeout_s: float) -> int:
        """Let each connection end with the request it is at; return how many were cut off.

        A connection on which nothing is asked is closed a moment later: its client may have
        sent a request that has not arrived yet, and would take the end for a failure. (Each
        answer tells its client to close; see `HttpApp`.)
        """
        start = time.monotonic()
        while self._state.connections and (spent := time.monotonic() - start) < timeout_s:
            if spent >= min(_QUIET_S, timeout_s / 2):
                for connection in list(self._state.connections):
                    connection.shutdown()
            await asyncio.sleep(_POLL_S)
        left = [task for task in self._state.tasks if not task.done()]
        for task in left:
            task.cancel()
        if self._clock is not None:
            self._clock.cancel()
        return len(left)

    async def _keep_date(self) -> None:
        while True:
            date = formatdate(time.time(), usegmt=True).encode()
            self._state.default_headers = [(b"date", date)]
            await asyncio.sleep(1)


def _take_all(sock: socket.socket) -> list[socket.socket]:
    """Return the connections that wait to be accepted, without waiting for more."""
    sock.setblocking(False)
    found: list[socket.socket] = []
    while True:
        try:
            connection, _ = sock.accept()
        except (BlockingIOError, InterruptedError):
            return found
        except OSError:
            return found
        connection.setblocking(False)
        found.append(connection)
