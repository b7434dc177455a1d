"""Runs a Flow for as long as a block of code takes.

async with supervised(plan) as flow:
    …  # every Pod is ready; flow.native_address takes requests
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jina_cli.errors import Exit
from jina_cli.plan.models import Plan
from jina_cli.supervise.loop import Supervisor
from jina_cli.supervise.options import Options, Outcome
from jina_cli.supervise.sinks import LogSink, Quiet


@asynccontextmanager
async def supervised(
    plan: Plan, *, sink: LogSink | None = None, options: Options | None = None
) -> AsyncIterator[Supervisor]:
    """Run a Flow for as long as a block takes; it is ready when the block begins.

    SIGINT and SIGTERM cancel the block and stop the Flow; a second one hurries it, a third
    kills it. Then `KeyboardInterrupt` or `SystemExit(143)` comes out.

    Raises:
        PodFailed: A Pod failed before it was ready, or for good while the block ran; the
            block is cancelled then.
        TimedOut: A Pod was not ready in time.
        Unreachable: A port is taken, or this Flow runs already.
    """
    flow = Supervisor(plan, sink=sink or Quiet(), options=options or Options())
    block = _Block(flow)
    try:
        try:
            flow.start()
            await flow.ready()
            block.watch()
            yield flow
        finally:
            block.end()
            await flow.stop()
            block.forget_signals()
    except (Exception, asyncio.CancelledError) as error:
        cause = block.cause() or flow.failure
        if cause is None or cause is error:
            raise
        raise cause from error
    if (cause := block.cause()) is not None:
        raise cause


class _Block:
    """Ends a block early: by a signal, or because the Flow ended under it."""

    def __init__(self, flow: Supervisor) -> None:
        self._flow = flow
        self._signum = 0
        self._is_inside = True
        self._task = asyncio.current_task()
        self._over: asyncio.Task[Outcome] | None = None
        for signum in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signum, self._interrupt, signum)

    def watch(self) -> None:
        """From now on the block is cancelled when the Flow ends."""
        self._over = asyncio.create_task(self._flow.wait())
        self._over.add_done_callback(lambda _: self._cancel())

    def end(self) -> None:
        """The block is over: signals go to the Flow itself, which is stopped next."""
        self._is_inside = False
        if self._over is not None:
            self._over.cancel()

    def forget_signals(self) -> None:
        """Give signals back to whoever had them."""
        for signum in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(signum)

    def cause(self) -> BaseException | None:
        """Return what ended the block from outside, if a signal did."""
        match self._signum:
            case 0:
                return None
            case signal.SIGINT:
                return KeyboardInterrupt()
            case _:
                return SystemExit(int(Exit.SIGTERM))

    def _interrupt(self, signum: int) -> None:
        is_first = not self._signum
        self._signum = self._signum or signum
        if self._is_inside and is_first:
            self._cancel()
        else:
            self._flow.request_stop()

    def _cancel(self) -> None:
        if self._is_inside and self._task is not None:
            self._task.cancel()
