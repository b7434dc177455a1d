"""The client for plain code, and the names that belong to clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial, partialmethod
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from jina_cli.client.async_client import READY_S, AsyncClient
from jina_cli.client.errands import Background, Errands
from jina_cli.client.errors import ConnectionFailed
from jina_cli.client.options import ClientOptions
from jina_cli.client.posting import Posting, PostOptions, posting_of
from jina_cli.client.question import Answer, Question
from jina_cli.client.response import Response

if TYPE_CHECKING:
    from jina_cli.client.inputs import Inputs

__all__ = ["Answer", "AsyncClient", "Client", "Question", "Response"]

T = TypeVar("T")


class Client:
    """A client of a Flow, for plain code; the protocol follows from the address.

    Its connections live in a thread of their own, so it also works where an event loop runs,
    as in a notebook, and many threads may use one client at the same time. Generators that it
    is given and callbacks run in the thread that calls it. It connects when it is first used,
    or when it is entered (`with`), until it is closed or nobody holds it.

    Args:
        host: As in `AsyncClient`, and so are the others.
        asyncio: Whether to return an `AsyncClient` instead.

    Example:
        >>> with Client("grpc://localhost:51000") as client:
        ...     for doc in client.post("/search", {"id": "q", "text": "bread"}):
        ...         print(doc.id)
    """

    def __new__(cls, *args: Any, asyncio: bool = False, **options: Any) -> Any:
        return AsyncClient(*args, **options) if asyncio else super().__new__(cls)

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int | None = None,
        protocol: object = None,
        tls: bool = False,
        *,
        asyncio: bool = False,
        **options: Unpack[ClientOptions],
    ) -> None:
        self._client = AsyncClient(host, port, protocol, tls, **options)
        self._background = Background()

    def __repr__(self) -> str:
        return repr(self._client).removeprefix("Async")

    def __enter__(self) -> Client:
        try:
            self._background.run(self._client.__aenter__())
        except BaseException:
            self._background.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; using the client makes a new one."""
        if self._background.loop is not None:
            try:
                self._background.run(self._client.close())
            finally:
                self._background.stop()

    def post(self, on: str, inputs: Inputs = None, **options: Unpack[PostOptions]) -> Any:
        """Send documents to an endpoint, and return all documents of the answers.

        Args:
            inputs: As in `AsyncClient.post`.
            options: See `PostOptions`.

        Returns:
            A `DocList`, in the order of the inputs; the document itself where `return_type` is
            the class of one and there is one; a list of `Response`s with `return_responses`;
            None where `on_done` or `on_always` takes the answers.

        Raises:
            JinaError: As `AsyncClient.post`.
        """
        posting, answers = self._begin(on, inputs, options)
        if not posting.is_collected:
            for _ in answers:
                pass
            return None
        if posting.whole:
            return list(answers)
        return posting.returns.joined(response.docs for response in answers if response.ok)

    index = partialmethod(post, "/index")
    search = partialmethod(post, "/search")
    update = partialmethod(post, "/update")
    delete = partialmethod(post, "/delete")

    def post_iter(
        self, on: str, inputs: Inputs = None, **options: Unpack[PostOptions]
    ) -> Iterator[Any]:
        """Send documents as `post` does, and yield the documents of each answer as it comes.

        Inputs are only taken while an answer is waited for, so that endless ones need no more
        memory than `prefetch` requests.
        """
        posting, answers = self._begin(on, inputs, options)
        for response in answers:
            if posting.whole:
                yield response
            elif response.ok:
                yield posting.returns.joined([response.docs])

    def stream_doc(self, on: str, inputs: Inputs = None, **options: Any) -> Iterator[Any]:
        """Send one document to a streaming endpoint, and yield its answers as they come.

        Arguments and errors are those of `AsyncClient.stream_doc`.
        """
        return self._iterate(self._client.stream_doc(on, inputs, **options), Errands())

    def is_flow_ready(self, timeout: float = READY_S, **_: Any) -> bool:
        """Return whether the Flow and all of its Executors answer, within `timeout` seconds."""
        return self._background.run(self._client.is_flow_ready(timeout))

    dry_run = is_flow_ready

    def profiling(self, show_table: bool = True) -> dict[str, float]:
        """Ask once, and return where the time went; as `AsyncClient.profiling`."""
        return self._background.run(self._client.profiling(show_table))

    def ask(self, question: Question) -> Answer:
        """Send one request and return its answer; raises as `AsyncClient.ask`."""
        return self._background.run(self._client.ask(question))

    def ask_all(
        self,
        on: str,
        inputs: Inputs,
        *,
        parameters: Mapping[str, Any] | None = None,
        request_size: int = 0,
        window: int = 4,
        timeout_s: float | None = 120.0,
    ) -> Iterator[Answer]:
        """Send batches as they come, and yield the answers in order; as `AsyncClient.ask_all`."""
        answers = self._client.ask_all(
            on,
            inputs,
            parameters=parameters,
            request_size=request_size,
            window=window,
            timeout_s=timeout_s,
        )
        return self._iterate(answers, Errands())

    def _begin(
        self, on: str, inputs: Inputs, options: PostOptions
    ) -> tuple[Posting, Iterator[Response]]:
        made = self._client.made
        posting = posting_of(on, options, prefetch=made.prefetch, metadata=made.metadata)
        errands = Errands()

        async def in_place(callback: Callable[[Response], Any], response: Response) -> None:
            await errands.do(partial(callback, response))

        answers = posting.run(
            self._client.core, inputs, threaded=errands.iterate, in_place=in_place
        )
        return posting, self._iterate(answers, errands)

    def _iterate(self, items: AsyncIterator[T], errands: Errands) -> Iterator[T]:
        """Yield what an async generator of the private loop yields, running its errands here.

        Raises:
            ConnectionFailed: The client was closed in between.
        """
        loop = None
        try:
            while loop is None or loop is self._background.loop:
                asked = self._background.submit(_next(items))
                loop = self._background.loop
                try:
                    yield errands.wait(asked)
                except StopAsyncIteration:
                    return
            raise ConnectionFailed("the client was closed before all answers were there")
        finally:
            if loop is not None and loop is self._background.loop:
                self._background.run(_close(items))


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)


async def _close(items: Any) -> None:
    await items.aclose()
