"""Processes of a Flow that end, or stop running, alone: the rest goes on, and they come back."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import grpc
import pytest

from tests.testing.faulty import post, started, write_flow
from tests.testing.processes import Jinas, Started, is_alive, wait_until


def pids_of(process: Started, name: str) -> list[int]:
    """Return the pids that the log gives for a Pea, the latest last."""
    found = re.findall(rf"^{name} *\| started, pid (\d+)$", process.stdout, re.M)
    return [int(pid) for pid in found]


def test_a_gateway_that_is_told_to_end_alone_serves_the_same_addresses_again(
    jina: Jinas, tmp_path: Path
) -> None:
    flow = write_flow(tmp_path)
    process, found_http = started(jina, flow, "--protocol", "http", "--protocol", "grpc")
    http = found_http.rstrip(",")
    found = re.search(r"grpc://([^\s,]+)", process.stderr)
    assert found is not None, process.stderr
    target = found[1].replace("0.0.0.0", "127.0.0.1")

    os.kill(pids_of(process, "gateway")[-1], signal.SIGTERM)
    wait_until(lambda: re.search(r"^gateway *\| ready again", process.stdout, re.M), 20)

    assert post(http)["status"] == 200
    with grpc.insecure_channel(target) as channel:
        grpc.channel_ready_future(channel).result(timeout=10)
    assert process.stop() == 0


def test_a_pea_that_left_a_daemon_behind_comes_back_and_the_daemon_is_gone(
    jina: Jinas, tmp_path: Path
) -> None:
    process, address = started(jina, write_flow(tmp_path))
    mark = tmp_path / "daemon"
    daemonise = f"""
if os.fork():
    os.wait()
else:
    os.setsid()
    if os.fork():
        os._exit(0)
    with open({str(mark)!r} + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename({str(mark)!r} + ".new", {str(mark)!r})
    time.sleep(600)
"""
    assert post(address, daemonise)["status"] == 200
    wait_until(mark.exists)
    daemon = int(mark.read_text())

    broken = post(address, "os.kill(os.getpid(), 9)", timeout_s=10)
    wait_until(lambda: "faulty/rep-0 | ready again" in process.stdout)

    assert broken["status"] == 503
    assert post(address, timeout_s=10)["status"] == 200
    assert not is_alive(daemon)
    assert process.stop() == 0


@pytest.mark.parametrize(
    ("close", "how"),
    [("os.kill(os.getpid(), 11)", "signal 11"), ("os._exit(3)", "exit code 3")],
    ids=["segfaults", "exits"],
)
def test_one_that_breaks_while_it_stops_is_told_and_fails_the_command(
    jina: Jinas, tmp_path: Path, close: str, how: str
) -> None:
    process, _ = started(jina, write_flow(tmp_path, close=close))

    code = process.stop()

    assert code == 1
    assert f"faulty/rep-0 ended with {how} while stopping" in process.stderr.splitlines()
