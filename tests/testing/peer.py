"""The real Jina 3.34 beside us: its environment, its Flows, and clients of either kind.

The environment is the one that the variable PEER_VENV names, else `.venv-jina` in the project,
which is made when it is needed. That takes a minute and the network: without one the tests skip,
but for a CI run, where they fail.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.testing import jina_peer
from tests.testing.ports import free_port
from tests.testing.processes import Jinas, Started, wait_until

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "tests" / "fixtures" / "peer"
READY_S = 60.0
PYTHON = "python3.11"
"""Jina 3.34 has a wheel for this version alone."""

_IS_CI = bool(os.environ.get("CI"))
_VENV = Path(os.environ.get("PEER_VENV") or ROOT / ".venv-jina")
_ASKS_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where a Flow of the peer's project speaks."""

    grpc: int
    http: int
    websocket: int

    @classmethod
    def free(cls) -> Ports:
        return cls(grpc=free_port(), http=free_port(), websocket=free_port())

    def of(self, protocol: str) -> int:
        found: int = asdict(self)[protocol]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A system that runs Flows and has a client: the real Jina, or us.

    Attributes:
        name: `jina` or `ours`.
        python: Interpreter of its environment.
        module: Where its `Client` is imported from.
    """

    name: str
    python: Path
    module: str

    def command(self, *arguments: str | Path) -> list[str | Path]:
        """Return a command line of its `jina`."""
        # The script, not `-m`: in our environment the module `jina` is not there.
        return [self.python.with_name("jina"), *arguments]


OURS = Peer(name="ours", python=Path(sys.executable), module="jina_cli")


def real_jina() -> Peer:
    """Return the real one; makes its environment if need be, or skips the test."""
    python = _VENV / "bin" / "python"
    if not python.with_name("jina").exists():
        _make()
    return Peer(name="jina", python=python.absolute(), module="jina")


def _make() -> None:
    interpreter = shutil.which(PYTHON) or (
        sys.executable if sys.version_info[:2] == (3, 11) else ""
    )
    if not interpreter:
        _give_up(f"{PYTHON} is not there, and Jina 3.34 needs it")
    try:
        jina_peer.make(_VENV, interpreter)
    except (subprocess.SubprocessError, OSError) as error:
        shutil.rmtree(_VENV, ignore_errors=True)
        _give_up(f"the environment of Jina 3.34 cannot be made: {error}")


def _give_up(why: str) -> None:
    if _IS_CI:
        pytest.fail(why)
    pytest.skip(why)


def project(folder: Path, ports: Ports) -> Path:
    """Copy the project into `folder`, with numbers for its ports; returns its Flow."""
    # Jina takes no list of ports out of variables.
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in folder.glob("*.yml"):
        text = path.read_text("utf-8")
        for name, number in asdict(ports).items():
            text = text.replace(f"{name.upper()}_PORT", str(number))
        path.write_text(text, "utf-8")
    return folder / "flow.yml"


@contextmanager
def jinas(folder: Path) -> Iterator[Jinas]:
    """Give what starts processes of either system, and ends them all."""
    with Jinas(folder, {**jina_peer.VARIABLES, "HOME": str(folder)}) as started:
        yield started


def start(jinas: Jinas, peer: Peer, *arguments: str | Path, cwd: Path, port: int) -> Started:
    """Start a command of `peer` that serves gRPC on `port`, and wait until it does."""
    started = jinas.start_other(*peer.command(*arguments), cwd=cwd)
    wait_until(
        lambda: started.code is not None or _is_ready(port),
        READY_S,
        f"{peer.name} to serve {arguments}",
    )
    assert started.code is None, started.stdout[-3000:] + started.stderr[-3000:]
    return started


def _is_ready(port: int) -> bool:
    import grpc

    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}", [_OWN_CONNECTION]) as channel:
            # A dry run goes through all Executors; one served alone knows of none.
            ask = channel.unary_unary("/jina.JinaGatewayDryRunRPC/dry_run")
            return ask(b"", timeout=5) == b""
    except grpc.RpcError as error:
        return error.code() is grpc.StatusCode.UNIMPLEMENTED


_OWN_CONNECTION = ("grpc.use_local_subchannel_pool", 1)


def asked(jinas: Jinas, client: Peer, protocol: str, port: int) -> Mapping[str, Any]:
    """Return what the questions of the project gave with the client of `client`."""
    script = PROJECT / "asked.py"
    started = jinas.start_other(
        client.python, script, client.module, protocol.upper(), str(port), cwd=jinas.folder
    )
    started.wait(_ASKS_WITHIN_S)
    lines = [line for line in started.stdout.splitlines() if line.startswith("TOLD ")]
    assert lines, started.stderr[-3000:]
    told: Mapping[str, Any] = json.loads(lines[-1].removeprefix("TOLD "))
    return told
