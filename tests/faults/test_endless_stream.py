"""Fault: input without end, and an Executor that is slow or stands still. Memory stays bounded.

ENDLESS says how many requests, each of a megabyte, go through in the end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.testing import endless
from tests.testing.faulty import post
from tests.testing.processes import Jinas, Started, wait_until
from tests.testing.serving import Serving, a_flow_on_all

THROUGH = int(os.environ.get("ENDLESS", "60"))
GROWTH = 50 * 2**20
STILL_S = 1.0
"""A client that takes nothing for so long has stopped to take."""

SLOW = """
import asyncio
import os
from jina import Executor, requests

class Slow(Executor):
    @requests(on="/work")
    async def work(self, docs, **kwargs):
        while not os.path.exists("open"):
            await asyncio.sleep(0.01)
        return docs[:1]

    @requests(on="/warm")
    async def warm(self, **kwargs):
        pass
"""


@dataclass(frozen=True, slots=True)
class Idle:
    """A Flow that has done nothing yet.

    Attributes:
        memory: Of each of its processes, in bytes.
    """

    jina: Jinas
    serving: Serving
    memory: dict[int, int]


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Idle]:
    folder = tmp_path_factory.mktemp("endless")
    with Jinas(folder) as jina:
        serving = a_flow_on_all(jina, folder, SLOW, "Slow")
        post(f"http://{serving.addresses['http']}", endpoint="/warm")
        yield Idle(jina, serving, serving.rss())


def _url(how: str, serving: Serving) -> str:
    if how == "native":
        return serving.addresses["native"].replace("tcp:", "tcp://")
    protocol = {"grpcio": "grpc"}.get(how, how)
    scheme = {"websocket": "ws"}.get(protocol, protocol)
    return f"{scheme}://{serving.addresses[protocol]}"


def _most_grown(client: Started, serving: Serving, before: dict[int, int]) -> str:
    """Return which process grew by more than it may, or nothing."""
    now = _memory(client, serving)
    assert now.keys() == before.keys(), f"a process was started again, or ended: {client.stderr}"
    grown = {pid: now[pid] - size for pid, size in before.items() if now[pid] - size > GROWTH}
    return "".join(
        f"{' '.join(psutil.Process(pid).cmdline()[:4])} grew by {size >> 20} MB; "
        for pid, size in grown.items()
    )


def _memory(client: Started, serving: Serving) -> dict[int, int]:
    return serving.rss() | {client.pid: psutil.Process(client.pid).memory_info().rss}


def _has_stopped(folder: Path) -> int:
    """Return how many requests were taken, once no more are."""
    took = 0

    def more() -> bool:
        return endless.progress_in(folder)[0] > took

    while True:
        try:
            wait_until(more, STILL_S)
        except AssertionError:
            if took:
                return took
        took = endless.progress_in(folder)[0]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", ["grpc", "http", "websocket", "native", "grpcio"])
def test_input_without_end_takes_no_memory_while_the_executor_is_slow(
    flow: Idle, tmp_path: Path, how: str
) -> None:
    gate = flow.jina.folder / "open"
    gate.unlink(missing_ok=True)
    url = _url(how, flow.serving)
    client = flow.jina.start_python("-P", endless.__file__, how, url, tmp_path)
    try:
        _stand_still_and_go_on(client, flow, tmp_path, gate)
    finally:
        client.kill()


def _stand_still_and_go_on(client: Started, flow: Idle, folder: Path, gate: Path) -> None:
    wait_until(lambda: (folder / "warm").exists() or client.code is not None, 20, "warm")
    assert client.code is None, client.stderr
    idle = flow.memory | {client.pid: psutil.Process(client.pid).memory_info().rss}

    (folder / "go").touch()
    took = _has_stopped(folder)

    assert 0 < took * endless.REQUEST_BYTES < GROWTH
    assert not _most_grown(client, flow.serving, idle)

    gate.touch()

    def went_through() -> bool:
        problem = _most_grown(client, flow.serving, idle)
        assert not problem, problem
        return endless.progress_in(folder)[1] >= THROUGH

    wait_until(went_through, 500, "requests to go through")
    now = _memory(client, flow.serving)
    print({pid: f"{(now[pid] - size) / 2**20:+.1f} MB" for pid, size in idle.items()})
