"""A Flow started by the command line for a benchmark, asked over gRPC, and surely ended.

Everything that it starts is ended, whatever happens.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
from on_the_wire import Kind, a_request, is_answered

FLOWS = Path(__file__).parent / "flows"
READY_WITHIN_S = 120.0
STOP_WITHIN_S = 20.0
CALL_WITHIN_S = 20.0
# Below the range that systems hand out for outgoing connections (32768 and up on Linux).
PORTS = range(20_000, 32_000)


# Channels share connections, and so the pause after one that failed; each try is to be new.
_FRESH = (("grpc.use_local_subchannel_pool", 1),)


class BenchFailed(RuntimeError):
    """What was to be measured did not work; the message names the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A Flow that has answered.

    Attributes:
        process: Of the command.
        port: Where it speaks gRPC.
        seconds: From the start of the command to its first answer.
        http_port: Where it speaks HTTP, if its YAML says so.
        websocket_port: The same for WebSocket.
        home: Folder for what it keeps while it runs.
    """

    process: psutil.Process
    port: int
    seconds: float
    http_port: int
    websocket_port: int
    home: Path


@contextmanager
def a_flow(
    command: Sequence[str | Path], flow: Path, variables: Mapping[str, str]
) -> Iterator[Started]:
    """Start `command flow --uses FLOW`, wait for its first answer, and end all of it after.

    Raises:
        BenchFailed: It ended, or gave no answer in time.
    """
    port, http_port, websocket_port = free_port(), free_port(), free_port()
    ports = {"": port, "_HTTP": http_port, "_WEBSOCKET": websocket_port}
    environ = {**os.environ, **variables}
    environ |= {f"BENCH{name}_PORT": str(number) for name, number in ports.items()}
    arguments = [*map(str, command), "flow", "--uses", flow.name]
    with tempfile.TemporaryDirectory(prefix="jina-bench-") as home:
        environ |= {"HOME": home, "XDG_RUNTIME_DIR": home, "XDG_STATE_HOME": home}
        log = Path(tempfile.gettempdir()) / f"jina-bench-{os.getpid()}-{port}.log"
        with log.open("wb") as output:
            began = time.perf_counter()
            child = subprocess.Popen(
                arguments,
                cwd=flow.parent,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            _wait_for_answer(child, port, log)
            seconds = time.perf_counter() - began
            yield Started(
                process=psutil.Process(child.pid),
                port=port,
                seconds=seconds,
                http_port=http_port,
                websocket_port=websocket_port,
                home=Path(home),
            )
        finally:
            end(child)
        log.unlink()


def free_port() -> int:
    """Return a port nobody listens on. Somebody might a moment later; then the run fails."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            return port
    raise BenchFailed("of 100 ports none is free")


def end(child: subprocess.Popen[bytes]) -> None:
    """Ask a command to end as Ctrl-C does; what is left of it after a while is killed."""
    family = _family(child.pid)
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
    try:
        child.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        family += _family(child.pid)
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            pass
    child.wait()


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
