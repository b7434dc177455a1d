"""`jina eval`: how good a search is, given judgements."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jina_cli.cli import asking_options as asking
from jina_cli.cli import finding
from jina_cli.cli import options as opt
from jina_cli.cli.settings import Settings, from_files, settings_of
from jina_cli.errors import BadInput, JinaError, NothingMatched, UsageError
from jina_cli.vocabulary import MAX_TOP_K

if TYPE_CHECKING:
    from jina_cli.cli.judging import Judged, Least
    from jina_cli.cli.session import Place
    from jina_cli.client.client import Answer, AsyncClient, Question
    from jina_cli.evaluate.evaluation import Run
    from jina_cli.evaluate.metrics import Metric

_WHOLE = 100
"""Matches that are asked for where a metric looks at all there are."""


def evaluate(
    ctx: typer.Context,
    qrels: Annotated[
        str,
        typer.Option(metavar="FILE", help="Judgements: query 0 document grade, a line each."),
    ] = "",
    run: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="What was found: lines of TREC, or of search --json; - for stdin.",
        ),
    ] = "",
    queries: Annotated[
        str,
        typer.Option(metavar="FILE", help="Queries to ask a Flow, with their ids; - for stdin."),
    ] = "",
    uses: asking.Uses = "",
    host: asking.RunningFlow = "",
    workspace: asking.IndexFolder = "",
    metrics: Annotated[
        str,
        typer.Option(metavar="LIST", help="ndcg, recall, map, mrr, p, f1, with @K or of all."),
    ] = "ndcg@10,recall@100,map,mrr,p@10,f1@10",
    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-under", metavar="METRIC=VALUE", help="Exit with 1 if it is less; repeatable."
        ),
    ] = None,
    per_query: Annotated[bool, typer.Option("--per-query", help="A line for each query.")] = False,
    skip_missing: Annotated[
        bool,
        typer.Option("--skip-missing", help="Queries that found nothing do not count as 0."),
    ] = False,
    top_k: Annotated[
        int | None,
        typer.Option(
            "-k", "--top-k", min=1, max=MAX_TOP_K, help="Matches asked for; what metrics need."
        ),
    ] = None,
    where: finding.Where = "",
    mode: finding.ByMode = "auto",
    rrf_k: finding.RrfK = None,
    rerank: finding.Rerank = None,
    batch: Annotated[int, typer.Option(min=1, help="Queries in a request.")] = 1,
    concurrency: asking.Concurrency = 1,
    timeout: asking.Timeout = "120s",
    param: asking.Parameters = None,
    lenient: opt.Lenient = False,
) -> None:
    """Say how good a search is: of a run that is there, or of a Flow that is asked here.

    Values are those of trec_eval, its ties included: equal scores, in single precision, go by
    id. Every judged query counts, with 0 where nothing was found (trec_eval's -c), unless
    --skip-missing. A Flow is asked one query at a time, so that latencies are those of one.
    Exits with 1 if a threshold is missed, with 65 if a query could not be asked.
    """
    from jina_cli.cli.duration import seconds_of
    from jina_cli.cli.judging import depth_for, least_of
    from jina_cli.cli.pairs import parameters_of
    from jina_cli.cli.session import place_of, run_batch
    from jina_cli.evaluate.metrics import metrics_of

    settings = settings_of(ctx)
    _check(qrels, run, queries, bool(uses or host or workspace) and not from_files(ctx))
    least = least_of(fail_under or ())
    wanted = tuple(dict.fromkeys([*metrics_of([metrics]), *(each.metric for each in least)]))
    job = Job(
        qrels=qrels,
        run=run,
        queries=queries,
        place=None
        if run
        else place_of(uses, host, workspace, lenient=lenient, from_file=from_files(ctx)),
        metrics=wanted,
        least=least,
        per_query=per_query,
        skip_missing=skip_missing,
        batch=batch,
        concurrency=concurrency,
        timeout_s=seconds_of(timeout, "--timeout"),
        parameters={
            **parameters_of(param or ()),
            **finding.where_of(where),
            **finding.ranking_of(mode, rrf_k, rerank, explains=False),
            "top_k": top_k or min(depth_for(wanted, whole=_WHOLE), MAX_TOP_K),
        },
    )
    run_batch(lambda: judge(job, settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is judged, and how; fields are named as the options.

    Attributes:
        place: The Flow that is asked; None where a run is read.
    """

    qrels: str
    run: str
    queries: str
    place: Place | None
    metrics: tuple[Metric, ...]
    least: tuple[Least, ...]
    per_query: bool
    skip_missing: bool
    batch: int
    concurrency: int
    timeout_s: float
    parameters: Mapping[str, Any]


@dataclass(slots=True)
class _Asked:
    """What a Flow answered: scores by query and document."""

    run: dict[str, dict[str, float]]
    seconds: list[float]
    refused: int = 0


async def judge(job: Job, settings: Settings) -> None:
    """Judge a run, and write what it is worth.

    Raises:
        NothingMatched: No query of the run is judged.
        BadInput: A file holds what it should not, or some queries could not be asked.
        JinaError: A threshold is missed.
    """
    from jina_cli.cli.judging import Judged, as_json, lines_of, missed, show
    from jina_cli.cli.render import Output
    from jina_cli.evaluate.evaluation import evaluated
    from jina_cli.evaluate.trec import read_qrels, read_run

    output = Output(settings)
    qrels = read_qrels(lines_of(job.qrels), job.qrels)
    asked = _Asked(run={}, seconds=[])
    run: Run = read_run(lines_of(job.run), job.run) if job.run else asked.run
    if job.place is not None:
        await _ask(job, job.place, settings, asked, output)
    if not any(query in run for query in qrels):
        raise NothingMatched(
            "no query that was asked is judged", hint=f"see the ids in {job.qrels}"
        )
    evaluation = evaluated(run, qrels, job.metrics, skip_missing=job.skip_missing)
    judged = Judged(
        evaluation=evaluation, seconds=asked.seconds, missed=missed(evaluation, job.least)
    )
    if settings.json:
        output.json(as_json(judged, per_query=job.per_query))
    else:
        show(judged, output, per_query=job.per_query)
    _check_verdict(judged, asked.refused)


def _check_verdict(judged: Judged, refused: int) -> None:
    if refused:
        raise BadInput(f"{refused} of the queries could not be asked")
    if judged.missed:
        under = (
            f"{each.metric} is {judged.evaluation.value(each.metric):.6g}, under {each.value:g}"
            for each in judged.missed
        )
        raise JinaError("; ".join(under))


class Timed:
    """A client that notes how long each answer took."""

    def __init__(self, client: AsyncClient, seconds: list[float]) -> None:
        self._client = client
        self._seconds = seconds

    async def ask(self, question: Question) -> Answer:
        answer = await self._client.ask(question)
        self._seconds.append(answer.seconds)
        return answer


async def _ask(job: Job, place: Place, settings: Settings, asked: _Asked, output: Any) -> None:
    from jina_cli.cli.inputs import found
    from jina_cli.cli.session import connected
    from jina_cli.client.question import Question
    from jina_cli.client.searching import numbered, search
    from jina_cli.documents.readers import RowError, read_batches, read_sources

    sources = found([job.queries], "auto", allow_empty=False)
    batches = read_batches(numbered(read_sources(sources)), size=job.batch)
    question = Question(endpoint="/search", parameters=job.parameters, timeout_s=job.timeout_s)
    async with connected(place, settings, must_exist=True) as client:
        timed = Timed(client, asked.seconds)
        results = search(timed, batches, question=question, window=job.concurrency)
        async with aclosing(results):
            async for result in results:
                if isinstance(result, RowError):
                    asked.refused += 1
                    output.warn(str(result))
                else:
                    asked.run[result.id] = _scores(result.matches)


def _scores(matches: Any) -> dict[str, float]:
    """Return the score of each match; of one that has none, one below those before it."""
    scores: dict[str, float] = {}
    for rank, match in enumerate(matches):
        score = match.get("score")
        scores.setdefault(str(match["id"]), float(-rank if score is None else score))
    return scores


def _check(qrels: str, run: str, queries: str, names_flow: bool) -> None:
    if not qrels:
        raise UsageError("--qrels is missing", hint="name the file of judgements")
    if bool(run) == bool(queries):
        raise UsageError(
            "what is judged is not clear", hint="give --run FILE, or --queries FILE to ask a Flow"
        )
    if run and names_flow:
        raise UsageError("a run is read, no Flow is asked", hint="leave --run or the Flow out")
