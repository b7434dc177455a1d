"""A Flow started by the command line for a benchmark, asked over gRPC, and surely ended.

Everything that it starts is ended, whatever happens.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc
import psutil
from on_the_wire import Kind, a_request, is_answered
from reports import BenchFailed

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.testing.ports import free_port

FLOWS = Path(__file__).parent / "flows"
READY_WITHIN_S = 120.0
STOP_WITHIN_S = 20.0
CALL_WITHIN_S = 20.0


# Channels share connections, and so the pause after one that failed; each try is to be new.
_FRESH = (("grpc.use_local_subchannel_pool", 1),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where a Flow speaks each protocol that its YAML names."""

    grpc: int
    http: int
    websocket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A Flow that has answered.

    Attributes:
        process: Of the command.
        seconds: From the start of the command to its first answer.
        home: Folder for what it keeps while it runs.
    """

    process: psutil.Process
    ports: Ports
    seconds: float
    home: Path


@contextmanager
def a_flow(
    command: Sequence[str | Path],
    flow: Path,
    variables: Mapping[str, str],
    *,
    folder: Path | None = None,
) -> Iterator[Started]:
    """Start `command flow --uses FLOW`, wait for its first answer, and end all of it after.

    Args:
        folder: For what it keeps, workspaces among it; without it one that is deleted after.

    Raises:
        BenchFailed: It ended, or gave no answer in time.
    """
    ports = Ports(grpc=free_port(), http=free_port(), websocket=free_port())
    arguments = [*map(str, command), "flow", "--uses", flow.name]
    with tempfile.TemporaryDirectory(prefix="jina-bench-") as temporary:
        home = folder or Path(temporary)
        environ = {**os.environ, **variables}
        environ |= dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"), str(home))
        flows = rendered(flow.parent, ports, home / "flows")
        began = time.perf_counter()
        with a_server(arguments, flows, environ, name=str(ports.grpc)) as (child, log):
            _wait_for_answer(child, ports.grpc, log)
            seconds = time.perf_counter() - began
            yield Started(
                process=psutil.Process(child.pid),
                ports=ports,
                seconds=seconds,
                home=home,
            )


@contextmanager
def a_server(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], *, name: str
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run a command in `folder`, and end it and all its children after.

    What it prints goes into the file that is given too; that stays if `BenchFailed` is raised.
    """
    log = Path(tempfile.gettempdir()) / f"jina-bench-{os.getpid()}-{name}.log"
    is_wanted = False
    try:
        with log.open("wb") as output:
            child = subprocess.Popen(
                command,
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield child, log
        finally:
            end(child)
    except BenchFailed:
        is_wanted = True
        raise
    finally:
        if not is_wanted:
            log.unlink(missing_ok=True)


def rendered(folder: Path, ports: Ports, into: Path) -> Path:
    """Copy Flows and their Executors, with numbers for `GRPC_PORT` and its like.

    Jina takes no list of ports out of variables.
    """
    shutil.copytree(folder, into, ignore=shutil.ignore_patterns("__pycache__"))
    for path in into.glob("*.yml"):
        text = path.read_text("utf-8")
        for name, number in asdict(ports).items():
            text = text.replace(f"{name.upper()}_PORT", str(number))
        path.write_text(text, "utf-8")
    return into


def end(child: subprocess.Popen[bytes]) -> None:
    """Ask a command to end as Ctrl-C does; what is left of it after a while is killed."""
    family = _family(child.pid)
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
    try:
        child.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        family += _family(child.pid)
    finally:  # also when a second Ctrl-C comes meanwhile
        for process in family:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                pass
    child.wait()


def native_address(started: Started) -> str:
    """Return where our Flow answers our own client: the socket in its run folder.

    Raises:
        BenchFailed: There is none, or more than one.
    """
    sockets = sorted(started.home.rglob("gateway.sock"))
    if len(sockets) != 1:
        raise BenchFailed(f"in {started.home} there are {len(sockets)} sockets of a Gateway")
    return f"unix:{sockets[0]}"


def cpu_s(process: psutil.Process) -> float:
    """Return the CPU time that a process and all its children took so far; ticks of 10 ms."""
    return sum(sum(one.cpu_times()[:2]) for one in [process, *process.children(recursive=True)])


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _wait_for_answer(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.perf_counter() + READY_WITHIN_S
    while time.perf_counter() < until:
        if child.poll() is not None:
            raise BenchFailed(f"the Flow ended with {child.returncode}; see {log}")
        if _listens(port) and _answers(port):
            return
        time.sleep(0.005)  # the step in which the first answer is measured
    raise BenchFailed(f"no answer in {READY_WITHIN_S:.0f} s; see {log}")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(port: int) -> bool:
    question = a_request(Kind.TEXT, 1)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=_FRESH) as channel:
            call = channel.stream_stream("/jina.JinaRPC/Call")
            answers = list(call(iter([question]), timeout=CALL_WITHIN_S))
    except grpc.RpcError:
        return False
    return len(answers) == 1 and is_answered(question, answers[0])
