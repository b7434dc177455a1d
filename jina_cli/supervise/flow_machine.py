"""The life of a whole Flow, as a function of what happened to its Peas and what was asked.

Like `machine`, it does nothing by itself. It decides which Peas end, when and in which order:
the Gateway first, so that nobody asks the others any more, then each Pod once all that need
it are gone.

    STARTING -> READY -> DRAINING -> HURRYING -> KILLING -> STOPPED
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from jina_cli.plan.models import PeaPlan, Plan
from jina_cli.vocabulary import PeaRole

HURRY_S = 2.0
"""From SIGTERM to SIGKILL once somebody has asked twice."""


class Phase(enum.Enum):
    """Where a Flow is in its life."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"  # asked once: in order, requests are finished
    HURRYING = "hurrying"  # asked twice: all at once, little time
    KILLING = "killing"  # asked three times, or out of time
    STOPPED = "stopped"  # no Pea has a process


class ExitOn(enum.Enum):
    """When a Flow ends that nobody asked to."""

    NONE = "none"  # never
    FAILURE = "failure"  # a Pea failed for good
    FIRST = "first"  # a Pea ended, restart or not
    ALL = "all"  # all Peas but the Gateway failed for good


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowState:
    """A Flow and what is known of it.

    Attributes:
        after: For each Pea, those that must be gone before it is stopped.
        alive: Peas that are neither stopped nor failed.
        told: Peas that were told to stop.
        ready: Peas that are ready now.
        deadline: When all that is left is killed.
        gateway: Name of the Gateway's Pea.
    """

    after: Mapping[str, frozenset[str]]
    alive: frozenset[str]
    gateway: str
    exit_on: ExitOn = ExitOn.FAILURE
    grace_s: float = 30.0
    phase: Phase = Phase.STARTING
    told: frozenset[str] = frozenset()
    ready: frozenset[str] = frozenset()
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class PeaReady:
    """A Pea is ready."""

    name: str


@dataclass(frozen=True, slots=True)
class PeaLost:
    """The process of a Pea ended, and will be started again."""

    name: str


@dataclass(frozen=True, slots=True)
class PeaOver:
    """A Pea has no process and gets none: it `failed`, or was stopped."""

    name: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody wants the Flow to end: a signal, the end of a block, a deadline."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class StopPea:
    """Tell a Pea to stop within so many seconds."""

    name: str
    grace_s: float


@dataclass(frozen=True, slots=True)
class KillPea:
    """End a Pea now."""

    name: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell whoever waits that the Flow reached a phase."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send a `Tick` at this time."""

    when: float


Event = PeaReady | PeaLost | PeaOver | StopAsked | Tick
Action = StopPea | KillPea | Announce | WakeAt
Step = tuple[FlowState, tuple[Action, ...]]


def begin(plan: Plan, *, exit_on: ExitOn = ExitOn.FAILURE, grace_s: float = 30.0) -> FlowState:
    """Return the state of a Flow of which nothing runs yet."""
    peas = (plan.gateway, *plan.peas)
    return FlowState(
        after={pea.name: _gone_before(pea, peas) for pea in peas},
        alive=frozenset(pea.name for pea in peas),
        gateway=plan.gateway.name,
        exit_on=exit_on,
        grace_s=grace_s,
    )


def _gone_before(pea: PeaPlan, peas: Iterable[PeaPlan]) -> frozenset[str]:
    if pea.role is PeaRole.GATEWAY:
        return frozenset()
    return frozenset(
        other.name
        for other in peas
        if other.role is PeaRole.GATEWAY
        or (pea.pod in other.needs and other.pod != pea.pod)
        or (other.role is PeaRole.HEAD and other.pod == pea.pod and pea.role is PeaRole.WORKER)
    )


def step(flow: FlowState, event: Event, now: float) -> Step:
    """Return the Flow after `event`, and what has to be done about it, in order."""
    match event:
        case PeaReady(name=name):
            return _settle(replace(flow, ready=flow.ready | {name}))
        case PeaLost(name=name):
            lost = replace(flow, ready=flow.ready - {name})
            return _stop(lost, now) if _is_the_end(lost, returns=True) else (lost, ())
        case PeaOver(name=name, failed=failed):
            return _over(flow, name, failed=failed, now=now)
        case StopAsked():
            return _stop(flow, now)
        case Tick():
            return _tick(flow, now)
        case _:
            assert_never(event)


def _settle(flow: FlowState) -> Step:
    if flow.phase is Phase.STARTING and flow.ready == flow.alive == frozenset(flow.after):
        return replace(flow, phase=Phase.READY), (Announce(Phase.READY),)
    return flow, ()


def _over(flow: FlowState, name: str, *, failed: bool, now: float) -> Step:
    left = replace(flow, alive=flow.alive - {name}, ready=flow.ready - {name})
    if not left.alive:
        if flow.phase is Phase.STOPPED:
            return left, ()
        return replace(left, phase=Phase.STOPPED, deadline=None), (Announce(Phase.STOPPED),)
    if left.phase is Phase.DRAINING:
        return _next_in_order(left, now)
    if failed and left.phase in (Phase.STARTING, Phase.READY) and _is_the_end(left, returns=False):
        return _stop(left, now)
    return left, ()


def _is_the_end(flow: FlowState, *, returns: bool) -> bool:
    """Return whether what happened ends the Flow; `returns` if the Pea will be back."""
    match flow.exit_on:
        case ExitOn.NONE:
            return False
        case ExitOn.FAILURE:
            return not returns
        case ExitOn.FIRST:
            return flow.phase in (Phase.STARTING, Phase.READY)
        case ExitOn.ALL:
            return not returns and not flow.alive - {flow.gateway}
        case _:
            assert_never(flow.exit_on)


def _stop(flow: FlowState, now: float) -> Step:
    match flow.phase:
        case Phase.STARTING:  # nobody is served yet: there is no order to keep
            return _all_at_once(flow, Phase.DRAINING, flow.grace_s, now)
        case Phase.READY:
            draining = replace(flow, phase=Phase.DRAINING, deadline=now + flow.grace_s)
            after, stops = _next_in_order(draining, now)
            wake = WakeAt(now + flow.grace_s)
            return after, (Announce(Phase.DRAINING), *stops, wake)
        case Phase.DRAINING:
            return _all_at_once(flow, Phase.HURRYING, HURRY_S, now)
        case Phase.HURRYING:
            return _kill_all(flow)
        case Phase.KILLING | Phase.STOPPED:
            return flow, ()
        case _:
            assert_never(flow.phase)


def _all_at_once(flow: FlowState, phase: Phase, within_s: float, now: float) -> Step:
    end = now + within_s
    if flow.deadline is not None:
        end = min(end, flow.deadline)
    stops = tuple(StopPea(name, end - now) for name in sorted(flow.alive))
    hurried = replace(flow, phase=phase, told=flow.alive, deadline=end)
    return hurried, (Announce(phase), *stops, WakeAt(end))


def _next_in_order(flow: FlowState, now: float) -> Step:
    due = {name for name in flow.alive - flow.told if not flow.after[name] & flow.alive}
    left_s = max(0.0, (flow.deadline if flow.deadline is not None else now) - now)
    stops = tuple(StopPea(name, left_s) for name in sorted(due))
    return replace(flow, told=flow.told | due), stops


def _tick(flow: FlowState, now: float) -> Step:
    if flow.deadline is None or now < flow.deadline:
        return flow, ()
    return _kill_all(flow)


def _kill_all(flow: FlowState) -> Step:
    kills = tuple(KillPea(name) for name in sorted(flow.alive))
    killing = replace(flow, phase=Phase.KILLING, told=flow.alive, deadline=None)
    return killing, (Announce(Phase.KILLING), *kills)
