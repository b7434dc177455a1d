"""Executors of one system in Flows of the other, and each system's `jina ping` on the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.testing.peer import OURS, PROJECT, Peer, jinas, real_jina, start
from tests.testing.ports import free_port
from tests.testing.processes import Jinas

pytestmark = [pytest.mark.peer, pytest.mark.timeout(300)]

FLOW = """
jtype: Flow
with:
  protocol: grpc
  port: {port}
executors:
  - name: first
    uses: First
    py_modules: [{work}]
  - name: second
    external: true
    host: 127.0.0.1
    port: {second}
"""
TWO_OF_THEM = """
jtype: Flow
with:
  protocol: grpc
  port: {port}
executors:
  - name: first
    external: true
    host: 127.0.0.1
    port: {first}
  - name: second
    external: true
    host: [127.0.0.1, 127.0.0.1]
    port: [{second}, {third}]
"""
ASK = """
import json, sys
from docarray import BaseDoc, DocList
from {module} import Client

class Note(BaseDoc):
    text: str = ""

client = Client(host="127.0.0.1", port={port}, protocol="GRPC")
asked = DocList[Note]([Note(text="a"), Note(text="b")])
texts = [client.post("/mark", asked, return_type=DocList[Note]).text for _ in range(4)]
failed = []
try:
    client.post("/fail", DocList[Note]([Note(text="bad")]), return_type=DocList[Note])
except Exception as error:
    failed.append(str(error))
print("TOLD " + json.dumps([texts, client.is_flow_ready(), "no good" in failed[0]]))
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where processes of both systems are started."""

    jinas: Jinas

    def executor(self, peer: Peer, name: str) -> int:
        """Serve one Executor of the project alone; returns the port."""
        port = free_port()
        path = self.jinas.folder / f"{name}-{port}.yml"
        path.write_text(f"jtype: {name}\npy_modules: [{PROJECT / 'work.py'}]\n")
        arguments = ("executor", "--uses", path.name, "--port", str(port))
        start(self.jinas, peer, *arguments, cwd=path.parent, port=port)
        return port

    def flow(self, peer: Peer, text: str, **ports: int) -> int:
        """Run a Flow; returns its port."""
        port = free_port()
        path = self.jinas.folder / f"flow-{port}.yml"
        path.write_text(text.format(port=port, work=PROJECT / "work.py", **ports))
        start(self.jinas, peer, "flow", "--uses", path.name, cwd=path.parent, port=port)
        return port

    def ask(self, peer: Peer, port: int) -> object:
        """Return what a client of `peer` is told by a Flow."""
        path = self.jinas.folder / f"ask-{peer.name}.py"
        path.write_text(ASK.format(module=peer.module, port=port))
        started = self.jinas.start_other(peer.python, path)
        started.wait(60)
        lines = [line for line in started.stdout.splitlines() if line.startswith("TOLD ")]
        assert lines, started.stderr[-2000:]
        return json.loads(lines[0].removeprefix("TOLD "))

    def ping(self, peer: Peer, *arguments: str) -> int:
        """Return the exit code of `jina ping`."""
        return self.jinas.start_other(*peer.command("ping", *arguments)).wait(60)


WELL = [[["a12", "b12"]] * 4, True, True]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("externals")
    with jinas(folder) as started:
        yield Stage(started)


def test_a_real_executor_serves_in_our_flow(stage: Stage) -> None:
    second = stage.executor(real_jina(), "Second")

    port = stage.flow(OURS, FLOW, second=second)

    assert stage.ask(OURS, port) == WELL


def test_our_executor_serves_in_a_real_flow(stage: Stage) -> None:
    real = real_jina()
    second = stage.executor(OURS, "Second")

    port = stage.flow(real, FLOW, second=second)

    assert stage.ask(real, port) == WELL


def test_executors_of_both_are_replicas_of_one_pod_in_our_flow(stage: Stage) -> None:
    real = real_jina()
    served = {
        "first": stage.executor(OURS, "First"),
        "second": stage.executor(real, "Second"),
        "third": stage.executor(OURS, "Second"),
    }

    port = stage.flow(OURS, TWO_OF_THEM, **served)

    assert stage.ask(real, port) == WELL


def test_a_second_flow_of_ours_is_a_pod_of_the_first(stage: Stage) -> None:
    inner = stage.flow(OURS, FLOW, second=stage.executor(OURS, "Second"))
    outer = """
jtype: Flow
with:
  protocol: grpc
  port: {port}
executors:
  - name: all
    external: true
    host: 127.0.0.1
    port: {inner}
"""

    port = stage.flow(OURS, outer, inner=inner)

    assert stage.ask(OURS, port) == WELL


def test_each_side_pings_the_other(stage: Stage) -> None:
    real = real_jina()
    for served, asking in ((real, OURS), (OURS, real)):
        executor = stage.executor(served, "Second")
        flow = stage.flow(served, FLOW, second=executor)
        asked = {
            ("executor", f"grpc://127.0.0.1:{executor}"): 0,
            ("gateway", f"grpc://127.0.0.1:{flow}"): 0,
            ("flow", f"grpc://127.0.0.1:{flow}"): 0,
        }

        told = {arguments: stage.ping(asking, *arguments) for arguments in asked}

        assert told == asked, f"{asking.name} on {served.name}"


def test_a_ping_of_nothing_fails_on_either_side(stage: Stage) -> None:
    nobody = f"grpc://127.0.0.1:{free_port()}"

    codes = {peer.name: stage.ping(peer, "flow", nobody) for peer in (OURS, real_jina())}

    assert codes["jina"] != 0
    assert codes["ours"] != 0
