"""`jina ping` against a Flow that runs, and against nobody."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testing.processes import Jinas, wait_until

FLOW = """\
jtype: Flow
gateway: {host: 127.0.0.1, protocol: [grpc, http], port: [%d, %d]}
executors: [{name: index, uses: TextIndexer}]
"""


@pytest.fixture
def jina(tmp_path: Path) -> Iterator[Jinas]:
    with Jinas(tmp_path) as jinas:
        yield jinas


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens, and nobody else can."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{sock.getsockname()[1]}"


def test_a_flow_is_pinged_as_in_jina_and_on_each_protocol(jina: Jinas, tmp_path: Path) -> None:
    (tmp_path / "f.yml").write_text(FLOW % (0, 0))
    flow = jina.start("flow", "--uses", "f.yml")
    wait_until(lambda: "ready in" in flow.stderr, 30, "the Flow to be ready")
    grpc, http = [word.rstrip(",") for word in flow.stderr.split() if "://" in word]
    bare = grpc.removeprefix("grpc://")

    started = time.monotonic()
    done = jina.run("ping", "flow", bare, "--attempts", "3", "--json")
    assert time.monotonic() - started < 3
    result = json.loads(done.stdout)
    assert (done.code, done.stderr) == (0, "")
    assert (result["schema"], result["kind"], result["ready"]) == ("jina.ping/1", "flow", True)
    assert (result["attempts"], result["successes"]) == (3, 3)
    assert 0 < result["p50_ms"] <= result["p99_ms"] < 3000

    both = jina.run("ping", "gateway", grpc, http)
    assert both.code == 0
    assert [line.split(",")[0] for line in both.stdout.splitlines()] == [
        f"gateway {grpc} is ready",
        f"gateway {http} is ready",
    ]
    mixed_up = jina.run("ping", http.removeprefix("http://"))
    assert mixed_up.code == 69
    assert f"that port speaks HTTP: try {http}" in mixed_up.stderr
    assert flow.stop() == 0


def test_nobody_there_is_69_and_at_once(jina: Jinas, nobody: str) -> None:
    started = time.monotonic()
    done = jina.run("ping", "executor", nobody, "--timeout", "500")

    assert (done.code, done.stdout) == (69, f"executor grpc://{nobody} is not ready\n")
    assert done.stderr.startswith(f"jina: error: nobody answers at grpc://{nobody}")
    assert time.monotonic() - started < 5


def test_waiting_in_vain_is_75(jina: Jinas, nobody: str) -> None:
    done = jina.run("ping", f"http://{nobody}", "--wait", "--wait-timeout", "300ms", "--json")

    assert done.code == 75
    assert json.loads(done.stdout)["ready"] is False
    assert json.loads(done.stderr)["exit"] == 75


def test_a_long_wait_is_said_once(jina: Jinas, nobody: str) -> None:
    waiting = jina.start("ping", f"http://{nobody}", "--wait", "--wait-timeout", "30s")

    told = f"waiting for http://{nobody} (nobody answers yet)\n"
    wait_until(lambda: waiting.stderr == told, 10, "it to be said")
    assert waiting.stop() != 0
    assert waiting.stderr == told


def test_a_flow_that_starts_later_is_waited_for(jina: Jinas, tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    (tmp_path / "f.yml").write_text(FLOW % (0, port))
    waiting = jina.start("ping", f"http://127.0.0.1:{port}", "--wait", "--wait-timeout", "30s")

    flow = jina.start("flow", "--uses", "f.yml")

    assert waiting.wait(30) == 0
    assert flow.stop() == 0


@pytest.mark.parametrize(
    "words", [["ping"], ["ping", "flow"], ["ping", "ftp://h:1"], ["ping", "h"]]
)
def test_no_address_is_a_usage_error(jina: Jinas, words: list[str]) -> None:
    assert jina.run(*words).code == 2


def test_a_flow_that_has_died_is_not_waited_for(jina: Jinas, nobody: str, tmp_path: Path) -> None:
    (tmp_path / "f.yml").write_text("jtype: Flow\nexecutorz: []\n")
    flow = jina.start("flow", "--uses", "f.yml")
    started = time.monotonic()

    done = jina.run("ping", nobody, "--wait", "--pid", str(flow.pid))

    assert done.code == 1
    assert time.monotonic() - started < 20
    assert done.stderr.splitlines()[-1].startswith(
        f"jina: error: process {flow.pid} ended, and grpc://{nobody} is not ready: nobody answers"
    )


def test_a_process_is_watched_only_while_waiting(jina: Jinas, nobody: str) -> None:
    done = jina.run("ping", nobody, "--pid", "1")

    assert done.code == 2
    assert "--pid has no meaning without --wait" in done.stderr
