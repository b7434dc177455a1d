"""The ratios that are owed, and whether a run of the matrix kept them."""

from __future__ import annotations

import argparse
import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from reports import head


class Unit(enum.Enum):
    """What is compared."""

    REQUESTS = "requests_s"
    DOCUMENTS = "documents_s"
    READY = "ready_s"
    STOP = "stop_s"
    MEMORY = "loaded_mb"

    @property
    def less_is_better(self) -> bool:
        return self in (Unit.READY, Unit.STOP, Unit.MEMORY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is owed on one row.

    Attributes:
        flow: Of the row.
        case: Of the row; empty for what a whole Flow takes.
        other: The system we are compared with.
        ratio: Ours by theirs; at least so much, or at most where less is better.
        against: Case of the other; empty for the same.
    """

    flow: str
    case: str
    other: str
    ratio: float
    unit: Unit = Unit.REQUESTS
    against: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A goal, and what was measured; `ratio` is `ours` by `other`, the figure of `system`."""

    flow: str
    case: str
    unit: str
    system: str
    ours: float
    other: float
    ratio: float
    goal: float
    is_kept: bool

    @property
    def less_is_better(self) -> bool:
        return Unit(self.unit).less_is_better


class _Row(Protocol):
    flow: str
    system: str


def _both(
    flow: str, case: str, jina: float, bare: float, *, unit: Unit = Unit.REQUESTS, against: str = ""
) -> list[Goal]:
    return [
        Goal(flow=flow, case=case, other=other, ratio=ratio, unit=unit, against=against)
        for other, ratio in (("jina", jina), ("bare", bare))
        if ratio
    ]


def _of_http(flow: str, one: float, sixteen: float) -> list[Goal]:
    ratios = {"http/c1": one, "http/c16": sixteen}
    return [Goal(flow=flow, case=c, other="jina", ratio=ratio) for c, ratio in ratios.items()]


_BULK = Unit.DOCUMENTS
GOALS: tuple[Goal, ...] = (
    *_both("chain1", "text/1/w1/stream", 4, 0.75),
    *_both("chain1", "text/1/w1/unary", 4, 0.75),
    *_both("chain1", "text/1/w64/stream", 5, 0.8),
    *_both("chain1", "text/1/w64/unary", 3.5, 0.8),
    *_both("chain3", "text/1/w1/stream", 7, 0.5),
    *_both("chain3", "text/1/w1/unary", 7, 0.5),
    *_both("chain3", "text/1/w64/stream", 10, 0.8),
    *_both("chain3", "text/1/w64/unary", 8, 0.8),
    *_both("chain1", "text/1/w64/native", 20, 3, against="text/1/w64/stream"),
    *_both("chain3", "text/1/w64/native", 25, 2, against="text/1/w64/stream"),
    *_both("chain1", "text/100/w16/stream", 15, 0.25, unit=_BULK),
    *_both("chain3", "text/100/w16/stream", 30, 0.25, unit=_BULK),
    *_both("touch3", "text/100/w16/stream", 7, 0, unit=_BULK),
    *_both("chain1", "image/100/w16/stream", 6, 0.2, unit=_BULK),
    *_both("chain3", "image/100/w16/stream", 11, 0.2, unit=_BULK),
    *_of_http("chain1", 8, 20),
    *_of_http("chain3", 7, 12),
    Goal(flow="chain3", case="", other="jina", ratio=1 / 4, unit=Unit.READY),
    Goal(flow="chain3", case="", other="jina", ratio=1 / 2, unit=Unit.STOP),
    Goal(flow="chain3", case="", other="jina", ratio=1 / 2.5, unit=Unit.MEMORY),
    Goal(flow="columns3", case="text/100/w16/stream", other="jina", ratio=20, unit=_BULK),
)
"""Of every row of the matrix that has one."""

SEARCH_GOALS = tuple(
    Goal(flow="search", case="http/c16", other=other, ratio=ratio)
    for other, ratio in (("jina", 4), ("litserve", 1.3), ("starlette", 1))
)
"""Of encoding a text and finding the nearest vectors, over HTTP."""

BULK_GOALS = (
    Goal(flow="bulk", case="stream", other="jina", ratio=8, unit=_BULK),
    Goal(flow="bulk", case="native", other="txtai", ratio=0.9, unit=_BULK, against="http"),
)
"""Of indexing many documents. Jina is asked as we are; txtai has HTTP alone, and we our frames."""


def kept(goals: Sequence[Goal], rows: Sequence[_Row], footprints: Sequence[_Row]) -> list[Kept]:
    """Return what was measured of each goal; goals whose rows were not are left out."""
    figures: dict[tuple[str, str, str], object] = {
        (row.flow, getattr(row, "case", ""), row.system): row for row in (*rows, *footprints)
    }
    return [verdict for goal in goals if (verdict := _verdict(goal, figures)) is not None]


def _verdict(goal: Goal, figures: Mapping[tuple[str, str, str], object]) -> Kept | None:
    # Jina has no columns to write: it is asked to do the same one by one.
    flow = "touch3" if goal.flow == "columns3" else goal.flow
    ours = figures.get((goal.flow, goal.case, "ours"))
    other = figures.get((flow, goal.against or goal.case, goal.other))
    if ours is None or other is None:
        return None
    value, against = getattr(ours, goal.unit.value), getattr(other, goal.unit.value)
    ratio = value / against
    is_kept = ratio <= goal.ratio if goal.unit.less_is_better else ratio >= goal.ratio
    return Kept(
        flow=goal.flow,
        case=goal.case,
        unit=goal.unit.value,
        system=goal.other,
        ours=value,
        other=against,
        ratio=ratio,
        goal=goal.ratio,
        is_kept=is_kept,
    )


def table(verdicts: Sequence[Kept]) -> str:
    """Return what was measured of goals as lines of text."""
    lines = [f"{'':58s} {'ours':>10s} {'other':>10s} {'ratio':>7s} {'goal':>7s}"]
    for one in verdicts:
        name = f"{one.flow} {one.case or one.unit} / {one.system}"
        goal = f"{'<=' if one.less_is_better else '>='}{one.goal:.3g}"
        mark = "" if one.is_kept else "  MISSED"
        lines.append(
            f"{name:58s} {one.ours:10.4g} {one.other:10.4g} {one.ratio:7.2f} {goal:>7s}{mark}"
        )
    return "\n".join(lines)


def finish(
    bench: str,
    rows: Sequence[Any],
    goals: Sequence[Goal],
    options: argparse.Namespace,
    *,
    footprints: Sequence[Any] = (),
    **more: object,
) -> int:
    """Print what became of the goals, write the report, and return how the script ends.

    Args:
        rows: Dataclasses of what was measured, and so `footprints`.
        options: With `passes`, and `json` for the file of the report, if there is to be one.
        more: What else the report says.
    """
    verdicts = kept(goals, rows, footprints)
    print(table(verdicts))
    if options.json:
        report = {
            **head(bench, options.passes),
            **more,
            "rows": [asdict(row) for row in rows],
            "footprints": [asdict(one) for one in footprints],
            "goals": [asdict(verdict) for verdict in verdicts],
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    return 0 if all(verdict.is_kept for verdict in verdicts) else 1
