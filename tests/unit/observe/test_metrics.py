"""Numbers of a Pea, counted without a process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from jina_cli.observe.metrics import Numbers, WatchedExecutor
from jina_cli.wire.messages import Answering, EndpointInfo, Hello, Request, Response

HELLO = Hello(pea="a", executor="Work", endpoints={"/do": EndpointInfo()})


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
