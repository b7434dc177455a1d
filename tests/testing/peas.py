"""Real Peas in tests: started cold, talked to over their socket, killed by group at the end.

with Peas(tmp_path) as peas:
    pea = peas.start(a_plan(tmp_path, "executor.py:Echo"))
    link = await pea.connect()
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from types import TracebackType
from typing import Any, TypeVar

from jina_cli.documents.batch import DocumentBatch
from jina_cli.lifeline import (
    FailedSaid,
    Launch,
    ReadySaid,
    Said,
    from_line,
)
from jina_cli.plan.codec import to_json
from jina_cli.plan.expand import INDEXER_POLLING
from jina_cli.plan.models import ExecutorPlan, HeadPlan, PeaPlan
from jina_cli.vocabulary import PeaRole
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.channel import Link
from jina_cli.wire.messages import Format, Request, Response, new_request_id
from tests.testing.processes import wait_until

S = TypeVar("S", bound=Said)


def a_request(endpoint: str, docs: DocumentBatch | None = None, **parameters: Any) -> Request:
    """Return a request with the documents as columns."""
    body = write_body(
        docs or DocumentBatch([]), Format.COLUMNS if docs is not None else Format.NONE
    )
    return Request(
        endpoint=endpoint, bodies=(body,), request_id=new_request_id(), parameters=parameters
    )


def docs_of(response: Response) -> DocumentBatch:
    """Return the documents of an answer that is no failure."""
    assert response.status.ok, response.status
    return read_body(response.body)


@dataclass
class Pea:
    """A running Pea, as its parent sees it.

    Attributes:
        said: Its events, in order.
        lines: What it wrote to stdout and stderr.
    """

    plan: PeaPlan
    process: subprocess.Popen[bytes]
    life_fd: int
    said: list[Said] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def heard(self, kind: type[S], timeout_s: float = 20.0) -> S:
        """Return the first event of a kind, once it came."""

        def found() -> S | None:
            if self.process.poll() is not None and kind is ReadySaid:
                raise AssertionError(f"{self.plan.name} ended: {self.said} {self.lines}")
            return next((said for said in self.said if isinstance(said, kind)), None)

        said = wait_until(found, timeout_s, f"{kind.__name__} of {self.plan.name}")
        assert said is not None
        return said

    def ended(self, timeout_s: float = 20.0) -> int:
        """Return its exit code, below zero for a signal, once it has ended."""
        return self.process.wait(timeout_s)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(5)

    async def connect(self) -> Link:
        """Return a link to it that is up. The caller closes it."""
        link = Link(self.plan.address)
        link.start()
        await link.wait_up(20)
        return link

    def hang_up(self) -> None:
        """Do as if the parent were gone."""
        os.close(self.life_fd)
        self.life_fd = -1


class Peas:
    """Starts Peas, and ends whatever is left of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Paths of unix sockets are short.
        self._sockets = tempfile.TemporaryDirectory(prefix="peas")
        self._peas: list[Pea] = []
        self._listeners: dict[str, socket.socket] = {}

    def __enter__(self) -> Peas:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pea in self._peas:
            try:
                os.killpg(pea.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            pea.process.wait(5)
            if pea.life_fd >= 0:
                os.close(pea.life_fd)
        for listener in self._listeners.values():
            listener.close()
        self._sockets.cleanup()

    def write(self, name: str, source: str) -> str:
        """Write a Python file, and return its path."""
        path = self._folder / name
        path.write_text(dedent(source), "utf-8")
        return str(path)

    def worker(self, uses: str, *, name: str = "pod/rep-0", **others: Any) -> PeaPlan:
        """Return the plan of a worker; `others` are fields of both plans."""
        own = {key: others.pop(key) for key in list(others) if key in _OF_EXECUTORS}
        return PeaPlan(
            name=name,
            pod=name.partition("/")[0],
            role=PeaRole.WORKER,
            address=self._address(name),
            workspace=str(self._folder / "workspace" / name.rpartition("/")[0]),
            executor=ExecutorPlan(uses=uses, **own),
            **others,
        )

    def head(self, shards: Sequence[Sequence[PeaPlan]], **others: Any) -> PeaPlan:
        """Return the plan of a head in front of workers."""
        name = f"{shards[0][0].pod}/head"
        own = {key: others.pop(key) for key in list(others) if key in _OF_HEADS}
        addresses = tuple(tuple(plan.address for plan in replicas) for replicas in shards)
        return PeaPlan(
            name=name,
            pod=shards[0][0].pod,
            role=PeaRole.HEAD,
            address=self._address(name),
            workspace=str(self._folder / "workspace" / "head"),
            head=HeadPlan(shards=addresses, **{"polling": INDEXER_POLLING, **own}),
            **others,
        )

    def start(self, plan: PeaPlan) -> Pea:
        """Start a Pea; its socket outlives it, as it does in a Flow."""
        path = self._folder / (plan.name.replace("/", "-") + ".json")
        path.write_text(json.dumps(to_json(plan)), "utf-8")
        listener = self._listeners.get(plan.address) or self._listen(plan.address)
        control_out, control_in = os.pipe()
        death_out, life_in = os.pipe()
        passed = (control_in, death_out, listener.fileno())
        launch = Launch(
            plan_path=str(path),
            control_fd=control_in,
            death_fd=death_out,
            listen_fds={"native": listener.fileno()},
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "jina_cli.runtime", launch.to_argument()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=passed,
            start_new_session=True,
        )
        os.close(control_in)
        os.close(death_out)
        pea = Pea(plan, process, life_in)
        assert process.stdout is not None
        _reads(os.fdopen(control_out, "rb"), lambda line: pea.said.append(from_line(line)))
        _reads(process.stdout, lambda line: pea.lines.append(line.decode().rstrip("\n")))
        self._peas.append(pea)
        return pea

    def ready(self, plan: PeaPlan) -> Pea:
        """Start a Pea, and return it once it is ready."""
        pea = self.start(plan)
        pea.heard(ReadySaid)
        return pea

    def failed(self, plan: PeaPlan) -> FailedSaid:
        """Start a Pea that cannot start, and return what it says."""
        pea = self.start(plan)
        assert pea.ended() == 1
        return pea.heard(FailedSaid)

    def _address(self, name: str) -> str:
        return f"unix:{self._sockets.name}/{name.replace('/', '-')}"

    def _listen(self, address: str) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address.removeprefix("unix:"))
        listener.listen(64)
        self._listeners[address] = listener
        return listener


_OF_EXECUTORS = {"with_", "metas", "requests", "dynamic_batching", "py_modules", "components"}
_OF_HEADS = {"polling", "before", "after"}


def _reads(stream: Any, each: Callable[[bytes], object]) -> None:
    def read() -> None:
        with stream:
            for line in stream:
                each(line)

    threading.Thread(target=read, daemon=True).start()
