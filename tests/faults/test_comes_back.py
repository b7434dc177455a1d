"""Processes of a Flow that end, or stop running, alone: the rest goes on, and they come back."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import grpc

from tests.testing.faulty import post, started, write_flow
from tests.testing.processes import Jinas, Started, wait_until


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
