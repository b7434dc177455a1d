"""What stands between a request and what an Executor has for its endpoint."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from docarray import BaseDoc

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.limits import MAX_DOCUMENTS
from jina_cli.drivers.base import BadResult, Done


class BadDocuments(ValueError):
    """The documents of a request are not of the type that a method takes.

    Args:
        problem: What is wrong.
        place: Where in the request, `data.0.text`; empty where it is not one place.
    """

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(problem, place) if place else super().__init__(problem)

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What an endpoint is called with.

    Attributes:
        docs: All documents of the request.
        parts: The same, as they came from each Pod that it needs; one or more.
        inputs: Names of these Pods, as many as `parts`, or none.
        parameters: Of the request, for this Pod.
        metadata: Headers that came with the request; none where several were put together.
    """

    docs: DocumentBatch = EMPTY_BATCH
    parts: tuple[DocumentBatch, ...] = ()
    inputs: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


class Handler(Protocol):
    """Answers the requests to one endpoint."""

    @property
    def needs_docs(self) -> bool:
        """Whether it looks at the documents at all."""

    @property
    def is_async(self) -> bool:
        """Whether calling it may suspend."""

    @property
    def is_generator(self) -> bool:
        """Whether it gives its answer part by part."""

    @property
    def is_singleton(self) -> bool:
        """Whether it takes one document at a time."""

    @property
    def takes_parts(self) -> bool:
        """Whether it wants the answers of several Pods apart, whatever the Pod says."""

    @property
    def writes(self) -> bool:
        """Whether it changes what the Executor keeps."""

    @property
    def top_k(self) -> int:
        """Matches of each document where a request does not say how many; 0 if not known."""

    @property
    def input_type(self) -> type[BaseDoc] | None:
        """Type of its documents; None if it takes them as columns."""

    @property
    def output_type(self) -> type[BaseDoc] | None:
        """Type of the documents it returns; None if that is not said."""

    @property
    def parameters_type(self) -> Any:
        """The pydantic model of its parameters; None if it takes any."""

    async def __call__(self, call: Call) -> Done:
        """Return what became of the documents; the same object where nothing did.

        Raises:
            BadDocuments: They are not of the type it takes.
            Exception: As `Driver.__call__`.
        """

    def stream(self, call: Call) -> AsyncGenerator[Done, None]:
        """Yield the same part by part, each as it comes; of a generator, what it yields.

        Closing this ends the work. Where the handler is not `is_async`, a step of it suspends
        no more than `__call__` does, and it may be taken in any thread.
        """

    def weights(self, docs: DocumentBatch, metric: Callable[[Any], float]) -> Sequence[float]:
        """Return what each document weighs by a function that takes it as the method does."""


async def gathered(parts: AsyncIterator[Done]) -> Done:
    """Return all that a generator yields as one, for who asked for no stream.

    Raises:
        BadResult: It yields more documents than may travel together.
    """
    batches, count = list[DocumentBatch](), 0
    async for done in parts:
        batches.append(done.docs)
        count += len(done.docs)
        if count > MAX_DOCUMENTS:
            raise BadResult(
                f"a generator yields more than {MAX_DOCUMENTS} documents:"
                " ask for them as a stream, or set a bound"
            )
    return Done(docs=DocumentBatch.concat(batches))
