"""The client for asyncio code."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from functools import partialmethod
from types import TracebackType
from typing import TYPE_CHECKING, Any, Unpack

from jina_cli.client.core import Pace, answer_of
from jina_cli.client.errors import BadClient
from jina_cli.client.inputs import batches_of
from jina_cli.client.options import ClientOptions, made
from jina_cli.client.posting import Posting, PostOptions, posting_of, question_of
from jina_cli.client.probe import Role, ask_once
from jina_cli.client.profile import profile_of
from jina_cli.client.pump import Pump
from jina_cli.client.question import Answer, Question
from jina_cli.client.response import Response
from jina_cli.errors import JinaError

if TYPE_CHECKING:
    from jina_cli.client.inputs import Inputs
    from jina_cli.documents.batch import DocumentBatch

READY_S = 10.0


class AsyncClient:
    """A client of a Flow, for asyncio code; the protocol follows from the address.

    It connects when it is first used, or when it is entered (`async with`), and stays
    connected until it is closed. It may be used from several event loops, one after another
    or at the same time, and has a connection for each.

    Args:
        host: A URL: `grpc://host:port`, `http://`, `ws://`, their forms with TLS, `unix:/path`,
            `tcp:host:port`; or a host, with `port` and `protocol` beside it.
        protocol: `grpc`, `http` or `websocket`, where `host` is no URL.
        tls: As the `s` of `https://`.
        options: See `ClientOptions`.

    Raises:
        UsageError: There is no such address or option.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int | None = None,
        protocol: object = None,
        tls: bool = False,
        **options: Unpack[ClientOptions],
    ) -> None:
        self.made = made(host, port=port, protocol=protocol, tls=tls, options=options)
        self.core = self.made.core

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.core.target)!r})"

    async def __aenter__(self) -> AsyncClient:
        await self.core.transport()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection of the running event loop; using the client makes a new one."""
        await self.core.close()

    async def post(
        self, on: str, inputs: Inputs = None, **options: Unpack[PostOptions]
    ) -> AsyncGenerator[Any, None]:
        """Send documents to an endpoint, and yield the documents of each answer as it comes.

        Memory is bounded by `prefetch` requests however many inputs there are. A plain
        generator is read in a thread of its own, so it may block.

        Args:
            inputs: Documents, dicts, a `DocumentBatch`, paths of files, an iterable or async
                iterable of them, or a function that returns one; None asks without documents.
            options: See `PostOptions`. With `return_responses` each answer is a `Response`,
                which may have failed.

        Raises:
            BadServer: An answer is an error; see `PostOptions` for what catches it.
            AnswerLate: There was none within the time.
            ConnectionFailed: Nobody answers, or the connection broke.
            BadClientInput: The inputs are no documents.
        """
        posting = posting_of(on, options, **self._defaults)
        answers = posting.run(self.core, inputs, threaded=_in_thread, in_place=_called)
        try:
            async for response in answers:
                if posting.whole:
                    yield response
                elif response.ok:
                    yield posting.returns.joined([response.docs])
        finally:
            await answers.aclose()

    index = partialmethod(post, "/index")
    search = partialmethod(post, "/search")
    update = partialmethod(post, "/update")
    delete = partialmethod(post, "/delete")

    async def stream_doc(
        self,
        on: str,
        inputs: Inputs = None,
        *,
        return_type: Any = None,
        timeout: float | None = None,  # noqa: ASYNC109  # Jina's name; sent to the Flow
        **options: Any,
    ) -> AsyncGenerator[Any, None]:
        """Send one document to a streaming endpoint, and yield its answers as they come.

        Leaving the loop early cancels the work in the Flow.

        Args:
            return_type: Class of the documents that come back.
            timeout: Seconds for the whole answer.
            options: `parameters`, `metadata`, `headers`, `target_executor` as in `post`.

        Raises:
            JinaError: As `post`.
        """
        options["timeout"] = timeout
        options["return_type"] = return_type
        posting = posting_of(on, options, **self._defaults)  # type: ignore[arg-type]
        async for doc in self._streamed(posting, inputs):
            yield doc

    async def _streamed(self, posting: Posting, inputs: Inputs) -> AsyncGenerator[Any, None]:
        from dataclasses import replace

        docs: DocumentBatch | None = None
        if inputs is not None:
            docs = await _only(batches_of(inputs, 0, _in_thread))
        parts = self.core.stream(replace(posting.question, docs=docs))
        try:
            async for request, part in parts:
                response = Response(request, part, posting.returns)
                if not response.ok:
                    raise posting.failure(response)
                for doc in response.docs:
                    yield doc
        finally:
            await parts.aclose()

    async def is_flow_ready(self, timeout: float = READY_S, **_: Any) -> bool:  # noqa: ASYNC109
        """Return whether the Flow and all of its Executors answer, within `timeout` seconds."""
        try:
            await ask_once(self.core.target, Role.FLOW, timeout, self.core.settings)
        except JinaError:
            return False
        return True

    dry_run = is_flow_ready

    async def profiling(self, show_table: bool = True) -> dict[str, float]:
        """Send a request that asks for no work, and return where its time went: ms by Jina's
        names and by Pod.

        Args:
            show_table: Whether to print it too, on stderr.
        """
        return await profile_of(self.core, self.made.metadata, show=show_table)

    async def ask(self, question: Question) -> Answer:
        """Send one request and return its answer. A Flow that is busy is asked again.

        Raises:
            JinaError: As `post`.
        """
        return await self.core.ask(question)

    async def ask_all(
        self,
        on: str,
        inputs: Inputs,
        *,
        parameters: Mapping[str, Any] | None = None,
        request_size: int = 0,
        window: int = 4,
        timeout_s: float | None = 120.0,
    ) -> AsyncGenerator[Answer, None]:
        """Send batches as they come, and yield the answers in order, as columns.

        Args:
            inputs: As in `post`; a `DocumentBatch` is what is sent without conversion.
            request_size: A larger batch is sent as several requests; 0 sends each as it is.
            window: Requests under way at a time.
            timeout_s: For each request.

        Raises:
            JinaError: As `post`; the answers before were yielded, others are cancelled.
        """
        options = {"parameters": parameters, "timeout": timeout_s}
        question = question_of(on, options, self.made.metadata)
        batches = batches_of(inputs, request_size, _in_thread)
        pairs = self.core.ask_all(question, batches, Pace(window=window))
        try:
            async for request, raw in pairs:
                yield answer_of(question, request, raw, 0.0)
        finally:
            await pairs.aclose()

    @property
    def _defaults(self) -> Any:
        return {"prefetch": self.made.prefetch, "metadata": self.made.metadata}


async def _only(batches: AsyncIterator[DocumentBatch]) -> DocumentBatch:
    found = [batch async for batch in batches]
    if len(found) != 1 or len(found[0]) != 1:
        count = sum(map(len, found))
        raise BadClient(f"a streaming endpoint takes one document, not {count}")
    return found[0]


def _in_thread(batches: Iterator[DocumentBatch]) -> AsyncIterator[DocumentBatch]:
    return Pump(batches, ahead=1).run()


async def _called(callback: Callable[[Response], Any], response: Response) -> None:
    result = callback(response)
    if hasattr(result, "__await__"):
        await result
