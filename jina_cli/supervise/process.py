"""Starts processes, signals them, and says when they have ended.

Every Pea is a session and a process group of its own, inherits the read end of the **death
pipe**, whose write end only the parent has, and is written down before anybody hears of it. It
counts as ended when its whole group is gone.

Nothing here decides anything: `machine` does.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping

from jina_cli.errors import CannotWrite
from jina_cli.lifeline import (
    PEA_MARK,
    EndedSaid,
    ForkedSaid,
    ForkOrder,
    Launch,
    Order,
)
from jina_cli.plan.models import PeaPlan
from jina_cli.supervise.forks import SpawnerClient
from jina_cli.supervise.kill import kill_strays, reap_orphans, send
from jina_cli.supervise.pipes import CONTROL, ChildPipes
from jina_cli.supervise.procfs import is_same, set_subreaper, start_of
from jina_cli.supervise.registry import RunDir
from jina_cli.supervise.running import Child, Recipe, Running, Watcher
from jina_cli.supervise.spawn import (
    Adopted,
    SpawnerEnds,
    Warming,
    environ_for,
    mark_of_this,
    start,
    start_spawner,
)
from jina_cli.supervise.sweep import Sweeper
from jina_cli.vocabulary import PeaRole

SPAWNER = "spawner"
"""The name under which the spawner's own output is logged."""

_STRAYS_WITHIN_S = 2.0
_LOOK_EVERY_S = 0.01
_NOT_STARTED = 127
_MAX_COLD_SPAWNERS = 2


class Processes:
    """All processes of one Flow. Lives in the main thread and its event loop.

    Args:
        run_dir: Where they are written down.
        sockets: What each listens on, by Pea and by name.
        watcher: Told what they do.
        recipe: How they are started.
        warming: A spawner that was started before; None if there is none.
    """

    def __init__(
        self,
        run_dir: RunDir,
        sockets: Mapping[str, Mapping[str, socket.socket]],
        watcher: Watcher,
        recipe: Recipe,
        warming: Warming | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._run_dir = run_dir
        self._sockets = sockets
        self._watcher = watcher
        self._recipe = recipe
        self._running: dict[str, Running] = {}
        self._spawner: SpawnerClient | None = None
        self._spawner_popen: Child | None = None
        self._spawner_pipes: ChildPipes | None = None
        self._cold_spawners = 0
        self._sweeper = Sweeper(self._report, self._own_children)
        self._mark = mark_of_this()
        self._environ = environ_for(len(sockets) - 1, os.environ)  # all but the Gateway
        self._some_ended = asyncio.Event()
        set_subreaper(True)
        self._loop.add_signal_handler(signal.SIGCHLD, self._reap)
        if warming is None:
            self._death_fd, self._life_fd = os.pipe2(os.O_CLOEXEC)
        else:
            self._death_fd, self._life_fd = warming.death_fd, warming.life_fd
            self._take(Adopted(warming.ends.pid), warming.ends)
            self._loop.call_soon(self._reap)  # it may have ended before anybody listened

    def warm_up(self) -> None:
        """Start the spawner, so that it is ready when the first Pea is."""
        if self._spawner is None and self._may_fork:
            self._start_spawner()

    def spawn(self, pea: PeaPlan, attempt: int) -> None:
        """Start a process. Whatever comes of it is told to the watcher, later."""
        running = self._expect(pea.name, attempt)
        self._running[pea.name] = running
        given: dict[str, int] = {}
        try:
            _check_env(pea.env)
            plan_path = str(self._run_dir.write_plan(pea))
            given = running.pipes.open((CONTROL, "stdout", "stderr"))
            given["death"] = os.dup(self._death_fd)
            for name, listening in self._sockets.get(pea.name, {}).items():
                if listening.fileno() >= 0:
                    given[name] = os.dup(listening.fileno())
            if pea.forkable and pea.role is not PeaRole.GATEWAY and self._may_fork:
                self._fork(pea, attempt, plan_path, given)
            else:
                self._start_cold(running, pea, plan_path, given)
        except (OSError, ValueError, CannotWrite) as error:
            for descriptor in given.values():
                os.close(descriptor)
            running.cause = f"cannot be started: {error}"
            self._loop.call_soon(self._gone, running, _NOT_STARTED)

    def signal(self, name: str, signum: int) -> None:
        """Send SIGKILL to the whole group of a Pea, any other signal to its first process."""
        running = self._running.get(name)
        if running is None or running.status is not None:
            return
        if running.pid:
            send(running.pid, signum)
        elif self._spawner and self._spawner.withdraw(name, running.attempt):
            self._loop.call_soon(self._gone, running, -signum)
        else:
            running.owed = signum

    def pid_of(self, name: str) -> int:
        """Return the process id of a Pea; 0 while it has none."""
        running = self._running.get(name)
        return running.pid if running else 0

    async def close(self) -> None:
        """Kill all that is left: processes, the spawner, and strays of any of them."""
        for name in tuple(self._running):
            self.signal(name, signal.SIGKILL)
        self._hang_up()
        end = self._loop.time() + _STRAYS_WITHIN_S
        while kill_strays(self._mark) and self._loop.time() < end:
            self._some_ended.clear()
            await _soon(self._some_ended)
        self._loop.remove_signal_handler(signal.SIGCHLD)
        for running in self._running.values():
            running.pipes.close()
        self._running.clear()
        if self._spawner_pipes is not None:
            self._spawner_pipes.close()
        set_subreaper(False)
        os.close(self._death_fd)
        os.close(self._life_fd)

    # How they start

    @property
    def _may_fork(self) -> bool:
        # Elsewhere system libraries do not survive a fork.
        return sys.platform == "linux" and self._cold_spawners < _MAX_COLD_SPAWNERS

    def _fork(self, pea: PeaPlan, attempt: int, plan_path: str, given: dict[str, int]) -> None:
        if self._spawner is None:
            self._start_spawner()
        assert self._spawner is not None, "started above"
        order = ForkOrder(
            name=pea.name,
            attempt=attempt,
            plan_path=plan_path,
            descriptors=tuple(given),
        )
        self._spawner.order(order, tuple(given.values()))

    def _start_cold(
        self, running: Running, pea: PeaPlan, plan_path: str, given: dict[str, int]
    ) -> None:
        own = dict(given)
        out, err = own.pop("stdout"), own.pop("stderr")
        is_gateway = pea.role is PeaRole.GATEWAY
        launch = Launch(
            plan_path=plan_path,
            control_fd=own.pop("control"),
            death_fd=own.pop("death"),
            listen_fds=own,
            deregister_s=self._recipe.deregister_s if is_gateway else 0.0,
        )
        module = self._recipe.gateway_module if is_gateway else self._recipe.pea_module
        if pea.install_requirements:
            module = self._recipe.install_module
        python = pea.python or sys.executable
        command = [python, "-P", "-m", module, launch.to_argument()]
        kept = (launch.control_fd, launch.death_fd, *own.values())
        environ = {**self._environ, **pea.env, PEA_MARK: pea.name}
        running.popen = start(command, (out, err), kept, environ)
        for descriptor in given.values():
            os.close(descriptor)
        given.clear()
        self._has_started(running, running.popen.pid)
        if self._spawner is not None:
            self._spawner.guard(running.pid)

    def _start_spawner(self) -> None:
        self._take(*start_spawner(self._recipe, self._environ, self._death_fd))

    def _take(self, child: Child, ends: SpawnerEnds) -> None:
        """Give orders to a spawner from now on."""
        self._run_dir.record(SPAWNER, child.pid)
        pipes = self._expect(SPAWNER, 0).pipes
        pipes.watch("stdout", ends.stdout_fd)
        pipes.watch("stderr", ends.stderr_fd)
        self._spawner_popen, self._spawner_pipes = child, pipes
        self._spawner = SpawnerClient(socket.socket(fileno=ends.orders_fd), self._hear_spawner)
        for cold in self._running.values():
            if cold.popen is not None and cold.status is None:
                self._spawner.guard(cold.pid)

    def _expect(self, name: str, attempt: int) -> Running:
        """Return a process that is to be, with nothing but a place for its pipes."""
        watcher = self._watcher

        def all_pipes_ended() -> None:
            if running.is_swept:
                self._report(running)

        running = Running(
            name=name,
            attempt=attempt,
            pipes=ChildPipes(
                heard=lambda said: watcher.heard(name, attempt, said),
                printed=lambda stream, data: watcher.printed(name, stream, data),
                ended=all_pipes_ended,
            ),
        )
        return running

    def _has_started(self, running: Running, pid: int) -> None:
        running.pid = pid
        running.start = start_of(pid)
        try:
            self._run_dir.record(running.name, pid)
        except CannotWrite as error:  # it would be one that nobody could find
            running.cause = f"cannot be started: {error}"
            running.owed = signal.SIGKILL
        self._watcher.started(running.name, running.attempt, pid)
        if running.owed:
            send(pid, running.owed)

    # What the spawner says

    def _hear_spawner(self, order: Order) -> None:
        match order:
            case ForkedSaid(name=name, attempt=attempt):
                running = self._running.get(name)
                if running is None or running.attempt != attempt:
                    return
                if order.pid:
                    self._has_started(running, order.pid)
                else:
                    running.cause = order.cause
                    self._gone(running, _NOT_STARTED)
            case EndedSaid(pid=pid, status=status):
                for running in self._running.values():
                    if running.pid == pid and running.status is None:
                        self._gone(running, status)
            case _:
                return

    # How they end

    def _reap(self) -> None:
        """Find out who ended; one signal may stand for several."""
        self._some_ended.set()
        if self._spawner_popen is not None and self._spawner_popen.poll() is not None:
            self._spawner_ended()
        for running in tuple(self._running.values()):
            if running.status is None and (status := self._status_of(running)) is not None:
                self._gone(running, status)
        reap_orphans(self._own_children())
        self._sweeper.sweep()

    def _status_of(self, running: Running) -> int | None:
        if running.popen is not None:
            return running.popen.poll()
        if self._spawner_popen is not None or not running.pid:
            return None  # the spawner says
        try:
            done, status = os.waitpid(running.pid, os.WNOHANG)
        except ChildProcessError:
            # The spawner reaped it and died before it could say so; or it is not ours yet.
            return None if is_same(running.pid, running.start) else -signal.SIGKILL
        return os.waitstatus_to_exitcode(status) if done else None

    def _spawner_ended(self) -> None:
        was_warm = self._spawner is not None and self._spawner.is_warm
        self._cold_spawners += not was_warm
        self._hang_up()
        for running in tuple(self._running.values()):
            if running.popen is None and not running.pid and running.status is None:
                running.cause = "cannot be started: the spawner ended"
                self._gone(running, _NOT_STARTED)

    def _hang_up(self) -> None:
        """Part with the spawner. The kernel kills what it has forked when it is gone."""
        if self._spawner is not None:
            self._spawner.close()
        if self._spawner_popen is not None and self._spawner_popen.poll() is None:
            self._spawner_popen.kill()
            self._spawner_popen.wait()
        self._spawner = self._spawner_popen = None

    def _gone(self, running: Running, status: int) -> None:
        """Its first process has ended: see to the rest of its group."""
        running.status = status
        self._sweeper.add(running)

    def _report(self, running: Running) -> None:
        if self._running.get(running.name) is not running:
            return
        del self._running[running.name]
        running.pipes.close()
        assert running.status is not None, "only what has ended is reported"
        self._watcher.ended(running.name, running.attempt, running.status, running.cause)

    def _own_children(self) -> set[int]:
        own = {running.popen.pid for running in self._running.values() if running.popen}
        own |= {running.pid for running in self._running.values()}
        return own | ({self._spawner_popen.pid} if self._spawner_popen else set())


def _check_env(env: Mapping[str, str]) -> None:
    """Refuse variables that the system cannot take, whichever way the process is started.

    Raises:
        ValueError: Names the variable.
    """
    for name, value in env.items():
        if not name or "=" in name or "\0" in name:
            raise ValueError(f"{name!r} cannot be the name of a variable")
        if "\0" in value:
            raise ValueError(f"the variable {name} has a NUL")


async def _soon(event: asyncio.Event) -> None:
    """Return when `event` is set, or after a short while."""
    try:
        async with asyncio.timeout(_LOOK_EVERY_S):
            await event.wait()
    except TimeoutError:
        return
