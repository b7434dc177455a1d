"""Retrieval quality on Cranfield, through `jina index` and `jina search` alone.

    python tests/bench/cranfield.py [--data DIR] [--uses FLOW] [--write]

DIR holds `cran.all.1400`, `cran.qry` and `QRelsCorrectedforTRECeval`. A judgement names a query
by its place in the file of queries, counted from 1. Its grade is from 1 to 5, higher for more
relevant (5 is the paper that the question came from); every judged document counts as relevant,
and only `graded_ndcg@10` looks at the grade.

The documents are indexed once, by the Flow that is taken where none is named, and each way of
ranking is a search of all questions. Nothing is fitted to the questions. Prints a line of JSON
for each way; `--write` puts the table into `flows/README.md`. Exits with 1 if the Flow's own
way, without options, is under 0.56 of nDCG@10 or 0.80 of recall@100, or if our measures are not
those of trec_eval.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytrec_eval

from jina_cli.evaluate.measures import Judgements, mean, ndcg_at, recall_at, relevant

ROOT = Path(__file__).parents[2]
DEFAULT_DATA = ROOT.parent / "shared" / "data" / "cranfield"
README = ROOT / "flows" / "README.md"
BEGIN, END = "<!-- cranfield: made by tests/bench/cranfield.py -->", "<!-- /cranfield -->"

LEAST = {"ndcg@10": 0.56, "recall@100": 0.80}
TOLERANCE = 1e-9
TIMEOUT_S = 600
JINA = Path(sys.executable).with_name("jina")

WAYS: Mapping[str, Sequence[str]] = {
    "lexical": ("--mode", "lexical"),
    "vector": ("--mode", "vector"),
    "lexical, re-ranked": ("--mode", "lexical", "--rerank", "50"),
    "hybrid": (),
    "hybrid, re-ranked": ("--rerank", "50"),
}
"""What stands in the table → options of `jina search`."""

OWN_WAY = "hybrid"

Rankings = Mapping[str, Sequence[str]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--uses", default="")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    data: Path = options.data
    if not data.is_dir():
        print(json.dumps({"skipped": f"there is no {data}"}))
        return 0
    reports = reports_of(data, ("--uses", options.uses) if options.uses else ())
    if options.write:
        README.write_text(with_table(README.read_text("utf-8"), reports), "utf-8")
    own = reports[OWN_WAY]
    is_right = all(r["difference_to_trec_eval"] <= TOLERANCE for r in reports.values())
    return 0 if is_right and all(own[name] >= least for name, least in LEAST.items()) else 1


def reports_of(data: Path, flow: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return what is measured of each way of ranking; prints each as soon as it is known."""
    judged = judgements_in(data / "QRelsCorrectedforTRECeval")
    queries = queries_in(data)
    reports = {}
    with tempfile.TemporaryDirectory() as workspace:
        place = ("--workspace", workspace, *flow)
        run("index", "-", *place, "--json", rows=documents_in(data))
        for way, how in WAYS.items():
            started = time.monotonic()
            answer = run(
                *("search", "-", *place, "-k", "100", "--format", "trec", *how), rows=queries
            )
            rankings = rankings_of(answer)
            report = measured(rankings, judged)
            report["difference_to_trec_eval"] = difference_to_trec_eval(rankings, judged)
            report["seconds"] = round(time.monotonic() - started, 2)
            print(json.dumps({"way": way, **report}), flush=True)
            reports[way] = report
    return reports


def with_table(text: str, reports: Mapping[str, Mapping[str, float]]) -> str:
    """Return a text with the table of all ways between its two marks."""
    rows = [
        f"| {way} | {r['ndcg@10']:.3f} | {r['recall@100']:.3f} | `{' '.join(WAYS[way]) or '–'}` |"
        for way, r in reports.items()
    ]
    head = ["| ranked by | nDCG@10 | recall@100 | options |", "|---|---|---|---|"]
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + "\n".join([BEGIN, "", *head, *rows, "", END]) + after


def documents_in(data: Path) -> list[dict[str, str]]:
    return [
        {"id": number, "title": part(body, "T"), "text": part(body, "W")}
        for number, body in entries_in(data / "cran.all.1400")
    ]


def queries_in(data: Path) -> list[dict[str, str]]:
    entries = entries_in(data / "cran.qry")
    return [
        {"id": str(place), "text": part(body, "W")} for place, (_, body) in enumerate(entries, 1)
    ]


def entries_in(path: Path) -> list[tuple[str, str]]:
    """Return the number and the rest of each entry; each begins with `.I number`."""
    return re.findall(r"^\.I (\d+)\n(.*?)(?=^\.I |\Z)", path.read_text("ascii"), re.S | re.M)


def part(body: str, letter: str) -> str:
    """Return what stands under `.letter`, on one line."""
    found = re.search(rf"^\.{letter}\n(.*?)(?=^\.[A-Z]\n|\Z)", body, re.S | re.M)
    return " ".join(found[1].split()) if found else ""


def judgements_in(path: Path) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    for line in path.read_text("ascii").splitlines():
        query, _, document, grade = line.split()
        judged[query][document] = int(grade)
    return dict(judged)


def run(*arguments: str, rows: Sequence[Mapping[str, str]]) -> str:
    """Return what `jina` writes when it is given `rows` as JSON Lines."""
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    done = subprocess.run(
        [JINA, *arguments],
        input=lines,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        sys.exit(f"jina {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def rankings_of(trec: str) -> Rankings:
    """Return the ids that were found for each query, from lines `qid Q0 docid rank score tag`."""
    rankings: dict[str, list[str]] = defaultdict(list)
    for line in trec.splitlines():
        query, _, document, *_ = line.split()
        rankings[query].append(document)
    return dict(rankings)


def measured(rankings: Rankings, judged: Mapping[str, Judgements]) -> dict[str, float]:
    def over_queries(measure, grades: Mapping[str, Judgements]) -> float:
        return mean(measure(rankings.get(query, ()), grades[query]) for query in grades)

    binary = {query: relevant(grades) for query, grades in judged.items()}
    return {
        "queries": len(judged),
        "ndcg@10": over_queries(lambda r, j: ndcg_at(10, r, j), binary),
        "recall@100": over_queries(lambda r, j: recall_at(100, r, j), binary),
        "graded_ndcg@10": over_queries(lambda r, j: ndcg_at(10, r, j), judged),
    }


def difference_to_trec_eval(rankings: Rankings, judged: Mapping[str, Judgements]) -> float:
    """Return how far any measure of any query is from that of trec_eval."""
    evaluator = pytrec_eval.RelevanceEvaluator(dict(judged), {"ndcg_cut.10", "recall.100"})
    run_ = {
        query: {id_: -float(rank) for rank, id_ in enumerate(ids)}
        for query, ids in rankings.items()
    }
    worst = 0.0
    for query, theirs in evaluator.evaluate(run_).items():
        ours = (
            (ndcg_at(10, rankings[query], judged[query]), theirs["ndcg_cut_10"]),
            (recall_at(100, rankings[query], judged[query]), theirs["recall_100"]),
        )
        worst = max(worst, *(abs(a - b) for a, b in ours))
    return worst


if __name__ == "__main__":
    sys.exit(main())
