"""What `jina eval` is asked for, and how it says what it found."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jina_cli.cli.render import BOLD, DIM, Output
from jina_cli.errors import BadInput, InputMissing, UsageError
from jina_cli.evaluate.evaluation import Evaluation
from jina_cli.evaluate.metrics import Metric, metric_of

_SHOWN = 5
"""Ids that are named of queries that found nothing."""


@dataclass(frozen=True, slots=True)
class Least:
    """What the mean of a metric must not be under."""

    metric: Metric
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is known of a run.

    Attributes:
        seconds: Of each request that was answered; empty for a run that was read.
        missed: Those thresholds that are missed.
    """

    evaluation: Evaluation
    seconds: Sequence[float]
    missed: Sequence[Least]


def least_of(texts: Iterable[str]) -> tuple[Least, ...]:
    """Return thresholds, written `ndcg@10=0.5`.

    Raises:
        UsageError: One is not a metric and a number from 0 to 1.
    """
    found = []
    for text in texts:
        name, equals, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not equals or not 0 <= value <= 1:
            raise UsageError(f"--fail-under is {text!r}", hint="write it as ndcg@10=0.5")
        found.append(Least(metric_of(name), value))
    return tuple(found)


def missed(evaluation: Evaluation, least: Iterable[Least]) -> list[Least]:
    """Return those thresholds that a run is under."""
    return [each for each in least if evaluation.value(each.metric) < each.value]


def depth_for(metrics: Iterable[Metric], *, whole: int) -> int:
    """Return how many matches of a query metrics look at; `whole` at least where one has no end."""
    return max(metric.k or whole for metric in metrics)


def lines_of(file: str) -> Iterator[str]:
    """Yield the lines of a file, or of stdin for `-`.

    Raises:
        InputMissing: There is no such file.
        BadInput: It is no text.
    """
    try:
        if file == "-":
            yield from sys.stdin or ()
            return
        with Path(file).open(encoding="utf-8") as stream:
            yield from stream
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is not in UTF-8", hint="convert it") from error
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise InputMissing(f"there is no file {file}") from error


def as_json(judged: Judged, *, per_query: bool) -> dict[str, Any]:
    """Return it as one object, `jina.eval/1`."""
    evaluation = judged.evaluation
    names = [str(metric) for metric in evaluation.metrics]
    said: dict[str, Any] = {
        "schema": "jina.eval/1",
        "queries": len(evaluation.per_query),
        "metrics": dict(zip(names, evaluation.means, strict=True)),
        "missing": list(evaluation.missing),
        "unjudged": list(evaluation.unjudged),
        "latency": _latency(judged.seconds),
        "failed": [
            {
                "metric": str(each.metric),
                "value": evaluation.value(each.metric),
                "least": each.value,
            }
            for each in judged.missed
        ],
    }
    if per_query:
        said["per_query"] = {
            query: dict(zip(names, values, strict=True))
            for query, values in evaluation.per_query.items()
        }
    return said


def show(judged: Judged, output: Output, *, per_query: bool) -> None:
    """Write it as tables for people."""
    evaluation = judged.evaluation
    if per_query:
        for line in _query_lines(evaluation, output):
            output.result(line)
        output.result("")
    names = [str(metric) for metric in evaluation.metrics]
    width = max(map(len, names))
    for name, value in zip(names, evaluation.means, strict=True):
        output.result(f"{name:<{width}}  {output.paint(f'{value:.4f}', BOLD)}")
    for line in _remarks(judged):
        output.result(output.paint(line, DIM))


def _query_lines(evaluation: Evaluation, output: Output) -> Iterator[str]:
    names = [str(metric) for metric in evaluation.metrics]
    first = max(map(len, ["query", *evaluation.per_query]))
    widths = [max(len(name), 6) for name in names]
    head = [f"{name:>{width}}" for name, width in zip(names, widths, strict=True)]
    yield output.paint("  ".join([f"{'query':<{first}}", *head]), BOLD)
    for query, values in evaluation.per_query.items():
        cells = [f"{value:>{width}.4f}" for value, width in zip(values, widths, strict=True)]
        yield "  ".join([f"{query:<{first}}", *cells])


def _remarks(judged: Judged) -> Iterator[str]:
    evaluation, latency = judged.evaluation, _latency(judged.seconds)
    yield f"{_counted(len(evaluation.per_query), 'query', 'queries')} judged"
    if evaluation.missing:
        named = ", ".join(evaluation.missing[:_SHOWN])
        more = "" if len(evaluation.missing) <= _SHOWN else ", …"
        yield f"nothing found for {len(evaluation.missing)}: {named}{more}"
    if evaluation.unjudged:
        yield f"{_counted(len(evaluation.unjudged), 'query', 'queries')} of the run not judged"
    if latency is not None:
        requests = _counted(latency["requests"], "request", "requests")
        yield f"{requests}, p50 {latency['p50_ms']:.1f} ms, p99 {latency['p99_ms']:.1f} ms"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _latency(seconds: Sequence[float]) -> dict[str, Any] | None:
    """Return the median and the 99th percentile (nearest rank) in milliseconds; None of none."""
    if not seconds:
        return None
    rising = sorted(1000 * each for each in seconds)
    p50, p99 = (rising[math.ceil(share * len(rising)) - 1] for share in (0.5, 0.99))
    return {"requests": len(rising), "p50_ms": round(p50, 3), "p99_ms": round(p99, 3)}
