"""What a client needs of a connection, whatever it speaks."""

from __future__ import annotations

import time
from typing import Protocol

from jina_cli.client.address import Scheme, Target
from jina_cli.wire.messages import Format, Request, Response

MAX_MESSAGE_BYTES = 64 * 2**20
"""The largest answer that is taken, unless the client is told otherwise."""


class Transport(Protocol):
    """A connection to a Flow, on which many requests may be under way."""

    format: Format
    """How documents are written for it, in both directions."""

    async def open(self, timeout_s: float) -> None:
        """Wait until the Flow answers.

        Raises:
            Unreachable: It did not within `timeout_s`.
        """
        ...

    async def request(self, request: Request) -> Response:
        """Return the answer; one that is an error is returned too.

        Raises:
            Unreachable: The connection cannot be made, or broke.
        """
        ...

    async def close(self) -> None: ...


def transport_to(target: Target, *, max_message_bytes: int = MAX_MESSAGE_BYTES) -> Transport:
    """Return a connection to an address; nothing is sent yet."""
    match target.scheme:
        case Scheme.NATIVE:
            from jina_cli.client.native import NativeTransport

            return NativeTransport(target, max_message_bytes=max_message_bytes)
        case Scheme.GRPC:
            from jina_cli.client.grpc_transport import GrpcTransport

            return GrpcTransport(target, max_message_bytes=max_message_bytes)
        case Scheme.HTTP:
            from jina_cli.client.http_transport import HttpTransport

            return HttpTransport(target, max_message_bytes=max_message_bytes)


def left_of(deadline: float | None) -> float | None:
    """Return the seconds until a deadline, at least 0; None if there is none."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())
