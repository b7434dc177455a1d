"""The life of one Pea, as a function of what happened to it.

Nothing here starts a process, reads a clock or throws dice. Events come in with the time they
happened, in seconds of the monotonic clock; actions go out, and `supervisor.py` carries them
out in order.

    PENDING -> STARTING -> READY -> STOPPING -> STOPPED
                  |  ^       |
                  v  |       |
                BACKOFF <----+      out of restarts, or no use in one: FAILED
"""

from __future__ import annotations

import enum
import signal
from dataclasses import dataclass, replace
from typing import assert_never

from jina_cli.lifeline import DrainSaid, FailedSaid, PhaseSaid, ReadySaid, Said
from jina_cli.plan.models import PeaPlan
from jina_cli.vocabulary import Restart

INCURABLE = frozenset({"port-taken", "permission", "install"})
"""Kinds of failure that the next attempt would meet again."""

UNKILLABLE_AFTER_S = 5.0
"""After SIGKILL: a process that still is there hangs in the kernel, and is given up."""

STARTING_GRACE_S = 2.0
"""From SIGTERM to SIGKILL for a Pea that is not ready: it has no requests to finish."""


class PeaState(enum.Enum):
    """Where a Pea is in its life."""

    PENDING = "pending"  # not started yet
    STARTING = "starting"  # has a process that is not ready
    READY = "ready"
    BACKOFF = "backoff"  # ended, will be started again
    STOPPING = "stopping"  # was told to end, still has a process
    STOPPED = "stopped"  # ended because we asked
    FAILED = "failed"  # ended, and will not be started again


OVER = frozenset({PeaState.STOPPED, PeaState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How often, and how patiently, a Pea is started. All times are in seconds.

    Attributes:
        max_restarts: In a row; one more failure is final.
        backoff_s: Before the first restart; doubles with each.
        healthy_s: Ready for so long, the restarts before it are forgotten.
        ready_within_s: From spawn to ready.
        stop_within_s: From SIGTERM to SIGKILL.
    """

    restart: Restart = Restart.ON_FAILURE
    max_restarts: int = 5
    backoff_s: float = 0.1
    backoff_max_s: float = 30.0
    healthy_s: float = 60.0
    ready_within_s: float = 600.0
    stop_within_s: float = 30.0


def policy_of(plan: PeaPlan) -> Policy:
    """Return what a plan says of starting and stopping."""
    return Policy(
        restart=plan.restart,
        max_restarts=plan.max_restarts,
        ready_within_s=plan.ready_within_s,
        stop_within_s=plan.stop_within_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a process ended.

    Attributes:
        cause: One clause: the exception, the signal, or the exit code.
        place: `executor.py:12`; empty if unknown.
        kind: As in `FailedSaid`, or `exit` or `timeout`.
        status: Exit status, below zero for a signal; None while it has not ended.
    """

    cause: str
    place: str = ""
    kind: str = "exit"
    status: int | None = None

    def __str__(self) -> str:
        return f"{self.cause} ({self.place})" if self.place else self.cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Pea:
    """One Pea and what is known of it.

    Attributes:
        attempt: Number of its process, from 1; tells what a dead one said from news.
        restarts: In a row, since it was last healthy.
        deadline: When a `Tick` means something.
        ready_at: Since when it is ready.
        was_ready: Whether any of its processes ever was.
        phase: What the child said it does before it is ready.
        failure: Why the last process ended, or will.
        killed: Whether SIGKILL was needed to stop it.
        pending: Requests it still works on, while it drains.
        unclean: How it ended after it was told to, if neither well nor by a signal of ours.
    """

    name: str
    policy: Policy = Policy()
    state: PeaState = PeaState.PENDING
    attempt: int = 0
    restarts: int = 0
    deadline: float | None = None
    ready_at: float | None = None
    was_ready: bool = False
    phase: str = ""
    failure: Failure | None = None
    killed: bool = False
    pending: int | None = None
    unclean: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """Start the first process."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The process of an attempt said something."""

    attempt: int
    said: Said


@dataclass(frozen=True, slots=True)
class Exited:
    """The process of an attempt ended, and its whole group is empty.

    Attributes:
        status: Exit status, below zero for a signal.
        jitter: Random, from 0 to 1; spreads restarts.
    """

    attempt: int
    status: int
    jitter: float = 0.0


@dataclass(frozen=True, slots=True)
class Stop:
    """End it, with SIGKILL after `grace_s` at the latest. A later one can only shorten."""

    grace_s: float


@dataclass(frozen=True, slots=True)
class Kill:
    """End it now."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start the process of this attempt."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Signal:
    """Send a signal: SIGTERM to the process, SIGKILL to its whole group."""

    signum: int


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send a `Tick` at this time."""

    when: float


Event = Start | Heard | Exited | Stop | Kill | Tick
Action = Spawn | Signal | WakeAt
Step = tuple[Pea, tuple[Action, ...]]


class UnexpectedEvent(AssertionError):
    """The supervisor sent an event that this state cannot have: a bug, not a failure."""


def step(pea: Pea, event: Event, now: float) -> Step:
    """Return the Pea after `event`, and what has to be done about it.

    An event of an attempt that is over is dropped: a late readiness signal must not mark the
    next process ready.

    Raises:
        UnexpectedEvent: The event makes no sense in this state.
    """
    if isinstance(event, Heard | Exited) and event.attempt != pea.attempt:
        return pea, ()
    match event:
        case Start():
            if pea.state is not PeaState.PENDING:
                raise UnexpectedEvent(f"{pea.name} is {pea.state.value}, got {event}")
            return _spawn(pea, now)
        case Heard(said=said):
            return _hear(pea, said, now), ()
        case Exited():
            return _end(pea, event, now)
        case Stop(grace_s=grace_s):
            return _stop(pea, grace_s, now)
        case Kill():
            return _kill(pea, now)
        case Tick():
            return _tick(pea, now)
        case _:
            assert_never(event)


def cause_of(status: int) -> str:
    """Return what an exit status means: `killed by SIGSEGV`, `ended with exit code 3`."""
    if status >= 0:
        return f"ended with exit code {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def backoff_s(policy: Policy, restarts: int, jitter: float) -> float:
    """Return the pause before a restart: doubling, never under the first nor over the last.

    `jitter` adds up to a quarter, so that Peas that died together do not come back together.
    """
    doubled = policy.backoff_s * 2.0 ** min(restarts, 32)
    return min(doubled, policy.backoff_max_s / 1.25) * (1 + jitter / 4)


def _spawn(pea: Pea, now: float) -> Step:
    ready_by = now + pea.policy.ready_within_s
    starting = replace(
        pea,
        state=PeaState.STARTING,
        attempt=pea.attempt + 1,
        deadline=ready_by,
        ready_at=None,
        phase="",
        failure=None,
    )
    return starting, (Spawn(starting.attempt), WakeAt(ready_by))


def _hear(pea: Pea, said: Said, now: float) -> Pea:
    match said:
        case ReadySaid() if pea.state is PeaState.STARTING:
            ready = replace(pea, state=PeaState.READY, ready_at=now, was_ready=True)
            return replace(ready, deadline=None, phase="")
        case PhaseSaid(phase=phase) if pea.state is PeaState.STARTING:
            return replace(pea, phase=phase)
        case FailedSaid() if pea.state in (PeaState.STARTING, PeaState.READY):
            failure = Failure(cause=said.cause, place=said.place, kind=said.kind)
            # The first failure is the cause; what follows from it is not.
            return pea if pea.failure else replace(pea, failure=failure)
        case DrainSaid(pending=pending):
            return replace(pea, pending=pending)
        case _:
            return pea


def _end(pea: Pea, exited: Exited, now: float) -> Step:
    if pea.state is PeaState.STOPPING:
        unclean = _unclean_end(pea, exited.status)
        return replace(pea, state=PeaState.STOPPED, deadline=None, unclean=unclean), ()
    if pea.state not in (PeaState.STARTING, PeaState.READY):
        raise UnexpectedEvent(f"{pea.name} is {pea.state.value}, got {exited}")
    failure = pea.failure or Failure(cause=cause_of(exited.status))
    was_healthy = pea.ready_at is not None and now - pea.ready_at >= pea.policy.healthy_s
    ended = replace(
        pea,
        failure=replace(failure, status=exited.status),
        restarts=0 if was_healthy else pea.restarts,
        deadline=None,
        ready_at=None,
    )
    if not _worth_a_restart(ended):
        return replace(ended, state=PeaState.FAILED), ()
    again = now + backoff_s(pea.policy, ended.restarts, exited.jitter)
    waiting = replace(ended, state=PeaState.BACKOFF, restarts=ended.restarts + 1, deadline=again)
    return waiting, (WakeAt(again),)


def _unclean_end(pea: Pea, status: int) -> str:
    # One that was not ready is ended in the middle of anything; what it says then means little.
    if pea.killed or pea.ready_at is None or status in (0, -signal.SIGTERM):
        return ""
    how = f"exit code {status}" if status > 0 else f"signal {-status}"
    return f"ended with {how} while stopping"


def _worth_a_restart(pea: Pea) -> bool:
    kind = pea.failure.kind if pea.failure else ""
    if pea.policy.restart is Restart.NO or kind in INCURABLE:
        return False
    if pea.restarts >= pea.policy.max_restarts:
        return False
    # One that never was ready and gave a reason (its code raised, its time was up) would do so
    # again, and somebody waits for the message. One that was killed comes back.
    return pea.was_ready or kind == "exit" or pea.policy.restart is Restart.ALWAYS


def _stop(pea: Pea, grace_s: float, now: float) -> Step:
    match pea.state:
        case PeaState.PENDING | PeaState.BACKOFF:
            return replace(pea, state=PeaState.STOPPED, deadline=None), ()
        case PeaState.STARTING | PeaState.READY:
            patience = pea.policy.stop_within_s
            if pea.state is PeaState.STARTING:
                patience = min(patience, STARTING_GRACE_S)
            end = now + min(grace_s, patience)
            stopping = replace(pea, state=PeaState.STOPPING, deadline=end)
            return stopping, (Signal(signal.SIGTERM), WakeAt(end))
        case PeaState.STOPPING if not pea.killed:
            end = now + grace_s
            if pea.deadline is not None and pea.deadline <= end:
                return pea, ()
            # A second SIGTERM: there is less time than it was told the first time.
            return replace(pea, deadline=end), (Signal(signal.SIGTERM), WakeAt(end))
        case _:
            return pea, ()


def _kill(pea: Pea, now: float) -> Step:
    if pea.state in OVER:
        return pea, ()
    if pea.state in (PeaState.PENDING, PeaState.BACKOFF):
        return replace(pea, state=PeaState.STOPPED, deadline=None), ()
    gone_by = now + UNKILLABLE_AFTER_S
    killed = replace(pea, state=PeaState.STOPPING, killed=True, deadline=gone_by)
    return killed, (Signal(signal.SIGKILL), WakeAt(gone_by))


def _tick(pea: Pea, now: float) -> Step:
    if pea.deadline is None or now < pea.deadline:
        return pea, ()
    match pea.state:
        case PeaState.BACKOFF:
            return _spawn(pea, now)
        case PeaState.STARTING:
            during = f", still in {pea.phase}" if pea.phase else ""
            cause = f"not ready after {pea.policy.ready_within_s:g} s{during}"
            failure = pea.failure or Failure(cause=cause, kind="timeout")
            return replace(pea, failure=failure, deadline=None), (Signal(signal.SIGKILL),)
        case PeaState.STOPPING if not pea.killed:
            return _kill(pea, now)
        case PeaState.STOPPING:
            stuck = Failure(cause="cannot be killed", kind="timeout")
            return replace(pea, state=PeaState.FAILED, failure=stuck, deadline=None), ()
        case _:
            return pea, ()
