"""The gRPC services beside the data ones: health, reflection, dry run, discovery, info.

They are asked rarely, so what they need is imported when it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from jina_cli.serve.board import Board
from jina_cli.serve.grpc_messages import write_endpoints, write_info
from jina_cli.serve.versions import versions
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.descriptors import pool
from jina_cli.wire.jina3 import write_status
from jina_cli.wire.messages import EndpointInfo, Request, Response

DATA_SERVICES = ("jina.JinaRPC", "jina.JinaSingleDataRequestRPC")
SERVICES = (
    *DATA_SERVICES,
    "jina.JinaDiscoverEndpointsRPC",
    "jina.JinaGatewayDryRunRPC",
    "jina.JinaInfoRPC",
    "grpc.reflection.v1alpha.ServerReflection",
)
"""What reflection lists. Health is served too; Jina does not list it either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What these services tell about.

    Attributes:
        answer: Carries a dry run through the Flow.
        board: State of the Gateway.
        endpoints: Returns what the Pods serve now.
    """

    answer: Callable[[Request], Awaitable[Response]]
    board: Board
    endpoints: Callable[[], Mapping[str, EndpointInfo]]


def side_handlers(side: Side) -> dict[str, Any]:
    """Return the handlers by full method name."""
    health = _Health(side.board)
    unary = grpc.unary_unary_rpc_method_handler

    async def dry_run(_: bytes, context: Any) -> bytes:
        response = await side.answer(Request(endpoint=DRY_RUN_ENDPOINT))
        return write_status(response.status)

    async def discover(_: bytes, context: Any) -> bytes:
        return write_endpoints(side.endpoints())

    async def info(_: bytes, context: Any) -> bytes:
        return write_info(versions())

    return {
        "/jina.JinaGatewayDryRunRPC/dry_run": unary(dry_run),
        "/jina.JinaDiscoverEndpointsRPC/endpoint_discovery": unary(discover),
        "/jina.JinaInfoRPC/_status": unary(info),
        "/grpc.health.v1.Health/Check": unary(health.check),
        "/grpc.health.v1.Health/Watch": grpc.unary_stream_rpc_method_handler(health.watch),
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": (
            grpc.stream_stream_rpc_method_handler(_reflect)
        ),
    }


class _Health:
    """`grpc.health.v1`: the whole Gateway under the empty name, and each service."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._known = frozenset({"", "grpc.health.v1.Health", *SERVICES})

    async def check(self, data: bytes, context: Any) -> bytes:
        name = await _service(data, context)
        if name not in self._known:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no service {name[:100]}")
        return self._told(name)

    async def watch(self, data: bytes, context: Any) -> AsyncIterator[bytes]:
        name = await _service(data, context)
        last = b""
        while True:
            changed = asyncio.ensure_future(self._board.changed())
            try:
                told = self._told(name)
                if told != last:
                    yield told
                    last = told
                await changed
            finally:
                changed.cancel()

    def _told(self, name: str) -> bytes:
        from grpc_health.v1 import health_pb2

        statuses = health_pb2.HealthCheckResponse
        if name not in self._known:
            status = statuses.SERVICE_UNKNOWN
        else:
            status = statuses.SERVING if self._board.is_ready else statuses.NOT_SERVING
        told: bytes = statuses(status=status).SerializeToString()
        return told


async def _service(data: bytes, context: Any) -> str:
    from google.protobuf.message import DecodeError
    from grpc_health.v1 import health_pb2

    try:
        name: str = health_pb2.HealthCheckRequest.FromString(data).service
    except DecodeError:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no HealthCheckRequest")
        raise
    return name


async def _reflect(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    from google.protobuf.message import DecodeError
    from grpc_reflection.v1alpha import reflection, reflection_pb2

    servicer = reflection.aio.ReflectionServicer(SERVICES, pool=pool())

    async def parsed() -> AsyncIterator[Any]:
        async for data in requests:
            try:
                yield reflection_pb2.ServerReflectionRequest.FromString(data)
            except DecodeError:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no ServerReflectionRequest")

    async for answer in servicer.ServerReflectionInfo(parsed(), context):
        yield answer.SerializeToString()
