"""A Pod that somebody else runs: a Jina Executor, or a Flow, at `grpc://host:port`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import grpc
import grpc.aio

from jina_cli.plan.models import Route
from jina_cli.serve.convert import as_format
from jina_cli.serve.grpc_messages import read_endpoints
from jina_cli.serve.pods import CannotRoute
from jina_cli.wire import jina3
from jina_cli.wire.balance import least_outstanding, may_repeat
from jina_cli.wire.messages import (
    BadMessage,
    EndpointInfo,
    Format,
    Request,
    Response,
    Status,
    StatusCode,
    status_of_grpc,
)

_DATA = "/jina.JinaSingleDataRequestRPC/process_single_data"
_DISCOVER = "/jina.JinaDiscoverEndpointsRPC/endpoint_discovery"
_ASK_AGAIN_S = 1.0
_DISCOVER_S = 5.0


@dataclass(slots=True)
class _Replica:
    """One address."""

    address: str
    channel: Any
    outstanding: int = 0
    is_up: bool = False
    watch: asyncio.Task[None] | None = None


class ExternalPod:
    """One external Pod; its addresses are replicas of each other.

    Args:
        route: Of the plan.
        max_message_bytes: The limit of one request or answer.
        on_change: Called when an address comes or goes.
    """

    def __init__(
        self, route: Route, *, max_message_bytes: int, on_change: Callable[[], None]
    ) -> None:
        self._route = route
        self._on_change = on_change
        self._options = [
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", max_message_bytes),
            # Proxies of the environment are for the internet, not for a Flow's Pods.
            ("grpc.enable_http_proxy", 0),
        ]
        self._replicas: list[_Replica] = []
        self._endpoints: Mapping[str, EndpointInfo] = {}
        self._retries = route.retries if route.retries >= 0 else max(len(route.addresses), 3)
        self._turn = 0

    @property
    def is_up(self) -> bool:
        return any(replica.is_up for replica in self._replicas)

    @property
    def endpoints(self) -> Mapping[str, EndpointInfo]:
        return self._endpoints

    def start(self) -> None:
        for address in self._route.addresses:
            replica = _Replica(address, self._channel(address))
            replica.watch = asyncio.create_task(self._watch(replica))
            self._replicas.append(replica)

    async def connected(self) -> None:
        """Return when each address has said what it serves; ask until it does.

        Raises:
            CannotRoute: An address speaks gRPC, but not Jina's.
        """
        for replica in self._replicas:
            self._endpoints = {**self._endpoints, **await self._discover(replica)}

    async def request(self, request: Request) -> Response:
        """Let one address answer, and another where that one is gone and it may be asked."""
        for _ in range(self._retries + 1):
            response = await self._ask(self._next(), request)
            is_gone = response.status.code is StatusCode.UNAVAILABLE
            if not is_gone or not may_repeat(request.endpoint, was_sent=True):
                break
        return response

    async def broadcast(self, request: Request) -> Response:
        answers = await asyncio.gather(*(self._ask(one, request) for one in self._replicas))
        return next((answer for answer in answers if not answer.status.ok), answers[0])

    async def close(self) -> None:
        for replica in self._replicas:
            if replica.watch is not None:
                replica.watch.cancel()
            await replica.channel.close()

    def _channel(self, address: str) -> Any:
        scheme, _, place = address.partition("://")
        if scheme == "grpcs":
            return grpc.aio.secure_channel(place, grpc.ssl_channel_credentials(), self._options)
        return grpc.aio.insecure_channel(place, self._options)

    async def _watch(self, replica: _Replica) -> None:
        while True:
            state = replica.channel.get_state(try_to_connect=True)
            is_up = state is grpc.ChannelConnectivity.READY
            if is_up != replica.is_up:
                replica.is_up = is_up
                self._on_change()
            await replica.channel.wait_for_state_change(state)

    async def _discover(self, replica: _Replica) -> Mapping[str, EndpointInfo]:
        ask = replica.channel.unary_unary(_DISCOVER)
        while True:
            try:
                data = await ask(b"", timeout=_DISCOVER_S, wait_for_ready=True)
                return read_endpoints(data)
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                    return {"/default": EndpointInfo()}
                # Not there yet, or not yet in order: it is somebody else's to start.
                await asyncio.sleep(_ASK_AGAIN_S)
            except BadMessage as error:
                raise CannotRoute(
                    f"the external Pod {self._route.pod} is no Jina Executor or Flow:"
                    f" {replica.address} answered with what {error}"
                ) from None

    def _next(self) -> _Replica:
        loads = [one.outstanding if one.is_up else None for one in self._replicas]
        place = least_outstanding(loads, self._turn)
        # Where none is up the call itself waits for the connection, within its deadline.
        place = self._turn % len(loads) if place is None else place
        self._turn = (place + 1) % len(loads)
        return self._replicas[place]

    async def _ask(self, replica: _Replica, request: Request) -> Response:
        try:
            body = await as_format(request.bodies[0], Format.PROTO)
        except ValueError as error:
            return self._failed(request, StatusCode.INVALID, str(error))
        data = jina3.write_data_request(replace(request, bodies=(body,)))
        metadata = (("endpoint", request.endpoint), *self._route.metadata.items())
        left = None if request.deadline is None else max(0.0, request.deadline - time.monotonic())
        replica.outstanding += 1
        try:
            ask = replica.channel.unary_unary(_DATA)
            answer = await ask(data, timeout=left, metadata=metadata, wait_for_ready=True)
            response = jina3.read_data_response(answer)
            return await self._readable(request, response)
        except grpc.aio.AioRpcError as error:
            details = error.details() or error.code().name
            code = status_of_grpc(error.code().value[0], error.trailing_metadata(), details)
            return self._failed(request, code, f"{replica.address}: {details}")
        except BadMessage as error:
            what = f"{replica.address} answered with no Jina message: {error}"
            return self._failed(request, StatusCode.EXECUTOR, what)
        finally:
            replica.outstanding -= 1

    async def _readable(self, request: Request, response: Response) -> Response:
        """Return the answer as an edge can send it; our own Pods read every format."""
        if not response.status.ok or request.wanted is not Format.JSON:
            return response
        return replace(response, body=await as_format(response.body, Format.JSON))

    def _failed(self, request: Request, code: StatusCode, what: str) -> Response:
        pod = self._route.pod
        status = Status(code=code, description=f"{pod}: {what}", pod=pod)
        return Response(request_id=request.request_id, status=status)
