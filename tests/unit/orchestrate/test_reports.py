"""What a program and the keeper of its Flow say to each other."""

from __future__ import annotations

import pytest

from jina_cli.errors import JinaError, NotPermitted, PodFailed, TimedOut, Unreachable
from jina_cli.orchestrate.reports import (
    OverReport,
    ReadyReport,
    error_from,
    error_to,
    from_line,
    to_line,
)
from jina_cli.supervise.registry import FlowBusy


@pytest.mark.parametrize(
    "report",
    [
        ReadyReport(native="unix:/x", addresses={"grpc": "0.0.0.0:1"}),
        OverReport(),
        OverReport(error={"code": "JNA900", "message": "a", "hint": ""}, notes=("b",)),
    ],
)
def test_a_report_is_read_as_it_was_written(report: ReadyReport | OverReport) -> None:
    read = from_line(to_line(report))

    assert to_line(read) == to_line(report)


@pytest.mark.parametrize(
    "error", [Unreachable("a", hint="b"), TimedOut("a"), NotPermitted("a"), JinaError("a")]
)
def test_an_error_is_raised_as_what_it_was(error: JinaError) -> None:
    found = error_from(error_to(error))

    assert (type(found), str(found)) == (type(error), str(error))


def test_an_error_of_a_kind_of_its_own_is_raised_as_its_root() -> None:
    found = error_from(error_to(FlowBusy("taken", hint="wait")))

    assert (type(found), str(found)) == (Unreachable, "taken: wait")


def test_the_last_lines_of_a_pea_are_notes_of_its_failure() -> None:
    found = error_from(error_to(PodFailed("a/rep-0", "ValueError: no", ["x", "y"])))

    assert isinstance(found, PodFailed)
    assert (str(found), found.tail) == ("a/rep-0: ValueError: no", ("x", "y"))
    assert found.__notes__ == ["its last lines were:\n  x\n  y"]
