"""Numbers of a Pea, counted without a process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from jina_cli.documents.batch import DocumentBatch
from jina_cli.executors.base import Executor, requests
from jina_cli.executors.endpoints import Batching
from jina_cli.observe.metrics import Numbers, WatchedExecutor
from jina_cli.runtime.host import Host
from jina_cli.runtime.steps import Step
from jina_cli.runtime.worker import Seat, Worker
from jina_cli.wire.bodies import write_body
from jina_cli.wire.messages import (
    Answering,
    Body,
    EndpointInfo,
    Format,
    Hello,
    Request,
    Response,
)

HELLO = Hello(pea="a", executor="Work", endpoints={"/do": EndpointInfo()})


class Idle(Executor):
    """Reads documents, and leaves them as they are."""

    @requests(on="/do")
    def do(self, docs: DocumentBatch) -> None:
        len(docs)


async def answer(request: Request) -> Response:
    return Response()


def watched(numbers: Numbers, was_closed: list[bool]) -> Answering:
    async def stream(request: Request) -> AsyncIterator[Response]:
        try:
            while True:
                yield Response()
        finally:
            was_closed.append(True)

    return WatchedExecutor(Answering(answer=answer, stream=stream), numbers, HELLO).answering


def test_endpoints_that_clients_make_up_are_counted_as_the_default_one() -> None:
    numbers = Numbers("a")

    async def scenario() -> None:
        own = watched(numbers, [])
        for endpoint in ("/do", "/x", "/y"):
            await own.answer(Request(endpoint=endpoint))

    asyncio.run(scenario())

    def count(endpoint: str) -> float | None:
        labels = {"runtime_name": "a", "executor": "Work", "executor_endpoint": endpoint}
        return numbers.registry.get_sample_value("jina_process_request_seconds_count", labels)

    assert (count("/do"), count("/default"), count("/x")) == (1, 2, None)


def test_a_watched_stream_that_is_closed_ends_what_it_watches_at_once() -> None:
    was_closed: list[bool] = []

    async def scenario() -> None:
        parts = watched(Numbers("a"), was_closed).stream(Request(endpoint="/do"))
        await anext(parts)
        await parts.aclose()  # type: ignore[attr-defined]
        assert was_closed == [True]

    asyncio.run(scenario())


def test_documents_are_counted_by_who_read_them_for_each_way_to_answer() -> None:
    numbers = Numbers("a")
    docs = DocumentBatch(["x", "y", "z"], {})
    asked = Request(endpoint="/do", bodies=(write_body(docs, Format.COLUMNS),))
    broken = Request(endpoint="/do", bodies=(Body(Format.COLUMNS, b"{"),))
    worker = Worker(Seat(pea="a", pod="a", label="a"), [Step.of(Idle())])
    together = {"/do": Batching(preferred_batch_size=3, timeout_ms=0)}

    async def scenario() -> None:
        for host in (Host(worker, {}), Host(worker, together)):
            own = Answering(answer=host.answer, stream=host.stream)
            answering = WatchedExecutor(own, numbers, HELLO).answering
            assert (await answering.answer(asked)).status.ok
            assert not (await answering.answer(broken)).status.ok
            async for part in answering.stream(asked):
                assert part.status.ok

    asyncio.run(scenario())

    labels = {"runtime_name": "a", "executor": "Work", "executor_endpoint": "/do"}
    assert numbers.registry.get_sample_value("jina_document_processed_total", labels) == 4 * 3
