"""A Pod of several shards: a head and its workers, all real processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TextColumn
from jina_cli.lifeline import PhaseSaid, ReadySaid
from jina_cli.plan.models import ExecutorPlan, PeaPlan
from jina_cli.runtime.gather import shard_of
from jina_cli.vocabulary import DRY_RUN_ENDPOINT, Polling
from jina_cli.wire.bodies import read_body
from jina_cli.wire.channel import Link
from jina_cli.wire.messages import Body, Format, Request, StatusCode
from tests.testing.peas import Pea, Peas, a_request, docs_of

pytestmark = pytest.mark.anyio
FILE = str(Path(__file__).with_name("executors.py"))
IDS = [f"d{n}" for n in range(20)]
DOCS = DocumentBatch(IDS, {"text": TextColumn(["x" * (n + 1) for n in range(20)])})
QUERY = DocumentBatch(["q"], {"text": TextColumn(["?"])})


@pytest.fixture(scope="module")
def peas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peas]:
    with Peas(tmp_path_factory.mktemp("heads")) as peas:
        yield peas


def workers(
    peas: Peas, pod: str, shards: int, replicas: int = 1, **with_: Any
) -> list[list[PeaPlan]]:
    return [
        [
            peas.worker(
                f"{FILE}:Memory",
                name=f"{pod}/shard-{shard}/rep-{replica}",
                shard=shard,
                shards=shards,
                replica=replica,
                replicas=replicas,
                with_=with_,
            )
            for replica in range(replicas)
        ]
        for shard in range(shards)
    ]


def started(peas: Peas, plans: Sequence[PeaPlan]) -> list[Pea]:
    running = [peas.start(plan) for plan in plans]
    for pea in running:
        pea.heard(ReadySaid)
    return running


def a_pod(peas: Peas, pod: str, shards: int, replicas: int = 1, **others: Any) -> list[Pea]:
    """Start a Pod; its head comes first."""
    plans = workers(peas, pod, shards, replicas, **others.pop("with_", {}))
    head = peas.head(plans, **others)
    return started(peas, [head, *(plan for row in plans for plan in row)])


@asynccontextmanager
async def linked(pea: Pea) -> AsyncIterator[Link]:
    link = await pea.connect()
    try:
        yield link
    finally:
        await link.close()


@pytest.fixture(scope="module")
def pod(peas: Peas) -> list[Pea]:
    return a_pod(peas, "memory", 3)


async def test_documents_are_split_by_id_and_found_on_all_shards(pod: list[Pea]) -> None:
    head, *shards = pod
    async with linked(head) as link:
        indexed = await link.request(a_request("/index", DOCS))
        searched = docs_of(await link.request(a_request("/search", QUERY, top_k=4)))
        status = await link.request(a_request("/status"))

    assert docs_of(indexed).ids == IDS
    (matches,) = searched.values("matches")
    assert matches.ids == ["d19", "d18", "d17", "d16"]
    assert matches.values("score") == [20.0, 19.0, 18.0, 17.0]
    counts = {name: said["count"] for name, said in status.parameters["__results__"].items()}
    owners = [shard_of(id_, 3) for id_ in IDS]
    assert counts == {pea.plan.name: owners.count(n) for n, pea in enumerate(shards)}
    assert all(counts.values())
    assert [step.pod for step in indexed.routes] == ["memory"]


async def test_the_head_says_what_its_shards_serve(pod: list[Pea]) -> None:
    phases = [said.phase for said in pod[0].said if isinstance(said, PhaseSaid)]

    assert phases == ["connect"]
    assert set(pod[0].heard(ReadySaid).endpoints) >= {"/index", "/search", "/status", "/train"}


async def test_documents_come_in_as_a_client_wrote_them_and_go_out_as_it_wants(
    pod: list[Pea],
) -> None:
    body = Body(Format.JSON, b'[{"text": "?"}]')
    request = Request(
        endpoint="/search", bodies=(body,), parameters={"top_k": 1}, wanted=Format.JSON
    )
    async with linked(pod[0]) as link:
        answer = await link.request(request)

    assert answer.body.format is Format.JSON
    (matches,) = docs_of(answer).values("matches")
    assert len(matches) == 1


async def test_a_top_k_that_makes_no_sense_is_refused(pod: list[Pea]) -> None:
    async with linked(pod[0]) as link:
        answer = await link.request(a_request("/search", QUERY, top_k=0))

    assert answer.status.code is StatusCode.INVALID


async def test_training_reaches_every_replica_of_every_shard(peas: Peas) -> None:
    head, *others = a_pod(peas, "learner", 2, replicas=2)
    async with linked(head) as link:
        first = await link.request(a_request("/train", QUERY))
    taught = []
    for pea in others:
        async with linked(pea) as link:
            answer = await link.request(a_request("/train", QUERY))
            taught.append(answer.parameters["__results__"][pea.plan.name]["taught"])

    assert docs_of(first).ids == ["q"]
    assert taught == [2, 2, 2, 2]


async def test_a_shard_that_fails_fails_the_request_by_name(peas: Peas) -> None:
    head, *_ = a_pod(peas, "sick", 2, with_={"fails_on": 1})
    async with linked(head) as link:
        answer = await link.request(a_request("/search", QUERY))

    assert answer.status.code is StatusCode.EXECUTOR
    assert answer.status.description.startswith(
        "sick/shard-1 (Memory): LookupError: this shard is sick"
    )
    assert read_body(answer.body).ids == []


async def test_a_dead_replica_is_passed_by_and_a_dead_shard_is_waited_for(peas: Peas) -> None:
    head, one, two, other = a_pod(peas, "mortal", 1, replicas=3)
    async with linked(head) as link:
        await asyncio.to_thread(one.kill)
        for _ in range(6):
            assert (await link.request(a_request("/search", QUERY))).status.ok
        await asyncio.to_thread(two.kill)
        await asyncio.to_thread(other.kill)
        waiting = asyncio.create_task(link.request(a_request("/search", QUERY)))
        peas.start(one.plan)

        assert (await waiting).status.ok


async def test_executors_stand_before_and_after_the_shards(peas: Peas) -> None:
    plans = workers(peas, "framed", 2)
    head = peas.head(
        plans,
        before=ExecutorPlan(uses=f"{FILE}:Stamp", with_={"letter": "<"}),
        after=ExecutorPlan(uses=f"{FILE}:Stamp", with_={"letter": ">"}),
        polling={"*": Polling.ALL},
    )
    running = started(peas, [head, *(row[0] for row in plans)])
    async with linked(running[0]) as link:
        answer = await link.request(a_request("/nobody", QUERY))
        dry = await link.request(a_request(DRY_RUN_ENDPOINT, QUERY))

    assert list(docs_of(answer).values("text")) == ["?<>"]
    assert docs_of(dry).ids == ["q"]


async def test_a_pod_takes_what_the_executor_before_its_shards_takes_and_gives_as_the_one_after(
    peas: Peas,
) -> None:
    plans = workers(peas, "typed", 1)
    framing = ExecutorPlan(uses=f"{FILE}:Framing")
    head = peas.head(plans, before=framing, after=framing)
    running = started(peas, [head, plans[0][0]])
    async with linked(running[0]) as link:
        assert link.hello is not None
        served = link.hello.endpoints

    for endpoint in ("/search", "/default"):
        info = served[endpoint]
        assert (info.input["title"], info.output["title"]) == ("Asked", "Found")


async def test_a_head_drains_like_any_pea(peas: Peas) -> None:
    head, *_ = a_pod(peas, "ending", 1)

    head.terminate()

    assert await asyncio.to_thread(head.ended) == 0


async def test_a_deadline_is_passed_on(pod: list[Pea]) -> None:
    async with linked(pod[0]) as link:
        late = replace(a_request("/search", QUERY), deadline=time.monotonic())
        answer = await link.request(late)

    assert answer.status.code is StatusCode.DEADLINE


async def test_a_head_whose_shard_is_gone_says_that_it_is_not_ready_until_it_is_back(
    peas: Peas,
) -> None:
    head, shard, _ = a_pod(peas, "halved", 2)
    async with linked(head) as link, asyncio.timeout(20):
        was_ready = link.is_ready
        await asyncio.to_thread(shard.kill)
        while link.is_ready:
            await asyncio.sleep(0.01)
        is_up = link.is_up
        peas.start(shard.plan)
        while not link.is_ready:
            await asyncio.sleep(0.01)

    assert was_ready
    assert is_up
