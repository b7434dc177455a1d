"""HTTP/2 on sockets: connections with a clock, and an end that loses no request."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Generic, cast

from jina_cli.serve.http2.blocks import Fields, Head
from jina_cli.serve.http2.connection import Connection, Limits
from jina_cli.serve.http2.frames import Code
from jina_cli.serve.http2.stream import Receiver, Stream
from jina_cli.serve.limits import CONNECTIONS, HEADER_S
from jina_cli.serve.listening import Listening

_TICK_S = 5.0
_HIGH_WATER_BYTES = 1024 * 1024
_TOGETHER_BYTES = 64 * 1024
"""Up to this size what is sent is copied into one piece."""

_PING_AFTER_S = 20.0
"""A connection that has been silent for so long is asked whether it is there."""

_GONE_AFTER_S = 45.0
"""One that has been silent for so long is not."""

_UNREAD_S = 30.0
"""How long a client may leave what is sent to it lie."""

_LEAST_READ_BYTES = 4096
"""What it must take in that time, where more waits for it."""

_IDLE_S = 600.0
"""A connection without a request for so long is closed; a client makes another when it needs it."""


class Guest(asyncio.Protocol, Generic[Head]):
    """One connection and its socket."""

    def __init__(self, server: Http2Server[Head]) -> None:
        self._server = server
        self._loop = server.loop
        self._transport: asyncio.Transport | None = None
        self._is_flush_due = False
        self._heard_at = self._busy_at = self._read_at = self._loop.time()
        self._read = self._given = self._taken = 0
        self.connection: Connection[Head] = Connection(
            server.accept, server.interpret, self._wake, server.limits
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER_BYTES)
        if len(self._server.guests) >= CONNECTIONS:
            self._transport.abort()
            return
        self._server.guests.add(self)
        self.connection.start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.guests.discard(self)
        self.connection.lost()

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._server.now
        if not self.connection.is_over:
            self.connection.receive(data)

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self.connection.is_paused = True
        # What it asks for could not be answered either.
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None and not self.connection.is_over:
            self._transport.resume_reading()
        self._heard_at = self._server.now  # it was not listened to
        self.connection.resume()

    def tick(self, now: float) -> None:
        """Look after the connection; called at a steady pace."""
        connection = self.connection
        connection.quieten()
        if connection.streams:
            self._busy_at = now
        silent_s = now - self._heard_at
        idle_s = now - self._busy_at
        is_mute = not connection.is_greeted and idle_s > HEADER_S
        is_heard = not connection.is_paused
        is_gone = is_heard and connection.awaits_ping and silent_s > _GONE_AFTER_S
        lingers = connection.is_over and idle_s > _UNREAD_S
        if is_mute or is_gone or lingers or self._is_stuck(now):
            self.abort()
        elif silent_s > _PING_AFTER_S and not connection.awaits_ping:
            connection.ping()
        elif idle_s > _IDLE_S:
            connection.leave()

    def abort(self) -> None:
        """Close now."""
        self.connection.lost()
        if self._transport is not None:
            self._transport.abort()

    def _is_stuck(self, now: float) -> bool:
        """Whether the client reads nothing, or next to nothing, of what waits for it."""
        connection = self.connection
        waits = connection.pending or connection.is_paused
        reads = connection.sent - self._read >= _LEAST_READ_BYTES
        taken = self._given
        if connection.is_paused and self._transport is not None:
            # Nothing more is sent until most of what was has gone, which may take minutes.
            taken -= self._transport.get_write_buffer_size()
            reads = reads or taken - self._taken >= _LEAST_READ_BYTES
        if not waits or reads:
            self._read_at, self._read, self._taken = now, connection.sent, taken
        return now - self._read_at > _UNREAD_S

    def _wake(self) -> None:
        if not self._is_flush_due:
            self._is_flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Write what was sent in this turn of the loop."""
        self._is_flush_due = False
        connection, transport = self.connection, self._transport
        out, connection.out = connection.out, []
        if transport is None:
            return
        size = sum(map(len, out))
        self._given += size
        if len(out) == 1:
            transport.write(out[0])
        elif out:
            if size <= _TOGETHER_BYTES:
                transport.write(b"".join(out))
            else:
                transport.writelines(out)
        if connection.is_over:
            transport.close()


class Http2Server(Generic[Head]):
    """What listens for HTTP/2 on any number of sockets.

    Args:
        accept: As in `Connection`.
        interpret: As in `BlockReader`.
        limits: Of each connection.

    Attributes:
        guests: The connections that are open.
        now: The loop's time, not older than a tick.
        on_tick: Called after each tick with the time.
    """

    def __init__(
        self,
        accept: Callable[[Stream, Head, bool], Receiver],
        interpret: Callable[[Fields], Head],
        limits: Limits,
    ) -> None:
        self.accept = accept
        self.interpret = interpret
        self.limits = limits
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time()
        self.guests: set[Guest[Head]] = set()
        self.on_tick: Callable[[float], None] | None = None
        self._listening = Listening(self._make)
        self._clock: asyncio.TimerHandle | None = None

    async def start(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Accept connections on `sock`."""
        if self._clock is None:
            self._tick()
        await self._listening.add(sock, tls)

    async def stop_accepting(self) -> None:
        """Refuse new connections; those that the system has taken already are served."""
        await self._listening.end()

    def leave(self) -> None:
        """Have each connection end when its streams have."""
        for guest in list(self.guests):
            guest.connection.leave()

    def close(self) -> None:
        """Cut off what is left."""
        if self._clock is not None:
            self._clock.cancel()
        for guest in list(self.guests):
            guest.connection.fail(Code.NO_ERROR, "")

    def _make(self) -> Guest[Head]:
        return Guest(self)

    def _tick(self) -> None:
        # First of all: whatever fails below, the clock goes on.
        self._clock = self.loop.call_later(_TICK_S, self._tick)
        self.now = self.loop.time()
        for guest in list(self.guests):
            guest.tick(self.now)
        if self.on_tick is not None:
            self.on_tick(self.now)
