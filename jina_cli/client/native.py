"""Our own frames, over a unix socket or TCP: what a client on the same host speaks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext

from jina_cli.client.address import Target
from jina_cli.client.errors import ConnectionFailed
from jina_cli.client.transport import Asks, Settings
from jina_cli.wire.channel import Link, LinkDown
from jina_cli.wire.messages import Format, Request, Response

_MAX_PENDING = 65_536
"""Many sessions may share a link, and each has a window of its own."""


class NativeTransport:
    """A `Transport` over one `Link`, which connects again by itself."""

    format = Format.COLUMNS

    def __init__(self, target: Target, settings: Settings) -> None:
        self._target = target
        self._max_bytes = settings.max_message_bytes
        self._link = Link(str(target), max_message_bytes=self._max_bytes, max_pending=_MAX_PENDING)
        self._started = False
        self._timeout_s = 0.0

    async def open(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        if not self._started:
            self._link.start()
            self._started = True
        try:
            await self._link.wait_up(timeout_s)
        except (LinkDown, TimeoutError) as error:
            raise self._nobody(error) from error

    async def request(self, request: Request) -> Response:
        if not self._link.is_up:
            await self.open(self._timeout_s)
        try:
            return await self._link.request(request)
        except LinkDown as error:
            raise self._broke(error) from error

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        if not self._link.is_up:
            await self.open(self._timeout_s)
        parts = self._link.stream(request)
        try:
            async for part in parts:
                yield part
        except LinkDown as error:
            raise self._broke(error) from error
        finally:
            if isinstance(parts, AsyncGenerator):
                await parts.aclose()

    def session(self) -> AbstractAsyncContextManager[Asks]:
        return nullcontext(self)

    async def close(self) -> None:
        await self._link.close()

    def _nobody(self, error: Exception) -> ConnectionFailed:
        reason = str(error).rpartition(" is not up: ")[2]
        return ConnectionFailed(f"nobody answers at {self._target}", hint=reason)

    def _broke(self, error: LinkDown) -> ConnectionFailed:
        what = f"the connection to {self._target} broke"
        return ConnectionFailed(what, was_sent=error.was_sent)
