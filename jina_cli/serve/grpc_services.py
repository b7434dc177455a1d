"""What is served by gRPC: Jina's services, health and reflection, by the names of their methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jina_cli.serve.board import Board
from jina_cli.serve.grpc_calls import Call, Reply, Streamed, Unary, Work
from jina_cli.serve.grpc_data import DataServices
from jina_cli.serve.grpc_health import Health
from jina_cli.serve.grpc_messages import write_endpoints, write_info
from jina_cli.serve.grpc_reflection import Reflection
from jina_cli.serve.versions import versions
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.jina3_status import write_status
from jina_cli.wire.messages import Answering, Buffer, EndpointInfo, Request

SERVICES = (
    "jina.JinaRPC",
    "jina.JinaSingleDataRequestRPC",
    "jina.JinaDataRequestRPC",
    "jina.JinaSingleDocumentRequestRPC",
    "jina.JinaDiscoverEndpointsRPC",
    "jina.JinaGatewayDryRunRPC",
    "jina.JinaInfoRPC",
    "grpc.reflection.v1alpha.ServerReflection",
    "grpc.reflection.v1.ServerReflection",
)
"""What reflection lists. Health is served too; Jina does not list it either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How a method is answered; one of the first three is there.

    Attributes:
        is_endless: Whether `streamed` goes on until the client has enough.
    """

    unary: Unary | None = None
    streamed: Streamed | None = None
    each: Work | None = None
    is_endless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What the services beside the data ones tell about.

    Attributes:
        board: State of the Gateway.
        endpoints: Returns what the Pods serve now.
    """

    board: Board
    endpoints: Callable[[], Mapping[str, EndpointInfo]]


def methods_of(flow: Answering, side: Side, limit: int) -> dict[str, Method]:
    """Return all methods by their full names.

    Args:
        limit: Of a message, in bytes.
    """
    data = DataServices(flow, limit)
    health = Health(side.board, ("grpc.health.v1.Health", *SERVICES))
    reflection = Method(each=Reflection(SERVICES).answer)

    async def dry_run(call: Call, _: Buffer) -> Reply:
        asked = Request(endpoint=DRY_RUN_ENDPOINT, deadline=call.deadline)
        return Reply((write_status((await flow.answer(asked)).status),))

    async def discover(call: Call, _: Buffer) -> Reply:
        return Reply((write_endpoints(side.endpoints()),))

    async def info(call: Call, _: Buffer) -> Reply:
        return Reply((write_info(versions()),))

    return {
        "/jina.JinaRPC/Call": Method(each=data.one_of_many),
        "/jina.JinaSingleDataRequestRPC/process_single_data": Method(unary=data.single),
        "/jina.JinaDataRequestRPC/process_data": Method(unary=data.several),
        "/jina.JinaSingleDocumentRequestRPC/stream_doc": Method(streamed=data.document),
        "/jina.JinaGatewayDryRunRPC/dry_run": Method(unary=dry_run),
        "/jina.JinaDiscoverEndpointsRPC/endpoint_discovery": Method(unary=discover),
        "/jina.JinaInfoRPC/_status": Method(unary=info),
        "/grpc.health.v1.Health/Check": Method(unary=health.check),
        "/grpc.health.v1.Health/Watch": Method(streamed=health.watch, is_endless=True),
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": reflection,
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": reflection,
    }
