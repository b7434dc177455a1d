"""`jina train`: let the Executors of a Flow learn from documents."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from jina_cli.cli import asking_options as asking
from jina_cli.cli import options as opt
from jina_cli.cli.settings import Settings, from_files, settings_of
from jina_cli.errors import BadInput, NothingMatched

if TYPE_CHECKING:
    from jina_cli.cli.posting import Job

SCHEMA = "jina.train/1"


def train(
    ctx: typer.Context,
    inputs: asking.InputFiles = None,
    uses: asking.Uses = "",
    host: asking.RunningFlow = "",
    workspace: asking.IndexFolder = "",
    format: asking.Inputs = "auto",
    field_map: asking.FieldMap = None,
    batch: Annotated[
        int, typer.Option(min=1, help="Documents that are learnt from at a time.")
    ] = 8192,
    timeout: asking.Timeout = "10m",
    param: asking.Parameters = None,
    lenient: opt.Lenient = False,
) -> None:
    """Send documents to the /train endpoint of a Flow.

    What is learnt is kept in the workspace. A row that cannot be read is left out, and makes
    the command exit with 65.
    """
    from jina_cli.cli.duration import seconds_of
    from jina_cli.cli.inputs import check_terminal
    from jina_cli.cli.pairs import field_map_of, parameters_of
    from jina_cli.cli.posting import Job
    from jina_cli.cli.session import place_of, run_batch
    from jina_cli.client.question import Question

    check_terminal(bool(inputs), "learn from")
    job = Job(
        question=Question(
            endpoint="/train",
            parameters=parameters_of(param or ()),
            timeout_s=seconds_of(timeout, "--timeout"),
        ),
        inputs=tuple(inputs or ("-",)),
        texts=(),
        place=place_of(uses, host, workspace, lenient=lenient, from_file=from_files(ctx)),
        stream=False,
        format=format,
        field_map=field_map_of(field_map or ()),
        batch=batch,
        concurrency=1,
    )
    run_batch(lambda: _run(job, settings_of(ctx)))


async def _run(job: Job, settings: Settings) -> None:
    from jina_cli.cli.posting import Inputs, answered
    from jina_cli.cli.render import Output
    from jina_cli.cli.session import connected

    output = Output(settings)
    inputs = Inputs(job, output)
    async with (
        connected(job.place, settings) as client,
        aclosing(answered(client, job, inputs)) as responses,
    ):
        async for _ in responses:
            pass
    if settings.json:
        output.json({"schema": SCHEMA, "documents": inputs.sent, "failed": inputs.refused})
    elif inputs.sent:
        noun = "document" if inputs.sent == 1 else "documents"
        output.note(f"learnt from {inputs.sent:,} {noun}")
    if inputs.refused:
        noun = "row" if inputs.refused == 1 else "rows"
        raise BadInput(f"{inputs.refused} {noun} could not be read")
    if not inputs.sent:
        raise NothingMatched("there was nothing to learn from")
