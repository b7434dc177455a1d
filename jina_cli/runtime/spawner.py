"""Forks Peas: imports what all of them need once, then makes each in some milliseconds.

Started by the parent as `python -m jina_cli.runtime.spawner ARGUMENT`. Orders come in over a
socket, descriptors with them; what became of them goes back. It has one thread, no event loop
and no RPC library, since none of these survives a fork.

It also is the second guard of the Flow. When the parent is gone it waits until the Peas have
ended by themselves, and kills those that have not: one that hangs in native code cannot watch
its death pipe.
"""

from __future__ import annotations

import gc
import json
import os
import select
import selectors
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, cast

from jina_cli.lifeline import (
    PEA_MARK,
    EndedSaid,
    ForkedSaid,
    ForkOrder,
    GuardOrder,
    Launch,
    Order,
    WarmSaid,
    pack,
    unpack,
)
from jina_cli.memory import trimmer
from jina_cli.tether import SpawnerLaunch, parent_death_signal

MAX_DESCRIPTORS = 64
MAX_ORDER_BYTES = 2**17
GUARD_AFTER_S = 2.1
"""After the parent's death; a little more than a Pea gives itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """A child that was just forked, and what it was given."""

    order: ForkOrder
    descriptors: Mapping[str, int]


@dataclass(slots=True)
class Spawner:
    """Carries out orders until the parent hangs up.

    Args:
        orders: The socket to the parent.
        death_fd: Read end of the death pipe.
    """

    orders: socket.socket
    death_fd: int
    _children: set[int] = field(default_factory=set)
    _guarded: dict[int, int] = field(default_factory=dict)  # pid to pidfd
    _die_with_parent: Callable[[int], None] = field(default_factory=parent_death_signal)

    def serve(self) -> Birth | None:
        """Return in each child what it is, and None in the spawner when it is over."""
        woken = _wake_on_child()
        with selectors.DefaultSelector() as selector:
            for each in (self.orders, self.death_fd, woken):
                selector.register(each, selectors.EVENT_READ)
            self._tell(WarmSaid())
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if woken in ready:
                    woken.recv(4096)
                    self._reap()
                if self.orders in ready:
                    order, descriptors = self._receive()
                    if order is None:
                        break
                    birth = self._carry_out(order, descriptors)
                    if birth is not None:
                        return birth
                elif self.death_fd in ready:
                    break
        self._guard(woken)
        return None

    def _receive(self) -> tuple[Order | None, list[int]]:
        try:
            data, descriptors, _, _ = socket.recv_fds(self.orders, MAX_ORDER_BYTES, MAX_DESCRIPTORS)
        except ConnectionError:
            return None, []
        return (unpack(data) if data else None), descriptors

    def _carry_out(self, order: Order, descriptors: list[int]) -> Birth | None:
        match order:
            case ForkOrder():
                return self._fork(order, descriptors)
            case GuardOrder(pid=pid):
                self._forget(select.select(tuple(self._guarded.values()), [], [], 0)[0])
                try:
                    self._guarded[pid] = os.pidfd_open(pid)
                except OSError:
                    pass  # it has ended already, or the system has no such thing
            case _:
                raise AssertionError(f"not an order: {order}")
        return None

    def _fork(self, order: ForkOrder, descriptors: list[int]) -> Birth | None:
        spawner = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            cause = f"cannot fork: {error.strerror}"
            self._tell(ForkedSaid(name=order.name, attempt=order.attempt, pid=0, cause=cause))
            pid = -1
        if pid == 0:
            self._die_with_parent(signal.SIGKILL)
            if os.getppid() != spawner:
                os._exit(1)
            return Birth(
                order=order,
                descriptors=dict(zip(order.descriptors, descriptors, strict=True)),
            )
        for descriptor in descriptors:
            os.close(descriptor)
        if pid > 0:
            self._children.add(pid)
            self._tell(ForkedSaid(name=order.name, attempt=order.attempt, pid=pid))
        return None

    def _reap(self) -> None:
        # Signals are merged: one wake-up may stand for several children.
        for pid in tuple(self._children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self._children.discard(pid)
                self._tell(EndedSaid(pid=pid, status=os.waitstatus_to_exitcode(status)))

    def _forget(self, ended: Collection[Any]) -> None:
        """Guard those no more whose pidfds can be read: they have ended."""
        for pid, pidfd in tuple(self._guarded.items()):
            if pidfd in ended:
                del self._guarded[pid]
                os.close(pidfd)

    def _tell(self, order: Order) -> None:
        try:
            self.orders.send(pack(order))
        except OSError:
            pass  # the parent is gone; the death pipe says so next

    def _guard(self, woken: socket.socket) -> None:
        """Wait until all Peas have ended, and kill those that have not in time."""
        end = time.monotonic() + GUARD_AFTER_S
        while (self._children or self._guarded) and (left := end - time.monotonic()) > 0:
            waits: list[Any] = [woken, *self._guarded.values()]
            ready = select.select(waits, [], [], left)[0]
            if woken in ready:
                woken.recv(4096)
            self._reap()
            self._forget(ready)
        for pid in (*self._children, *self._guarded):
            try:
                os.killpg(pid, signal.SIGKILL)
            except OSError:
                continue


def _wake_on_child() -> socket.socket:
    """Return a socket that can be read whenever a child has ended."""
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda signum, frame: None)
    return woken


def become(birth: Birth) -> Launch:
    """Turn a forked child into a Pea: a session, output and descriptors of its own.

    Every descriptor that is not its own is closed, so that nothing the spawner holds stays
    open because of it.
    """
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    own = dict(birth.descriptors)
    os.dup2(own.pop("stdout"), 1)
    os.dup2(own.pop("stderr"), 2)
    _close_all_but({0, 1, 2, *own.values()})
    _name_process(birth.order.name)
    os.environ.update(_env_of(birth.order.plan_path))
    os.environ[PEA_MARK] = birth.order.name
    gc.enable()
    if "numpy.random" in sys.modules:
        # Else all Peas would draw the same numbers; imported later, it seeds itself.
        import_module("numpy.random").seed()
    return Launch(
        plan_path=birth.order.plan_path,
        control_fd=own.pop("control"),
        death_fd=own.pop("death"),
        listen_fds=own,
    )


def _env_of(plan_path: str) -> dict[str, str]:
    with open(plan_path, encoding="utf-8") as plan:
        return dict(json.load(plan)["env"])


def _close_all_but(kept: set[int]) -> None:
    for name in os.listdir("/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"):
        if int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                continue  # that of the listing itself


def _name_process(name: str) -> None:
    try:
        with open("/proc/self/comm", "w", encoding="utf-8") as comm:
            comm.write(f"jina {name}"[:15])
    except OSError:
        pass


def _warm_up(preload: Sequence[str]) -> None:
    gc.disable()
    for name in preload:
        import_module(name)
    # What is there now lives for ever: not looking at it keeps its pages shared. Nor is it
    # looked at once for garbage: that takes as long as a tenth of all imports, and finds little.
    gc.freeze()
    if give_back := trimmer():
        give_back()  # what the imports left free would be copied into each Pea as it is used
    # A library's pool of threads, made when it was imported, is made anew after a fork by
    # the library itself; there are no threads of Python's.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)


def main(argument: str) -> int:
    """Run as the spawner, and in each child as the Pea; return the exit code of either."""
    launch = SpawnerLaunch.from_argument(argument)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # It has to outlive the parent, to guard the Peas; the parent hangs up when all is over.
    # Blocked, not ignored: one for a child that is not set up yet must wait for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    _warm_up(launch.preload)
    orders = socket.socket(fileno=launch.orders_fd)
    birth = Spawner(orders, launch.death_fd).serve()
    if birth is None:
        os._exit(0)  # nothing to tidy up, and taking numpy down costs its time
    orders.detach()
    pea = become(birth)
    return _entry(launch.entry)(pea)


def _entry(name: str) -> Callable[[Launch], int]:
    module, _, function = name.partition(":")
    found: Any = getattr(import_module(module), function)
    return cast(Callable[[Launch], int], found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
