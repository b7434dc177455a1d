"""`jina search`: find what was indexed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from jina_cli.cli import asking_options as asking
from jina_cli.cli import finding
from jina_cli.cli import options as opt
from jina_cli.cli.settings import Settings, from_files, settings_of
from jina_cli.errors import BadInput, NothingMatched, UsageError
from jina_cli.vocabulary import MAX_TOP_K

if TYPE_CHECKING:
    from jina_cli.cli.session import Place
    from jina_cli.documents.readers import ReadBatch

Format = Literal["table", "json", "jsonl", "trec"]


def search(
    ctx: typer.Context,
    queries: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY",
            help="Plain texts; - for stdin, a text or a JSON object a line, which is read if "
            "nothing is named.",
        ),
    ] = None,
    uses: asking.Uses = "",
    host: asking.RunningFlow = "",
    workspace: asking.IndexFolder = "",
    top_k: Annotated[
        int, typer.Option("-k", "--top-k", min=1, max=MAX_TOP_K, help="Matches of a query.")
    ] = 10,
    where: finding.Where = "",
    mode: finding.ByMode = "auto",
    hybrid: Annotated[bool, typer.Option("--hybrid", help="The same as --mode hybrid.")] = False,
    rrf_k: finding.RrfK = None,
    rerank: finding.Rerank = None,
    fields: finding.Fields = "",
    explain: finding.Explain = False,
    format: Annotated[
        Format | None, typer.Option(help="table, or with --json jsonl, if left out.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Queries in a request.")] = 16,
    concurrency: asking.Concurrency = 4,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="No query is no failure.")
    ] = False,
    timeout: asking.Timeout = "120s",
    param: asking.Parameters = None,
    lenient: opt.Lenient = False,
) -> None:
    """Find what was indexed, best first.

    On stdin a query that is a JSON object has `id`, `text`, `tensor` or `embedding`; a line is
    a text whose id is its number. An argument is always a text. `trec` prints
    `qid Q0 docid rank score tag`, for evaluation. Exits with 5 if there was no query, with 65
    if a query could not be read or the Flow refused it; the others are answered all the same.
    """
    from jina_cli.cli.duration import seconds_of
    from jina_cli.cli.inputs import check_terminal
    from jina_cli.cli.pairs import parameters_of
    from jina_cli.cli.session import place_of, run_batch

    settings = settings_of(ctx)
    check_terminal(bool(queries), "search for")
    if any(not query.strip() for query in queries or ()):
        raise UsageError("a query is empty", hint="write what to look for")
    job = Job(
        queries=tuple(queries or ("-",)),
        place=place_of(uses, host, workspace, lenient=lenient, from_file=from_files(ctx)),
        format=format or ("jsonl" if settings.json else "table"),
        batch=batch,
        concurrency=concurrency,
        allow_empty=allow_empty,
        timeout_s=seconds_of(timeout, "--timeout"),
        parameters={
            **parameters_of(param or ()),
            **finding.where_of(where),
            **finding.fields_of(fields),
            **finding.ranking_of("hybrid" if hybrid else mode, rrf_k, rerank, explains=explain),
            "top_k": top_k,
        },
    )
    run_batch(lambda: run(job, settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is asked, and how; fields are named as the options."""

    queries: tuple[str, ...]
    place: Place
    format: Format
    batch: int
    concurrency: int
    allow_empty: bool
    timeout_s: float
    parameters: Mapping[str, Any]


async def run(job: Job, settings: Settings) -> None:
    """Ask all queries, and write what is found for each as soon as it is.

    Raises:
        BadInput: Some queries could not be read, or were refused; the others were answered.
        NothingMatched: There was no query.
        JinaError: Whatever else went wrong.
    """
    from jina_cli.cli.render import Output
    from jina_cli.cli.results import writer_for
    from jina_cli.cli.session import connected
    from jina_cli.client.client import Question
    from jina_cli.client.searching import search
    from jina_cli.documents.readers import RowError

    output = Output(settings)
    writer = writer_for(job.format, output)
    question = Question(endpoint="/search", parameters=job.parameters, timeout_s=job.timeout_s)
    found = refused = 0
    async with connected(job.place, settings, must_exist=True) as client:
        results = search(client, batches_of(job), question=question, window=job.concurrency)
        async with aclosing(results):
            async for result in results:
                if isinstance(result, RowError):
                    refused += 1
                    output.warn(str(result))
                else:
                    found += 1
                    writer.write(result)
    writer.end()
    if refused:
        noun = "query" if refused == 1 else "queries"
        raise BadInput(f"{refused} {noun} could not be answered")
    if not found and not job.allow_empty:
        raise NothingMatched("there was no query", hint="--allow-empty permits that")


def batches_of(job: Job) -> Iterator[ReadBatch]:
    """Yield the queries of the command line, stdin in the place of `-`."""
    from jina_cli.cli.inputs import found
    from jina_cli.client.searching import numbered, rows_of_texts
    from jina_cli.documents.readers import read_batches, read_sources
    from jina_cli.documents.readers.row import Item

    def items() -> Iterator[Item]:
        for query in job.queries:
            if query == "-":
                yield from read_sources(found(["-"], "auto", allow_empty=False))
            else:
                yield from rows_of_texts([query])

    return read_batches(numbered(items()), size=job.batch, may_be_tags=not job.place.needs_content)
