"""What a program and the process that keeps its Flow say to each other, one JSON line each.

The program begins with an `Order`; after that each `STOP` it sends is one more wish to stop.
The keeper answers with `ReadyReport` and `OverReport`, each at most once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from jina_cli.errors import (
    Bug,
    CannotWrite,
    JinaError,
    NotPermitted,
    PodFailed,
    StorageFailed,
    TimedOut,
    Unreachable,
)

STOP = b"s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be kept.

    Attributes:
        parent: Process id of the program.
        peas: How many processes there will be.
        forkable: Whether the spawner is of use to any of them.
        quiet: Whether nothing of the Flow is shown.
        plan: As JSON data.
    """

    parent: int
    peas: int
    forkable: bool
    quiet: bool
    plan: Mapping[str, Any]

    def head(self) -> bytes:
        """Return all but the plan, as the first line: the spawner is started on it."""
        data = asdict(self)
        del data["plan"]
        return json.dumps(data).encode() + b"\n"

    def body(self) -> bytes:
        """Return the plan, as the second line."""
        return json.dumps(self.plan).encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyReport:
    """Every Pod is ready."""

    native: str
    addresses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverReport:
    """Nothing of the Flow runs any more.

    Attributes:
        error: What ended it, see `error_to`; None if it was asked to.
        notes: What there is to say of how it stopped, a line each.
    """

    error: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()


Report = ReadyReport | OverReport
_REPORTS: Mapping[str, type[Report]] = {"ready": ReadyReport, "over": OverReport}
_NAMES = {model: name for name, model in _REPORTS.items()}

_ERRORS: Mapping[str, type[JinaError]] = {
    cls.code: cls
    for cls in (Unreachable, CannotWrite, StorageFailed, TimedOut, NotPermitted, Bug, JinaError)
}


def to_line(report: Report) -> bytes:
    """Return a report as one line."""
    return json.dumps({"report": _NAMES[type(report)], **asdict(report)}).encode() + b"\n"


def from_line(line: bytes) -> Report:
    """Return what `to_line` was given."""
    data = json.loads(line)
    return _REPORTS[data.pop("report")](**data)


def error_to(error: JinaError) -> dict[str, Any]:
    """Return an error as data."""
    data: dict[str, Any] = {"code": error.code, "message": error.message, "hint": error.hint}
    if isinstance(error, PodFailed):
        data |= {"pea": error.pea, "cause": error.cause, "tail": list(error.tail)}
    return data


def error_from(data: Mapping[str, Any]) -> JinaError:
    """Return what `error_to` was given; the last lines of a Pea are in its notes."""
    if data["code"] == PodFailed.code:
        failed = PodFailed(data["pea"], data["cause"], data["tail"])
        if failed.tail:
            failed.add_note("its last lines were:\n" + "\n".join(f"  {t}" for t in failed.tail))
        return failed
    return _ERRORS.get(data["code"], JinaError)(data["message"], hint=data["hint"])
