"""Histories of one Pea: what happened when, where it ended up, what was done about it."""

from __future__ import annotations

from dataclasses import replace
from signal import SIGKILL, SIGTERM

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.lifeline import DrainSaid, FailedSaid, PhaseSaid, ReadySaid
from jina_cli.supervise.machine import (
    OVER,
    Action,
    Event,
    Exited,
    Failure,
    Heard,
    Kill,
    Pea,
    PeaState,
    Policy,
    Signal,
    Spawn,
    Start,
    Stop,
    Tick,
    UnexpectedEvent,
    WakeAt,
    backoff_s,
    cause_of,
    step,
)
from jina_cli.vocabulary import Restart

POLICY = Policy(
    max_restarts=2, backoff_s=1.0, healthy_s=60.0, ready_within_s=10.0, stop_within_s=5.0
)
READY, DRAIN = ReadySaid(), DrainSaid(pending=3)
BROKEN = FailedSaid(kind="init", cause="ValueError: no model", place="executor.py:12")
TAKEN = FailedSaid(kind="port-taken", cause="port 8080 is taken")

History = tuple[list[tuple[float, Event]], PeaState, list[Action]]

HISTORIES: dict[str, History] = {
    "starts, is ready, stops": (
        [(0, Start()), (2, Heard(1, READY)), (9, Stop(30)), (10, Exited(1, 0))],
        PeaState.STOPPED,
        [Spawn(1), WakeAt(10), Signal(SIGTERM), WakeAt(14)],
    ),
    "is killed when it will not stop": (
        [(0, Start()), (2, Heard(1, READY)), (9, Stop(30)), (14, Tick()), (15, Exited(1, -9))],
        PeaState.STOPPED,
        [Spawn(1), WakeAt(10), Signal(SIGTERM), WakeAt(14), Signal(SIGKILL), WakeAt(19)],
    ),
    "is given up when not even the kernel can end it": (
        [(0, Start()), (2, Heard(1, READY)), (9, Kill()), (14, Tick())],
        PeaState.FAILED,
        [Spawn(1), WakeAt(10), Signal(SIGKILL), WakeAt(14)],
    ),
    "has less time if the Flow has": (
        [(0, Start()), (2, Heard(1, READY)), (9, Stop(1)), (9.5, Exited(1, 0))],
        PeaState.STOPPED,
        [Spawn(1), WakeAt(10), Signal(SIGTERM), WakeAt(10)],
    ),
    "is told again when there is less time than before": (
        [(0, Start()), (2, Heard(1, READY)), (9, Stop(30)), (10, Stop(2)), (11, Exited(1, 0))],
        PeaState.STOPPED,
        [Spawn(1), WakeAt(10), Signal(SIGTERM), WakeAt(14), Signal(SIGTERM), WakeAt(12)],
    ),
    "is not given more time by a later wish": (
        [(0, Start()), (2, Heard(1, READY)), (9, Stop(1)), (9.5, Stop(30)), (9.6, Exited(1, 0))],
        PeaState.STOPPED,
        [Spawn(1), WakeAt(10), Signal(SIGTERM), WakeAt(10)],
    ),
    "dies too often in a row and is given up": (
        [
            (0, Start()),
            (1, Exited(1, -11)),
            (2, Tick()),
            (3, Exited(2, -11)),
            (5, Tick()),
            (6, Exited(3, -11)),
        ],
        PeaState.FAILED,
        [Spawn(1), WakeAt(10), WakeAt(2), Spawn(2), WakeAt(12), WakeAt(5), Spawn(3), WakeAt(15)],
    ),
    "is started as often again after a healthy while": (
        [
            (0, Start()),
            (1, Heard(1, READY)),
            (2, Exited(1, 1)),
            (3, Tick()),
            (4, Heard(2, READY)),
            (64, Exited(2, 1)),
        ],
        PeaState.BACKOFF,
        [Spawn(1), WakeAt(10), WakeAt(3), Spawn(2), WakeAt(13), WakeAt(65)],
    ),
    "ignores what the process before it said": (
        [(0, Start()), (1, Exited(1, 1)), (2, Tick()), (3, Heard(1, READY)), (3, Exited(1, 1))],
        PeaState.STARTING,
        [Spawn(1), WakeAt(10), WakeAt(2), Spawn(2), WakeAt(12)],
    ),
    "ignores a readiness that comes after its end": (
        [(0, Start()), (1, Exited(1, 1)), (1.5, Heard(1, READY))],
        PeaState.BACKOFF,
        [Spawn(1), WakeAt(10), WakeAt(2)],
    ),
    "is stopped while it waits to be restarted": (
        [(0, Start()), (1, Exited(1, 1)), (1.5, Stop(30)), (2, Tick())],
        PeaState.STOPPED,
        [Spawn(1), WakeAt(10), WakeAt(2)],
    ),
    "is stopped before it was started": ([(0, Stop(30))], PeaState.STOPPED, []),
    "is stopped while it starts, with little patience": (
        [(0, Start()), (1, Stop(30)), (2, Exited(1, -15))],
        PeaState.STOPPED,
        [Spawn(1), WakeAt(10), Signal(SIGTERM), WakeAt(3)],
    ),
    "is killed while it waits to be restarted": (
        [(0, Start()), (1, Exited(1, 1)), (1.5, Kill())],
        PeaState.STOPPED,
        [Spawn(1), WakeAt(10), WakeAt(2)],
    ),
    "is not ready in time and was never before": (
        [(0, Start()), (1, Heard(1, PhaseSaid(phase="init"))), (10, Tick()), (10, Exited(1, -9))],
        PeaState.FAILED,
        [Spawn(1), WakeAt(10), Signal(SIGKILL)],
    ),
    "is not ready in time after a restart": (
        [
            (0, Start()),
            (1, Heard(1, READY)),
            (2, Exited(1, 1)),
            (3, Tick()),
            (13, Tick()),
            (13, Exited(2, -9)),
        ],
        PeaState.BACKOFF,
        [Spawn(1), WakeAt(10), WakeAt(3), Spawn(2), WakeAt(13), Signal(SIGKILL), WakeAt(15)],
    ),
    "never was ready and said why: it would say so again": (
        [(0, Start()), (1, Heard(1, BROKEN)), (1, Exited(1, 1))],
        PeaState.FAILED,
        [Spawn(1), WakeAt(10)],
    ),
    "was ready once, and gets over a failure to start": (
        [
            (0, Start()),
            (1, Heard(1, READY)),
            (2, Exited(1, 1)),
            (3, Tick()),
            (4, Heard(2, BROKEN)),
            (4, Exited(2, 1)),
        ],
        PeaState.BACKOFF,
        [Spawn(1), WakeAt(10), WakeAt(3), Spawn(2), WakeAt(13), WakeAt(6)],
    ),
    "finds its port taken, which no restart cures": (
        [
            (0, Start()),
            (1, Heard(1, READY)),
            (2, Exited(1, 1)),
            (3, Tick()),
            (4, Heard(2, TAKEN)),
            (4, Exited(2, 1)),
        ],
        PeaState.FAILED,
        [Spawn(1), WakeAt(10), WakeAt(3), Spawn(2), WakeAt(13)],
    ),
    "ends by itself with 0, unasked": (
        [(0, Start()), (1, Heard(1, READY)), (2, Exited(1, 0))],
        PeaState.BACKOFF,
        [Spawn(1), WakeAt(10), WakeAt(3)],
    ),
    "ignores what comes after its end": (
        [(0, Stop(30)), (1, Stop(30)), (2, Kill()), (3, Tick())],
        PeaState.STOPPED,
        [],
    ),
    "ignores a tick before its time": (
        [(0, Start()), (1, Exited(1, 1)), (1.9, Tick())],
        PeaState.BACKOFF,
        [Spawn(1), WakeAt(10), WakeAt(2)],
    ),
}


def lived(events: list[tuple[float, Event]], policy: Policy = POLICY) -> tuple[Pea, list[Action]]:
    pea, done = Pea(name="index/shard-0", policy=policy), []
    for now, event in events:
        pea, new = step(pea, event, now)
        done.extend(new)
    return pea, done


@pytest.mark.parametrize("history", HISTORIES)
def test_a_pea_that(history: str) -> None:
    events, final_state, actions = HISTORIES[history]

    pea, done = lived(events)

    assert (pea.state, done) == (final_state, actions)


@pytest.mark.parametrize(
    ("restart", "state"),
    [
        (Restart.NO, PeaState.FAILED),
        (Restart.ON_FAILURE, PeaState.BACKOFF),
        (Restart.ALWAYS, PeaState.BACKOFF),
    ],
)
def test_the_policy_says_whether_it_comes_back(restart: Restart, state: PeaState) -> None:
    events: list[tuple[float, Event]] = [(0, Start()), (1, Heard(1, READY)), (2, Exited(1, -9))]

    pea, _ = lived(events, replace(POLICY, restart=restart))

    assert pea.state is state


def test_always_means_after_a_failure_to_start_too() -> None:
    events: list[tuple[float, Event]] = [(0, Start()), (1, Heard(1, BROKEN)), (1, Exited(1, 1))]

    pea, _ = lived(events, replace(POLICY, restart=Restart.ALWAYS))

    assert pea.state is PeaState.BACKOFF


def test_the_first_thing_that_failed_is_the_cause() -> None:
    later = FailedSaid(kind="bug", cause="KeyError: 'x'")

    pea, _ = lived([(0, Start()), (1, Heard(1, BROKEN)), (1, Heard(1, later)), (1, Exited(1, 1))])

    assert pea.failure == Failure(
        cause="ValueError: no model", place="executor.py:12", kind="init", status=1
    )
    assert str(pea.failure) == "ValueError: no model (executor.py:12)"


def test_too_late_says_how_far_it_got() -> None:
    pea, _ = lived([(0, Start()), (1, Heard(1, PhaseSaid(phase="init"))), (10, Tick())])

    assert str(pea.failure) == "not ready after 10 s, still in init"


def test_only_one_that_was_killed_counts_as_killed() -> None:
    stops: list[tuple[float, Event]] = [(0, Start()), (2, Heard(1, READY)), (9, Stop(30))]

    asked, _ = lived([*stops, (10, Exited(1, 0))])
    forced, _ = lived([*stops, (14, Tick()), (14, Exited(1, -9))])

    assert (asked.killed, forced.killed) == (False, True)


def test_a_draining_pea_says_what_it_still_has_to_do() -> None:
    pea, _ = lived([(0, Start()), (1, Heard(1, READY)), (2, Stop(30)), (2, Heard(1, DRAIN))])

    assert pea.pending == 3


def test_an_event_that_cannot_be_is_a_bug() -> None:
    with pytest.raises(UnexpectedEvent, match=r"^a is starting, got Start\(\)$"):
        step(Pea(name="a", state=PeaState.STARTING, attempt=1), Start(), 0)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (3, "ended with exit code 3"),
        (-11, "killed by SIGSEGV"),
        (-9, "killed by SIGKILL"),
        (-63, "killed by signal 63"),
    ],
)
def test_an_exit_status_is_named(status: int, text: str) -> None:
    assert cause_of(status) == text


@given(restarts=st.integers(0, 1000), jitter=st.floats(0, 1))
def test_the_pause_is_never_under_the_first_nor_over_the_last(restarts: int, jitter: float) -> None:
    pause = backoff_s(Policy(), restarts, jitter)

    assert 0.1 <= pause <= 30.0
    assert pause <= backoff_s(Policy(), restarts + 1, jitter)


EVENTS = st.one_of(
    st.builds(Heard, st.integers(1, 3), st.sampled_from([READY, DRAIN, BROKEN, TAKEN])),
    st.builds(Stop, st.floats(0, 40)),
    st.just(Kill()),
    st.just(Tick()),
)


@given(st.lists(st.tuples(st.floats(0, 20), st.one_of(EVENTS, st.just(None)))))
def test_whatever_happens_it_ends_when_it_is_killed(
    history: list[tuple[float, Event | None]],
) -> None:
    """`None` stands for the end of the process that runs, if one does."""
    pea, _ = step(Pea(name="a", policy=POLICY), Start(), 0)
    now = 0.0
    for pause, event in history:
        now += pause
        runs = pea.state in (PeaState.STARTING, PeaState.READY, PeaState.STOPPING)
        if event is None and not runs:
            continue
        pea, _ = step(pea, event or Exited(pea.attempt, 1), now)

    pea, actions = step(pea, Kill(), now)
    if Signal(SIGKILL) in actions:
        pea, _ = step(pea, Exited(pea.attempt, -9), now)

    assert pea.state in OVER
