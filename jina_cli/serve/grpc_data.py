"""Jina's data services: requests into the Flow, and its answers back.

How a failure is told follows Jina. What an Executor raised, an endpoint that nobody serves
and a request that makes no sense are in the answer's `header.status`, and the RPC ends OK. A
unary RPC that the Flow could not work on at all (overloaded, past its deadline, a Pod gone,
too large) ends with the gRPC status of `wire.messages.STATUSES`, as gRPC's own tools expect.
On a stream every failure is in `header.status`: its other requests go on.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from jina_cli.serve.grpc_calls import Call, Reply
from jina_cli.serve.grpc_framing import Abort, TooLong
from jina_cli.serve.guarded import guarded
from jina_cli.serve.limits import RETRY_AFTER_S, too_large
from jina_cli.wire import jina3
from jina_cli.wire.messages import (
    GRPC_STATUS_KEY,
    STATUSES,
    Answering,
    BadMessage,
    Buffer,
    Request,
    Response,
    Status,
    StatusCode,
)

log = logging.getLogger(__name__)

_IN_HEADER = frozenset(
    {StatusCode.OK, StatusCode.EXECUTOR, StatusCode.INVALID, StatusCode.NOT_FOUND}
)
_IS_ERROR = ("is-error", "true")
"""Trailing metadata by which a Jina Gateway knows that an Executor failed."""

_BAD_MESSAGE = Request(endpoint="")

Read = Callable[..., Request]


class DataServices:
    """Answers the messages of calls.

    Args:
        flow: Carries requests through the Flow.
        limit: Of a message, in bytes.
    """

    def __init__(self, flow: Answering, limit: int) -> None:
        self._flow = flow
        self._limit = limit

    async def single(self, call: Call, data: Buffer) -> Reply:
        """`process_single_data`: one request, one answer."""
        return await self._unary(call, data, jina3.read_data_request)

    async def several(self, call: Call, data: Buffer) -> Reply:
        """`process_data`: several requests, which are answered as one."""
        return await self._unary(call, data, jina3.read_data_requests)

    async def one_of_many(self, call: Call, data: Buffer | TooLong) -> Reply:
        """`Call`: one request of a stream."""
        if isinstance(data, TooLong):
            return _refused(_BAD_MESSAGE, self._too_large())
        try:
            request = jina3.read_data_request(data, deadline=call.deadline, metadata=call.metadata)
        except BadMessage as error:
            return _refused(_BAD_MESSAGE, _invalid(error))
        response = await guarded(self._flow.answer, request)
        written = self._written(request, response)
        if isinstance(written, Status):
            return _refused(replace(request, bodies=()), written)
        return Reply(written, _trailing(response))

    async def document(self, call: Call, data: Buffer) -> AsyncIterator[Reply]:
        """`stream_doc`: one document, and what a generator makes of it, as it comes."""
        try:
            request = jina3.read_document_request(
                data, deadline=call.deadline, metadata=call.metadata
            )
        except BadMessage as error:
            raise _aborted(_invalid(error)) from None
        is_first = True
        parts = self._flow.stream(request)
        try:
            async for response in parts:
                if is_first and response.status.code not in _IN_HEADER:
                    raise _aborted(response.status)
                for message in jina3.write_document_responses(request, response):
                    yield Reply((message,), _trailing(response))
                is_first = False
        finally:
            close = getattr(parts, "aclose", None)
            if close is not None:
                await close()

    async def _unary(self, call: Call, data: Buffer, read: Read) -> Reply:
        try:
            request = read(data, deadline=call.deadline, metadata=call.metadata)
        except BadMessage as error:
            raise _aborted(_invalid(error)) from None
        response = await guarded(self._flow.answer, request)
        if response.status.code not in _IN_HEADER:
            raise _aborted(response.status)
        written = self._written(request, response)
        if isinstance(written, Status):
            raise _aborted(written)
        return Reply(written, _trailing(response))

    def _written(self, request: Request, response: Response) -> tuple[Buffer, ...] | Status:
        """Return the answer's bytes, or why it cannot be sent."""
        try:
            parts = jina3.data_response_parts(request, response)
        except ValueError as error:
            log.exception("the answer to %s cannot be written", request.request_id)
            return Status(code=StatusCode.INTERNAL, description=str(error), pod="gateway")
        return parts if sum(map(len, parts)) <= self._limit else self._too_large()

    def _too_large(self) -> Status:
        return Status(code=StatusCode.TOO_LARGE, description=too_large(self._limit))


def _invalid(error: BadMessage) -> Status:
    return Status(code=StatusCode.INVALID, description=str(error))


def _refused(request: Request, status: Status) -> Reply:
    response = Response(request_id=request.request_id, status=status)
    return Reply(jina3.data_response_parts(request, response))


def _trailing(response: Response) -> tuple[tuple[str, str], ...]:
    """Return the metadata at the end of a call: that it failed, and how complete it is."""
    if response.status.ok and not response.marks:
        return ()
    marks = tuple(response.marks.items())
    return (_IS_ERROR, *marks) if response.status.code is StatusCode.EXECUTOR else marks


def _aborted(status: Status) -> Abort:
    """Return the end of an RPC with the gRPC status of the table."""
    told = [(GRPC_STATUS_KEY, status.code.value)]
    if status.code is StatusCode.OVERLOADED:
        told.append(("retry-after", str(RETRY_AFTER_S)))
    return Abort(STATUSES[status.code][0], status.description, told)
