"""A real Pea whose Executor yields, over its socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TextColumn
from jina_cli.wire.channel import Link, LinkDown
from jina_cli.wire.messages import Request, StatusCode
from tests.testing.peas import Pea, Peas, a_request, docs_of
from tests.testing.processes import wait_until

pytestmark = pytest.mark.anyio
FILE = str(Path(__file__).with_name("speakers.py"))
DOCS = DocumentBatch(["a"], {"text": TextColumn(["one"])})
MANY = DocumentBatch(["a", "b"], {"text": TextColumn(["one", "two"])})


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pea]:
    """One Pea for the tests that leave it alive."""
    with Peas(tmp_path_factory.mktemp("speaker")) as peas:
        yield peas.ready(peas.worker(f"{FILE}:Speaker"))


@pytest.fixture
def peas(tmp_path: Path) -> Iterator[Peas]:
    with Peas(tmp_path) as peas:
        yield peas


@pytest.fixture
async def link(speaker: Pea) -> AsyncIterator[Link]:
    link = await speaker.connect()
    yield link
    await link.close()


def a_stream(endpoint: str, docs: DocumentBatch = DOCS, **parameters: Any) -> Request:
    return replace(a_request(endpoint, docs, **parameters), streamed=True)


async def texts(link: Link, request: Request) -> list[str]:
    return [docs_of(part).text()[0] async for part in link.stream(request)]


async def test_parts_come_as_they_are_yielded(link: Link) -> None:
    begin, times = time.monotonic(), []

    async for part in link.stream(a_stream("/count", pause=0.2)):
        assert part.status.ok
        times.append(time.monotonic() - begin)

    assert len(times) == 3
    assert times[0] < 0.4 < times[2]


async def test_a_slow_synchronous_generator_holds_up_nobody(link: Link, speaker: Pea) -> None:
    async with aclosing(link.stream(a_stream("/slow", pause=0.3))) as parts:  # type: ignore[type-var]
        first = docs_of(await anext(parts)).text()[0]
        assert await link.ping(0.25) < 0.25

    assert first == "0 executor"
    await asyncio.to_thread(wait_until, lambda: "slow closed" in speaker.lines)


async def test_a_stream_of_several_documents_has_the_parts_of_each_in_order(link: Link) -> None:
    assert await texts(link, a_stream("/count", MANY, to=2)) == ["0", "1", "0", "1"]


async def test_asked_for_no_stream_a_generator_answers_whole(link: Link) -> None:
    for endpoint in ("/count", "/slow"):
        answer = await link.request(a_request(endpoint, MANY, to=2))

        assert [text[0] for text in docs_of(answer).text()] == ["0", "1", "0", "1"]


async def test_asked_for_a_stream_an_ordinary_endpoint_answers_in_one_part(link: Link) -> None:
    assert await texts(link, a_stream("/whole")) == ["whole"]


async def test_a_generator_that_raises_midway_says_so_after_what_it_yielded(link: Link) -> None:
    parts = [part async for part in link.stream(a_stream("/raise"))]

    assert [part.status.code for part in parts] == [StatusCode.OK, StatusCode.EXECUTOR]
    assert "LookupError: no second" in parts[1].status.description


@pytest.mark.parametrize(("endpoint", "pause"), [("/count", 0), ("/count", 0.05), ("/slow", 0.05)])
async def test_who_goes_away_ends_the_generator_within_a_second(
    peas: Peas, endpoint: str, pause: float
) -> None:
    pea = peas.ready(peas.worker(f"{FILE}:Speaker"))
    link = await pea.connect()
    async with aclosing(  # type: ignore[type-var]
        link.stream(a_stream(endpoint, to=1_000_000, pause=pause))
    ) as parts:
        await anext(parts)
    begin = time.monotonic()

    end = f"{endpoint[1:]} closed"
    await asyncio.to_thread(wait_until, lambda: end in pea.lines)

    assert time.monotonic() - begin < 1
    await link.close()


async def test_a_whole_answer_that_nobody_wants_any_more_ends_its_generator(peas: Peas) -> None:
    pea = peas.ready(peas.worker(f"{FILE}:Speaker"))
    link = await pea.connect()
    asked = asyncio.create_task(link.request(a_request("/slow", DOCS, to=1000, pause=0.05)))
    await asyncio.to_thread(wait_until, lambda: "slow 3" in pea.lines)

    asked.cancel()

    await asyncio.to_thread(wait_until, lambda: "slow closed" in pea.lines, 1.0)
    await link.close()


async def test_a_client_that_does_not_read_holds_the_generator_back(
    speaker: Pea, link: Link
) -> None:
    before = sum(line.startswith("slow ") for line in speaker.lines)
    async with aclosing(link.stream(a_stream("/slow", to=10_000))) as parts:  # type: ignore[type-var]
        await anext(parts)
        await asyncio.to_thread(
            wait_until, lambda: sum(x.startswith("slow ") for x in speaker.lines) > before + 15
        )
        for _ in range(3):
            await link.ping(5)

        assert sum(line.startswith("slow ") for line in speaker.lines) < before + 60


async def test_an_executor_that_dies_midway_breaks_the_stream(peas: Peas) -> None:
    pea = peas.ready(peas.worker(f"{FILE}:Speaker"))
    link = await pea.connect()

    with pytest.raises(LinkDown):
        await texts(link, a_stream("/vanish"))

    assert await asyncio.to_thread(pea.ended) == 9
    await link.close()


async def test_what_the_schema_of_an_endpoint_says(link: Link) -> None:
    hello = await link.wait_up(5)

    counting, whole = hello.endpoints["/count"], hello.endpoints["/whole"]
    assert (counting.is_generator, counting.is_singleton) == (True, True)
    assert counting.input["title"] == counting.output["title"] == "Count"
    assert (whole.is_generator, whole.is_singleton) == (False, False)
    assert whole.input["title"] == "Document"


async def test_an_exception_that_shall_end_the_process_is_answered_first(peas: Peas) -> None:
    plan = peas.worker(f"{FILE}:Speaker", exit_on_exceptions=("MemoryError",))
    pea = peas.ready(plan)
    link = await pea.connect()

    other = await link.request(a_request("/raise", DOCS))
    answer = await link.request(a_request("/exit", DOCS))

    assert other.status.exception == "LookupError"
    assert answer.status.exception == "MemoryError"
    assert await asyncio.to_thread(pea.ended) == 1
    assert pea.lines[-1] == "closed"
    await link.close()


async def test_only_documents_that_meet_the_condition_reach_the_executor(peas: Peas) -> None:
    plan = peas.worker(f"{FILE}:Speaker", when={"text": {"$eq": "two"}})
    link = await peas.ready(plan).connect()

    some = docs_of(await link.request(a_request("/whole", MANY)))
    none = await link.request(a_request("/exit", DOCS))

    assert (list(some.ids), some.text()) == (["b"], ["whole"])
    assert len(docs_of(none)) == 0
    await link.close()


async def test_what_waits_while_the_executor_is_busy_goes_together(link: Link) -> None:
    first = asyncio.create_task(link.request(a_request("/busy", DOCS)))
    await link.ping(5)

    rest = await asyncio.gather(*(link.request(a_request("/busy", DOCS)) for _ in range(10)))

    counts = sorted(docs_of(answer).text()[0] for answer in [await first, *rest])
    assert counts == ["1", *["2"] * 2, *["8"] * 8]
