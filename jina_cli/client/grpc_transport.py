"""Jina's gRPC, over any Gateway that speaks it: ours or Jina 3's."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from jina_cli.client.address import Target
from jina_cli.client.errors import ConnectionFailed
from jina_cli.client.grpc_call import CallSession
from jina_cli.client.transport import Asks, Settings, left_of, over_limit
from jina_cli.errors import UsageError
from jina_cli.wire.messages import (
    BadMessage,
    Format,
    Request,
    Response,
    StatusCode,
    failed,
    status_of_grpc,
)

UNARY = "/jina.JinaSingleDataRequestRPC/process_single_data"
CALL = "/jina.JinaRPC/Call"
STREAM_DOC = "/jina.JinaSingleDocumentRequestRPC/stream_doc"
HEALTH = "/grpc.health.v1.Health/Check"

_COMPRESSIONS = {
    "gzip": grpc.Compression.Gzip,
    "deflate": grpc.Compression.Deflate,
    "nocompression": grpc.Compression.NoCompression,
}
_SLACK_BYTES = 1024 * 1024
"""What is a little too long is told by us, with words."""


class GrpcTransport:
    """A `Transport` over one gRPC channel: one call a request, or one for a whole session."""

    format = Format.PROTO

    def __init__(self, target: Target, settings: Settings) -> None:
        self._target = target
        self._max_bytes = settings.max_message_bytes
        self._channel = channel_to(target, settings)
        self._call = self._channel.unary_unary(UNARY)

    async def open(self, timeout_s: float) -> None:
        try:
            await unary(self._channel, HEALTH, b"", timeout_s)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise _not_there(self._target, error) from error

    async def request(self, request: Request) -> Response:
        from jina_cli.wire import jina3  # a ping does without

        data = jina3.write_data_request(request)
        if len(data) > self._max_bytes:
            text = over_limit("request", len(data), self._max_bytes)
            return failed(request, StatusCode.TOO_LARGE, text)
        call = self._call(data, timeout=left_of(request.deadline), metadata=metadata_of(request))
        try:
            answer = await call
        except grpc.aio.AioRpcError as error:
            return self.failed(request, error)
        finally:
            call.cancel()  # which does nothing to one that is over
        try:
            return jina3.read_data_response(answer)
        except BadMessage as error:
            raise self._nonsense(error) from error

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        from jina_cli.wire import single

        call = self._channel.unary_stream(STREAM_DOC)(
            single.write_single_request(request),
            timeout=left_of(request.deadline),
            metadata=metadata_of(request),
        )
        try:
            async for data in call:
                yield single.read_single_response(data)
        except grpc.aio.AioRpcError as error:
            yield self.failed(request, error)
        except BadMessage as error:
            raise self._nonsense(error) from error
        finally:
            call.cancel()

    def session(self) -> AbstractAsyncContextManager[Asks]:
        return CallSession(self._channel.stream_stream(CALL), self.failed, self._max_bytes)

    async def close(self) -> None:
        await self._channel.close()

    def failed(self, request: Request, error: grpc.aio.AioRpcError) -> Response:
        """Return the answer that an RPC's end with an error is.

        Raises:
            ConnectionFailed: It could not be made, or its connection broke.
        """
        details = _details(error)
        if error.code() is grpc.StatusCode.UNAVAILABLE and not _is_told(error):
            if "connect" in details.lower():
                raise _not_there(self._target, error) from error
            what = f"the connection to {self._target} broke"
            raise ConnectionFailed(what, hint=details, was_sent=True) from error
        code = status_of_grpc(error.code().value[0], error.trailing_metadata(), details)
        if code is StatusCode.TOO_LARGE and not _is_told(error):
            details = f"{details}: give the client a larger max_message_bytes"
        return failed(request, code, details)

    def _nonsense(self, error: BadMessage) -> ConnectionFailed:
        return ConnectionFailed(f"the answer of {self._target} {error}", was_sent=True)


def channel_to(target: Target, settings: Settings) -> grpc.aio.Channel:
    """Return a channel; proxies are not used for this host.

    Raises:
        UsageError: The compression is unknown, or the file of certificates cannot be read.
    """
    limit = settings.max_message_bytes + _SLACK_BYTES
    options: dict[str, Any] = {
        "grpc.max_send_message_length": limit,
        "grpc.max_receive_message_length": limit,
        # A Flow that is just starting is tried again soon.
        "grpc.initial_reconnect_backoff_ms": 50,
        "grpc.max_reconnect_backoff_ms": 1000,
        # Each client has a connection of its own, so that closing it closes that.
        "grpc.use_local_subchannel_pool": 1,
        **({"grpc.enable_http_proxy": 0} if target.is_local else {}),
        **settings.grpc_options,
    }
    more = {"options": list(options.items()), "compression": _compression(settings.compression)}
    if target.secure:
        credentials = grpc.ssl_channel_credentials(_roots(settings))
        return grpc.aio.secure_channel(target.authority, credentials, **more)
    return grpc.aio.insecure_channel(target.authority, **more)


def _compression(name: str) -> grpc.Compression | None:
    if not name:
        return None
    found = _COMPRESSIONS.get(name.lower())
    if found is None:
        known = "Gzip, Deflate or NoCompression"
        raise UsageError(f"{name!r} is no compression of gRPC", hint=f"use {known}")
    return found


def _roots(settings: Settings) -> bytes | None:
    # gRPC has roots of its own, and does not look where OpenSSL does.
    path = settings.ca_file or os.environ.get("SSL_CERT_FILE", "")
    try:
        return Path(path).read_bytes() if path else None
    except OSError as error:
        raise UsageError(f"cannot read the certificates of {path}: {error.strerror}") from error


async def unary(
    channel: grpc.aio.Channel, method: str, data: bytes, timeout_s: float | None
) -> bytes:
    """Ask one question whose question and answer are bytes.

    Raises:
        grpc.aio.AioRpcError: It failed, or took longer than `timeout_s`.
    """
    call = channel.unary_unary(method)
    answer: bytes = await call(data, timeout=timeout_s, wait_for_ready=False)
    return answer


def metadata_of(request: Request) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in request.metadata.items())


def _not_there(target: Target, error: grpc.aio.AioRpcError) -> ConnectionFailed:
    if "HTTP status" in _details(error):  # gRPC read the first line of an answer in HTTP/1
        other = f"http{'s' if target.secure else ''}://{target.authority}"
        return ConnectionFailed(f"what answers at {target} speaks HTTP", hint=f"try {other}")
    return ConnectionFailed(f"nobody answers at {target}", hint=reason_of(error))


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Return why a connection cannot be made, as briefly as gRPC's text allows."""
    details = _details(error)
    return details.rpartition("Failed to connect to remote host: ")[2] or details


def _is_told(error: grpc.aio.AioRpcError) -> bool:
    """Whether the other side itself has said this: ours in metadata, Jina's Gateway in words."""
    return bool(error.trailing_metadata()) or "|Gateway:" in (error.details() or "")


def _details(error: grpc.aio.AioRpcError) -> str:
    text: str = error.details() or error.code().name
    return text.partition("\n")[0]
