"""The part of a client that holds connections and asks; what users see stands on it."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jina_cli.client import retries
from jina_cli.client.address import Target
from jina_cli.client.errors import BadServer, error_of
from jina_cli.client.question import Answer, Question
from jina_cli.client.retries import ONCE, Retries
from jina_cli.client.transport import Asks, Settings, Transport, transport_to
from jina_cli.client.window import Window
from jina_cli.wire.bodies import BadBody, read_body, write_body
from jina_cli.wire.messages import (
    EMPTY,
    Body,
    Format,
    Request,
    Response,
    Status,
    StatusCode,
    new_request_id,
)

if TYPE_CHECKING:
    from jina_cli.documents.batch import DocumentBatch

MAX_BYTES_UNDER_WAY = 12 * 2**20
"""Of the requests of one call, before the next but one has to wait for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many requests may be under way, and what is done with their answers.

    Attributes:
        window: Requests at a time, at least 1.
        ordered: Whether answers come in the order of the requests; else as they are there.
        one_rpc: Whether all requests travel on one RPC, where the protocol has such.
        retries: For each request.
    """

    window: int = 4
    ordered: bool = True
    one_rpc: bool = False
    retries: Retries = ONCE


class Core:
    """Connections to one Flow, one for each event loop that asks, made when first needed.

    Args:
        connect_timeout_s: How long to wait for a Flow that does not answer yet.
    """

    def __init__(self, target: Target, settings: Settings, connect_timeout_s: float) -> None:
        self.target = target
        self.settings = settings
        self._connect_timeout_s = connect_timeout_s
        self._opening: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, asyncio.Task[Transport]
        ] = weakref.WeakKeyDictionary()

    async def transport(self) -> Transport:
        """Return the connection of the running event loop.

        Raises:
            ConnectionFailed: Nobody answers.
        """
        loop = asyncio.get_running_loop()
        opening = self._opening.get(loop)
        if opening is None or (opening.done() and _failed(opening)):
            opening = self._opening[loop] = loop.create_task(self._open())
        # Shielded: others may wait for it too.
        return opening.result() if opening.done() else await asyncio.shield(opening)

    async def close(self) -> None:
        """Close the connection of the running event loop; one that is used again is made anew."""
        opening = self._opening.pop(asyncio.get_running_loop(), None)
        if opening is None:
            return
        if not opening.done():
            opening.cancel()
        elif not _failed(opening):
            await opening.result().close()

    async def _open(self) -> Transport:
        transport = transport_to(self.target, self.settings)
        try:
            await transport.open(self._connect_timeout_s)
        except BaseException:
            await transport.close()
            raise
        return transport

    async def ask(self, question: Question) -> Answer:
        """Send one request and return its answer. A Flow that is busy is asked again.

        Raises:
            BadServer: The Flow answered with an error.
            StorageFailed: It could not write to its disk.
            AnswerLate: There was no answer within the time.
            ConnectionFailed: The connection broke.
        """
        transport = await self.transport()
        started = time.monotonic()
        request = _request(question, body_of(question.docs, transport.format), transport.format)
        response = await retries.ask(transport, request, ONCE)
        return answer_of(question, request, response, time.monotonic() - started)

    async def ask_all(
        self, question: Question, batches: AsyncIterator[DocumentBatch | None], pace: Pace
    ) -> AsyncGenerator[tuple[Request, Response], None]:
        """Send a request for each batch, and yield it with its answer, also one that failed.

        Batches are written when there is room for a request, so that memory is bounded however
        many there are.

        Raises:
            ConnectionFailed: Nobody answers, or the connection broke.
        """
        transport = await self.transport()
        session: AbstractAsyncContextManager[Asks] = nullcontext(transport)
        if pace.one_rpc:
            session = transport.session()
        async with session as via:

            async def ask(body: Body) -> tuple[Request, Response]:
                request = _request(question, body, transport.format)
                return request, await retries.ask(via, request, pace.retries)

            window = Window(
                ask,
                max(1, pace.window),
                weigh=_weight,
                max_bytes=MAX_BYTES_UNDER_WAY,
                ordered=pace.ordered,
            )
            running = window.run(_bodies(batches, transport.format))
            try:
                async for _, pair in running:
                    yield pair
            finally:
                await running.aclose()

    async def stream(self, question: Question) -> AsyncGenerator[tuple[Request, Response], None]:
        """Send one request, and yield the parts of its answer as they come.

        Raises:
            ConnectionFailed: Nobody answers, or the connection broke.
        """
        transport = await self.transport()
        body = body_of(question.docs, transport.format)
        request = _request(question, body, transport.format, streamed=True)
        parts = transport.stream(request)
        try:
            async for part in parts:
                yield request, part
        finally:
            if isinstance(parts, AsyncGenerator):
                await parts.aclose()


def body_of(docs: DocumentBatch | None, format: Format) -> Body:
    """Return documents as they travel.

    Raises:
        BadServer: They cannot be written in this format.
    """
    if docs is None:
        return EMPTY
    try:
        return write_body(docs, format)
    except BadBody as error:
        raise _failure(str(error), StatusCode.INVALID) from error


def answer_of(question: Question, request: Request, response: Response, seconds: float) -> Answer:
    """Return an answer as columns.

    Raises:
        JinaError: It is an error, or its documents are malformed.
    """
    failure = error_of(response.status, question.endpoint, question.timeout_s, request.request_id)
    if failure is not None:
        raise failure
    try:
        docs = read_body(response.body)
    except BadBody as error:
        raise _failure(str(error), StatusCode.INTERNAL) from error
    return Answer(docs=docs, parameters=response.parameters, seconds=seconds)


def _request(question: Question, body: Body, format: Format, *, streamed: bool = False) -> Request:
    """Return the request that a question is; its time begins now."""
    timeout_s = question.timeout_s
    return Request(
        endpoint=question.endpoint,
        bodies=(body,),
        request_id=new_request_id(),
        target=question.target,
        parameters=question.parameters,
        wanted=format,
        deadline=None if timeout_s is None else time.monotonic() + timeout_s,
        metadata=question.metadata,
        streamed=streamed,
    )


async def _bodies(
    batches: AsyncIterator[DocumentBatch | None], format: Format
) -> AsyncGenerator[Body, None]:
    try:
        async for batch in batches:
            yield body_of(batch, format)
    finally:
        if isinstance(batches, AsyncGenerator):
            await batches.aclose()


def _weight(body: Body) -> int:
    # JSON is in memory thrice: by itself, in the request, and on its way to the socket.
    return len(body.data) * (3 if body.format is Format.JSON else 1)


def _failed(opening: asyncio.Task[Transport]) -> bool:
    return opening.cancelled() or opening.exception() is not None


def _failure(problem: str, code: StatusCode) -> BadServer:
    return BadServer(problem, status=Status(code=code, description=problem))
