"""Shards asked as one, over real sockets; each shard is a function in the test's event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jina_cli.documents.rows import from_rows, to_rows
from jina_cli.runtime.gather import shard_of
from jina_cli.runtime.shards import Shards
from jina_cli.vocabulary import Polling
from jina_cli.wire.balance import ReplicaSet
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.channel import Link, Server
from jina_cli.wire.messages import (
    Body,
    EndpointInfo,
    Format,
    Hello,
    Request,
    Response,
    Status,
    StatusCode,
)

pytestmark = pytest.mark.anyio

ALL = {"*": Polling.ALL}
ANY = {"*": Polling.ANY}
IDS = [f"d{n}" for n in range(6)]


class Shard:
    """Answers with its name as the text of each document; yields so many parts of it.

    Attributes:
        status: What it fails with, if it does.
        endpoints: What it says that it serves.
        closed: Answers in parts that ended.
    """

    def __init__(self, name: str, *, parts: int = 2, then_hangs: bool = False) -> None:
        self.name = name
        self.parts = parts
        self.then_hangs = then_hangs
        self.status: Status | None = None
        self.endpoints: dict[str, EndpointInfo] = {"/talk": EndpointInfo(is_generator=True)}
        self.asked: list[Request] = []
        self.closed = 0

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        if self.status is not None:
            return Response(status=self.status)
        return Response(body=self._said(request, self.name))

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        self.asked.append(request)
        try:
            for number in range(self.parts):
                yield Response(body=self._said(request, f"{self.name}{number}"))
            if self.status is not None:
                yield Response(status=self.status)
            if self.then_hangs:
                await asyncio.Event().wait()
        finally:
            self.closed += 1

    def _said(self, request: Request, text: str) -> Body:
        ids = read_body(request.bodies[0]).ids
        return write_body(from_rows([{"id": id_, "text": text} for id_ in ids]), request.wanted)


@asynccontextmanager
async def a_pod(
    folder: Path, shards: Sequence[Shard], polling: Mapping[str, Polling], **more: Any
) -> AsyncIterator[Shards]:
    async with AsyncExitStack() as stack:
        sets = []
        for shard in shards:
            link = await stack.enter_async_context(a_link(folder / shard.name, shard))
            sets.append(ReplicaSet([link], name=f"pod/shard-{len(sets)}"))
        yield Shards(sets, polling, **more)


@asynccontextmanager
async def a_link(path: Path, shard: Shard) -> AsyncIterator[Link]:
    def hello() -> Hello:
        return Hello(pea=shard.name, endpoints=shard.endpoints)

    server = Server(shard.answer, hello, max_queue=9, max_message_bytes=2**20, stream=shard.stream)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    await server.start(sock)
    link = Link(f"unix:{path}")
    link.start()
    await link.wait_up(5)
    try:
        yield link
    finally:
        await link.close()
        await server.close()


def a_question(*ids: str, **more: Any) -> Request:
    body = write_body(from_rows([{"id": id_} for id_ in ids or ("q",)]), Format.COLUMNS)
    return Request(endpoint="/talk", bodies=(body,), **more)


def texts(response: Response) -> list[tuple[str, str]]:
    return [(row["id"], row["text"]) for row in to_rows(read_body(response.body))]


async def streamed(pod: Shards, question: Request) -> list[Response]:
    return [part async for part in pod.stream(replace(question, streamed=True))]


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(1):
        while not condition():
            await asyncio.sleep(0.001)


def sick(shard: Shard) -> Shard:
    shard.status = Status(code=StatusCode.EXECUTOR, description="sick", pod="pod")
    return shard


async def test_one_failed_shard_fails_the_request_that_all_were_asked(tmp_path: Path) -> None:
    async with a_pod(tmp_path, [Shard("a"), sick(Shard("b"))], ALL) as pod:
        answer = await pod.answer(a_question(), Format.COLUMNS)

    assert (answer.status.description, dict(answer.marks)) == ("sick", {})


async def test_failed_shards_are_left_out_where_that_is_enough_and_the_answer_says_so(
    tmp_path: Path,
) -> None:
    shards = [sick(Shard("a")), Shard("b"), sick(Shard("c"))]
    async with a_pod(tmp_path, shards, ALL, partial=True) as pod:
        some = await pod.answer(a_question(), Format.COLUMNS)
        sick(shards[1])
        none = await pod.answer(a_question(), Format.COLUMNS)

    assert (texts(some), dict(some.marks)) == (
        [("q", "b")],
        {"total_shards": "3", "failed_shards": "2"},
    )
    assert (none.status.description, dict(none.marks)) == ("sick", {})


async def test_documents_that_belong_to_one_shard_are_never_left_out(tmp_path: Path) -> None:
    shards = [sick(Shard("a")), Shard("b")]
    async with a_pod(tmp_path, shards, ANY, partial=True) as pod:
        answer = await pod.answer(a_question(*IDS), Format.COLUMNS)

    assert {shard_of(id_, 2) for id_ in IDS} == {0, 1}
    assert answer.status.description == "sick"


async def test_what_all_shards_yield_comes_as_it_is_yielded(tmp_path: Path) -> None:
    async with a_pod(tmp_path, [Shard("a"), Shard("b", parts=3)], ALL) as pod:
        parts = await streamed(pod, a_question())

    found = [text for part in parts for _, text in texts(part)]
    assert sorted(found) == ["a0", "a1", "b0", "b1", "b2"]
    assert [one for one in found if one[0] == "b"] == ["b0", "b1", "b2"]


@pytest.mark.parametrize("endpoint", ["/talk", "/default"])
async def test_shards_that_answer_whole_have_one_answer_to_a_stream_too(
    tmp_path: Path, endpoint: str
) -> None:
    shards = [Shard("a"), Shard("b")]
    for shard in shards:
        shard.endpoints = {endpoint: EndpointInfo()}
    async with a_pod(tmp_path, shards, ALL) as pod:
        (part,) = await streamed(pod, a_question())

    assert [id_ for id_, _ in texts(part)] == ["q"]


async def test_a_document_that_belongs_to_one_shard_is_streamed_by_it_alone(
    tmp_path: Path,
) -> None:
    shards = [Shard("a"), Shard("b"), Shard("c")]
    async with a_pod(tmp_path, shards, ANY) as pod:
        parts = await streamed(pod, a_question("d1"))

    owner = shards[shard_of("d1", 3)]
    assert [texts(part) for part in parts] == [
        [("d1", f"{owner.name}0")],
        [("d1", f"{owner.name}1")],
    ]
    assert [len(shard.asked) for shard in shards if shard is not owner] == [0, 0]


async def test_a_shard_that_fails_midway_ends_the_stream_and_the_others(tmp_path: Path) -> None:
    shards = [sick(Shard("a")), Shard("b", then_hangs=True)]
    async with a_pod(tmp_path, shards, ALL) as pod:
        parts = await streamed(pod, a_question())
        await until(lambda: shards[1].closed)

    assert parts[-1].status.description == "sick"
    assert all(part.status.ok for part in parts[:-1])


async def test_a_shard_that_fails_midway_is_left_out_where_that_is_enough(tmp_path: Path) -> None:
    shards = [sick(Shard("a", parts=0)), Shard("b")]
    async with a_pod(tmp_path, shards, ALL, partial=True) as pod:
        parts = await streamed(pod, a_question())

    assert [texts(part) for part in parts[:-1]] == [[("q", "b0")], [("q", "b1")]]
    assert dict(parts[-1].marks) == {"total_shards": "2", "failed_shards": "1"}
    assert parts[-1].status.ok


async def test_closing_a_stream_ends_it_on_all_shards(tmp_path: Path) -> None:
    shards = [Shard("a", then_hangs=True), Shard("b", then_hangs=True)]
    async with a_pod(tmp_path, shards, ALL) as pod:
        async with aclosing(pod.stream(a_question(streamed=True))) as parts:
            await anext(parts)
        await until(lambda: shards[0].closed and shards[1].closed)


@pytest.mark.parametrize(("partial", "expected"), [(False, False), (True, True)])
async def test_a_pod_is_ready_while_enough_shards_are(
    tmp_path: Path, partial: bool, expected: bool
) -> None:
    async with a_pod(tmp_path, [Shard("a"), Shard("b")], ALL, partial=partial) as pod:
        before = pod.is_ready
        await pod.shards[0].close()
        after = pod.is_ready

    assert (before, after) == (True, expected)
