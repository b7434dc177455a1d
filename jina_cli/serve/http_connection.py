"""One HTTP connection: uvicorn's, with bounds of our own and a word when the client is gone.

uvicorn parses and writes; what it leaves open is how long a client may take over its headers,
how many of them there may be, and how to hear at once that nobody waits for the answer any
more. All of that is cheaper here than around each request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from jina_cli.serve.limits import CONNECTIONS, HEADER_BYTES, HEADER_S, KEEP_ALIVE_S

CONNECTION = "jina.connection"
"""Key of a scope's `state` under which a request finds its `Connection`."""

LINGER_S = 10.0
"""How long a client whose body was refused may go on sending it, unread."""


class Connection:
    """What a request may ask of the connection it came on.

    Attributes:
        on_lost: Called once when the client is gone; None while nobody works for it.
    """

    def __init__(self) -> None:
        self.on_lost: Callable[[], object] | None = None
        self.transport: asyncio.Transport | None = None

    def linger(self) -> None:
        """Let the client finish what it sends before the connection is closed.

        Closing at once would reset it, and the client might never read the answer.
        """
        if self.transport is not None:
            asyncio.get_running_loop().call_later(LINGER_S, self.transport.close)


def config_of(app: Any, *, keep_alive_s: float = KEEP_ALIVE_S) -> Config:
    """Return uvicorn's settings for `app`: no log of its own, no guessing, no lifespan."""
    config = Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        interface="asgi3",
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=int(keep_alive_s),
        h11_max_incomplete_event_size=HEADER_BYTES,
    )
    config.load()
    return config


def connection_class(config: Config, header_s: float = HEADER_S) -> Callable[[ServerState], Any]:
    """Return what makes the protocol of each new connection."""
    guarded = _guarded(cast(Any, config.http_protocol_class), header_s)
    return lambda state: guarded(config=config, server_state=state, app_state={})


def _guarded(base: Any, header_s: float) -> Any:
    class Guarded(base):  # type: ignore[misc]  # either of uvicorn's two protocols
        """Bounds on headers, and news of the client."""

        def connection_made(self, transport: asyncio.Transport) -> None:
            self._jina = Connection()
            self._jina.transport = transport
            self._header_bytes = 0
            self._header_timer: asyncio.TimerHandle | None = None
            self.app_state = {CONNECTION: self._jina}
            super().connection_made(transport)
            if len(self.connections) > CONNECTIONS:
                transport.close()
                return
            self._await_headers()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._stop_timer()
                self._header_bytes = 0
            elif self._header_timer is None and not self.transport.is_closing():
                self._await_headers()

        def on_url(self, url: bytes) -> None:
            self._count(len(url))
            super().on_url(url)

        def on_header(self, name: bytes, value: bytes) -> None:
            self._count(len(name) + len(value))
            super().on_header(name, value)

        def _count(self, num_bytes: int) -> None:
            self._header_bytes += num_bytes
            if self._header_bytes > HEADER_BYTES:
                # The parser turns this into a 400 and closes.
                raise ValueError("too many headers")

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)
            told, self._jina.on_lost = self._jina.on_lost, None
            self._jina.transport = None
            if told is not None:
                told()

        def _await_headers(self) -> None:
            self._header_timer = self.loop.call_later(header_s, self._header_is_late)

        def _header_is_late(self) -> None:
            self._header_timer = None
            if self.cycle is None or self.cycle.response_complete:
                self.transport.close()

        def _stop_timer(self) -> None:
            if self._header_timer is not None:
                self._header_timer.cancel()
                self._header_timer = None

    return Guarded
