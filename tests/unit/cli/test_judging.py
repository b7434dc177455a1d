"""What `jina eval` says."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from jina_cli.cli.judging import (
    Judged,
    Least,
    as_json,
    depth_for,
    least_of,
    lines_of,
    missed,
    show,
)
from jina_cli.cli.render import Output
from jina_cli.cli.settings import Settings
from jina_cli.errors import BadInput, InputMissing, UsageError
from jina_cli.evaluate.evaluation import evaluated
from jina_cli.evaluate.metrics import Metric, metrics_of

QRELS = {"q1": {"a": 1, "b": 1}, "query-2": {"c": 1}}
RUN = {"q1": {"a": 2.0, "x": 1.0}, "z": {"a": 1.0}}
METRICS = metrics_of(["p@1,recall@100"])
EVALUATION = evaluated(RUN, QRELS, METRICS)
SECONDS = [0.002, 0.001, 0.004, 0.003]


def judged(*least: Least) -> Judged:
    return Judged(evaluation=EVALUATION, seconds=SECONDS, missed=missed(EVALUATION, least))


def test_people_get_a_table_and_what_to_know_of_it() -> None:
    out = io.StringIO()

    show(judged(), Output(Settings(), out=out), per_query=True)

    assert out.getvalue() == (
        "query       p@1  recall@100\n"
        "q1       1.0000      0.5000\n"
        "query-2  0.0000      0.0000\n"
        "\n"
        "p@1         0.5000\n"
        "recall@100  0.2500\n"
        "2 queries judged\n"
        "nothing found for 1: query-2\n"
        "1 query of the run not judged\n"
        "4 requests, p50 2.0 ms, p99 4.0 ms\n"
    )


def test_programs_get_one_object() -> None:
    said = as_json(judged(Least(Metric("p", 1), 0.75), Least(Metric("p", 1), 0.5)), per_query=True)

    assert said == {
        "schema": "jina.eval/1",
        "queries": 2,
        "metrics": {"p@1": 0.5, "recall@100": 0.25},
        "missing": ["query-2"],
        "unjudged": ["z"],
        "latency": {"requests": 4, "p50_ms": 2.0, "p99_ms": 4.0},
        "failed": [{"metric": "p@1", "value": 0.5, "least": 0.75}],
        "per_query": {
            "q1": {"p@1": 1.0, "recall@100": 0.5},
            "query-2": {"p@1": 0.0, "recall@100": 0.0},
        },
    }


def test_a_run_that_was_read_has_no_latency() -> None:
    said = as_json(Judged(evaluation=EVALUATION, seconds=(), missed=()), per_query=False)

    assert said["latency"] is None
    assert "per_query" not in said


def test_thresholds_are_metrics_and_numbers() -> None:
    assert least_of(["ndcg@10=0.5", "MAP=1"]) == (
        Least(Metric("ndcg", 10), 0.5),
        Least(Metric("map"), 1.0),
    )


@pytest.mark.parametrize("text", ["ndcg@10", "ndcg@10=", "ndcg@10=nan", "ndcg@10=50", "p=-1"])
def test_what_is_no_threshold_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"write it as ndcg@10=0\.5"):
        least_of([text])


def test_as_many_matches_are_asked_for_as_metrics_look_at() -> None:
    assert depth_for(metrics_of(["p@1,ndcg@10"]), whole=100) == 10
    assert depth_for(metrics_of(["p@1,map"]), whole=100) == 100
    assert depth_for(metrics_of(["recall@1000,map"]), whole=100) == 1000


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes("é".encode("latin-1"))

    with pytest.raises(BadInput, match="latin is not in UTF-8"):
        list(lines_of(str(tmp_path / "latin")))
    for name in ("none", "."):
        with pytest.raises(InputMissing, match="there is no file"):
            list(lines_of(str(tmp_path / name)))
