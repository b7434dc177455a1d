"""Where answers are computed: in the loop, in a thread, in groups."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TextColumn
from jina_cli.executors.base import Executor, requests
from jina_cli.executors.endpoints import Batching
from jina_cli.runtime.host import Host
from jina_cli.runtime.steps import Step
from jina_cli.runtime.worker import Seat, Worker
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.messages import Body, Format, Request, StatusCode

pytestmark = pytest.mark.anyio


class Trial(Executor):
    """Keeps the threads it was called in."""

    def __init__(self) -> None:
        self.threads: list[str] = []
        self.gate = threading.Event()

    @requests(on="/quick")
    def quick(self, docs: DocumentBatch) -> None:
        self.threads.append(threading.current_thread().name)

    @requests(on="/wait")
    def wait(self, docs: DocumentBatch) -> None:
        self.gate.wait()

    @requests(on="/later")
    def later(self, docs: DocumentBatch) -> Any:
        async def said() -> DocumentBatch:
            await asyncio.sleep(0)
            return docs.with_texts(["later"] * len(docs))

        return said()

    @requests(on="/count")
    def count(self, docs: DocumentBatch, parameters: dict[str, Any]) -> DocumentBatch:
        return docs.with_texts([f"{len(docs)} {parameters.get('k', '')}"] * len(docs))


def host_of(trial: Trial, **others: Any) -> Host:
    worker = Worker(Seat(pea="pod/rep-0", pod="pod", label="pod"), [Step.of(trial)])
    return Host(worker, others.pop("batching", {}), **others)


def ask(endpoint: str, text: str = "a", **parameters: Any) -> Request:
    docs = DocumentBatch(["d"], {"text": TextColumn([text])})
    body = write_body(docs, Format.COLUMNS)
    return Request(endpoint=endpoint, bodies=(body,), parameters=parameters)


async def test_an_endpoint_that_proved_fast_runs_in_the_loop() -> None:
    trial = Trial()
    host = host_of(trial)

    for _ in range(20):
        await host.answer(ask("/quick"))

    here = threading.current_thread().name
    assert trial.threads[:8] == ["executor"] * 8
    assert trial.threads[-1] == here


async def test_a_large_request_never_runs_in_the_loop() -> None:
    trial = Trial()
    host = host_of(trial)
    for _ in range(20):
        await host.answer(ask("/quick"))

    await host.answer(ask("/quick", "x" * 300_000))

    assert trial.threads[-1] == "executor"


@pytest.mark.parametrize("batching", [{}, {"/later": Batching(preferred_batch_size=1)}])
async def test_an_awaitable_is_waited_for_whoever_returns_it(
    batching: dict[str, Batching],
) -> None:
    host = host_of(Trial(), batching=batching)

    answers = [await host.answer(ask("/later")) for _ in range(20)]  # in a thread, then in the loop

    assert {answer.status.code for answer in answers} == {StatusCode.OK}
    assert {read_body(answer.body).text()[0] for answer in answers} == {"later"}


async def test_nothing_runs_beside_a_synchronous_method() -> None:
    trial = Trial()
    host = host_of(trial)
    for _ in range(20):
        await host.answer(ask("/quick"))
    seen = len(trial.threads)
    waiting = asyncio.create_task(host.answer(ask("/wait")))
    quick = asyncio.create_task(host.answer(ask("/quick")))
    for _ in range(20):
        await asyncio.sleep(0)

    assert len(trial.threads) == seen
    trial.gate.set()
    await asyncio.gather(waiting, quick)
    assert trial.threads[-1] == "executor"


async def test_methods_run_beside_each_other_where_that_is_allowed() -> None:
    trial = Trial()
    host = host_of(trial, allow_concurrent=True)
    waiting = asyncio.create_task(host.answer(ask("/wait")))

    await asyncio.wait_for(host.answer(ask("/quick")), 5)

    trial.gate.set()
    assert (await waiting).status.ok


BATCHING = {"/count": Batching(preferred_batch_size=2, timeout_ms=60_000)}


async def test_requests_with_equal_parameters_go_together() -> None:
    host = host_of(Trial(), batching=BATCHING)

    answers = await asyncio.gather(*(host.answer(ask("/count", k=k)) for k in ("x", "y", "x", "y")))

    texts = [read_body(answer.body).values("text")[0] for answer in answers]
    assert texts == ["2 x", "2 y", "2 x", "2 y"]


async def test_a_request_that_cannot_be_read_does_not_harm_its_group() -> None:
    host = host_of(Trial(), batching=BATCHING)
    broken = Request(endpoint="/count", bodies=(Body(Format.JSON, b"{"),))

    answers = await asyncio.gather(
        host.answer(ask("/count")), host.answer(broken), host.answer(ask("/count"))
    )

    codes = [answer.status.code for answer in answers]
    assert codes == [StatusCode.OK, StatusCode.INVALID, StatusCode.OK]
