"""`jina ping`: ask whether Flows or Executors are ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jina_cli.cli.duration import seconds_of
from jina_cli.cli.settings import settings_of
from jina_cli.errors import Exit, JinaError, RequestFailed, TimedOut, Unreachable, UsageError

if TYPE_CHECKING:
    from jina_cli.client.address import Target
    from jina_cli.client.probe import Role

_KINDS = ("flow", "executor", "gateway")
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.02, 0.5
_SILENT_S = 2.0
"""How long is waited before that is said."""


def ping(
    ctx: typer.Context,
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="[KIND] TARGET",
            help="What it is: flow (if left out), executor or gateway; and where: HOST:PORT "
            "(gRPC), http://HOST:PORT, unix:PATH.",
            show_default=False,
        ),
    ],
    timeout: Annotated[
        int, typer.Option(help="Milliseconds for each attempt; -1 for ever.")
    ] = 3000,
    attempts: Annotated[int, typer.Option(min=1, help="How often each is asked.")] = 1,
    min_successful_attempts: Annotated[
        int, typer.Option(min=1, help="How many of them must succeed.")
    ] = 1,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all are ready.")] = False,
    wait_timeout: Annotated[
        str, typer.Option(metavar="TIME", help="How long to wait, `90`, `90s` or `2m`.")
    ] = "120s",
    pid: Annotated[
        int | None,
        typer.Option(
            metavar="PID", help="With --wait: give up when this process, the Flow's, has ended."
        ),
    ] = None,
) -> None:
    """Ask whether a Flow, an Executor or a Gateway is ready.

    A Flow answers for all of its Executors. Exits with 0 if all targets are ready, with 69 if
    nobody answers at one, with 1 if one answers that it is not ready, succeeds too seldom or
    has ended, and with 75 if --wait took too long.
    """
    from jina_cli.cli.render import Output

    limit = None if timeout < 0 else timeout / 1000
    asked = _asked(targets)
    if min_successful_attempts > attempts:
        raise UsageError("--min-successful-attempts is more than --attempts")
    wanted = Wanted(
        timeout_s=limit,
        attempts=attempts,
        successes=min_successful_attempts,
        wait_s=seconds_of(wait_timeout, "--wait-timeout") if wait else None,
        pid=pid,
    )
    if pid is not None and not wait:
        raise UsageError("--pid has no meaning without --wait")
    settings = settings_of(ctx)
    output = Output(settings)
    results = asyncio.run(_ping_all(asked, wanted, output.note))
    for result in results:
        if settings.json:
            output.json(_as_json(result))
        elif not settings.quiet or not result.is_ready:
            output.result(_as_text(result))
    failed = [result.error for result in results if not result.is_ready and result.error]
    if failed:
        raise failed[0]
    if not all(result.is_ready for result in results):
        raise typer.Exit(Exit.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How to ask. Times are in seconds; `wait_s` is None for not waiting.

    Attributes:
        pid: Process without which nobody will ever answer; None if that is not known.
    """

    timeout_s: float | None
    attempts: int
    successes: int
    wait_s: float | None
    pid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What asking one target gave.

    Attributes:
        seconds: Of each attempt that succeeded.
        error: Why it is not ready; of the last attempt that failed.
        is_wrong: Whether somebody else answers there, so that waiting does not help.
    """

    target: Target
    role: Role
    attempts: int
    seconds: tuple[float, ...]
    is_ready: bool
    error: JinaError | None
    is_wrong: bool = False


def _asked(words: Sequence[str]) -> list[tuple[Target, Role]]:
    from jina_cli.client.address import target_of
    from jina_cli.client.probe import Role

    role, rest = (words[0], words[1:]) if words[0] in _KINDS else ("flow", words)
    if not rest:
        raise UsageError("missing argument 'TARGET'", hint="see jina ping --help")
    return [(target_of(word), Role(role)) for word in rest]


async def _ping_all(
    asked: Sequence[tuple[Target, Role]], wanted: Wanted, tell: Callable[[str], None]
) -> list[Result]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_ping(target, role, wanted, tell)) for target, role in asked]
    return [task.result() for task in tasks]


async def _ping(target: Target, role: Role, wanted: Wanted, tell: Callable[[str], None]) -> Result:
    if wanted.wait_s is None:
        return await _ask(target, role, wanted)
    waiting = _Waiting(target, role, wanted)
    telling = asyncio.get_running_loop().call_later(_SILENT_S, lambda: tell(str(waiting)))
    try:
        async with asyncio.timeout(wanted.wait_s):
            return await waiting.run()
    except TimeoutError:
        why = waiting.why
        error = TimedOut(f"{target} was not ready within {wanted.wait_s:g} s{why}")
        return waiting.failed(error)
    finally:
        telling.cancel()


class _Waiting:
    """Asks again and again until it is ready, or will never be."""

    def __init__(self, target: Target, role: Role, wanted: Wanted) -> None:
        self._target = target
        self._role = role
        self._wanted = wanted
        self._pid = wanted.pid or _pid_of(target)
        self._last: Result | None = None

    def __str__(self) -> str:
        absent = self._last is None or isinstance(self._last.error, Unreachable)
        return f"waiting for {self._target} ({'nobody answers' if absent else 'not ready'} yet)"

    @property
    def why(self) -> str:
        """What the last answer was, as the end of a message."""
        return f": {self._last.error.message}" if self._last and self._last.error else ""

    async def run(self) -> Result:
        pause_s = _FIRST_WAIT_S
        while True:
            # Looked at before asking: what ended since may have been ready for a moment.
            is_gone = self._pid is not None and not _is_alive(self._pid)
            self._last = await _ask(self._target, self._role, self._wanted)
            if self._last.is_ready or self._last.is_wrong:
                return self._last
            if is_gone:
                text = f"process {self._pid} ended, and {self._target} is not ready{self.why}"
                return self.failed(JinaError(text, hint="see what it said"))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_WAIT_S)

    def failed(self, error: JinaError) -> Result:
        """Return that it is not ready, for a reason of ours."""
        return Result(
            target=self._target,
            role=self._role,
            attempts=self._last.attempts if self._last else 0,
            seconds=(),
            is_ready=False,
            error=error,
        )


def _is_alive(pid: int) -> bool:
    from jina_cli.supervise.procfs import process

    found = process(pid)
    return found is not None and not found.zombie


def _pid_of(target: Target) -> int | None:
    """Return who keeps the Flow whose socket that is, if it runs here; None if not known."""
    if target.port != 0:
        return None
    from jina_cli.supervise.registry import read_record

    record = read_record(Path(target.host).parent)
    return None if record is None else record.pid


async def _ask(target: Target, role: Role, wanted: Wanted) -> Result:
    from jina_cli.client.probe import probe_all

    found = await probe_all(target, role, attempts=wanted.attempts, timeout_s=wanted.timeout_s)
    error = found.error
    if isinstance(error, TimedOut) or (error and found.seconds):
        # It is there, and too slow or not always ready: that is a failure, not an absence.
        error = RequestFailed(error.message, status="UNAVAILABLE")
    return Result(
        target=target,
        role=role,
        attempts=wanted.attempts,
        seconds=tuple(found.seconds),
        is_ready=len(found.seconds) >= wanted.successes,
        error=error,
        is_wrong=found.is_wrong,
    )


def _as_text(result: Result) -> str:
    state = "ready" if result.is_ready else "not ready"
    text = f"{result.role.value} {result.target} is {state}"
    if result.attempts > 1:
        text += f", {len(result.seconds)} of {result.attempts} attempts"
    if not result.seconds:
        return text
    mean, middle, high = _milliseconds(result.seconds)
    if len(result.seconds) == 1:
        return f"{text}, {mean:.1f} ms"
    return f"{text}, avg {mean:.1f} ms, p50 {middle:.1f} ms, p99 {high:.1f} ms"


def _as_json(result: Result) -> dict[str, object]:
    mean, middle, high = _milliseconds(result.seconds) if result.seconds else (None,) * 3
    return {
        "schema": "jina.ping/1",
        "target": str(result.target),
        "kind": result.role.value,
        "ready": result.is_ready,
        "attempts": result.attempts,
        "successes": len(result.seconds),
        "avg_ms": mean,
        "p50_ms": middle,
        "p99_ms": high,
        "error": None if result.is_ready or result.error is None else result.error.message,
    }


def _milliseconds(seconds: Sequence[float]) -> tuple[float, float, float]:
    """Return mean, median and 99th percentile (nearest rank), in ms to the microsecond."""
    ranked = sorted(1000 * s for s in seconds)

    def rank(share: float) -> float:
        return ranked[min(len(ranked) - 1, max(0, -int(-share * len(ranked) // 1) - 1))]

    return round(sum(ranked) / len(ranked), 3), round(rank(0.5), 3), round(rank(0.99), 3)
