"""Writes the figures of reports into the README, between two marks.

    python tests/bench/table.py REPORT.json… [--readme FILE]

Reports are those of `matrix.py`, `peers.py` and `bulk.py`, in any order. Each row of a table has
our figure and that of another system, the ratio, and the goal that was set for it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reports import BenchFailed, run

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
OTHERS = {
    "jina": "Jina 3.34",
    "bare": "bare gRPC",
    "txtai": "txtai",
    "litserve": "LitServe",
    "starlette": "Starlette by hand",
}
FLOWS = {
    "chain1": "1 Executor",
    "chain3": "3 Executors",
    "touch3": "3 Executors, each rewrites every text",
    "columns3": "3 Executors, each rewrites all texts at once",
}
CASES = {
    "text/1/w1/stream": "gRPC stream, 1 under way",
    "text/1/w1/unary": "gRPC unary, 1 under way",
    "text/1/w64/stream": "gRPC stream, 64 under way",
    "text/1/w64/unary": "gRPC unary, 64 under way",
    "text/1/w64/native": "our client, 64 under way",
    "text/1/w1/websocket": "WebSocket, 1 under way",
    "text/1/w64/websocket": "WebSocket, 64 under way",
    "http/c1": "HTTP, 1 connection",
    "http/c16": "HTTP, 16 connections",
    "text/100/w16/stream": "100 texts a request",
    "image/100/w16/stream": "100 images a request",
    "stream": "gRPC stream",
    "native": "our client",
    "http": "HTTP",
}
UNITS = {
    "requests_s": "requests/s",
    "documents_s": "documents/s",
    "ready_s": "start to the first answer, s",
    "stop_s": "stop, s",
    "loaded_mb": "memory after load, MiB",
}
NO_GOAL = ("text/1/w1/websocket", "text/1/w64/websocket")
"""Cases that are shown beside those with a goal."""
LESS_IS_BETTER = ("ready_s", "stop_s", "loaded_mb")
Report = Mapping[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--readme", type=Path, default=README)
    options = parser.parse_args()
    given = {report["bench"]: report for report in map(_read, options.reports)}
    found = {name: given[name] for name in SECTIONS if name in given}
    lines = [*_head(found), *(line for name in found for line in SECTIONS[name](found[name]))]
    text = options.readme.read_text("utf-8")
    if BEGIN not in text or END not in text:
        raise BenchFailed(f"{options.readme} has no marks {BEGIN} and {END}")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    options.readme.write_text(before + "\n".join([BEGIN, *lines, END]) + after, "utf-8")
    return 0


def _read(path: Path) -> Report:
    report: Report = json.loads(path.read_text("utf-8"))
    if not isinstance(report, dict) or report.get("bench") not in SECTIONS:
        raise BenchFailed(f"{path} is no report of {', '.join(SECTIONS)}")
    return report


def _head(reports: Mapping[str, Report]) -> Iterator[str]:
    """Yield how the reports were made: once if all were made alike."""
    ways: dict[str, list[str]] = {}
    for name, report in reports.items():
        ways.setdefault(
            f"{report['machine']}, Python {report['python']}, {report['date']}; medians of"
            f" {report['passes']} passes in which the systems took turns.",
            [],
        ).append(name)
    yield ""
    for way, names in ways.items():
        yield f"Measured on {way}" if len(ways) == 1 else f"{', '.join(names)}: {way}"
        yield ""


def _matrix(report: Report) -> Iterator[str]:
    """Yield a row for each figure of ours that has a goal, with both others beside it."""
    yield "The same Flows, Executors and clients; requests a second, unless a row says otherwise."
    yield ""
    yield from _titles("", "ours", "Jina 3.34", "ratio", "goal", "bare gRPC echo", "ratio", "goal")
    rows: dict[tuple[str, str, str], dict[str, Report]] = {}
    for goal in report["goals"]:
        rows.setdefault((goal["flow"], goal["case"], goal["unit"]), {})[goal["system"]] = goal
    for (flow, case, unit), goals in rows.items():
        ours = _figure(next(iter(goals.values()))["ours"])
        others = [cell for other in ("jina", "bare") for cell in _beside(goals.get(other))]
        yield _row(f"{FLOWS[flow]}: {_words(case, unit)}", ours, *others)
    yield from _without_goal(report)
    yield ""


def _without_goal(report: Report) -> Iterator[str]:
    rates = {(row["flow"], row["case"], row["system"]): row["requests_s"] for row in report["rows"]}
    for (flow, case, system), ours in rates.items():
        jina = rates.get((flow, case, "jina"))
        if case in NO_GOAL and system == "ours" and flow in ("chain1", "chain3") and jina:
            figures = (_figure(ours), _figure(jina), f"{ours / jina:.2f}")
            yield _row(f"{FLOWS[flow]}: {CASES[case]}", *figures, "", "", "", "")


def _words(case: str, unit: str) -> str:
    if not case:
        return UNITS[unit]
    return f"{CASES[case]}, {UNITS[unit]}" if unit == "documents_s" else CASES[case]


def _search(report: Report) -> Iterator[str]:
    """Yield a row for each system, with both numbers of connections."""
    yield "Encode a text and find the nearest 10 of 60,000 vectors, over HTTP: requests a second,"
    yield "and CPU of the server for one of them (16 connections)."
    yield ""
    yield from _titles("", "1 connection", "16 connections", "CPU, µs", "ours by it", "goal")
    goals = {goal["system"]: goal for goal in report["goals"]}
    rows = {(row["system"], row["case"]): row for row in report["rows"]}
    for system in dict.fromkeys(row["system"] for row in report["rows"]):
        one, many = rows[system, "http/c1"], rows[system, "http/c16"]
        figures = one["requests_s"], many["requests_s"], many["server_us"]
        verdict = _beside(goals.get(system))[1:]
        yield _row(OTHERS.get(system, system), *map(_figure, figures), *verdict)
    yield ""


def _bulk(report: Report) -> Iterator[str]:
    """Yield a row for each system and way to ask it."""
    documents = f"{report['documents']:,} texts"
    yield f"Encode and keep {documents}, we on a disk that syncs, others in memory: texts a"
    yield "second, and CPU of the server for one of them."
    yield ""
    yield from _titles("", "texts/s", "CPU, µs", "ours by it", "goal")
    goals = {goal["system"]: goal for goal in report["goals"]}
    for row in report["rows"]:
        name = f"{OTHERS.get(row['system'], row['system'])}, {CASES[row['case']]}"
        figures = _figure(row["documents_s"]), _figure(row["server_us"])
        yield _row(name, *figures, *_beside(goals.get(row["system"]))[1:])
    yield ""


def _titles(first: str, *others: str) -> Iterator[str]:
    yield _row(first, *others)
    yield "|---|" + "--:|" * len(others)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _beside(goal: Report | None) -> tuple[str, str, str]:
    """Return the figure of another system, our ratio to it, and the goal with a word if missed."""
    if goal is None:
        return "", "", ""
    is_less = goal["unit"] in LESS_IS_BETTER
    owed = f"{'≤' if is_less else '≥'} {goal['goal']:.2g}"
    verdict = owed if goal["is_kept"] else f"{owed}, **missed**"
    return _figure(goal["other"]), f"{goal['ratio']:.2f}", verdict


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


SECTIONS: Mapping[str, Callable[[Report], Iterator[str]]] = {
    "matrix": _matrix,
    "search": _search,
    "bulk": _bulk,
}
"""What becomes of each report, in the order of the README."""


if __name__ == "__main__":
    run(main)
