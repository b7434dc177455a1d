"""What is written down of a Flow that runs: the log of each Pea, and what others may know of it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from jina_cli.plan.models import Plan
from jina_cli.supervise.logs import LogLine, PeaLog
from jina_cli.supervise.procfs import start_of
from jina_cli.supervise.registry import Record, RunDir
from jina_cli.supervise.sinks import LogFiles, LogSink


class Journal:
    """The log of a Flow: lines of its Peas and our own, into files and to a sink.

    Args:
        plan: What runs.
        sink: Where lines go besides their files; closed by `close`.
    """

    def __init__(self, plan: Plan, sink: LogSink) -> None:
        self._flow = plan.flow
        self._sink = sink
        self._files = LogFiles(Path(plan.log_dir))
        names = [pea.name for pea in (plan.gateway, *plan.peas)]
        self._logs = {name: PeaLog(name, self._write) for name in names}

    def say(self, text: str, *, pea: str = "", level: str = "INFO") -> None:
        """Write a line of our own, about a Pea or about all."""
        now = time.time()
        self._write(LogLine(pea=pea or self._flow, stream="flow", text=text, time=now, level=level))

    def started(self, name: str) -> None:
        """A process begins to print."""
        if name in self._logs:
            self._logs[name].begin()

    def printed(self, name: str, stream: str, data: bytes) -> None:
        """Take what a process printed."""
        log = self._logs.get(name)
        if log is None:  # of the spawner, which no plan has
            log = self._logs[name] = PeaLog(name, self._write)
        log.feed(stream, data, time.time())

    def ended(self, name: str) -> None:
        """A process prints no more."""
        self._logs[name].end(time.time())

    def tail(self, name: str) -> tuple[str, ...]:
        """Return the last lines of a Pea's process."""
        return tuple(self._logs[name].tail)

    def reopen(self) -> None:
        """Open the files anew, after they were moved away."""
        self._files.reopen()

    def close(self) -> None:
        """Close files and sink."""
        self._files.close()
        self._sink.close()

    def _write(self, line: LogLine) -> None:
        self._files.write(line)
        self._sink.write(line)


def write_record(
    run_dir: RunDir, plan: Plan, state: str, addresses: Mapping[str, str], *, is_lasting: bool
) -> None:
    """Say in the run dir that this process runs `plan`, and how far it is.

    Raises:
        CannotWrite: The run dir cannot be written.
    """
    run_dir.write_record(
        Record(
            pid=os.getpid(),
            start=start_of(os.getpid()),
            flow=plan.flow,
            source=plan.source,
            workspace=plan.workspace,
            is_lasting=is_lasting,
            state=state,
            native=plan.gateway.address,
            addresses=addresses,
        )
    )
