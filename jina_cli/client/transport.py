"""What a client needs of a connection, whatever it speaks."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from jina_cli.client.address import Scheme, Target
from jina_cli.client.errors import ConnectionFailed, WrongAddress
from jina_cli.wire.messages import Format, Request, Response

if TYPE_CHECKING:
    import ssl

MAX_MESSAGE_BYTES = 64 * 2**20
"""The largest message that is sent or taken, unless the client is told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a connection is made and used.

    Attributes:
        max_message_bytes: Of a request and of an answer.
        ca_file: Certificates in PEM that a server's is checked against; empty for the system's.
        compression: `gzip`, `deflate` or empty, for what is sent; over HTTP it is not used.
        grpc_options: gRPC's channel arguments.
    """

    max_message_bytes: int = MAX_MESSAGE_BYTES
    ca_file: str = ""
    compression: str = ""
    grpc_options: Mapping[str, Any] = field(default_factory=dict)


class Asks(Protocol):
    """Answers requests, many at a time."""

    async def request(self, request: Request) -> Response:
        """Return the answer; one that is an error is returned too. Cancelling it tells the
        other side to stop, where the protocol can say so.

        Raises:
            ConnectionFailed: The connection cannot be made, or broke.
        """
        ...


class Transport(Asks, Protocol):
    """A connection to a Flow, on which many requests may be under way."""

    format: Format
    """How documents are written for it, in both directions."""

    async def open(self, timeout_s: float) -> None:
        """Wait until the Flow answers.

        Raises:
            ConnectionFailed: It did not within `timeout_s`.
        """
        ...

    def stream(self, request: Request) -> AsyncIterator[Response]:
        """Yield the parts of an answer as they come; one that is an error is the last.

        Closing the iterator cancels the work.

        Raises:
            ConnectionFailed: The connection cannot be made, or broke.
            BadClient: The protocol has no such answers.
        """
        ...

    def session(self) -> AbstractAsyncContextManager[Asks]:
        """Give what asks many requests that belong together, one RPC for all if there is one.

        Leaving it cancels those that are under way.
        """
        ...

    async def close(self) -> None: ...


def transport_to(target: Target, settings: Settings) -> Transport:
    """Return a connection to an address; nothing is sent yet."""
    match target.scheme:
        case Scheme.NATIVE:
            from jina_cli.client.native import NativeTransport

            return NativeTransport(target, settings)
        case Scheme.GRPC:
            from jina_cli.client.grpc_transport import GrpcTransport

            return GrpcTransport(target, settings)
        case Scheme.HTTP:
            from jina_cli.client.http_transport import HttpTransport

            return HttpTransport(target, settings)
        case Scheme.WEBSOCKET:
            from jina_cli.client.ws_transport import WebsocketTransport

            return WebsocketTransport(target, settings)


def left_of(deadline: float | None) -> float | None:
    """Return the seconds until a deadline, at least 0; None if there is none."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def not_connected(target: Target, error: OSError) -> ConnectionFailed:
    """Return what is raised where a connection cannot be made."""
    if type(error).__module__ == "ssl":
        what = f"{target} has no connection to be trusted"
        return WrongAddress(what, hint=str(getattr(error, "verify_message", "") or error))
    # asyncio words it for programmers.
    number = error.errno if type(error).__module__ == "builtins" else None
    reason = os.strerror(number) if number is not None and number > 0 else str(error)
    return ConnectionFailed(f"nobody answers at {target}", hint=reason)


def over_limit(what: str, size: int, limit: int) -> str:
    """Return what is said of a message over the client's own limit."""
    return (
        f"the {what} has {size} bytes, over the client's limit of {limit}: "
        "send fewer documents at a time, or give the client a larger max_message_bytes"
    )


def tls_context(target: Target, settings: Settings) -> ssl.SSLContext | None:
    """Return what a connection over TLS is made with, or None for one without.

    Raises:
        UsageError: The file of certificates cannot be read.
    """
    if not target.secure:
        return None
    import ssl

    from jina_cli.errors import UsageError

    try:
        return ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:
        raise UsageError(f"cannot read the certificates of {settings.ca_file}: {error}") from error
