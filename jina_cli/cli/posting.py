"""Documents of a command line sent to an endpoint of a Flow, for `post` and `train`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jina_cli.cli import asking_options as asking

if TYPE_CHECKING:
    from jina_cli.cli.render import Output
    from jina_cli.cli.session import Place
    from jina_cli.client.client import AsyncClient
    from jina_cli.client.question import Question
    from jina_cli.documents.batch import DocumentBatch
    from jina_cli.documents.readers import ReadBatch
    from jina_cli.documents.readers.row import Item
    from jina_cli.wire.messages import Request, Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is sent, and how; fields are named as the options."""

    question: Question
    inputs: tuple[str, ...]
    texts: tuple[str, ...]
    place: Place
    stream: bool
    format: asking.InputFormat
    field_map: Mapping[str, str]
    batch: int
    concurrency: int


class Inputs:
    """Batches of documents of a command line; None for a request without any.

    Attributes:
        sent: Documents that were handed out.
        refused: Rows that could not be read.
    """

    def __init__(self, job: Job, output: Output) -> None:
        self._job = job
        self._output = output
        self.sent = 0
        self.refused = 0

    async def batches(self) -> AsyncIterator[DocumentBatch | None]:
        from jina_cli.client.pump import Pump

        if not self._job.inputs and not self._job.texts:
            yield None
            return
        async for batch in Pump(self._read()).run():
            for error in batch.errors:
                self.refused += 1
                self._output.warn(str(error))
            self.sent += len(batch.docs)
            if len(batch.docs):
                yield batch.docs

    def _read(self) -> Iterator[ReadBatch]:
        from jina_cli.documents.readers import read_batches

        job = self._job
        return read_batches(
            self._items(), size=job.batch, field_map=job.field_map, may_be_tags=True
        )

    def _items(self) -> Iterator[Item]:
        from jina_cli.cli.inputs import found
        from jina_cli.client.searching import rows_of_texts
        from jina_cli.documents.readers import read_sources

        yield from rows_of_texts(self._job.texts)
        if self._job.inputs:
            sources = found(self._job.inputs, self._job.format, allow_empty=False)
            yield from read_sources(sources, format_=self._job.format)


async def answered(client: AsyncClient, job: Job, inputs: Inputs) -> AsyncGenerator[Response, None]:
    """Yield the answer to each request; its status is good.

    Raises:
        JinaError: A request failed.
    """
    from jina_cli.client.core import Pace

    pairs = client.core.ask_all(job.question, inputs.batches(), Pace(window=job.concurrency))
    async with aclosing(pairs):
        async for request, response in pairs:
            yield _checked(job, request, response)


async def streamed(client: AsyncClient, job: Job, inputs: Inputs) -> AsyncGenerator[Response, None]:
    """Yield each part of the answers as it comes; its status is good.

    Raises:
        JinaError: A request failed.
    """
    async for docs in inputs.batches():
        parts = client.core.stream(replace(job.question, docs=docs))
        async with aclosing(parts):
            async for request, part in parts:
                yield _checked(job, request, part)


def _checked(job: Job, request: Request, response: Response) -> Response:
    from jina_cli.client.errors import error_of

    question = job.question
    error = error_of(response.status, question.endpoint, question.timeout_s, request.request_id)
    if error is not None:
        raise error
    return response
