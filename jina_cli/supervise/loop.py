"""The loop of the parent: carries out what the machines decide, and tells them what happened.

There is one Flow for each event loop, in the main thread.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from jina_cli.errors import CannotWrite, JinaError
from jina_cli.lifeline import HASTE, DrainSaid, FailedSaid, ReadySaid, Said
from jina_cli.plan.models import Plan
from jina_cli.supervise import flow_machine, machine
from jina_cli.supervise.files import make_room
from jina_cli.supervise.flow_machine import Phase
from jina_cli.supervise.journal import Journal, write_record
from jina_cli.supervise.machine import Pea, PeaState, policy_of
from jina_cli.supervise.options import Options, Outcome
from jina_cli.supervise.permission import check_allowed
from jina_cli.supervise.process import Processes
from jina_cli.supervise.reasons import error_of, restart_notice, too_late
from jina_cli.supervise.registry import RunDir, claim
from jina_cli.supervise.sinks import LogSink
from jina_cli.supervise.sockets import bind_all, close_all
from jina_cli.supervise.spawn import Adopted

_RUNS = frozenset({Phase.STARTING, Phase.READY})
_COUNT_WITHIN_S = 0.1
"""How long the Gateway is given to say how many requests it has, before we speak of them."""


class Supervisor:
    """Keeps the Peas of one Flow alive until it is told to stop.

    `start`, then `ready`, then `wait`, and in any case `close`.

    Args:
        plan: What to run.
        sink: Where log lines go besides their files.
        options: How.
    """

    def __init__(self, plan: Plan, *, sink: LogSink, options: Options) -> None:
        self._plan = plan
        self._options = options
        self._journal = Journal(plan, sink)
        self._plans = {pea.name: pea for pea in (plan.gateway, *plan.peas)}
        self._peas = {name: Pea(name=name, policy=policy_of(p)) for name, p in self._plans.items()}
        self._flow = flow_machine.begin(plan, exit_on=options.exit_on, grace_s=options.grace_s)
        self._inbox: deque[tuple[str, machine.Event] | flow_machine.Event] = deque()
        self._is_handling = False
        self._statuses: dict[str, int] = {}
        self._culprit = ""
        self._killed: set[str] = set()
        self._failure: JinaError | None = None
        self._addresses: Mapping[str, str] = {}
        self._run_dir: RunDir | None = None
        self._processes: Processes | None = None
        self._sockets: dict[str, dict[str, socket.socket]] = {}
        self._has_told_draining = False
        self._is_ready = asyncio.Event()
        self._is_over = asyncio.Event()

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where the Gateway serves, by protocol; empty before it is ready."""
        return self._addresses

    @property
    def native_address(self) -> str:
        """Where our own clients on this host connect."""
        return self._plan.gateway.address

    @property
    def failure(self) -> JinaError | None:
        """What went wrong first, if anything did for good."""
        return self._failure

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self._is_over.is_set()

    def start(self) -> None:
        """Bind all addresses and start all processes.

        Raises:
            Unreachable: A port is taken, or this Flow runs already.
            NotPermitted: The system refuses a port or a folder, or nobody allowed that pip
                installs what an Executor asks for.
            CannotWrite: The run dir cannot be written.
            JinaError: It may not have as many open files as it needs.
        """
        check_allowed(self._plan, os.environ)
        make_room(len(self._plans))
        self._run_dir = claim(Path(self._plan.run_dir))
        self._write_record("starting")
        self._sockets = bind_all(self._plan)
        how = self._options
        self._processes = Processes(
            self._run_dir, self._sockets, self, how.recipe, warming=how.warming
        )
        if any(pea.forkable for pea in self._plan.peas):
            self._processes.warm_up()
        for name in self._plans:  # the Gateway first: it takes longest
            self._post((name, machine.Start()))
        if self._options.ready_within_s is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(self._options.ready_within_s, self._is_late)

    async def ready(self) -> bool:
        """Return True once every Pod is ready, False if it was stopped before.

        Raises:
            PodFailed: One failed; all others are stopped.
            TimedOut: One was not ready in time; likewise.
            Unreachable: A port was taken after all; likewise.
        """
        over = asyncio.create_task(self._is_over.wait())
        ready = asyncio.create_task(self._is_ready.wait())
        try:
            await asyncio.wait((over, ready), return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            ready.cancel()
        if self._failure is not None and self.is_over:
            raise self._failure
        return self._is_ready.is_set() and not self.is_over

    def request_stop(self, *, in_haste: bool = False) -> None:
        """Stop it in order; asked again, at once; asked a third time, kill it.

        Args:
            in_haste: Whether no load balancer is given time to notice first.
        """
        if in_haste and self._flow.phase is Phase.READY and self._processes is not None:
            self._processes.signal(self._plan.gateway.name, HASTE)
        self._post(flow_machine.StopAsked())

    async def wait(self) -> Outcome:
        """Return how it ended, once nothing of it runs any more."""
        await self._is_over.wait()
        return Outcome(
            killed=tuple(sorted(self._killed)),
            unclean=tuple(f"{p.name} {p.unclean}" for p in self._peas.values() if p.unclean),
            failure=self._failure,
            statuses=self._statuses,
        )

    async def stop(self) -> None:
        """Stop it, wait until it is over, and take away what is left of it."""
        if self._processes is not None and not self.is_over:
            self.request_stop()
            await self._is_over.wait()
        await self.close()

    async def close(self) -> None:
        """Take away all that is left of it, alive or not."""
        if self._processes is not None:
            await self._processes.close()
        elif self._options.warming is not None:
            warming = self._options.warming
            warming.abandon(Adopted(warming.ends.pid))
        close_all(self._sockets)
        self._journal.close()
        if self._run_dir is not None:
            self._run_dir.release()

    def reopen_logs(self) -> None:
        """Open the log files anew, after they were moved away."""
        self._journal.reopen()

    def describe(self) -> list[str]:
        """Return one line for each Pea: what it is, what it does, as what process."""
        lines = [f"flow {self._flow.phase.value}"]
        for name, pea in self._peas.items():
            pid = self._processes.pid_of(name) if self._processes else 0
            phase = f" ({pea.phase})" if pea.phase else ""
            why = f", last ended: {pea.failure}" if pea.failure else ""
            lines.append(f"{name} {pea.state.value}{phase}, pid {pid}, attempt {pea.attempt}{why}")
        return lines

    def say(self, text: str, *, pea: str = "", level: str = "INFO") -> None:
        """Write a line of our own into the log."""
        self._journal.say(text, pea=pea, level=level)

    # What processes tell

    def started(self, name: str, attempt: int, pid: int) -> None:
        """Take note of a process; see `running.Watcher`."""
        self._journal.started(name)
        self.say(f"started, pid {pid}", pea=name)

    def heard(self, name: str, attempt: int, said: Said) -> None:
        """Take what a process said; see `running.Watcher`."""
        if isinstance(said, ReadySaid) and name == self._plan.gateway.name:
            self._addresses = dict(said.addresses)
        self._post((name, machine.Heard(attempt, said)))
        if isinstance(said, DrainSaid) and name == self._plan.gateway.name:
            self._tell_draining()

    def printed(self, name: str, stream: str, data: bytes) -> None:
        """Take what a process printed; see `running.Watcher`."""
        self._journal.printed(name, stream, data)

    def ended(self, name: str, attempt: int, status: int, cause: str) -> None:
        """Take note that a process is gone; see `running.Watcher`."""
        self._journal.ended(name)
        if name != self._culprit:
            self._statuses[name] = status
        if cause:
            said = FailedSaid(kind="exit", cause=cause)
            self._post((name, machine.Heard(attempt, said)))
        self._post((name, machine.Exited(attempt, status, random.random())))

    # What follows from it

    def _post(self, event: tuple[str, machine.Event] | flow_machine.Event) -> None:
        """Handle an event, after those that are being handled."""
        self._inbox.append(event)
        if self._is_handling:
            return
        self._is_handling = True
        try:
            while self._inbox:
                match self._inbox.popleft():
                    case (str() as name, event_of_pea):
                        self._step_pea(name, event_of_pea)
                    case event_of_flow:
                        self._step_flow(event_of_flow)
        finally:
            self._is_handling = False

    def _step_pea(self, name: str, event: machine.Event) -> None:
        before = self._peas[name]
        after, actions = machine.step(before, event, asyncio.get_running_loop().time())
        self._peas[name] = after
        for action in actions:
            self._do_for_pea(name, action)
        if after.killed:
            self._killed.add(name)
        if after.state is not before.state:
            self._pea_changed(before, after)

    def _do_for_pea(self, name: str, action: machine.Action) -> None:
        assert self._processes is not None, "no event comes before the start"
        match action:
            case machine.Spawn(attempt):
                self._processes.spawn(self._plans[name], attempt)
            case machine.Signal(signum):
                self._processes.signal(name, signum)
            case machine.WakeAt(when):
                loop = asyncio.get_running_loop()
                loop.call_at(when, self._post, (name, machine.Tick()))

    def _pea_changed(self, before: Pea, pea: Pea) -> None:
        match pea.state:
            case PeaState.READY:
                if pea.attempt > 1:
                    self.say("ready again", pea=pea.name)
                self._post(flow_machine.PeaReady(pea.name))
            case PeaState.BACKOFF:
                notice = restart_notice(pea, asyncio.get_running_loop().time())
                self.say(notice, pea=pea.name, level="WARNING")
                self._post(flow_machine.PeaLost(pea.name))
            case PeaState.FAILED:
                self._pea_failed(pea)
                self._post(flow_machine.PeaOver(pea.name, failed=True))
            case PeaState.STOPPED:
                self._post(flow_machine.PeaOver(pea.name))
            case _:
                return

    def _pea_failed(self, pea: Pea) -> None:
        self.say(f"failed: {pea.failure}", pea=pea.name, level="ERROR")
        if self._failure is None and self._flow.phase in _RUNS:
            self._failure = error_of(pea, self._journal.tail(pea.name))

    def _step_flow(self, event: flow_machine.Event) -> None:
        before = self._flow.phase
        self._flow, actions = flow_machine.step(
            self._flow, event, asyncio.get_running_loop().time()
        )
        if before in _RUNS and self._flow.phase not in _RUNS:
            self._note_culprit(event)
        for action in actions:
            self._do_for_flow(action)

    def _note_culprit(self, event: flow_machine.Event) -> None:
        """Remember the Pea whose end ends the Flow: what becomes of it later is of no interest."""
        match event:
            case flow_machine.PeaLost(name) | flow_machine.PeaOver(name):
                self._culprit = name
                pea = self._peas[name]
                if self._failure is None and self._statuses.get(name):
                    restarts = pea.restarts - (pea.state is PeaState.BACKOFF)
                    tail = self._journal.tail(name)
                    self._failure = error_of(replace(pea, restarts=restarts), tail)
            case _:
                return

    def _do_for_flow(self, action: flow_machine.Action) -> None:
        match action:
            case flow_machine.StopPea(name, grace_s):
                if name == self._plan.gateway.name:
                    # What it closes is then closed for good: nobody is left waiting in a
                    # queue that nobody serves.
                    close_all({name: self._sockets.get(name, {})})
                self._post((name, machine.Stop(grace_s)))
            case flow_machine.KillPea(name):
                self._post((name, machine.Kill()))
            case flow_machine.WakeAt(when):
                loop = asyncio.get_running_loop()
                loop.call_at(when, self._post, flow_machine.Tick())
            case flow_machine.Announce(phase):
                self._announce(phase)

    def _announce(self, phase: Phase) -> None:
        match phase:
            case Phase.READY:
                self._note_record("ready")
                self._is_ready.set()
            case Phase.DRAINING:
                self._note_record("draining")
                delay = _COUNT_WITHIN_S if self._is_ready.is_set() else 0.0
                asyncio.get_running_loop().call_later(delay, self._tell_draining)
                return
            case Phase.STOPPED:
                self._is_over.set()
            case _:
                pass
        self._options.on_phase(phase, None)

    def _tell_draining(self) -> None:
        """Say how many requests are still worked on: once, and as soon as it is known."""
        if self._flow.phase is Phase.DRAINING and not self._has_told_draining:
            self._has_told_draining = True
            self._options.on_phase(Phase.DRAINING, self._peas[self._plan.gateway.name].pending)

    def _is_late(self) -> None:
        if self._flow.phase is Phase.STARTING:
            assert self._options.ready_within_s is not None, "else nobody calls this"
            self._failure = too_late(self._peas.values(), self._options.ready_within_s)
            self.request_stop()

    def _note_record(self, state: str) -> None:
        try:
            self._write_record(state)
        except CannotWrite as error:  # what runs goes on
            self.say(f"{error}; other commands may not find this Flow", level="WARNING")

    def _write_record(self, state: str) -> None:
        assert self._run_dir is not None, "claimed at the start"
        how = self._options
        write_record(self._run_dir, self._plan, state, self._addresses, is_lasting=how.is_lasting)
