"""Starts processes: the one place that does.

It imports little, so that a command can start the spawner as soon as it knows what to run:
what the spawner imports takes longer than all the rest of a Flow's start.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jina_cli.supervise.kill import MARK
from jina_cli.supervise.procfs import start_of
from jina_cli.supervise.threads import thread_limits
from jina_cli.tether import SpawnerLaunch, parent_death_signal

if TYPE_CHECKING:
    from jina_cli.supervise.running import Child, Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class SpawnerEnds:
    """Our ends of what ties us to a spawner: descriptors, good after an exec if inheritable.

    Attributes:
        orders_fd: A socket.
        stdout_fd: Read end of a pipe, as is `stderr_fd`.
    """

    pid: int
    orders_fd: int
    stdout_fd: int
    stderr_fd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Warming:
    """A spawner that was started before there is anybody to give it orders.

    Attributes:
        death_fd: Read end of the death pipe.
        life_fd: Its write end.
    """

    ends: SpawnerEnds
    death_fd: int
    life_fd: int

    def set_inheritable(self, on: bool) -> None:
        """Say whether the descriptors outlive an exec of this process."""
        for descriptor in self._descriptors():
            os.set_inheritable(descriptor, on)

    def abandon(self, child: Child) -> None:
        """End the spawner, which is `child`: nobody takes it over."""
        child.kill()
        child.wait()
        for descriptor in self._descriptors():
            os.close(descriptor)

    def _descriptors(self) -> tuple[int, ...]:
        ends = self.ends
        return (ends.orders_fd, ends.stdout_fd, ends.stderr_fd, self.death_fd, self.life_fd)


class Adopted:
    """A child that this process started before it became another program."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """Return its exit status once it has ended, below zero for a signal."""
        return self._look(os.WNOHANG)

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int | None:
        """Wait for its end, and return its exit status."""
        return self._look(0)

    def _look(self, options: int) -> int | None:
        if self._status is None:
            try:
                done, status = os.waitpid(self.pid, options)
            except ChildProcessError:  # somebody else reaped it
                done, status = self.pid, signal.SIGKILL
            if done:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status


def mark_of_this() -> str:
    """Return what marks the processes of the Flow that this process keeps."""
    return f"{os.getpid()}-{start_of(os.getpid())}"


def environ_for(peas: int, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of all processes of a Flow with so many Peas."""
    limits = thread_limits(peas, environ)
    return {**environ, **limits, MARK: mark_of_this(), "PYTHONUNBUFFERED": "1"}


def start(
    command: Sequence[str],
    output: tuple[int, int],
    kept: Sequence[int],
    environ: Mapping[str, str],
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own.

    Args:
        output: Descriptors that become its stdout and stderr.
        kept: Descriptors that it inherits under their numbers.

    Raises:
        OSError: It cannot be started.
    """
    arm = parent_death_signal()
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output[0],
        stderr=output[1],
        pass_fds=kept,
        env=environ,
        start_new_session=True,
        # Until it watches the death pipe, this is what ties it to us. Only the main
        # thread starts processes: the kernel means the thread, not the process. It is one
        # foreign call, prepared before: nothing that a thread of ours could hold a lock of.
        preexec_fn=lambda: arm(signal.SIGTERM),  # noqa: PLW1509
    )


def start_apart(command: Sequence[str], kept: Sequence[int]) -> subprocess.Popen[bytes]:
    """Start a process that writes where we write, in a session of its own; from any thread.

    Nothing of the kernel ties it to us: it has to watch one of the descriptors it gets.

    Args:
        kept: Descriptors that it inherits under their numbers.

    Raises:
        OSError: It cannot be started.
    """
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, pass_fds=kept, start_new_session=True
    )


def start_spawner(
    recipe: Recipe, environ: Mapping[str, str], death_fd: int
) -> tuple[Child, SpawnerEnds]:
    """Start the spawner; it imports what Peas need, and then waits for orders.

    Raises:
        OSError: It cannot be started; no descriptor stays open.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    opened = [os.pipe2(os.O_CLOEXEC) for _ in ("stdout", "stderr")]
    launch = SpawnerLaunch(
        orders_fd=theirs.fileno(),
        death_fd=death_fd,
        preload=recipe.preload,
        entry=recipe.entry,
    )
    command = [sys.executable, "-P", "-m", recipe.spawner_module, launch.to_argument()]
    (out_read, out_write), (err_read, err_write) = opened
    try:
        popen = start(command, (out_write, err_write), (launch.orders_fd, death_fd), environ)
    except OSError:
        ours.close()
        os.close(out_read)
        os.close(err_read)
        raise
    finally:
        theirs.close()
        os.close(out_write)
        os.close(err_write)
    return popen, SpawnerEnds(
        pid=popen.pid, orders_fd=ours.detach(), stdout_fd=out_read, stderr_fd=err_read
    )


def warm_up(recipe: Recipe, peas: int, environ: Mapping[str, str]) -> tuple[Child, Warming]:
    """Start a spawner for a Flow that this process, or what it becomes, will keep.

    Raises:
        OSError: It cannot be started.
    """
    death_fd, life_fd = os.pipe2(os.O_CLOEXEC)
    try:
        child, ends = start_spawner(recipe, environ_for(peas, environ), death_fd)
    except OSError:
        os.close(death_fd)
        os.close(life_fd)
        raise
    return child, Warming(ends=ends, death_fd=death_fd, life_fd=life_fd)
