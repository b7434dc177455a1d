"""The gRPC edge: Jina's services over `grpc.aio`, with bytes in and bytes out.

How a failure is told follows Jina. What an Executor raised, an endpoint that nobody serves
and a request that makes no sense are in the answer's `header.status`, and the RPC ends OK. A
unary RPC that the Flow could not work on at all (overloaded, past its deadline, a Pod gone,
too large) ends with the gRPC status of `wire.messages.STATUSES`, as gRPC's own tools expect.
On a stream every failure is in `header.status`: its other requests go on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import grpc
import grpc.aio

from jina_cli.serve.grpc_services import SERVICES, side_handlers
from jina_cli.serve.grpc_stream import Stream
from jina_cli.serve.limits import RETRY_AFTER_S, too_large
from jina_cli.wire import jina3
from jina_cli.wire.budget import Budget, OverBudget
from jina_cli.wire.messages import (
    GRPC_STATUS_KEY,
    STATUSES,
    BadMessage,
    Request,
    Response,
    Status,
    StatusCode,
)

log = logging.getLogger(__name__)

Answer = Callable[[Request], Awaitable[Response]]

PASSED_ON = frozenset({"traceparent", "tracestate", "baggage"})
"""Metadata that travels with a request to the Pods."""

_IN_HEADER = frozenset(
    {StatusCode.OK, StatusCode.EXECUTOR, StatusCode.INVALID, StatusCode.NOT_FOUND}
)
_CODES: Mapping[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
# A message that is a little too long is answered by us, with words; far beyond that gRPC
# itself refuses it, before it is in memory.
_SLACK_BYTES = 16 * 2**20

_REFUSE_S = 0.5
_QUIET_S = 0.06
"""A drain refuses new calls for the first, or until none has come for the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcSettings:
    """What the plan says of the gRPC edge.

    Attributes:
        max_message_bytes: The limit of a message, in and out.
        window: Requests of one stream that are worked on at a time.
        max_streamed: Requests of all streams that are worked on at a time.
        max_calls: Calls under way at a time, streams and health checks among them; one more
            is refused before its message is read.
    """

    max_message_bytes: int
    window: int
    max_streamed: int
    max_calls: int


class PortTaken(OSError):
    """Somebody else listens on the address."""


class GrpcEdge:
    """All services of a Gateway on any number of ports.

    Args:
        answer: Carries a request through the Flow.
        settings: Of the plan.
        side: What the services beside the data ones need.
        budget: Room for the bytes of requests.
    """

    def __init__(self, answer: Answer, settings: GrpcSettings, side: Any, budget: Budget) -> None:
        self._answer = answer
        self._settings = settings
        self._budget = budget
        self._slots = asyncio.Semaphore(settings.max_streamed)
        self._streams: set[Stream] = set()
        self._drained_by: float | None = None
        self._cut = 0
        self._last_refusal: float | None = None
        limit = settings.max_message_bytes
        self._server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", limit + _SLACK_BYTES),
                ("grpc.max_send_message_length", limit + _SLACK_BYTES),
                ("grpc.max_metadata_size", 32 * 1024),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
            ],
            maximum_concurrent_rpcs=settings.max_calls,
        )
        handlers = {
            "/jina.JinaSingleDataRequestRPC/process_single_data": (
                grpc.unary_unary_rpc_method_handler(self._single)
            ),
            "/jina.JinaRPC/Call": grpc.stream_stream_rpc_method_handler(self._call),
            **side_handlers(side),
        }
        self._server.add_generic_rpc_handlers((_Handlers(handlers),))

    def bind(self, address: str, tls: tuple[bytes, bytes] | None = None) -> int:
        """Bind `host:port` and return the real port. `tls` is the key and the certificate.

        Raises:
            PortTaken: Somebody else has it, or it may not be bound.
        """
        try:
            if tls is None:
                port: int = self._server.add_insecure_port(address)
            else:
                credentials = grpc.ssl_server_credentials([tls])
                port = self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise PortTaken(f"{address} cannot be bound: {error}") from error
        if not port:
            raise PortTaken(f"{address} cannot be bound")
        return port

    async def start(self) -> None:
        await self._server.start()

    async def drain(self, timeout_s: float) -> int:
        """Refuse new calls and finish those under way; streams end when they fall silent.

        Returns how many requests were cut off when the time was over.
        """
        self._drained_by = time.monotonic() + timeout_s
        for stream in self._streams:
            stream.drain(self._drained_by)
        await self._refuse_until_quiet(min(_REFUSE_S, timeout_s))
        await self._server.stop(max(0.0, self._drained_by - time.monotonic()))
        return self._cut

    async def _refuse_until_quiet(self, at_most_s: float) -> None:
        """Answer new calls with UNAVAILABLE until hardly any come.

        What has arrived and is in no handler yet when the server stops, gRPC itself ends as
        CANCELLED, which no client takes for a reason to try again elsewhere.
        """
        until = time.monotonic() + at_most_s
        self._last_refusal = time.monotonic()
        while time.monotonic() < min(until, self._last_refusal + _QUIET_S):
            wait_s = min(until, self._last_refusal + _QUIET_S) - time.monotonic()
            await asyncio.sleep(max(0.0, wait_s))

    async def _refuse_late(self, context: Any) -> None:
        if self._last_refusal is not None:
            self._last_refusal = time.monotonic()
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the Flow is stopping")

    async def _single(self, data: bytes, context: Any) -> bytes:
        await self._refuse_late(context)
        request = self._read(data, context)
        if isinstance(request, Status):
            await _abort(context, request)
            raise AssertionError("abort returned")
        response = await self._within_budget(request, len(data))
        answer = self._written(request, response)
        if isinstance(answer, Status):
            await _abort(context, answer)
        elif response.status.code not in _IN_HEADER:
            await _abort(context, response.status)
        else:
            return answer
        raise AssertionError("abort returned")

    async def _within_budget(self, request: Request, size: int) -> Response:
        try:
            with self._budget.share() as share:
                share.grow(size)
                return await self._ask(request)
        except OverBudget as error:
            return Response(status=Status(code=StatusCode.OVERLOADED, description=str(error)))

    async def _call(self, _: Any, context: Any) -> None:
        await self._refuse_late(context)
        stream = Stream(context, self._work, self._slots, self._settings.window, self._budget)
        self._streams.add(stream)
        if self._drained_by is not None:
            stream.drain(self._drained_by)
        try:
            await stream.run()
        finally:
            self._streams.discard(stream)
        if stream.was_cut:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the Flow is stopping")

    async def _work(self, data: bytes, context: Any) -> bytes:
        request = self._read(data, context)
        if isinstance(request, Status):
            return jina3.write_data_response(Request(endpoint=""), Response(status=request))
        answer = self._written(request, await self._ask(request))
        if not isinstance(answer, Status):
            return answer
        refused = Response(request_id=request.request_id, status=answer)
        return jina3.write_data_response(replace(request, bodies=()), refused)

    def _written(self, request: Request, response: Response) -> bytes | Status:
        """Return the answer's bytes, or why it cannot be sent."""
        try:
            answer = jina3.write_data_response(request, response)
        except ValueError as error:
            log.exception("the answer to %s cannot be written", request.request_id)
            return Status(code=StatusCode.INTERNAL, description=str(error), pod="gateway")
        return answer if len(answer) <= self._settings.max_message_bytes else self._too_large()

    def _too_large(self) -> Status:
        text = too_large(self._settings.max_message_bytes)
        return Status(code=StatusCode.TOO_LARGE, description=text)

    def _read(self, data: bytes, context: Any) -> Request | Status:
        if len(data) > self._settings.max_message_bytes:
            return self._too_large()
        try:
            request = jina3.read_data_request(data)
        except BadMessage as error:
            return Status(code=StatusCode.INVALID, description=str(error))
        left = context.time_remaining()
        passed_on = _metadata(context)
        if left is None and not passed_on:
            return request
        deadline = request.deadline
        if left is not None:
            until = time.monotonic() + left
            deadline = until if deadline is None else min(until, deadline)
        return replace(request, deadline=deadline, metadata=passed_on)

    async def _ask(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except asyncio.CancelledError:
            if self._drained_by is not None and time.monotonic() >= self._drained_by:
                self._cut += 1
            raise
        except Exception as error:
            log.exception("request %s failed in the Gateway", request.request_id)
            text = f"{type(error).__name__} in the Gateway; its log says more"
            status = Status(code=StatusCode.INTERNAL, description=text, pod="gateway")
            return Response(request_id=request.request_id, status=status)


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
    """Finds a method by its full name."""

    def __init__(self, handlers: Mapping[str, Any]) -> None:
        self._handlers = handlers

    def service(self, handler_call_details: Any) -> Any:
        return self._handlers.get(handler_call_details.method)


def _metadata(context: Any) -> dict[str, str]:
    given = context.invocation_metadata() or ()
    return {name: value for name, value in given if name in PASSED_ON}


async def _abort(context: Any, status: Status) -> None:
    """End the RPC with the gRPC status of the table; does not return."""
    told = [(GRPC_STATUS_KEY, status.code.value)]
    if status.code is StatusCode.OVERLOADED:
        told.append(("retry-after", str(RETRY_AFTER_S)))
    await context.abort(_CODES[STATUSES[status.code][0]], status.description, tuple(told))


__all__ = ["SERVICES", "GrpcEdge", "GrpcSettings", "PortTaken"]
