"""The sockets that connections are accepted on, and the end of that, which loses none of them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

from jina_cli.serve.limits import HEADER_S

_BACKLOG = 2048

_LAST_HANDSHAKE_S = 2.0
"""How long a client that was waiting at the end may take over TLS; others wait for it."""


class Listening:
    """Any number of sockets, all for one protocol.

    Args:
        make: Makes what a connection is given to.
    """

    def __init__(self, make: Callable[[], asyncio.BaseProtocol]) -> None:
        self._make = make
        self._servers: list[asyncio.Server] = []
        self._sockets: list[tuple[socket.socket, ssl.SSLContext | None]] = []

    async def add(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Accept connections on `sock`, which is ours until `end`."""
        # The loop closes the socket it is given, and the last connections are taken from
        # the backlog after that.
        self._sockets.append((sock.dup(), tls))
        loop = asyncio.get_running_loop()
        handshake_s = None if tls is None else HEADER_S
        server = await loop.create_server(
            self._make, sock=sock, ssl=tls, backlog=_BACKLOG, ssl_handshake_timeout=handshake_s
        )
        self._servers.append(server)

    async def end(self) -> None:
        """Refuse new connections; those that the system has taken already are served."""
        for server in self._servers:
            server.close()
        waiting: list[tuple[socket.socket, ssl.SSLContext | None]] = []
        for sock, tls in self._sockets:
            waiting += [(connection, tls) for connection in _take_all(sock)]
            # Never shut down: it is the parent's socket too, on which the next Gateway listens.
            sock.close()
        self._servers.clear()
        self._sockets.clear()
        await asyncio.gather(*(self._greet(connection, tls) for connection, tls in waiting))

    async def _greet(self, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        handshake_s = None if tls is None else _LAST_HANDSHAKE_S
        with contextlib.suppress(OSError):
            await loop.connect_accepted_socket(
                self._make, connection, ssl=tls, ssl_handshake_timeout=handshake_s
            )


def _take_all(sock: socket.socket) -> list[socket.socket]:
    """Return the connections that wait to be accepted, without waiting for more."""
    sock.setblocking(False)
    found: list[socket.socket] = []
    while True:
        try:
            connection, _ = sock.accept()
        except OSError:
            return found
        connection.setblocking(False)
        found.append(connection)
