"""What is left of a group whose first process has ended: killed, and waited for."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Collection

from jina_cli.supervise.kill import send_one, strays_of
from jina_cli.supervise.procfs import members
from jina_cli.supervise.running import Running

EOF_WITHIN_S = 0.2
"""After a group is empty: somebody else may hold its pipes open, and is not waited for."""

_AGAIN_AFTER_S = 0.01
_WITHIN_S = 2.0


class Sweeper:
    """Sees to it that a process counts as ended only when nothing of it is left.

    Args:
        report: Called with each whose group is empty and whose pipes are at their end.
        own: Returns the children that were started as Peas or as the spawner.
    """

    def __init__(
        self, report: Callable[[Running], None], own: Callable[[], Collection[int]]
    ) -> None:
        self._report = report
        self._own = own
        self._loop = asyncio.get_running_loop()
        self._left: list[Running] = []
        self._next: asyncio.Handle | None = None

    def add(self, running: Running) -> None:
        """Take over a process that has ended; it is looked after soon, never at once."""
        running.swept_by = self._loop.time() + _WITHIN_S
        self._left.append(running)
        if self._next is None:
            self._next = self._loop.call_soon(self.sweep)

    def sweep(self) -> None:
        """Kill what is there; to be called whenever a child of this process has ended too.

        It calls itself now and then, in case what is left are no children of ours.
        """
        if self._next is not None:
            self._next.cancel()
            self._next = None
        found = members({running.pid for running in self._left if running.pid})
        for running in self._left:
            if strays := strays_of(running.name, running.pipes.inodes(), self._own()):
                found.setdefault(running.pid, []).extend(strays)
        for pid in (pid for pids in found.values() for pid in pids):
            send_one(pid, signal.SIGKILL)
        now = self._loop.time()
        swept = [r for r in self._left if r.pid not in found or now >= r.swept_by]
        self._left = [running for running in self._left if running not in swept]
        for running in swept:
            running.is_swept = True
            if running.pipes.is_open:
                self._loop.call_later(EOF_WITHIN_S, self._report, running)
            else:
                self._report(running)
        if self._left and self._next is None:
            self._next = self._loop.call_later(_AGAIN_AFTER_S, self.sweep)
