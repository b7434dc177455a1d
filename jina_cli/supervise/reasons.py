"""Why a Pea or a Flow failed, in the words and with the exit code that users see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jina_cli.errors import JinaError, NotPermitted, PodFailed, TimedOut, Unreachable
from jina_cli.supervise.machine import Pea, PeaState


def error_of(pea: Pea, tail: Sequence[str]) -> JinaError:
    """Return the error that a Pea which failed for good ends the Flow with."""
    assert pea.failure is not None, "only what failed has an error"
    cause = str(pea.failure)
    match pea.failure.kind:
        case "port-taken":
            hint = "stop who has it, or take another port with --port"
            return Unreachable(f"{pea.name}: {cause}", hint=hint)
        case "permission":
            return NotPermitted(f"{pea.name}: {cause}")
        case "timeout" if not pea.was_ready:
            hint = "give it more time with timeout_ready"
            return TimedOut(f"{pea.name}: {cause}", hint=hint)
    if pea.restarts:
        cause += f", after {_times(pea.restarts, 'restart')}"
    return PodFailed(pea.name, cause, tail)


def restart_notice(pea: Pea, now: float) -> str:
    """Return what to say of a Pea that ended and will be started again."""
    pause = max(0.0, (pea.deadline or now) - now)
    again = f"restart {pea.restarts} of {pea.policy.max_restarts} in {pause:.1f} s"
    return f"{pea.failure}; {again}"


def too_late(peas: Iterable[Pea], within_s: float) -> TimedOut:
    """Return the error of a Flow that was not ready in time; says what each waits for."""
    late = [pea for pea in peas if pea.state is not PeaState.READY]
    what = ", ".join(f"{pea.name} {_progress(pea)}" for pea in late)
    return TimedOut(f"not ready after {within_s:g} s: {what}", hint="see --timeout-ready")


def _progress(pea: Pea) -> str:
    if pea.state is PeaState.STARTING and pea.phase:
        return f"is still in {pea.phase}"
    if pea.failure is not None:
        return f"last failed with {pea.failure}"
    return f"is still {pea.state.value}"


def _times(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
