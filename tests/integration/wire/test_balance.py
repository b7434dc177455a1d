"""Replicas behind real unix sockets: who answers, and what happens when one goes away."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jina_cli.wire.balance import ReplicaSet
from jina_cli.wire.channel import Link, Server
from jina_cli.wire.circuit import Policy
from jina_cli.wire.messages import OK, Hello, Request, Response, Status, StatusCode

pytestmark = pytest.mark.anyio
SEARCH = Request(endpoint="/search")
INDEX = Request(endpoint="/index")


@dataclass
class Replica:
    """A server that can be taken away, and brought back, in one loop with its clients."""

    name: str
    path: str
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0
    status: Status = OK
    server: Server | None = None

    async def answer(self, request: Request) -> Response:
        self.asked += 1
        self.begun.set()
        await self.gate.wait()
        return Response(status=self.status, parameters={"by": self.name})

    async def come(self) -> None:
        sock = socket.socket(socket.AF_UNIX)
        Path(self.path).unlink(missing_ok=True)
        sock.bind(self.path)
        hello = Hello(pea=self.name)
        self.server = Server(self.answer, lambda: hello, max_queue=9, max_message_bytes=2**20)
        await self.server.start(sock)

    async def go(self) -> None:
        if self.server is not None:
            await self.server.close()
            self.server = None


@pytest.fixture
async def replicas(tmp_path: Path) -> AsyncIterator[list[Replica]]:
    made = [Replica(name, str(tmp_path / name)) for name in "abc"]
    for replica in made:
        replica.gate.set()
        await replica.come()
    yield made
    for replica in made:
        await replica.go()


@pytest.fixture
async def pod(replicas: list[Replica]) -> AsyncIterator[ReplicaSet]:
    links = [Link(f"unix:{replica.path}") for replica in replicas]
    for link in links:
        link.start()
    pod = ReplicaSet(links, name="index/shard-1", wait_up_s=5)
    await asyncio.gather(*(link.wait_up(5) for link in links))
    yield pod
    await pod.close()


async def all_gone(pod: ReplicaSet, replicas: list[Replica]) -> None:
    """Return once all have gone and their clients know it."""
    for replica in replicas:
        await replica.go()
    async with asyncio.timeout(5):
        while pod.is_up:
            await asyncio.sleep(0)


async def test_replicas_that_have_nothing_to_do_take_turns(pod: ReplicaSet) -> None:
    answers = [await pod.request(SEARCH) for _ in range(6)]

    assert [answer.parameters["by"] for answer in answers] == list("abcabc")


async def test_the_one_with_the_least_to_do_answers(
    pod: ReplicaSet, replicas: list[Replica]
) -> None:
    replicas[0].gate.clear()
    slow = asyncio.create_task(pod.request(SEARCH))
    await replicas[0].begun.wait()

    answers = [await pod.request(SEARCH) for _ in range(4)]

    assert "a" not in {answer.parameters["by"] for answer in answers}
    assert pod.outstanding == 1
    replicas[0].gate.set()
    assert (await slow).parameters["by"] == "a"


async def test_who_is_gone_is_passed_by(pod: ReplicaSet, replicas: list[Replica]) -> None:
    await replicas[1].go()

    answers = [await pod.request(INDEX) for _ in range(4)]

    assert all(answer.status.ok for answer in answers)
    assert pod.is_up


async def test_a_search_whose_connection_breaks_is_answered_by_another(
    pod: ReplicaSet, replicas: list[Replica]
) -> None:
    replicas[0].gate.clear()
    asked = asyncio.create_task(pod.request(SEARCH))
    await replicas[0].begun.wait()

    await replicas[0].go()

    assert (await asked).parameters["by"] in {"b", "c"}


async def test_what_may_have_been_done_is_not_done_again(
    pod: ReplicaSet, replicas: list[Replica]
) -> None:
    replicas[0].gate.clear()
    asked = asyncio.create_task(pod.request(INDEX))
    await replicas[0].begun.wait()

    await replicas[0].go()
    answer = await asked

    assert answer.status.code is StatusCode.UNAVAILABLE
    assert answer.status.description == "index/shard-1: the connection broke during the request"
    assert answer.status.pod == "index"
    assert sum(replica.asked for replica in replicas) == 1


async def test_requests_wait_while_nobody_is_up(pod: ReplicaSet, replicas: list[Replica]) -> None:
    await all_gone(pod, replicas)
    waiting = asyncio.create_task(pod.request(INDEX))
    await asyncio.sleep(0)

    await replicas[2].come()

    assert (await waiting).parameters["by"] == "c"


async def test_nobody_waits_past_the_deadline(pod: ReplicaSet, replicas: list[Replica]) -> None:
    await all_gone(pod, replicas)
    begin = time.monotonic()

    answer = await pod.request(Request(endpoint="/index", deadline=begin + 0.1))

    assert answer.status.code is StatusCode.UNAVAILABLE
    assert answer.status.description == "index/shard-1: no replica is up"
    assert time.monotonic() - begin < 2


async def test_only_so_many_wait(replicas: list[Replica]) -> None:
    pod = ReplicaSet([Link("unix:/nowhere")], name="index", wait_up_s=5, max_waiting=1)
    waiting = asyncio.create_task(pod.request(INDEX))
    await asyncio.sleep(0)

    refused = await pod.request(INDEX)
    waiting.cancel()

    assert refused.status.code is StatusCode.OVERLOADED
    await pod.close()


async def test_all_are_asked_and_one_failure_is_the_answer(
    pod: ReplicaSet, replicas: list[Replica]
) -> None:
    first = await pod.broadcast(INDEX)
    replicas[1].status = Status(code=StatusCode.EXECUTOR, description="no", pod="index")
    failed = await pod.broadcast(INDEX)

    assert first.parameters["by"] == "a"
    assert (failed.parameters["by"], failed.status.description) == ("b", "no")
    assert [replica.asked for replica in replicas] == [2, 2, 2]


async def test_a_deadline_that_passes_says_where(pod: ReplicaSet, replicas: list[Replica]) -> None:
    replicas[0].gate.clear()

    answer = await pod.request(Request(endpoint="/search", deadline=time.monotonic() + 0.05))

    assert answer.status.code is StatusCode.DEADLINE
    assert answer.status.description == "index/shard-1: the deadline passed"


async def test_a_pod_is_up_as_soon_as_one_replica_is(
    pod: ReplicaSet, replicas: list[Replica]
) -> None:
    assert (await pod.wait_up(1)).pea in {"a", "b", "c"}

    alone = ReplicaSet([Link("unix:/nowhere")], name="index")
    with pytest.raises(TimeoutError, match=r"no replica of index was up within 0.01 s"):
        await alone.wait_up(0.01)
    await alone.close()


async def asked_of(pod: ReplicaSet, count: int) -> list[str]:
    """Return who answered each of so many searches, one after another."""
    answers = [await pod.request(SEARCH) for _ in range(count)]
    return [answer.parameters.get("by", "") for answer in answers]


@pytest.fixture
async def choosy(replicas: list[Replica]) -> AsyncIterator[ReplicaSet]:
    """A Pod that leaves replicas out after two failures, for a moment."""
    links = [Link(f"unix:{replica.path}") for replica in replicas]
    for link in links:
        link.start()
    pod = ReplicaSet(links, name="index", policy=Policy(failures=2, first_s=0.05, last_s=0.05))
    await asyncio.gather(*(link.wait_up(5) for link in links))
    yield pod
    await pod.close()


async def test_a_replica_that_fails_again_and_again_is_left_out_and_comes_back(
    choosy: ReplicaSet, replicas: list[Replica]
) -> None:
    sick = replicas[0]
    sick.status = Status(code=StatusCode.UNAVAILABLE)
    answered = await asked_of(choosy, 12)
    asked_while_sick = sick.asked
    sick.status = OK

    async with asyncio.timeout(5):
        while "a" not in await asked_of(choosy, 3):
            await asyncio.sleep(0.005)

    assert set(answered) == {"b", "c"}
    assert asked_while_sick < 6


async def test_the_last_replica_is_asked_however_often_it_failed(
    choosy: ReplicaSet, replicas: list[Replica]
) -> None:
    for replica in replicas:
        replica.status = Status(code=StatusCode.UNAVAILABLE, description="no disk")
    for _ in range(5):
        await choosy.request(SEARCH)
    for replica in replicas:
        replica.status = OK

    assert (await choosy.request(SEARCH)).status.ok


async def test_what_a_replica_cannot_do_now_is_done_by_another_if_it_may_be(
    pod: ReplicaSet, replicas: list[Replica]
) -> None:
    replicas[0].status = Status(code=StatusCode.UNAVAILABLE, description="no disk")

    searches = [await pod.request(SEARCH) for _ in range(6)]
    indexings = [await pod.request(INDEX) for _ in range(6)]

    assert all(answer.status.ok for answer in searches)
    assert [answer.status.ok for answer in indexings].count(False) == 2


async def test_an_endpoint_that_is_marked_so_is_asked_again(replicas: list[Replica]) -> None:
    links = [Link(f"unix:{replica.path}") for replica in replicas]
    for link in links:
        link.start()
        await link.wait_up(5)
    pod = ReplicaSet(links, name="index", idempotent=("/index",))
    replicas[0].status = Status(code=StatusCode.UNAVAILABLE)

    answers = [await pod.request(INDEX) for _ in range(6)]

    await pod.close()
    assert all(answer.status.ok for answer in answers)


async def test_a_replica_that_cannot_begin_a_stream_leaves_it_to_another_and_is_left_out(
    choosy: ReplicaSet, replicas: list[Replica]
) -> None:
    sick = replicas[0]
    sick.status = Status(code=StatusCode.UNAVAILABLE, description="no disk")

    async def streamed(endpoint: str) -> list[bool]:
        request = Request(endpoint=endpoint, streamed=True)
        return [part.status.ok async for part in choosy.stream(request)]

    searches = [await streamed("/search") for _ in range(12)]
    asked_while_sick = sick.asked
    for replica in replicas:
        replica.status = sick.status

    assert searches == [[]] * 12, "no failure, and no part: there are no documents"
    assert asked_while_sick < 6
    assert await streamed("/index") == [False]
    assert await streamed("/search") == [False]
