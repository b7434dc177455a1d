"""A Gateway's questions to its Pods, counted and timed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from jina_cli.observe.metrics import Sending
from jina_cli.serve.journey import Peer
from jina_cli.wire.messages import Request, Response
from jina_cli.wire.parts import closing


class WatchedPeer:
    """One Pod, watched.

    Args:
        name: Of the Pod.
        peer: The Pod itself.
        sending: Takes the numbers.
    """

    def __init__(self, name: str, peer: Peer, sending: Sending) -> None:
        self._name = name
        self._peer = peer
        self._sending = sending

    async def request(self, request: Request) -> Response:
        with self._sending.to(self._name, request) as received:
            response = await self._peer.request(request)
            received(response)
            return response

    async def broadcast(self, request: Request) -> Response:
        with self._sending.to(self._name, request) as received:
            response = await self._peer.broadcast(request)
            received(response)
            return response

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        with self._sending.to(self._name, request) as received:
            async with closing(self._peer.stream(request)) as parts:
                async for part in parts:
                    received(part)
                    yield part


def watched(peers: Mapping[str, Peer], sending: Sending | None) -> Mapping[str, Peer]:
    """Return the Pods, each of them watched if there is who takes the numbers."""
    if sending is None:
        return peers
    return {name: WatchedPeer(name, peer, sending) for name, peer in peers.items()}
