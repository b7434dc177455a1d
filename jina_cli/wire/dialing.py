"""How a link gets its connection, and how long it waits before it tries again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from jina_cli.wire.connection import Connection

HELLO_S = 30.0
"""How long a peer may take to say hello: it may be loading its Executor."""

_CONNECT_S = 5.0
_FIRST_S = 0.01
_LAST_S = 1.0
_STEADY_S = 2.0


class Backoff:
    """Twice as long a wait after each try, until a connection lasted some seconds."""

    def __init__(self) -> None:
        self._next_s = _FIRST_S

    async def wait(self) -> None:
        """Wait before the next try."""
        await asyncio.sleep(self._next_s)
        self._next_s = min(2 * self._next_s, _LAST_S)

    def lasted(self, seconds: float) -> None:
        """Take note of how long a connection was up."""
        if seconds >= _STEADY_S:
            self._next_s = _FIRST_S


async def dial(target: str | tuple[str, int], protocol: Callable[[], Connection]) -> Connection:
    """Return a connection to the path of a unix socket, or to a host and port.

    Raises:
        OSError: Nobody listens there.
        TimeoutError: Nothing came of it for some seconds.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_CONNECT_S):
        if isinstance(target, str):
            _, connection = await loop.create_unix_connection(protocol, target)
        else:
            _, connection = await loop.create_connection(protocol, *target)
    return connection
