"""Where answers are computed: in the loop, in a thread, in groups."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import pytest
from docarray import BaseDoc, DocList

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TextColumn, ValuesColumn
from jina_cli.documents.document import Document
from jina_cli.executors.base import Executor, dynamic_batching, requests
from jina_cli.executors.endpoints import Batching
from jina_cli.executors.executor import batchings_of
from jina_cli.runtime.host import Host
from jina_cli.runtime.steps import Step
from jina_cli.runtime.worker import Seat, Worker
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.messages import Body, Format, Request, Response, StatusCode

pytestmark = pytest.mark.anyio

_mark: ContextVar[str] = ContextVar("_mark", default="")


class Trial(Executor):
    """Keeps the threads it was called in."""

    def __init__(self) -> None:
        self.threads: list[str] = []
        self.gate = threading.Event()
        self.is_over = False

    @requests(on="/quick")
    def quick(self, docs: DocumentBatch) -> None:
        if self.is_over:
            raise SystemExit(3)
        self.threads.append(threading.current_thread().name)

    @requests(on="/mark")
    def mark(self, docs: DocumentBatch) -> DocumentBatch:
        found = _mark.get()
        _mark.set("mine")
        return docs.with_texts([found] * len(docs))

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


async def test_what_proved_fast_is_answered_at_once_and_all_else_in_a_task() -> None:
    host = host_of(Trial(), batching={"/count": Batching(preferred_batch_size=1)})
    before = host.respond(ask("/quick"))
    assert not isinstance(before, Response)
    await before
    for _ in range(20):
        await asyncio.gather(*(host.answer(ask(to)) for to in ("/quick", "/later", "/count")))

    quick = host.respond(ask("/quick"))
    assert isinstance(quick, Response)
    assert quick.status.ok
    for text, endpoint in ("a", "/count"), ("a", "/later"), ("x" * 300_000, "/quick"):
        waiting = host.respond(ask(endpoint, text))
        assert not isinstance(waiting, Response)
        assert (await waiting).status.ok


async def test_what_user_code_puts_into_its_context_is_gone_with_the_request() -> None:
    host = host_of(Trial())
    for _ in range(20):
        await host.answer(ask("/mark"))
    _mark.set("nobody's")

    first, second = host.respond(ask("/mark")), host.respond(ask("/mark"))

    assert isinstance(first, Response)
    assert isinstance(second, Response)
    assert [read_body(one.body).text() for one in (first, second)] == [["nobody's"]] * 2


async def test_an_exit_in_user_code_is_raised_in_a_task_where_it_ends_the_process() -> None:
    trial = Trial()
    host = host_of(trial)
    for _ in range(20):
        await host.answer(ask("/quick"))
    trial.is_over = True

    leaving = host.respond(ask("/quick"))

    assert not isinstance(leaving, Response)
    with pytest.raises(SystemExit):
        await leaving


async def test_fast_work_returns_to_the_loop_though_there_is_always_some_of_it() -> None:
    trial = Trial()
    host = host_of(trial)
    for _ in range(20):
        await host.answer(ask("/quick"))
    large = asyncio.create_task(host.answer(ask("/wait", "x" * 300_000)))
    await asyncio.sleep(0)
    behind = [asyncio.create_task(host.answer(ask("/quick"))) for _ in range(3)]
    await asyncio.sleep(0)
    trial.gate.set()
    await large
    seen = len(trial.threads)

    later = [asyncio.create_task(host.answer(ask("/quick"))) for _ in range(3)]
    await asyncio.gather(*behind, *later)

    assert trial.threads[-3:] == [threading.current_thread().name] * 3
    assert len(trial.threads) >= seen + 3


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


class Length(BaseDoc):
    n: int


class Speaker(Executor):
    """Yields, and says where."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.closed = threading.Event()
        self.threads: list[str] = []

    @requests(on="/now")
    def now(self, docs: DocumentBatch) -> Iterator[DocumentBatch]:
        try:
            for place in range(3):
                self.threads.append(threading.current_thread().name)
                yield docs.with_texts([f"{place}"] * len(docs))
        finally:
            self.closed.set()

    @requests(on="/hangs")
    def hangs(self, docs: DocumentBatch) -> Iterator[DocumentBatch]:
        try:
            yield docs
            self.gate.wait()
            yield docs
        finally:
            self.closed.set()

    @requests(on="/bad")
    def bad(self, docs: DocumentBatch) -> Iterator[DocumentBatch]:
        yield docs
        raise LookupError("no second")


class Upper(Executor):
    """Comes after a speaker, and is asynchronous."""

    @requests
    async def upper(self, docs: DocumentBatch) -> DocumentBatch:
        await asyncio.sleep(0)
        return docs.with_texts([f"<{text}>" for text in docs.values("text")])


def speaking(*executors: Executor, **others: Any) -> Host:
    worker = Worker(
        Seat(pea="pod/rep-0", pod="pod", label="pod"), [Step.of(one) for one in executors]
    )
    return Host(worker, others.pop("batching", {}), **others)


async def texts(host: Host, request: Request) -> list[str]:
    return [read_body(part.body).text()[0] async for part in host.stream(request)]


async def test_a_synchronous_generator_is_stepped_beside_the_loop_until_it_proved_fast() -> None:
    speaker = Speaker()
    host = speaking(speaker)

    for _ in range(4):
        assert await texts(host, ask("/now")) == ["0", "1", "2"]

    assert speaker.threads[:3] == ["executor"] * 3
    assert speaker.threads[-1] == threading.current_thread().name


async def test_each_part_goes_on_through_the_executors_behind() -> None:
    host = speaking(Speaker(), Upper())

    assert await texts(host, ask("/now")) == ["<0>", "<1>", "<2>"]
    whole = await host.answer(ask("/now"))
    assert read_body(whole.body).text() == ["<0>", "<1>", "<2>"]


async def test_a_stream_that_fails_ends_with_what_failed() -> None:
    parts = [part async for part in speaking(Speaker(), Upper()).stream(ask("/bad"))]

    assert [part.status.code for part in parts] == [StatusCode.OK, StatusCode.EXECUTOR]
    assert parts[1].status.description.startswith("pod (Speaker): LookupError: no second")


async def test_an_ordinary_endpoint_answers_a_stream_in_one_part() -> None:
    assert await texts(speaking(Upper()), ask("/x", "y")) == ["<y>"]


async def test_a_stream_that_is_closed_closes_its_generator() -> None:
    speaker = Speaker()
    stream = speaking(speaker).stream(ask("/now"))
    await anext(stream)

    await stream.aclose()

    assert await asyncio.to_thread(speaker.closed.wait, 5)
    assert len(speaker.threads) == 1


async def test_a_step_that_hangs_keeps_nobody_from_leaving() -> None:
    speaker = Speaker()
    host = speaking(speaker)

    async def listen() -> None:
        async for _ in host.stream(ask("/hangs")):
            pass

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.05)
    listening.cancel()
    await asyncio.wait([listening], timeout=5)

    assert listening.cancelled()
    assert not speaker.closed.is_set()
    speaker.gate.set()
    assert await asyncio.to_thread(speaker.closed.wait, 5)


async def test_generators_are_not_grouped() -> None:
    host = speaking(Speaker(), batching={"/now": Batching(preferred_batch_size=99)})

    assert (await host.answer(ask("/now"))).status.ok


async def test_a_synchronous_executor_beside_an_asynchronous_one_does_not_hold_up_the_loop() -> (
    None
):
    trial = Trial()
    host = speaking(Upper(), trial)
    waiting = asyncio.create_task(host.answer(ask("/wait")))
    await asyncio.sleep(0.05)

    assert not waiting.done()
    trial.gate.set()
    assert (await waiting).status.ok


async def test_one_bad_request_does_not_harm_those_it_was_grouped_with() -> None:
    class Typed(Executor):
        @requests
        def go(self, docs: DocList[Length]) -> None: ...

    host = speaking(Typed(), batching={"/default": Batching(preferred_batch_size=2)})
    good = DocumentBatch(["d"], {"n": ValuesColumn([3])})
    asked = [ask("/x"), replace(ask("/x"), bodies=(write_body(good, Format.COLUMNS),))]

    answers = await asyncio.gather(*(host.answer(request) for request in asked))

    assert [answer.status.code for answer in answers] == [StatusCode.INVALID, StatusCode.OK]


async def test_a_metric_of_the_users_own_says_when_there_is_enough() -> None:
    sizes: list[int] = []

    class Weighing(Executor):
        @requests
        @dynamic_batching(
            preferred_batch_size=6,
            timeout=60_000,
            custom_metric=lambda doc: len(doc.text),
            use_custom_metric=True,
        )
        def go(self, docs: DocList[Document]) -> None:
            sizes.append(len(docs))

    weighing = Weighing()
    host = speaking(weighing, batching=batchings_of(weighing))

    await asyncio.gather(*(host.answer(ask("/x", "aaa")) for _ in range(4)))

    assert sizes == [2, 2]
