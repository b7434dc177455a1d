"""`jina post`: any endpoint of a Flow, and what comes back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from jina_cli.cli import asking_options as asking
from jina_cli.cli import options as opt
from jina_cli.cli.settings import Settings, from_files, settings_of
from jina_cli.errors import BadInput, NothingMatched
from jina_cli.vocabulary import RESULTS

if TYPE_CHECKING:
    from jina_cli.cli.render import Output
    from jina_cli.cli.session import Place
    from jina_cli.client.client import AsyncClient
    from jina_cli.client.question import Question
    from jina_cli.documents.batch import DocumentBatch
    from jina_cli.documents.readers import ReadBatch
    from jina_cli.documents.readers.row import Item
    from jina_cli.wire.messages import Request, Response

SCHEMA = "jina.post/1"


def post(
    ctx: typer.Context,
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help="As /search or /status.")],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT",
            help="Files, patterns, folders; - for stdin. Without any, no document is sent.",
        ),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="A document with this text; may be repeated."),
    ] = None,
    uses: asking.Uses = "",
    host: asking.RunningFlow = "",
    workspace: asking.IndexFolder = "",
    stream: Annotated[
        bool,
        typer.Option(
            "--stream", help="Send one document at a time, print what it yields as it comes."
        ),
    ] = False,
    format: asking.Inputs = "auto",
    field_map: asking.FieldMap = None,
    batch: asking.Batch = 64,
    concurrency: asking.Concurrency = 4,
    timeout: asking.Timeout = "120s",
    param: asking.Parameters = None,
    target_executor: Annotated[
        str, typer.Option(metavar="REGEX", help="Only for Pods of such names.")
    ] = "",
    lenient: opt.Lenient = False,
) -> None:
    """Send documents to any endpoint of a Flow, and print those that come back as JSON Lines.

    What Executors return that are no documents comes in a line of its own behind the documents
    of its request, `{"__results__": …}`.
    Exits with 1 if a request fails, with 65 if a row of the inputs could not be read.
    """
    from jina_cli.cli.duration import seconds_of
    from jina_cli.cli.pairs import field_map_of, parameters_of
    from jina_cli.cli.session import place_of, run_batch
    from jina_cli.client.question import Question
    from jina_cli.wire.messages import with_slash

    settings = settings_of(ctx)
    job = Job(
        question=Question(
            endpoint=with_slash(endpoint),
            parameters=parameters_of(param or ()),
            target=target_executor,
            timeout_s=seconds_of(timeout, "--timeout"),
        ),
        inputs=tuple(inputs or ()),
        texts=tuple(text or ()),
        place=place_of(uses, host, workspace, lenient=lenient, from_file=from_files(ctx)),
        stream=stream,
        format=format,
        field_map=field_map_of(field_map or ()),
        batch=1 if stream else batch,
        concurrency=concurrency,
    )
    run_batch(lambda: run(job, settings))


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


async def run(job: Job, settings: Settings) -> None:
    """Send everything, and write what comes back as soon as it does.

    Raises:
        BadInput: Some rows could not be read; the others were sent.
        NothingMatched: There are inputs, and nothing in them.
        JinaError: Whatever else went wrong.
    """
    from jina_cli.cli.render import Output
    from jina_cli.cli.session import connected

    output = Output(settings)
    inputs = _Inputs(job, output)
    async with connected(job.place, settings) as client:
        answers = _streamed if job.stream else _answered
        async with aclosing(answers(client, job, inputs)) as responses:
            async for response in responses:
                _write(response, output, as_objects=settings.json)
    if inputs.refused:
        noun = "row" if inputs.refused == 1 else "rows"
        raise BadInput(f"{inputs.refused} {noun} could not be read")
    if (job.inputs or job.texts) and not inputs.sent:
        raise NothingMatched("there was nothing to send")


class _Inputs:
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
        return read_batches(self._items(), size=job.batch, field_map=job.field_map)

    def _items(self) -> Iterator[Item]:
        from jina_cli.cli.inputs import found
        from jina_cli.client.searching import rows_of_texts
        from jina_cli.documents.readers import read_sources

        yield from rows_of_texts(self._job.texts)
        if self._job.inputs:
            sources = found(self._job.inputs, self._job.format, allow_empty=False)
            yield from read_sources(sources, format_=self._job.format)


async def _answered(
    client: AsyncClient, job: Job, inputs: _Inputs
) -> AsyncGenerator[Response, None]:
    from jina_cli.client.core import Pace

    pairs = client.core.ask_all(job.question, inputs.batches(), Pace(window=job.concurrency))
    async with aclosing(pairs):
        async for request, response in pairs:
            yield _checked(job, request, response)


async def _streamed(
    client: AsyncClient, job: Job, inputs: _Inputs
) -> AsyncGenerator[Response, None]:
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


def _write(response: Response, output: Output, *, as_objects: bool) -> None:
    from jina_cli.documents.rows import to_rows
    from jina_cli.wire.bodies import read_body

    for document in to_rows(read_body(response.body)):
        output.json({"schema": SCHEMA, "document": document} if as_objects else document)
    if results := response.parameters.get(RESULTS):
        output.json({"schema": SCHEMA, "results": results} if as_objects else {RESULTS: results})
