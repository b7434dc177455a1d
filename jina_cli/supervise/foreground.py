"""Stays with a Flow in the foreground: signals, what is said on the way, and the exit code."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from jina_cli.errors import Exit
from jina_cli.memory import trimmer
from jina_cli.plan.models import Plan
from jina_cli.supervise.flow_machine import HURRY_S, Phase
from jina_cli.supervise.loop import Supervisor
from jina_cli.supervise.options import Options, Outcome
from jina_cli.supervise.sinks import LogSink

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_GONE_WITHIN_S = 0.05
"""After the third signal: what has been killed is not waited for any longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreground:
    """How a command stays with its Flow.

    Attributes:
        note: Says a line to the user, on stderr.
        ready_fd: Where one line of JSON is written when the Flow is ready; None for nowhere.
        held: Signals that are blocked until somebody listens to them.
        exit_code_from: Pod whose processes' exit code is the command's; empty for none.
    """

    sink: LogSink
    options: Options
    note: Callable[[str], None]
    ready_fd: int | None = None
    exit_code_from: str = ""
    held: Sequence[signal.Signals] = ()


async def stay(plan: Plan, how: Foreground) -> int:
    """Run a Flow until it ends, and return the exit code of the command.

    The first SIGINT, SIGTERM or SIGHUP drains it, the second hurries it, the third kills it,
    in whatever phase it is.

    Raises:
        PodFailed: A Pod failed for good.
        TimedOut: It was not ready in time.
        Unreachable: A port is taken, or this Flow runs already.
    """
    return await _Stay(plan, how).run()


class _Stay:
    def __init__(self, plan: Plan, how: Foreground) -> None:
        self._plan = plan
        self._how = how
        self._asked: list[int] = []
        self._killed = asyncio.Event()
        self._began = time.monotonic()
        options = replace(how.options, on_phase=self._say_phase)
        self._flow = Supervisor(plan, sink=how.sink, options=options)

    async def run(self) -> int:
        """Run the Flow and return the exit code."""
        loop = asyncio.get_running_loop()
        handlers: dict[int, Callable[[], None]] = {
            signum: partial(self._ask, signum)
            for signum in _STOPS
            # `nohup` leaves SIGHUP ignored: whoever used it wants the Flow to go on.
            if signum is not signal.SIGHUP or signal.getsignal(signum) is not signal.SIG_IGN
        }
        handlers |= {signal.SIGQUIT: self._dump, signal.SIGUSR1: self._flow.reopen_logs}
        for signum, handler in handlers.items():
            loop.add_signal_handler(signum, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._how.held)
        try:
            outcome = await self._run()
        finally:
            await self._flow.close()
            for signum in handlers:
                loop.remove_signal_handler(signum)
        return self._exit_code(outcome)

    async def _run(self) -> Outcome | None:
        """Return how the Flow ended; None if it was killed and not waited for."""
        self._flow.start()
        killed = asyncio.create_task(self._killed.wait())
        ended = asyncio.create_task(self._flow.wait())
        try:
            await asyncio.wait((ended, killed), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await asyncio.wait((ended,), timeout=_GONE_WITHIN_S)
            return ended.result() if ended.done() else None
        finally:
            killed.cancel()
            ended.cancel()

    def _ask(self, signum: int) -> None:
        self._asked.append(signum)
        # Ctrl-C is somebody who waits; a load balancer's host sends SIGTERM.
        self._flow.request_stop(in_haste=signum == signal.SIGINT)
        if len(self._asked) >= 3:
            self._killed.set()

    def _dump(self) -> None:
        for line in self._flow.describe():
            self._flow.say(line)

    def _say_phase(self, phase: Phase, pending: int | None) -> None:
        match phase:
            case Phase.READY:
                self._say_ready()
            case Phase.DRAINING if self._asked:
                self._how.note(_draining(pending, self._how.options.grace_s))
            case Phase.HURRYING:
                self._how.note(f"stopping now, Ctrl-C again to kill ({HURRY_S:g} s)")
            case _:
                return

    def _say_ready(self) -> None:
        if give_back := trimmer():
            give_back()  # from now on little happens here, for a long time
        # The native address is for our own commands, which find it by themselves.
        addresses = [f"{n}://{at}" for n, at in self._flow.addresses.items() if n != "native"]
        where = ", ".join(addresses) or self._flow.native_address
        self._how.note(f"ready in {time.monotonic() - self._began:.1f} s: {where}")
        if self._how.ready_fd is None:
            return
        data = {
            "schema": "jina.ready/1",
            "flow": self._plan.flow,
            "pid": os.getpid(),
            "native": self._flow.native_address,
            "addresses": dict(self._flow.addresses),
        }
        try:
            os.write(self._how.ready_fd, json.dumps(data).encode() + b"\n")
            os.close(self._how.ready_fd)
        except OSError as error:
            self._how.note(f"cannot write to --ready-fd: {error.strerror}")

    def _exit_code(self, outcome: Outcome | None) -> int:
        unclean = outcome.unclean if outcome is not None else ()
        for line in unclean:
            self._how.note(line)
        if self._asked and self._asked[0] == signal.SIGINT:
            return Exit.SIGINT
        if outcome is None:
            return Exit.FAILED
        if self._how.exit_code_from:
            return _code_from(self._how.exit_code_from, outcome.statuses)
        if outcome.failure is not None:
            raise outcome.failure
        if outcome.killed:
            self._how.note(f"had to be killed: {', '.join(outcome.killed)}")
            return Exit.FAILED
        return Exit.FAILED if unclean else Exit.OK


def _draining(pending: int | None, grace_s: float) -> str:
    again = f"Ctrl-C again to stop now ({grace_s:g} s)"
    if not pending:
        return f"stopping, {again}"
    return f"draining {pending} {'request' if pending == 1 else 'requests'}, {again}"


def _code_from(pod: str, statuses: Mapping[str, int]) -> int:
    """Return the worst exit code of a Pod's processes, as a shell would: 128 + n for a signal."""
    codes = [status for name, status in statuses.items() if name.partition("/")[0] == pod]
    return max((128 - code if code < 0 else code for code in codes), default=Exit.OK)
