"""The client of a Flow: one class, the protocol follows from the address."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Coroutine,
    Iterator,
    Mapping,
)
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from jina_cli.client.address import target_of
from jina_cli.client.given import batches_of, checked
from jina_cli.client.transport import MAX_MESSAGE_BYTES, Transport, transport_to
from jina_cli.client.window import Window
from jina_cli.errors import JinaError, RequestFailed, StorageFailed, TimedOut
from jina_cli.wire.messages import (
    EMPTY,
    Request,
    Response,
    Status,
    StatusCode,
    new_request_id,
)

if TYPE_CHECKING:
    from jina_cli.client.given import Given
    from jina_cli.documents.batch import DocumentBatch

T = TypeVar("T")

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.02, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request, before it is written for a protocol.

    Attributes:
        docs: None sends a request without documents.
        target: Regular expression of Pod names; empty for all.
        timeout_s: How long it may take in all, waiting for a busy Flow included.
        metadata: Headers, names in lower case.
    """

    endpoint: str
    docs: DocumentBatch | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    timeout_s: float = 120.0
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a Flow said.

    Attributes:
        docs: In the order of the request, where the Flow keeps it.
        parameters: `__results__` holds what Executors returned that were no documents.
        seconds: From sending to the answer.
    """

    docs: DocumentBatch
    parameters: Mapping[str, Any]
    seconds: float


class AsyncClient:
    """A client for asyncio code; use it as `async with AsyncClient(url) as client`.

    Args:
        url: `unix:/path`, `tcp:host:port`, `grpc://host:port`, `http://host:port`, or their
            forms with TLS.
        connect_timeout_s: How long to wait for the Flow when it is entered.

    Raises:
        UsageError: `url` is none of these.
    """

    def __init__(
        self,
        url: str,
        *,
        connect_timeout_s: float = 10.0,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        self._target = target_of(url)
        self._connect_timeout_s = connect_timeout_s
        self._max_message_bytes = max_message_bytes
        self._transport: Transport | None = None

    async def __aenter__(self) -> AsyncClient:
        transport = transport_to(self._target, max_message_bytes=self._max_message_bytes)
        try:
            await transport.open(self._connect_timeout_s)
        except BaseException:
            await transport.close()
            raise
        self._transport = transport
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._transport is not None:
            await self._transport.close()
            self._transport = None

    async def ask(self, question: Question) -> Answer:
        """Send one request and return its answer. A Flow that is busy is asked again.

        Raises:
            RequestFailed: The Flow answered with an error.
            StorageFailed: It could not write to its disk.
            TimedOut: There was no answer within the time.
            Unreachable: The connection broke.
        """
        from jina_cli.wire.bodies import BadBody, read_body, write_body

        transport = self._open_transport()
        started = time.monotonic()
        try:
            body = EMPTY if question.docs is None else write_body(question.docs, transport.format)
        except BadBody as error:
            raise RequestFailed(str(error), status=StatusCode.INVALID.name) from error
        request = Request(
            endpoint=question.endpoint,
            bodies=(body,),
            request_id=new_request_id(),
            target=question.target,
            parameters=question.parameters,
            wanted=transport.format,
            deadline=started + question.timeout_s,
            metadata=question.metadata,
        )
        response = await _patiently(transport, request)
        _raise_for(response.status, question)
        try:
            docs = read_body(response.body)
        except BadBody as error:
            raise RequestFailed(str(error), status=StatusCode.INTERNAL.name) from error
        seconds = time.monotonic() - started
        return Answer(docs=docs, parameters=response.parameters, seconds=seconds)

    async def post(
        self,
        endpoint: str,
        batches: AsyncIterable[DocumentBatch] | Given,
        *,
        parameters: Mapping[str, Any] | None = None,
        request_size: int = 0,
        window: int = 4,
        timeout_s: float = 120.0,
        target: str = "",
    ) -> AsyncGenerator[Answer, None]:
        """Send batches as they come, and yield the answers in their order.

        Memory is bounded by `window` requests however many batches there are. A plain
        iterable is read in a thread of its own, so it may block.

        Args:
            batches: A `DocumentBatch`, an iterable of them, or documents as a list of dicts
                or of `Document`s, which go as one batch.
            request_size: A larger batch is sent as several requests; 0 sends each as it is.
            window: Requests under way at a time.
            timeout_s: For each request.

        Raises:
            JinaError: As `ask`; the answers before were yielded, others are cancelled.
            TypeError: `batches` is none of these.
            ValueError: A dict has a field that does not hold what it should.
        """
        question = Question(
            endpoint=endpoint, parameters=parameters or {}, target=target, timeout_s=timeout_s
        )
        questions = _questions(question, batches_of(batches), request_size)
        running = Window(self.ask, max(1, window)).run(questions)
        try:
            async for _, answer in running:
                yield answer
        finally:
            await running.aclose()

    def _open_transport(self) -> Transport:
        if self._transport is None:
            raise RuntimeError("use the client within `async with`")
        return self._transport


async def _patiently(transport: Transport, request: Request) -> Response:
    """Ask, and ask again while the Flow says that its queue is full."""
    wait_s = _FIRST_WAIT_S
    while True:
        response = await transport.request(request)
        full = response.status.code is StatusCode.OVERLOADED
        if not full or time.monotonic() + wait_s >= (request.deadline or 0):
            return response
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, _LONGEST_WAIT_S)


def _raise_for(status: Status, question: Question) -> None:
    error = error_of(status, question.endpoint, question.timeout_s)
    if error is not None:
        raise error


def error_of(status: Status, endpoint: str, timeout_s: float) -> JinaError | None:
    """Return what a status is to a caller; None for success."""
    text = status.description or status.code.name.lower().replace("_", " ")
    match status.code:
        case StatusCode.OK:
            return None
        case StatusCode.DEADLINE:
            return TimedOut(f"{endpoint} took longer than {timeout_s:g} s")
        case StatusCode.OVERLOADED:
            return TimedOut(f"the Flow was too busy for {timeout_s:g} s")
        case StatusCode.STORAGE:
            return StorageFailed(text)
        case _:
            return RequestFailed(text, status=status.code.name, executor=status.executor)


async def _questions(
    question: Question, batches: AsyncIterator[DocumentBatch], size: int
) -> AsyncGenerator[Question, None]:
    try:
        async for given in batches:
            batch = checked(given)
            step = size if size > 0 else max(1, len(batch))
            for start in range(0, max(1, len(batch)), step):
                part = batch if len(batch) <= step else batch.slice(start, start + step)
                yield replace(question, docs=part)
    finally:
        if isinstance(batches, AsyncGenerator):
            await batches.aclose()


class Client:
    """A client for plain code; use it as `with Client(url) as client`.

    Its connection lives in a thread of its own, so it also works where an event loop runs,
    as in a notebook. Arguments are those of `AsyncClient`.

    Example:
        >>> with Client("grpc://localhost:51000") as client:
        ...     for answer in client.post("/search", [{"id": "q", "text": "bread"}]):
        ...         print(answer.docs.ids)
    """

    def __init__(self, url: str, *, connect_timeout_s: float = 10.0) -> None:
        self._client = AsyncClient(url, connect_timeout_s=connect_timeout_s)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="client", daemon=True)

    def __enter__(self) -> Client:
        self._thread.start()
        try:
            self._wait(self._client.__aenter__())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._wait(self._client.__aexit__(kind, error, trace))
        finally:
            self._end()

    def ask(self, question: Question) -> Answer:
        """Send one request and return its answer; raises as `AsyncClient.ask`."""
        return self._wait(self._client.ask(question))

    def post(
        self,
        endpoint: str,
        batches: Given,
        *,
        parameters: Mapping[str, Any] | None = None,
        request_size: int = 0,
        window: int = 4,
        timeout_s: float = 120.0,
    ) -> Iterator[Answer]:
        """Send batches as they come, and yield the answers in order; as `AsyncClient.post`."""
        answers = self._client.post(
            endpoint,
            batches,
            parameters=parameters,
            request_size=request_size,
            window=window,
            timeout_s=timeout_s,
        )
        try:
            while True:
                try:
                    yield self._wait(_next(answers))
                except StopAsyncIteration:
                    return
        finally:
            self._wait(_close(answers))

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _next(answers: AsyncIterator[Answer]) -> Answer:
    return await anext(answers)


async def _close(answers: Any) -> None:
    await answers.aclose()
