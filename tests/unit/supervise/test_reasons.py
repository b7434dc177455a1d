from __future__ import annotations

import pytest

from jina_cli.errors import JinaError, NotPermitted, PodFailed, TimedOut, Unreachable
from jina_cli.supervise.machine import Failure, Pea, PeaState
from jina_cli.supervise.reasons import error_of, restart_notice, too_late

BROKEN = Failure(cause="ValueError: no model", place="executor.py:12", kind="init", status=1)


def failed(failure: Failure, *, restarts: int = 0, was_ready: bool = False) -> Pea:
    return Pea(
        name="index/shard-1",
        state=PeaState.FAILED,
        failure=failure,
        restarts=restarts,
        was_ready=was_ready,
    )


@pytest.mark.parametrize(
    ("pea", "kind", "text"),
    [
        (failed(BROKEN), PodFailed, "index/shard-1: ValueError: no model (executor.py:12)"),
        (
            failed(Failure(cause="killed by SIGSEGV"), restarts=5, was_ready=True),
            PodFailed,
            "index/shard-1: killed by SIGSEGV, after 5 restarts",
        ),
        (
            failed(Failure(cause="port 80 is taken", kind="port-taken")),
            Unreachable,
            "index/shard-1: port 80 is taken: stop who has it, or take another port with --port",
        ),
        (
            failed(Failure(cause="no privilege", kind="permission")),
            NotPermitted,
            "index/shard-1: no privilege",
        ),
        (
            failed(Failure(cause="not ready after 10 s, still in init", kind="timeout")),
            TimedOut,
            "index/shard-1: not ready after 10 s, still in init: "
            "give it more time with timeout_ready",
        ),
        (
            failed(Failure(cause="not ready after 10 s", kind="timeout"), was_ready=True),
            PodFailed,
            "index/shard-1: not ready after 10 s",
        ),
    ],
)
def test_a_pea_that_failed_ends_its_flow_with(pea: Pea, kind: type[JinaError], text: str) -> None:
    error = error_of(pea, ("last line",))

    assert (type(error), str(error)) == (kind, text)


def test_what_it_printed_last_goes_along() -> None:
    error = error_of(failed(BROKEN), ("one", "two"))

    assert isinstance(error, PodFailed)
    assert (error.pea, error.tail) == ("index/shard-1", ("one", "two"))


def test_a_restart_says_why_and_when() -> None:
    pea = Pea(
        name="a",
        state=PeaState.BACKOFF,
        failure=Failure(cause="killed by SIGKILL"),
        restarts=2,
        deadline=10.2,
    )

    assert restart_notice(pea, 10.0) == "killed by SIGKILL; restart 2 of 5 in 0.2 s"


def test_a_flow_that_is_late_says_what_each_pea_waits_for() -> None:
    peas = [
        Pea(name="gateway", state=PeaState.STARTING, phase="connect"),
        Pea(name="a", state=PeaState.READY),
        Pea(name="b", state=PeaState.BACKOFF, failure=BROKEN),
        Pea(name="c", state=PeaState.STARTING),
    ]

    assert str(too_late(peas, 2.5)) == (
        "not ready after 2.5 s: gateway is still in connect, "
        "b last failed with ValueError: no model (executor.py:12), c is still starting: "
        "see --timeout-ready"
    )
