"""A replica that is stopped, as `kill -STOP` does it, is passed by until it goes on."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from jina_cli.plan.models import Route
from jina_cli.serve.pods import LocalPod
from jina_cli.wire.messages import Request, Response

pytestmark = pytest.mark.anyio

Process = asyncio.subprocess.Process
SILENT_S = 0.3
SERVER = """
import asyncio, socket, sys
from jina_cli.wire.channel import Server
from jina_cli.wire.messages import Hello, Response

async def main():
    async def handle(request):
        if request.endpoint == "/index" or request.parameters.get("slow"):
            await asyncio.sleep(0.1)
        return Response(parameters={"by": sys.argv[2]})
    server = Server(handle, lambda: Hello(pea=sys.argv[2]), max_queue=8, max_message_bytes=1 << 20)
    await server.start(socket.socket(fileno=int(sys.argv[1])))
    await asyncio.Event().wait()

asyncio.run(main())
"""


@asynccontextmanager
async def replica(path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        sock.listen()
        fd = sock.fileno()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVER, str(fd), path.name, pass_fds=[fd]
        )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


class Changes:
    """Waits for a condition, which is asked again after each change of the Pod."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def notify(self) -> None:
        self._changed.set()

    async def next(self) -> None:
        """Wait for a change after this call."""
        self._changed.clear()
        await asyncio.wait_for(self._changed.wait(), 20)

    async def until(self, predicate: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not predicate():
                await self.next()


@asynccontextmanager
async def a_pod(folder: Path, names: str) -> AsyncIterator[tuple[LocalPod, Changes, list[Process]]]:
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(replica(folder / name)) for name in names]
        changes = Changes()
        route = Route(pod="p", needs=(), addresses=tuple(f"unix:{folder / name}" for name in names))
        pod = LocalPod(
            route,
            max_pending=8,
            max_message_bytes=2**20,
            on_change=changes.notify,
            silent_s=SILENT_S,
        )
        pod.start()
        stack.push_async_callback(pod.close)
        await asyncio.wait_for(pod.connected(), 20)
        yield pod, changes, processes


async def test_the_only_replica_that_is_stopped_takes_its_pod_down_until_it_goes_on(
    folder: Path,
) -> None:
    async with a_pod(folder, "a") as (pod, changes, (only,)):
        assert pod.is_up
        only.send_signal(signal.SIGSTOP)
        await changes.until(lambda: not pod.is_up)
        only.send_signal(signal.SIGCONT)
        await changes.until(lambda: pod.is_up)
        assert (await pod.request(Request(endpoint="/do"))).status.ok


async def test_a_replica_that_is_stopped_is_asked_nothing(folder: Path) -> None:
    async with a_pod(folder, "ab") as (pod, changes, (first, _)):
        first.send_signal(signal.SIGSTOP)
        await changes.next()
        async with asyncio.timeout(10):
            answers = [await pod.request(Request(endpoint="/do")) for _ in range(10)]
        assert {answer.parameters["by"] for answer in answers} == {"b"}


async def stopped_midway(pod: LocalPod, endpoint: str, first: Process) -> list[Response]:
    """Stop a replica while each replica works on a question, and return the answers."""
    question = Request(endpoint=endpoint, parameters={"slow": True})
    asked = [asyncio.create_task(pod.request(question)) for _ in range(2)]
    await asyncio.sleep(0)
    first.send_signal(signal.SIGSTOP)
    async with asyncio.timeout(10):
        answered, waiting = await asyncio.wait(asked, timeout=3 * SILENT_S)
        if waiting:
            first.send_signal(signal.SIGCONT)
        return [await one for one in (*answered, *waiting)]


async def test_a_search_that_a_silent_replica_has_is_answered_by_another(folder: Path) -> None:
    async with a_pod(folder, "ab") as (pod, _, (first, _second)):
        answers = await stopped_midway(pod, "/search", first)

    assert [answer.parameters["by"] for answer in answers] == ["b", "b"]


async def test_what_must_not_be_done_twice_waits_for_the_replica_that_has_it(
    folder: Path,
) -> None:
    async with a_pod(folder, "ab") as (pod, _, (first, _second)):
        answers = await stopped_midway(pod, "/index", first)

    assert sorted(answer.parameters["by"] for answer in answers) == ["a", "b"]
