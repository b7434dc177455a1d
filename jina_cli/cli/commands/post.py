"""`jina post`: any endpoint of a Flow, and what comes back."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from jina_cli.cli import asking_options as asking
from jina_cli.cli import options as opt
from jina_cli.cli.settings import Settings, from_files, settings_of
from jina_cli.errors import BadInput, NothingMatched
from jina_cli.vocabulary import RESULTS

if TYPE_CHECKING:
    from jina_cli.cli.posting import Job
    from jina_cli.cli.render import Output
    from jina_cli.wire.messages import Response

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
    from jina_cli.cli.posting import Job
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


async def run(job: Job, settings: Settings) -> None:
    """Send everything, and write what comes back as soon as it does.

    Raises:
        BadInput: Some rows could not be read; the others were sent.
        NothingMatched: There are inputs, and nothing in them.
        JinaError: Whatever else went wrong.
    """
    from jina_cli.cli.posting import Inputs, answered, streamed
    from jina_cli.cli.render import Output
    from jina_cli.cli.session import connected

    output = Output(settings)
    inputs = Inputs(job, output)
    async with connected(job.place, settings) as client:
        answers = streamed if job.stream else answered
        async with aclosing(answers(client, job, inputs)) as responses:
            async for response in responses:
                _write(response, output, as_objects=settings.json)
    if inputs.refused:
        noun = "row" if inputs.refused == 1 else "rows"
        raise BadInput(f"{inputs.refused} {noun} could not be read")
    if (job.inputs or job.texts) and not inputs.sent:
        raise NothingMatched("there was nothing to send")


def _write(response: Response, output: Output, *, as_objects: bool) -> None:
    from jina_cli.documents.rows import to_rows
    from jina_cli.wire.bodies import read_body

    for document in to_rows(read_body(response.body)):
        output.json({"schema": SCHEMA, "document": document} if as_objects else document)
    if results := response.parameters.get(RESULTS):
        output.json({"schema": SCHEMA, "results": results} if as_objects else {RESULTS: results})
