"""A Flow that runs in processes of its own, seen from the program that wants it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from typing import Any

from jina_cli.errors import Bug, JinaError
from jina_cli.orchestrate.reports import STOP, Order, OverReport, ReadyReport, error_from, from_line
from jina_cli.supervise.spawn import start_apart

_ABANDONED_WITHIN_S = 10.0
_KILLS_AT = 3
"""The third wish to stop kills, as the third Ctrl-C of `jina flow` does."""


class Kept:
    """One Flow, from its start to its end. All methods may be called from any thread.

    A process that is forked off this one has nothing to do with it.

    Args:
        plan: As JSON data.
        peas: How many processes it has.
        forkable: Whether any of them can be forked.
        quiet: Whether nothing of it is shown.

    Raises:
        OSError: No process can be started.
    """

    def __init__(
        self, plan: Mapping[str, Any], *, peas: int, forkable: bool, quiet: bool = False
    ) -> None:
        self._owner = os.getpid()
        self._wishes = 0
        self._changed = threading.Condition()
        self._ready: ReadyReport | None = None
        self._over: OverReport | None = None
        order = Order(parent=self._owner, peas=peas, forkable=forkable, quiet=quiet, plan=plan)
        self._channel, theirs = socket.socketpair()
        module = "jina_cli.orchestrate.keeper"
        command = [sys.executable, "-P", "-m", module, str(theirs.fileno())]
        try:
            self._process = start_apart(command, (theirs.fileno(),))
        except OSError:
            self._channel.close()
            raise
        finally:
            theirs.close()
        self._reader = threading.Thread(
            target=self._read, args=(order,), name="flow-reports", daemon=True
        )
        self._reader.start()

    @property
    def pid(self) -> int:
        """Process that keeps the Flow."""
        return self._process.pid

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self._over is not None

    @property
    def error(self) -> JinaError | None:
        """What ended it; None while it runs, or if it was asked to end."""
        over = self._over
        return None if over is None or over.error is None else error_from(over.error)

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say of how it stopped."""
        return () if self._over is None else self._over.notes

    def ready(self) -> ReadyReport:
        """Wait until it is ready, and return where it answers.

        Raises:
            JinaError: It failed before, or was stopped.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ready is not None or self._over is not None)
        if self._ready is not None and self._over is None:
            return self._ready
        raise self.error or JinaError("the Flow was stopped before it was ready")

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing of it runs any more; return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: self._over is not None, timeout_s)

    def ask_to_stop(self) -> None:
        """Have it stopped in order; asked again, at once; asked a third time, kill it."""
        if os.getpid() != self._owner or self.is_over:
            return
        self._wishes += 1
        if self._wishes > _KILLS_AT:
            self._process.kill()  # the Peas see that, and end too
            return
        try:
            self._channel.send(STOP)
        except OSError:
            return  # it is gone; the reader will say so

    def stop(self) -> None:
        """Stop it and wait; a Ctrl-C meanwhile hurries it, and comes out when it is over."""
        if os.getpid() != self._owner:
            return
        interrupt: KeyboardInterrupt | None = None
        while True:
            try:
                self.ask_to_stop()
                self.wait()
                self._end()
                break
            except KeyboardInterrupt as again:
                interrupt = again
        if interrupt is not None:
            raise interrupt

    def abandon(self) -> None:
        """Have it stopped at once: nobody is left who could use it."""
        if os.getpid() != self._owner:
            return
        try:
            self._channel.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it is over
        if self.wait(_ABANDONED_WITHIN_S):
            self._end()

    def _end(self) -> None:
        self._reader.join()
        self._process.wait()
        self._channel.close()

    def _read(self, order: Order) -> None:
        try:
            self._channel.sendall(order.head())
            self._channel.sendall(order.body())
            with self._channel.makefile("rb") as lines:
                for line in lines:
                    self._take(from_line(line))
        except OSError:
            pass  # the keeper is gone
        status = self._process.wait()
        if self._over is None:
            self._take(OverReport(error=_killed(status)))

    def _take(self, report: ReadyReport | OverReport) -> None:
        with self._changed:
            if isinstance(report, ReadyReport):
                self._ready = report
            else:
                self._over = report
            self._changed.notify_all()


def _killed(status: int) -> dict[str, Any]:
    how = signal.Signals(-status).name if status < 0 else f"exit code {status}"
    if status >= 0:
        error = {"code": Bug.code, "message": f"the process that keeps the Flow ended with {how}"}
    else:
        error = {"code": JinaError.code, "message": f"the Flow was killed by {how}"}
    return {**error, "hint": ""}
