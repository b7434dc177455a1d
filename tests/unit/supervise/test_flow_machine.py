"""Histories of a whole Flow: encode (2 replicas) → index (2 shards behind a head)."""

from __future__ import annotations

import pytest

from jina_cli.plan.models import PeaPlan, Plan
from jina_cli.supervise.flow_machine import (
    Action,
    Announce,
    Event,
    ExitOn,
    FlowState,
    KillPea,
    PeaLost,
    PeaOver,
    PeaReady,
    Phase,
    StopAsked,
    StopPea,
    Tick,
    WakeAt,
    begin,
    step,
)
from jina_cli.vocabulary import PeaRole


def a_pea(name: str, role: PeaRole = PeaRole.WORKER, needs: tuple[str, ...] = ()) -> PeaPlan:
    pod = name.partition("/")[0]
    return PeaPlan(name=name, pod=pod, role=role, address="", workspace="", needs=needs)


PLAN = Plan(
    flow="flow",
    source="flow.yml",
    run_dir="/run",
    log_dir="/log",
    workspace="/work",
    gateway=a_pea("gateway", PeaRole.GATEWAY, ("encode", "index")),
    peas=(
        a_pea("encode/rep-0"),
        a_pea("encode/rep-1"),
        a_pea("index/head", PeaRole.HEAD, ("encode",)),
        a_pea("index/shard-0", needs=("encode",)),
        a_pea("index/shard-1", needs=("encode",)),
    ),
)
NAMES = ("gateway", *(pea.name for pea in PLAN.peas))
ALL_READY: list[tuple[float, Event]] = [(1, PeaReady(name)) for name in NAMES]
GATEWAY_GONE, HEAD_GONE = PeaOver("gateway"), PeaOver("index/head")


def all_stop(grace_s: float) -> list[Action]:
    return [StopPea(name, grace_s) for name in sorted(NAMES)]


ALL_KILLED: list[Action] = [KillPea(name) for name in sorted(NAMES)]
ALL_OVER: list[tuple[float, Event]] = [(9, PeaOver(name)) for name in NAMES]

HISTORIES: dict[str, tuple[list[tuple[float, Event]], Phase, list[Action]]] = {
    "is ready when all are": (ALL_READY, Phase.READY, [Announce(Phase.READY)]),
    "is not ready while one is missing": (ALL_READY[:-1], Phase.STARTING, []),
    "is not ready while one that was is gone": (
        [*ALL_READY[:-1], (2, PeaLost("encode/rep-0")), *ALL_READY[-1:]],
        Phase.STARTING,
        [],
    ),
    "stays ready while one is restarted": (
        [*ALL_READY, (2, PeaLost("encode/rep-0")), (3, PeaReady("encode/rep-0"))],
        Phase.READY,
        [Announce(Phase.READY)],
    ),
    "drains the Gateway first, then against the needs": (
        [
            *ALL_READY,
            (2, StopAsked()),
            (3, GATEWAY_GONE),
            (4, HEAD_GONE),
            (5, PeaOver("index/shard-0")),
            (6, PeaOver("index/shard-1")),
            (7, PeaOver("encode/rep-0")),
            (7, PeaOver("encode/rep-1")),
        ],
        Phase.STOPPED,
        [
            Announce(Phase.READY),
            Announce(Phase.DRAINING),
            StopPea("gateway", 30),
            WakeAt(32),
            StopPea("index/head", 29),
            StopPea("index/shard-0", 28),
            StopPea("index/shard-1", 28),
            StopPea("encode/rep-0", 26),
            StopPea("encode/rep-1", 26),
            Announce(Phase.STOPPED),
        ],
    ),
    "goes on draining when one dies on the way": (
        [*ALL_READY, (2, StopAsked()), (3, PeaOver("gateway", failed=True))],
        Phase.DRAINING,
        [
            Announce(Phase.READY),
            Announce(Phase.DRAINING),
            StopPea("gateway", 30),
            WakeAt(32),
            StopPea("index/head", 29),
        ],
    ),
    "hurries when asked twice": (
        [*ALL_READY, (2, StopAsked()), (3, StopAsked())],
        Phase.HURRYING,
        [
            Announce(Phase.READY),
            Announce(Phase.DRAINING),
            StopPea("gateway", 30),
            WakeAt(32),
            Announce(Phase.HURRYING),
            *all_stop(2),
            WakeAt(5),
        ],
    ),
    "kills when asked three times": (
        [*ALL_READY, (2, StopAsked()), (2, StopAsked()), (2, StopAsked())],
        Phase.KILLING,
        [
            Announce(Phase.READY),
            Announce(Phase.DRAINING),
            StopPea("gateway", 30),
            WakeAt(32),
            Announce(Phase.HURRYING),
            *all_stop(2),
            WakeAt(4),
            Announce(Phase.KILLING),
            *ALL_KILLED,
        ],
    ),
    "kills what is left when the time is up": (
        [*ALL_READY, (2, StopAsked()), (3, GATEWAY_GONE), (31.9, Tick()), (32, Tick())],
        Phase.KILLING,
        [
            Announce(Phase.READY),
            Announce(Phase.DRAINING),
            StopPea("gateway", 30),
            WakeAt(32),
            StopPea("index/head", 29),
            Announce(Phase.KILLING),
            *ALL_KILLED[:2],
            *ALL_KILLED[3:],
        ],
    ),
    "never hurries beyond the time that was given": (
        [*ALL_READY, (2, StopAsked()), (31, StopAsked())],
        Phase.HURRYING,
        [
            Announce(Phase.READY),
            Announce(Phase.DRAINING),
            StopPea("gateway", 30),
            WakeAt(32),
            Announce(Phase.HURRYING),
            *all_stop(1),
            WakeAt(32),
        ],
    ),
    "keeps no order while it starts, since nobody is served": (
        [(0.5, StopAsked())],
        Phase.DRAINING,
        [Announce(Phase.DRAINING), *all_stop(30), WakeAt(30.5)],
    ),
    "hurries and kills while it starts": (
        [(0, StopAsked()), (0, StopAsked()), (0, StopAsked())],
        Phase.KILLING,
        [
            Announce(Phase.DRAINING),
            *all_stop(30),
            WakeAt(30),
            Announce(Phase.HURRYING),
            *all_stop(2),
            WakeAt(2),
            Announce(Phase.KILLING),
            *ALL_KILLED,
        ],
    ),
    "is stopped by a Pea that fails while it starts": (
        [(1, PeaOver("encode/rep-0", failed=True))],
        Phase.DRAINING,
        [
            Announce(Phase.DRAINING),
            *(stop for stop in all_stop(30) if stop != StopPea("encode/rep-0", 30)),
            WakeAt(31),
        ],
    ),
    "ignores signals when all is over": (
        [*ALL_OVER, (10, StopAsked()), (10, StopAsked())],
        Phase.STOPPED,
        [Announce(Phase.STOPPED)],
    ),
}


def lived(
    events: list[tuple[float, Event]], exit_on: ExitOn = ExitOn.FAILURE
) -> tuple[FlowState, list[Action]]:
    flow, done = begin(PLAN, exit_on=exit_on, grace_s=30.0), []
    for now, event in events:
        flow, new = step(flow, event, now)
        done.extend(new)
    return flow, done


@pytest.mark.parametrize("history", HISTORIES)
def test_a_flow_that(history: str) -> None:
    events, phase, actions = HISTORIES[history]

    flow, done = lived(events)

    assert (flow.phase, done) == (phase, actions)


FAILED = [(2.0, PeaOver(name, failed=True)) for name in NAMES if name != "gateway"]


@pytest.mark.parametrize(
    ("exit_on", "events", "phase"),
    [
        (ExitOn.NONE, FAILED, Phase.READY),
        (ExitOn.NONE, [(2.0, PeaLost("encode/rep-0"))], Phase.READY),
        (ExitOn.FAILURE, [(2.0, PeaLost("encode/rep-0"))], Phase.READY),
        (ExitOn.FAILURE, FAILED[:1], Phase.DRAINING),
        (ExitOn.FIRST, [(2.0, PeaLost("encode/rep-0"))], Phase.DRAINING),
        (ExitOn.FIRST, FAILED[:1], Phase.DRAINING),
        (ExitOn.ALL, FAILED[:-1], Phase.READY),
        (ExitOn.ALL, FAILED, Phase.DRAINING),
    ],
)
def test_what_ends_a_flow_that_nobody_stopped(
    exit_on: ExitOn, events: list[tuple[float, Event]], phase: Phase
) -> None:
    flow, _ = lived([*ALL_READY, *events], exit_on)

    assert flow.phase is phase


@pytest.mark.parametrize("asked", [0, 1, 2, 3])
def test_every_phase_ends_once_all_peas_have(asked: int) -> None:
    flow, done = lived([*ALL_READY, *[(2.0, StopAsked())] * asked, *ALL_OVER])

    assert flow.phase is Phase.STOPPED
    assert done[-1] == Announce(Phase.STOPPED)
