"""`jina eval`: runs that were written, and Flows that are asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytrec_eval

from tests.testing.processes import Jinas

CRANFIELD = Path(__file__).parents[3] / "shared" / "data" / "cranfield"

FLOW = "jtype: Flow\nexecutors: [{name: index, uses: TextIndexer}]\n"
DOCUMENTS = [
    {"id": "boat", "text": "a slow boat"},
    {"id": "ship", "text": "a fast ship, and a boat"},
    {"id": "car", "text": "a red car"},
]
QUERIES = [{"id": "q1", "text": "boat"}, {"id": "q2", "text": "car"}, {"id": "q3", "text": "moon"}]
QRELS = "q1 0 boat 2\nq1 0 ship 1\nq2 0 car 1\nq3 0 car 1\n"


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    (tmp_path / "flow.yml").write_text(FLOW)
    (tmp_path / "qrels.txt").write_text(QRELS)
    (tmp_path / "queries.jsonl").write_text(lines(QUERIES))
    with Jinas(tmp_path) as jinas:
        yield jinas


def lines(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_a_flow_is_asked_and_judged(jina: Jinas) -> None:
    jina.run("index", "-", "--uses", "flow.yml", stdin=lines(DOCUMENTS))
    asked = ("eval", "--qrels", "qrels.txt", "--queries", "queries.jsonl", "--uses", "flow.yml")

    said = jina.run(*asked, "--metrics", "mrr,recall@2", "--json", "--per-query")
    assert (said.code, said.stderr) == (0, "")
    found = json.loads(said.stdout)
    assert found["metrics"] == {"mrr": pytest.approx(2 / 3), "recall@2": pytest.approx(2 / 3)}
    assert found["missing"] == ["q3"]
    assert found["per_query"]["q1"] == {"mrr": 1.0, "recall@2": 1.0}
    assert found["latency"]["requests"] == 3
    assert 0 < found["latency"]["p50_ms"] <= found["latency"]["p99_ms"]

    under = jina.run(*asked, "--metrics", "mrr", "--fail-under", "mrr=0.6", "--fail-under", "p@1=1")
    assert (under.code, under.stderr) == (1, "jina: error: p@1 is 0.666667, under 1\n")
    assert re.sub(r"\d+\.\d ms", "T", under.stdout) == (
        "mrr  0.6667\np@1  0.6667\n3 queries judged\nnothing found for 1: q3\n"
        "3 requests, p50 T, p99 T\n"
    )


def test_runs_of_both_forms_are_worth_the_same(jina: Jinas, tmp_path: Path) -> None:
    jina.run("index", "-", "--uses", "flow.yml", stdin=lines(DOCUMENTS))
    said = []
    for form in ("trec", "jsonl"):
        searched = ("search", "-", "--uses", "flow.yml", "--format", form)
        (tmp_path / form).write_text(jina.run(*searched, stdin=lines(QUERIES)).stdout)
        said.append(jina.run("eval", "--qrels", "qrels.txt", "--run", form, "--json"))

    assert [one.code for one in said] == [0, 0]
    assert json.loads(said[0].stdout) == json.loads(said[1].stdout)
    assert json.loads(said[0].stdout)["metrics"]["map"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--run", "r"), 2, "--qrels is missing: name the file of judgements"),
        (
            ("--qrels", "qrels.txt"),
            2,
            "what is judged is not clear: give --run FILE, or --queries FILE to ask a Flow",
        ),
        (("--qrels", "qrels.txt", "--run", "none"), 66, "there is no file none"),
        (
            ("--qrels", "qrels.txt", "--run", "flow.yml"),
            65,
            "flow.yml:1: a line is 'query Q0 document rank score tag', and this has 2 columns",
        ),
        (
            ("--qrels", "qrels.txt", "--run", "-"),
            5,
            "no query that was asked is judged: see the ids in qrels.txt",
        ),
        (
            ("--qrels", "qrels.txt", "--run", "-", "--metrics", "speed"),
            2,
            "there is no metric 'speed': there are ndcg, recall, map, mrr, p, f1",
        ),
    ],
)
def test_what_cannot_be_judged_is_said(
    jina: Jinas, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = jina.run("eval", *arguments, stdin="")

    assert (done.code, done.stdout, done.stderr) == (code, "", f"jina: error: {said}\n")


@pytest.mark.skipif(not CRANFIELD.is_dir(), reason="Cranfield is not here")
def test_cranfield_is_judged_as_trec_eval_does(jina: Jinas, tmp_path: Path) -> None:
    text = (CRANFIELD / "cran.all.1400").read_text("ascii")
    documents = [{"id": n, "text": body} for n, body in entries(text)]
    asked = [
        {"id": str(place), "text": body}
        for place, (_, body) in enumerate(entries((CRANFIELD / "cran.qry").read_text("ascii")), 1)
    ]
    qrels = CRANFIELD / "QRelsCorrectedforTRECeval"
    jina.run("index", "-", "--uses", "flow.yml", stdin=lines(documents))
    searched = ("search", "-", "--uses", "flow.yml", "-k", "100", "--format", "trec")
    (tmp_path / "run").write_text(jina.run(*searched, stdin=lines(asked)).stdout)

    said = jina.run("eval", "--qrels", str(qrels), "--run", "run", "--json", "--per-query")

    ours = json.loads(said.stdout)["per_query"]
    theirs = by_trec_eval(qrels, tmp_path / "run")
    assert len(ours) == 225
    for query, values in theirs.items():
        for name, value in values.items():
            assert ours[query][name] == pytest.approx(value, abs=1e-9)


def entries(text: str) -> list[tuple[str, str]]:
    found = re.findall(r"^\.I (\d+)\n(.*?)(?=^\.I |\Z)", text, re.S | re.M)
    return [(number, " ".join(body.rpartition("\n.W\n")[2].split())) for number, body in found]


def by_trec_eval(qrels: Path, run: Path) -> dict[str, dict[str, float]]:
    judged: dict[str, dict[str, int]] = {}
    for line in qrels.read_text("ascii").splitlines():
        query, _, document, grade = line.split()
        judged.setdefault(query, {})[document] = int(grade)
    found: dict[str, dict[str, float]] = {}
    for line in run.read_text("utf-8").splitlines():
        query, _, document, _, score, _ = line.split()
        found.setdefault(query, {})[document] = float(score)
    names = {
        "ndcg_cut_10": "ndcg@10",
        "recall_100": "recall@100",
        "map": "map",
        "recip_rank": "mrr",
        "P_10": "p@10",
    }
    asked = {"ndcg_cut.10", "recall.100", "map", "recip_rank", "P.10"}
    evaluator = pytrec_eval.RelevanceEvaluator(judged, asked)
    return {
        query: {name: values[theirs] for theirs, name in names.items()}
        for query, values in evaluator.evaluate(found).items()
    }
