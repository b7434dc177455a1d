"""`jina index`: files, rows and lines into a Flow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from jina_cli.cli import asking_options as asking
from jina_cli.cli import options as opt
from jina_cli.cli.settings import Settings, from_files, settings_of
from jina_cli.errors import BadInput, JinaError, NothingMatched

if TYPE_CHECKING:
    from jina_cli.cli.render import Output
    from jina_cli.cli.session import Place
    from jina_cli.client.indexing import Indexed
    from jina_cli.client.refused import Refused
    from jina_cli.documents.readers import RowError

OnError = Literal["skip", "stop"]


def index(
    ctx: typer.Context,
    inputs: asking.InputFiles = None,
    uses: asking.Uses = "",
    host: asking.RunningFlow = "",
    workspace: asking.IndexFolder = "",
    format: asking.Inputs = "auto",
    field_map: asking.FieldMap = None,
    batch: asking.Batch = 64,
    concurrency: asking.Concurrency = 4,
    on_error: Annotated[
        OnError, typer.Option(help="What to do at the first bad row that is too many.")
    ] = "skip",
    errors_to: Annotated[
        str, typer.Option(metavar="FILE", help="Keep bad rows there, as JSON Lines.")
    ] = "",
    max_errors: Annotated[int, typer.Option(min=0, help="Bad rows that are tolerated.")] = 0,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="No input is no failure.")
    ] = False,
    timeout: asking.Timeout = "10m",
    param: asking.Parameters = None,
    lenient: opt.Lenient = False,
) -> None:
    """Index files, rows or lines, so that they can be found.

    JSON Lines have `id`, `text`, `uri`, `tensor`, `embedding`, `blob` (base64); all else goes
    to `tags`. A row without an id gets one made of its content, a text file one made of its
    path: what is indexed again replaces itself. Exits with 5 if there was nothing to index,
    with 65 if more than --max-errors rows were bad; good rows are indexed all the same.
    """
    from jina_cli.cli.duration import seconds_of
    from jina_cli.cli.inputs import check_terminal
    from jina_cli.cli.pairs import field_map_of, parameters_of
    from jina_cli.cli.session import place_of, run_batch

    check_terminal(bool(inputs), "index")
    job = Job(
        inputs=tuple(inputs or ("-",)),
        place=place_of(uses, host, workspace, lenient=lenient, from_file=from_files(ctx)),
        format=format,
        field_map=field_map_of(field_map or ()),
        batch=batch,
        concurrency=concurrency,
        stops=on_error == "stop",
        errors_to=errors_to,
        max_errors=max_errors,
        allow_empty=allow_empty,
        timeout_s=seconds_of(timeout, "--timeout"),
        parameters=parameters_of(param or ()),
    )
    run_batch(lambda: run(job, settings_of(ctx)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be indexed, and how; fields are named as the options."""

    inputs: tuple[str, ...]
    place: Place
    format: asking.InputFormat
    field_map: Mapping[str, str]
    batch: int
    concurrency: int
    stops: bool
    errors_to: str
    max_errors: int
    allow_empty: bool
    timeout_s: float
    parameters: Mapping[str, Any]


async def run(job: Job, settings: Settings) -> None:
    """Index all inputs, and say what became of them.

    Raises:
        BadInput: More rows were bad than are tolerated.
        NothingMatched: There was nothing to index.
        JinaError: Whatever else went wrong. What was acknowledged is kept.
    """
    from jina_cli.cli.render import Output
    from jina_cli.client.indexing import Indexed
    from jina_cli.client.refused import Refused

    output = Output(settings)

    def tell(error: RowError) -> None:
        output.warn(str(error))

    with Refused(job.errors_to, most=job.max_errors, stops=job.stops, tell=tell) as refused:
        started = time.monotonic()
        done = Indexed()
        try:
            await _index(job, settings, refused, output, done)
        except JinaError as error:
            if done.documents or isinstance(error, BadInput):  # what was acknowledged is kept
                _say(output, settings, done, refused.count, time.monotonic() - started)
            raise
        _say(output, settings, done, refused.count, time.monotonic() - started)
        refused.check()
    if not done.documents and not refused.count and not job.allow_empty:
        raise NothingMatched("there was nothing to index", hint="--allow-empty permits that")


async def _index(
    job: Job, settings: Settings, refused: Refused, output: Output, done: Indexed
) -> None:
    from jina_cli.cli.inputs import found
    from jina_cli.cli.session import connected
    from jina_cli.client.client import Question
    from jina_cli.client.indexing import index
    from jina_cli.client.progress import progress_on
    from jina_cli.documents.readers import INDEX_CHARS, read_batches, read_sources

    sources = found(job.inputs, job.format, allow_empty=job.allow_empty)
    if not sources:
        return
    unseen = set(job.field_map)
    items = read_sources(sources, format_=job.format)
    batches = read_batches(
        items,
        size=job.batch,
        field_map=job.field_map,
        unseen=unseen,
        may_be_tags=not job.place.needs_content,
        most_chars=INDEX_CHARS,
    )
    question = Question(endpoint="/index", parameters=job.parameters, timeout_s=job.timeout_s)
    shown = progress_on("indexing", shown=settings.progress, color=output.err_colors)
    async with connected(job.place, settings) as client:
        with shown as progress:
            await index(
                client,
                batches,
                question=question,
                window=job.concurrency,
                refused=refused,
                progress=progress,
                done=done,
            )
    for name in sorted(unseen):
        output.warn(f"--field-map {name}={job.field_map[name]} had no effect: no row has {name!r}")


def _say(output: Output, settings: Settings, done: Indexed, failed: int, seconds: float) -> None:
    for reason, passed in done.skipped.items():
        files = "1 file" if passed.count == 1 else f"{passed.count:,} files"
        output.note(f"{files} skipped, {reason}: {passed}")
    if settings.json:
        output.json(
            {
                "schema": "jina.index/1",
                "documents": done.documents,
                "chunks": done.chunks,
                "unchanged": done.unchanged,
                "failed": failed,
                "seconds": round(seconds, 3),
            }
        )
        return
    from jina_cli.client.refused import Refused

    if failed > Refused.TOLD:
        output.warn(f"{failed - Refused.TOLD:,} more rows were refused")
    noun = "document" if done.documents == 1 else "documents"
    unchanged = f", {done.unchanged:,} of them unchanged," if done.unchanged else ""
    output.note(f"{done.documents:,} {noun}{unchanged} indexed in {seconds:.1f} s")
