"""Writes the figures of `matrix.py` and `peers.py` into the README, between two marks.

python tests/bench/table.py matrix.json [peers.json]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

ROWS = (
    ("gRPC stream, one small text, 1 at a time", "text/1/w1/stream", "requests_s"),
    ("gRPC unary, one small text, 1 at a time", "text/1/w1/unary", "requests_s"),
    ("gRPC stream, one small text, 64 at a time", "text/1/w64/stream", "requests_s"),
    ("gRPC unary, one small text, 64 at a time", "text/1/w64/unary", "requests_s"),
    ("WebSocket, one small text, 64 at a time", "text/1/w64/websocket", "requests_s"),
    ("HTTP, one small text, 1 connection", "http/c1", "requests_s"),
    ("HTTP, one small text, 16 connections", "http/c16", "requests_s"),
    ("our own client, one small text, 64 at a time", "text/1/w64/native", "requests_s"),
    ("texts, 100 a request, gRPC stream", "text/100/w16/stream", "documents_s"),
    ("images (784 + 64 floats), 100 a request", "image/100/w16/stream", "documents_s"),
)
FLOWS = {"chain1": "1 Executor", "chain3": "3 Executors"}
_INSTEAD = {"text/1/w64/native": "text/1/w64/stream"}
"""Where a system has no such row, the one that it is compared by."""


def main() -> None:
    report = json.loads(Path(sys.argv[1]).read_text())
    lines = [*_heading(report), "", *_matrix(report["rows"])]
    if len(sys.argv) > 2:
        lines += ["", *_peers(json.loads(Path(sys.argv[2]).read_text()))]
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text("\n".join([before + BEGIN, *lines, END + after]), "utf-8")


def _heading(report: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{report['machine']}, Python {report['python']}, {report['date']}; medians of"
        f" {report['passes']} passes in which the systems took turns, with the same Flows,"
        " Executors and clients. Requests a second; documents a second in the last two rows."
    )


def _matrix(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    found = {(row["flow"], row["case"], row["system"]): row for row in rows}
    yield "| | " + " | ".join(f"{flow}: ours | Jina 3.34 | ratio" for flow in FLOWS.values()) + " |"
    yield "|---|" + "--:|" * 3 * len(FLOWS)
    for words, case, unit in ROWS:
        cells = [cell for flow in FLOWS for cell in _cells(found, flow, case, unit)]
        yield f"| {words} | " + " | ".join(cells) + " |"


def _cells(
    found: Mapping[tuple[str, str, str], Mapping[str, Any]], flow: str, case: str, unit: str
) -> tuple[str, str, str]:
    ours = found.get((flow, case, "ours"))
    jina = found.get((flow, _INSTEAD.get(case, case), "jina"))
    if ours is None or jina is None:
        return "–", "–", "–"
    ratio = ours[unit] / jina[unit]
    return f"{ours[unit]:,.0f}", f"{jina[unit]:,.0f}", f"**{ratio:.1f}**"


def _peers(medians: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    yield "| encode a text, find 10 of 60,000 vectors, over HTTP | 1 connection | 16 connections |"
    yield "|---|--:|--:|"
    for name, of in medians.items():
        yield f"| {name} | {of['c1']:,} | {of['c16']:,} |"


if __name__ == "__main__":
    main()
