"""Replicas of an Indexer, each a process: the first writes, all read, and the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TensorColumn, TextColumn
from jina_cli.lifeline import ReadySaid
from jina_cli.wire.balance import ReplicaSet
from jina_cli.wire.channel import Link
from jina_cli.wire.messages import Response, StatusCode
from tests.testing.peas import Pea, Peas, a_request, docs_of

pytestmark = pytest.mark.anyio

COUNT = 3


@pytest.fixture
def peas(tmp_path: Path) -> Iterator[Peas]:
    with Peas(tmp_path) as made:
        yield made


def replicas(peas: Peas, uses: str) -> list[Pea]:
    plans = [
        peas.worker(uses, name=f"index/rep-{n}", replica=n, replicas=COUNT) for n in range(COUNT)
    ]
    # The readers first: they need not wait for the writer.
    started = [peas.start(plan) for plan in reversed(plans)]
    for pea in started:
        pea.heard(ReadySaid)
    return started[::-1]


@asynccontextmanager
async def linked(pod: list[Pea]) -> AsyncIterator[ReplicaSet]:
    links = [Link(pea.plan.address) for pea in pod]
    for link in links:
        link.start()
    for link in links:
        await link.wait_up(20)
    together = ReplicaSet(links, name="index")
    try:
        yield together
    finally:
        await together.close()


def some(*ids: str) -> DocumentBatch:
    vectors = np.eye(4, dtype=np.float32)[: len(ids)]
    texts = TextColumn([f"boat {id_}" for id_ in ids])
    return DocumentBatch(list(ids), {"text": texts, "embedding": TensorColumn(vectors)})


def results(response: Response) -> dict[str, Any]:
    assert response.status.ok, response.status
    said: dict[str, Any] = response.parameters["__results__"]
    return said


async def found_by_each(pod: ReplicaSet) -> list[list[str]]:
    """Return what each replica finds, each asked by itself."""
    query = a_request("/search", some("q"), top_k=9)
    answers = [docs_of(await link.request(query)) for link in pod.links]
    return [sorted(answer.values("matches")[0].ids) for answer in answers]


@pytest.mark.parametrize("uses", ["HybridIndexer", "TextIndexer"])
async def test_what_was_acknowledged_is_seen_by_every_replica(peas: Peas, uses: str) -> None:
    async with linked(replicas(peas, uses)) as pod:
        for n in range(5):
            docs_of(await pod.request(a_request("/index", some(f"d{n}"))))
            assert await found_by_each(pod) == [[f"d{m}" for m in range(n + 1)]] * COUNT

        said = results(await pod.request(a_request("/delete", ids=["d0"], filter="text like '%1'")))
        assert said == {"index/rep-0": {"deleted": 2}}
        assert await found_by_each(pod) == [["d2", "d3", "d4"]] * COUNT


async def test_reads_are_shared_and_writes_are_not(peas: Peas) -> None:
    async with linked(replicas(peas, "TextIndexer")) as pod:
        for endpoint in ("/index", "/update"):
            await asyncio.gather(
                *(pod.request(a_request(endpoint, some(f"d{n}"))) for n in range(6))
            )
        counts = [results(await pod.request(a_request("/count"))) for _ in range(COUNT)]

    assert sorted(name for count in counts for name in count) == [
        f"index/rep-{n}" for n in range(COUNT)
    ]
    assert [value for count in counts for value in count.values()] == [{"count": 6}] * COUNT


async def test_readers_go_on_while_the_writer_is_gone_and_writes_wait_for_it(peas: Peas) -> None:
    processes = replicas(peas, "HybridIndexer")
    writer = processes[0]
    async with linked(processes) as pod:
        docs_of(await pod.request(a_request("/index", some("before"))))
        writer.kill()

        reads = [results(await pod.request(a_request("/count"))) for _ in range(4)]
        waiting = asyncio.ensure_future(pod.request(a_request("/index", some("after"))))
        searched = docs_of(await pod.request(a_request("/search", some("q"), top_k=9)))
        assert not waiting.done()

        await asyncio.to_thread(peas.ready, writer.plan)
        docs_of(await waiting)
        await pod.links[0].wait_up(20)

        assert all(value == {"count": 1} for read in reads for value in read.values())
        assert list(searched.values("matches")[0].ids) == ["before"]
        assert await found_by_each(pod) == [["after", "before"]] * COUNT


async def test_who_is_no_replica_is_told_who_writes(peas: Peas) -> None:
    writer = replicas(peas, "TextIndexer")[0]

    said = peas.failed(peas.worker("TextIndexer", name="index/other"))

    assert f"is being written by process {writer.process.pid}" in said.cause


async def test_a_reader_that_is_asked_to_write_refuses(peas: Peas) -> None:
    async with linked(replicas(peas, "TextIndexer")) as pod:
        answer = await pod.links[1].request(a_request("/index", some("a")))

        assert answer.status.code is StatusCode.STORAGE
        assert "was opened to read only" in answer.status.description


async def pages(link: Link, **given: int) -> list[list[str]]:
    """Return the ids of all pages of a dump but the last, which is empty."""
    found: list[list[str]] = []
    while True:
        after = found[-1][-1] if found else ""
        page = docs_of(await link.request(a_request("/dump", after=after, **given)))
        if not len(page):
            return found
        found.append(list(page.ids))


async def sharded(peas: Peas, uses: str) -> Link:
    """Return a link to the head of an index of two shards; whoever asks closes it."""
    plans = [peas.worker(uses, name=f"index/shard-{n}/rep-0", shard=n, shards=2) for n in range(2)]
    head = peas.head([[plan] for plan in plans])
    for plan in (*plans, head):
        peas.start(plan)
    link = Link(head.address)
    link.start()
    await link.wait_up(20)
    return link


async def test_shards_answer_as_one_index(peas: Peas) -> None:
    link = await sharded(peas, "HybridIndexer")
    try:
        docs_of(await link.request(a_request("/index", some("a", "b", "c", "d"))))
        whole, by_two = await pages(link), await pages(link, limit=2)
        got = docs_of(await link.request(a_request("/get", some("c"), ids=["a", "nobody"])))
        counted = results(await link.request(a_request("/count", filter="id in ('a', 'c', 'd')")))
        deleted = results(await link.request(a_request("/delete", some("b"), filter="id = 'd'")))
        left = results(await link.request(a_request("/count")))
        each = results(await link.request(a_request("/status")))
    finally:
        await link.close()

    assert [id_ for page in whole for id_ in page] == ["a", "b", "c", "d"]
    assert by_two == [["a", "b"], ["c", "d"]]
    assert list(zip(got.ids, got.text(), strict=True)) == [("c", "boat c"), ("a", "boat a")]
    assert (counted, deleted, left) == (
        {"index": {"count": 3}},
        {"index": {"deleted": 2}},
        {"index": {"count": 2}},
    )
    assert sorted(each) == ["index/shard-0/rep-0", "index/shard-1/rep-0"]


async def test_a_write_waits_for_the_writer_also_where_nobody_was_known(peas: Peas) -> None:
    writer, reader = (
        peas.worker("TextIndexer", name=f"index/rep-{n}", replica=n, replicas=2) for n in range(2)
    )
    # Both sockets are there, as in a Flow; behind the first nobody answers yet.
    peas.start(writer).kill()
    links = [Link(plan.address) for plan in (writer, reader)]
    pod = ReplicaSet(links, name="index")
    for link in links:
        link.start()
    try:
        asked = asyncio.ensure_future(pod.request(a_request("/index", some("a"))))
        await asyncio.to_thread(peas.ready, reader)
        await links[1].wait_up(20)
        assert not asked.done()

        peas.start(writer)
        docs_of(await asked)
        assert results(await links[1].request(a_request("/count"))) == {"index/rep-1": {"count": 1}}
    finally:
        await pod.close()


async def test_few_documents_are_all_found_though_nobody_said_how_many(peas: Peas) -> None:
    link = await sharded(peas, "TextIndexer")
    try:
        docs_of(await link.request(a_request("/index", some("a", "b", "c", "d"))))
        found = docs_of(await link.request(a_request("/search", some("q"))))
    finally:
        await link.close()

    assert sorted(found.values("matches")[0].ids) == ["a", "b", "c", "d"]
