"""`jina load`: what `jina dump` wrote, into an index."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from jina_cli.cli import asking_options as asking
from jina_cli.cli import options as opt
from jina_cli.cli.settings import Settings, from_files, settings_of
from jina_cli.errors import NothingMatched

if TYPE_CHECKING:
    from jina_cli.cli.render import Output
    from jina_cli.cli.session import Place
    from jina_cli.client.indexing import Indexed
    from jina_cli.client.refused import Refused
    from jina_cli.documents.readers import ReadBatch, RowError

SCHEMA = "jina.load/1"


def load(
    ctx: typer.Context,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE", help="Files of jina dump; - for stdin, which is read if none is named."
        ),
    ] = None,
    uses: asking.Uses = "",
    host: asking.RunningFlow = "",
    workspace: asking.IndexFolder = "",
    format: asking.DumpFormat = "auto",
    batch: asking.Batch = 256,
    concurrency: asking.Concurrency = 4,
    errors_to: Annotated[
        str, typer.Option(metavar="FILE", help="Keep bad rows there, as JSON Lines.")
    ] = "",
    max_errors: Annotated[int, typer.Option(min=0, help="Bad rows that are tolerated.")] = 0,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="No document is no failure.")
    ] = False,
    timeout: asking.Timeout = "10m",
    param: asking.Parameters = None,
    lenient: opt.Lenient = False,
) -> None:
    """Index the documents of dumps as they are: with their chunks, and encoding nothing again.

    Documents that come without vectors are prepared as `jina index` does it. Those that are
    there already are replaced. Exits with 5 if there was no document, with 65 if more than
    --max-errors rows were bad; good ones are indexed all the same.
    """
    from jina_cli.cli.duration import seconds_of
    from jina_cli.cli.inputs import check_terminal
    from jina_cli.cli.pairs import parameters_of
    from jina_cli.cli.session import place_of, run_batch

    check_terminal(bool(inputs), "load")
    job = Job(
        inputs=tuple(inputs or ("-",)),
        place=place_of(uses, host, workspace, lenient=lenient, from_file=from_files(ctx)),
        format=None if format == "auto" else format,
        batch=batch,
        concurrency=concurrency,
        errors_to=errors_to,
        max_errors=max_errors,
        allow_empty=allow_empty,
        timeout_s=seconds_of(timeout, "--timeout"),
        parameters=parameters_of(param or ()),
    )
    run_batch(lambda: run(job, settings_of(ctx)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is read, and how; fields are named as the options.

    Attributes:
        format: None for what the files' names tell.
    """

    inputs: tuple[str, ...]
    place: Place
    format: Literal["jsonl", "parquet"] | None
    batch: int
    concurrency: int
    errors_to: str
    max_errors: int
    allow_empty: bool
    timeout_s: float
    parameters: Mapping[str, Any]


async def run(job: Job, settings: Settings) -> None:
    """Index all documents, and say what became of them.

    Raises:
        BadInput: More rows were bad than are tolerated.
        NothingMatched: There was no document.
        JinaError: Whatever else went wrong. What was acknowledged is kept.
    """
    from jina_cli.cli.render import Output
    from jina_cli.client.indexing import Indexed
    from jina_cli.client.refused import Refused

    output = Output(settings)

    def tell(error: RowError) -> None:
        output.warn(str(error))

    began, done = time.monotonic(), Indexed()
    with Refused(job.errors_to, most=job.max_errors, stops=False, tell=tell) as refused:
        try:
            await _load(job, settings, refused, output, done)
        finally:
            if done.documents or refused.count:
                _say(output, settings, done, refused.count, time.monotonic() - began)
        refused.check()
    if not done.documents and not refused.count and not job.allow_empty:
        raise NothingMatched("there was no document to load", hint="--allow-empty permits that")


async def _load(
    job: Job, settings: Settings, refused: Refused, output: Output, done: Indexed
) -> None:
    from jina_cli.cli.inputs import found
    from jina_cli.cli.session import connected
    from jina_cli.client.client import Question
    from jina_cli.client.dumping import Prepared, parted
    from jina_cli.client.indexing import index
    from jina_cli.client.progress import progress_on
    from jina_cli.documents.dumps import read_dumps

    sources = found(job.inputs, "auto", allow_empty=job.allow_empty)
    if not sources:
        return

    def batches() -> Iterator[ReadBatch]:
        for batch in read_dumps(sources, format_=job.format, size=job.batch):
            yield from parted(batch)

    question = Question(endpoint="/index", parameters=job.parameters, timeout_s=job.timeout_s)
    shown = progress_on("loading", shown=settings.progress, color=output.err_colors)
    async with connected(job.place, settings) as client:
        with shown as progress:
            await index(
                Prepared(client),
                batches(),
                question=question,
                window=job.concurrency,
                refused=refused,
                progress=progress,
                done=done,
            )


def _say(output: Output, settings: Settings, done: Indexed, failed: int, seconds: float) -> None:
    if settings.json:
        told = {"documents": done.documents, "failed": failed, "seconds": round(seconds, 3)}
        output.json({"schema": SCHEMA, **told})
        return
    noun = "document" if done.documents == 1 else "documents"
    output.note(f"{done.documents:,} {noun} loaded in {seconds:.1f} s")
