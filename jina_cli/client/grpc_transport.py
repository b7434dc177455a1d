"""Jina's gRPC, over any Gateway that speaks it: ours or Jina 3's."""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio

from jina_cli.client.address import Target
from jina_cli.client.transport import left_of
from jina_cli.errors import Unreachable
from jina_cli.wire.messages import Format, Request, Response, Status, status_of_grpc

CALL = "/jina.JinaSingleDataRequestRPC/process_single_data"


class GrpcTransport:
    """A `Transport` over one gRPC channel, one call a request."""

    format = Format.PROTO

    def __init__(self, target: Target, *, max_message_bytes: int) -> None:
        self._target = target
        self._channel = channel_to(target, max_message_bytes)
        self._call = self._channel.unary_unary(CALL)

    async def open(self, timeout_s: float) -> None:
        try:
            await unary(self._channel, "/grpc.health.v1.Health/Check", b"", timeout_s)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise Unreachable(f"nobody answers at {self._target}") from error

    async def request(self, request: Request) -> Response:
        from jina_cli.wire import jina3  # a ping does without

        data = jina3.write_data_request(request)
        metadata = tuple(request.metadata.items())
        try:
            answer = await self._call(data, timeout=left_of(request.deadline), metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return self._failed(request, error)
        return jina3.read_data_response(answer)

    async def close(self) -> None:
        await self._channel.close()

    def _failed(self, request: Request, error: grpc.aio.AioRpcError) -> Response:
        if error.code() is grpc.StatusCode.UNAVAILABLE and "connect" in _details(error).lower():
            raise Unreachable(f"nobody answers at {self._target}") from error
        details = _details(error)
        code = status_of_grpc(error.code().value[0], error.trailing_metadata(), details)
        status = Status(code=code, description=details)
        return Response(request_id=request.request_id, status=status)


def channel_to(target: Target, max_message_bytes: int) -> grpc.aio.Channel:
    """Return a channel; proxies are not used for this host."""
    options: list[tuple[str, Any]] = [
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.max_receive_message_length", max_message_bytes),
        # A Flow that is just starting is tried again soon.
        ("grpc.initial_reconnect_backoff_ms", 50),
        ("grpc.max_reconnect_backoff_ms", 1000),
    ]
    if target.is_local:
        options.append(("grpc.enable_http_proxy", 0))
    if target.secure:
        credentials = grpc.ssl_channel_credentials()
        return grpc.aio.secure_channel(target.authority, credentials, options=options)
    return grpc.aio.insecure_channel(target.authority, options=options)


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


def _details(error: grpc.aio.AioRpcError) -> str:
    text: str = error.details() or error.code().name
    return text.partition("\n")[0]
