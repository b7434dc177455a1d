"""Pings whose answers are waited for."""

from __future__ import annotations

import asyncio
import time


class Pings:
    """Those of one connection, by id."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[None]] = {}

    async def wait(self, id: int, timeout_s: float) -> float:
        """Return after how many seconds a ping that was just sent is answered.

        Raises:
            TimeoutError: It was not in time.
            Exception: As given to `fail`.
        """
        begin = time.monotonic()
        self._waiting[id] = pong = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await pong
        finally:
            self._waiting.pop(id, None)
        return time.monotonic() - begin

    def answered(self, id: int) -> None:
        """Take note of an answer; nobody may wait for it any more."""
        pong = self._waiting.get(id)
        if pong is not None and not pong.done():
            pong.set_result(None)

    def fail(self, error: Exception) -> None:
        """Have all that wait raise an error."""
        for pong in self._waiting.values():
            if not pong.done():
                pong.set_exception(error)
