"""Keeps one Flow for a program: tells it when the Flow is ready and over, and does as it says."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import traceback
from dataclasses import dataclass

from jina_cli.errors import Bug, JinaError
from jina_cli.orchestrate.reports import OverReport, ReadyReport, Report, error_to, to_line
from jina_cli.plan.models import Plan
from jina_cli.supervise.logs import LogLine
from jina_cli.supervise.loop import Supervisor
from jina_cli.supervise.options import Options, Outcome
from jina_cli.supervise.sinks import LogSink, Quiet, Stream, plain_renderer
from jina_cli.supervise.spawn import Warming

_LOOK_EACH_S = 1.0
_UNSHOWN = frozenset({"INFO", "DEBUG"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What is kept, and for whom.

    Attributes:
        channel: To the program; its end is the program's end.
        parent: Process id of the program. A process that it forked may hold the channel too.
        is_quiet: Whether nothing of the Flow is shown.
        warming: The spawner, if it was started already.
    """

    plan: Plan
    channel: socket.socket
    parent: int
    is_quiet: bool = False
    warming: Warming | None = None


class Shown:
    """What Executors print goes to stdout as it is, warnings and errors to stderr with a name.

    All else is in the log files.
    """

    def __init__(self, plan: Plan) -> None:
        names = [pea.name for pea in (plan.gateway, *plan.peas)]
        self._out = Stream(1, plain_renderer(names, prefix=False))
        self._err = Stream(2, plain_renderer(names))

    def write(self, line: LogLine) -> None:
        """Show a line, or do not."""
        if line.stream == "stdout":
            self._out.write(line)
        elif line.level not in _UNSHOWN:
            self._err.write(line)

    def close(self) -> None:
        """Write what waits, if that is quick."""
        self._out.close()
        self._err.close()


async def keep(keeping: Keeping) -> None:
    """Run a Flow until it ends, is told to, or the program is gone."""
    sink: LogSink = Quiet() if keeping.is_quiet else Shown(keeping.plan)
    options = Options(is_lasting=True, warming=keeping.warming)
    flow = Supervisor(keeping.plan, sink=sink, options=options)
    wishes = _Wishes(keeping, flow)
    try:
        over = await _run(flow, wishes)
    except JinaError as error:
        over = OverReport(error=error_to(error))
    except Exception as error:  # the program is told of it as of any other end
        traceback.print_exception(error)
        over = OverReport(error=error_to(Bug(f"the Flow could not be kept: {error!r}")))
    finally:
        wishes.end()
        await flow.close()
    wishes.tell(over)


async def _run(flow: Supervisor, wishes: _Wishes) -> OverReport:
    flow.start()
    wishes.listen()
    if await flow.ready():
        wishes.tell(ReadyReport(native=flow.native_address, addresses=dict(flow.addresses)))
    return _over(await flow.wait())


def _over(outcome: Outcome) -> OverReport:
    killed = tuple(f"{name} had to be killed" for name in outcome.killed)
    error = None if outcome.failure is None else error_to(outcome.failure)
    return OverReport(error=error, notes=(*outcome.unclean, *killed))


class _Wishes:
    """What the program wants, and that it is still there."""

    def __init__(self, keeping: Keeping, flow: Supervisor) -> None:
        self._channel = keeping.channel
        self._parent = keeping.parent
        self._flow = flow
        self._pidfd = -1
        self._watching: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Stop the Flow from now on when it is asked for, or nobody is left who could ask."""
        loop = asyncio.get_running_loop()
        self._channel.setblocking(False)
        loop.add_reader(self._channel, self._read)
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(signum, self._flow.request_stop)
        try:
            self._pidfd = os.pidfd_open(self._parent)
        except (AttributeError, OSError):
            self._watching = asyncio.create_task(self._watch())
        else:
            loop.add_reader(self._pidfd, self._parent_gone)

    def tell(self, report: Report) -> None:
        """Tell the program, if it is there."""
        self._channel.setblocking(True)
        try:
            self._channel.sendall(to_line(report))
        except OSError:
            return
        finally:
            self._channel.setblocking(False)

    def end(self) -> None:
        """Listen no longer."""
        self._forget()
        if self._watching is not None:
            self._watching.cancel()

    def _read(self) -> None:
        try:
            wishes = self._channel.recv(64)
        except BlockingIOError:
            return
        except OSError:
            wishes = b""
        if not wishes:
            self._parent_gone()
        for _ in wishes:
            self._flow.request_stop(in_haste=True)

    async def _watch(self) -> None:
        # No pidfd: nothing else tells of a program that left a fork of itself with the channel.
        while os.getppid() == self._parent:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_EACH_S)
        self._parent_gone()

    def _parent_gone(self) -> None:
        self._forget()
        # Twice: nobody waits for what is under way, so all are told to stop at once.
        self._flow.request_stop(in_haste=True)
        self._flow.request_stop()

    def _forget(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._channel)
        if self._pidfd >= 0:
            loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1
