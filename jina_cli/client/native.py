"""Our own frames, over a unix socket or TCP: what a client on the same host speaks."""

from __future__ import annotations

from jina_cli.client.address import Target
from jina_cli.errors import Unreachable
from jina_cli.wire.channel import Link, LinkDown
from jina_cli.wire.messages import Format, Request, Response


class NativeTransport:
    """A `Transport` over one `Link`."""

    format = Format.COLUMNS

    def __init__(self, target: Target, *, max_message_bytes: int) -> None:
        self._target = target
        self._link = Link(str(target), max_message_bytes=max_message_bytes)
        self._started = False

    async def open(self, timeout_s: float) -> None:
        if not self._started:
            self._link.start()
            self._started = True
        try:
            await self._link.wait_up(timeout_s)
        except (LinkDown, TimeoutError) as error:
            raise Unreachable(f"nobody answers at {self._target}") from error

    async def request(self, request: Request) -> Response:
        try:
            return await self._link.request(request)
        except LinkDown as error:
            raise Unreachable(f"the connection to {self._target} broke") from error

    async def close(self) -> None:
        await self._link.close()
