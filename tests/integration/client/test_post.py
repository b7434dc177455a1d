"""What Jina's users write, over each protocol, against a real Gateway of ours."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docarray import BaseDoc, DocList
from pydantic import BaseModel

from jina_cli import AsyncClient, Client
from jina_cli.client.errors import (
    AnswerLate,
    BadClient,
    BadClientCallback,
    BadClientInput,
    BadServer,
    ConnectionFailed,
)
from jina_cli.client.response import Response
from jina_cli.wire.messages import RouteStep
from tests.testing.client_flows import HALF, PROTOCOLS, Flow, a_flow
from tests.testing.gateways import a_folder, run


class Note(BaseDoc):
    text: str = ""
    number: int = 0


NOTES = DocList[Note]([Note(text=text, number=place) for place, text in enumerate("abcde")])
TEXTS = list("abcde")
each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)


@pytest.fixture
def folder() -> Iterator[Path]:
    path = a_folder()
    yield path
    shutil.rmtree(path, ignore_errors=True)


def in_flow(folder: Path, scenario: Callable[[Flow], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        async with a_flow(folder) as flow:
            return await scenario(flow)

    return run(whole())


def with_client(folder: Path, protocol: str, use: Callable[[Any], Any], **options: Any) -> Any:
    """Use a `Client` of a Flow in a thread, as plain code does."""

    async def scenario(flow: Flow) -> Any:
        client = Client(host=flow.urls[protocol], **options)
        try:
            return await asyncio.to_thread(use, client)
        finally:
            await asyncio.to_thread(client.close)

    return in_flow(folder, scenario)


@each_protocol
def test_documents_come_back_in_order_as_the_class_that_was_asked_for(
    folder: Path, protocol: str
) -> None:
    def use(client: Client) -> None:
        docs = client.post("/x", NOTES, request_size=2, return_type=DocList[Note])
        assert [type(doc) for doc in docs] == [Note] * 5
        assert (docs.text, docs.number, docs.id) == (TEXTS, [0, 1, 2, 3, 4], NOTES.id)
        generated = client.post("/x", (note for note in NOTES), request_size=1)
        assert [doc.text for doc in generated] == TEXTS
        assert client.post("/x", NOTES[0], return_type=Note).text == "a"
        assert client.search(NOTES[:1], return_type=DocList[Note]).text == ["a"]
        assert len(client.post("/x")) == 0
        assert client.post("x", NOTES, stream=False, return_type=DocList[Note]).text == TEXTS

    with_client(folder, protocol, use)


@each_protocol
def test_asyncio_true_gives_documents_answer_by_answer(folder: Path, protocol: str) -> None:
    async def notes() -> AsyncIterator[Note]:
        for note in NOTES:
            yield note

    async def scenario(flow: Flow) -> list[list[str]]:
        client = Client(host=flow.urls[protocol], asyncio=True)
        assert isinstance(client, AsyncClient)
        async with client:
            return [
                docs.text
                async for docs in client.post(
                    "/x", notes, request_size=2, return_type=DocList[Note]
                )
            ]

    assert in_flow(folder, scenario) == [["a", "b"], ["c", "d"], ["e"]]


@each_protocol
def test_responses_say_what_happened(folder: Path, protocol: str) -> None:
    def use(client: Client) -> None:
        [response] = client.post(
            "/x", NOTES, parameters={"n": 1}, return_responses=True, return_type=DocList[Note]
        )
        assert (response.docs.text, response.data.docs.text) == (TEXTS, TEXTS)
        assert response.parameters == {"n": 1}
        assert (response.header.status.code, response.status.code) == (0, 0)
        assert response.header.request_id == response.request_id != ""
        assert response.to_dict()["data"][0]["text"] == "a"
        if protocol != "http":  # where Jina tells no routes
            assert [route.executor for route in response.routes] == ["gateway", "echo"]
            first = response.routes[0]
            assert first.start_time.ToMilliseconds() <= first.end_time.ToMilliseconds()

    with_client(folder, protocol, use)


@each_protocol
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_that_is_not_complete_says_so(folder: Path, protocol: str, stream: bool) -> None:
    def use(client: Client) -> None:
        (half,) = client.post("/half", NOTES, stream=stream, return_responses=True)
        (whole,) = client.post("/x", NOTES, stream=stream, return_responses=True)
        assert (half.ok, half.docs.text, half.marks) == (True, TEXTS, HALF)
        assert whole.marks == {}

    with_client(folder, protocol, use)


@each_protocol
def test_what_an_executor_raised_can_be_looked_at(folder: Path, protocol: str) -> None:
    def use(client: Client) -> BadServer:
        with pytest.raises(BadServer, match="ValueError: no") as caught:
            client.post("/fail", NOTES)
        return caught.value

    error = with_client(folder, protocol, use)

    assert (error.exception, error.executor) == ("ValueError", "Mine")
    assert error.arguments == ("no",)
    assert error.request_id
    if protocol != "http":
        assert "ValueError: no" in error.stacks


@each_protocol
def test_callbacks_take_the_answers_in_the_thread_that_asks(folder: Path, protocol: str) -> None:
    def use(client: Client) -> None:
        seen: list[str] = []
        threads: set[str] = set()

        def note(name: str, response: Response) -> None:
            threads.add(threading.current_thread().name)
            seen.append(f"{name} {response.header.status.code}")

        found = client.post(
            "/x",
            NOTES[:2],
            request_size=1,
            on_done=lambda r: note("done", r),
            on_error=lambda r: note("error", r),
            on_always=lambda r: note("always", r),
        )
        assert found is None
        client.post("/fail", NOTES[:1], on_error=lambda r: note("error", r))
        assert seen == ["done 0", "always 0", "done 0", "always 0", "error 1"]
        assert threads == {threading.current_thread().name}

    with_client(folder, protocol, use)


def test_a_generator_and_a_callback_may_use_what_belongs_to_their_thread(folder: Path) -> None:
    def use(client: Client) -> None:
        database = sqlite3.connect(":memory:")
        database.execute("create table notes (text)")
        database.executemany("insert into notes values (?)", [("a",), ("b",)])
        rows = ({"text": text} for (text,) in database.execute("select text from notes"))

        def store(response: Response) -> None:
            values = [(f"{doc.text}!",) for doc in response.docs]
            database.executemany("insert into notes values (?)", values)

        client.post("/x", rows, request_size=1, on_done=store)
        found = database.execute("select text from notes").fetchall()
        assert [text for (text,) in found] == ["a", "b", "a!", "b!"]
        database.close()

    with_client(folder, "native", use)


def test_a_callback_that_raises_is_told_with_its_cause_and_may_ask_again(folder: Path) -> None:
    def fail(_: Response) -> None:
        raise KeyError("x")

    def use(client: Client) -> None:
        with pytest.raises(BadClientCallback, match="the callback fail raised KeyError") as caught:
            client.post("/x", NOTES, on_done=fail)
        assert isinstance(caught.value.__cause__, KeyError)
        client.post("/x", NOTES, on_done=fail, continue_on_error=True)
        inner: list[str] = []
        client.post("/x", NOTES, on_done=lambda _: inner.extend(client.post("/x", NOTES).text))
        assert inner == TEXTS

    with_client(folder, "native", use)


@each_protocol
def test_errors_may_be_passed_over(folder: Path, protocol: str) -> None:
    def use(client: Client) -> None:
        assert len(client.post("/fail", NOTES, continue_on_error=True)) == 0
        responses = client.post("/fail", NOTES, continue_on_error=True, return_responses=True)
        assert [response.header.status.exception.name for response in responses] == ["ValueError"]

    with_client(folder, protocol, use)


@each_protocol
def test_metadata_and_parameters_reach_the_executor(folder: Path, protocol: str) -> None:
    class Wanted(BaseModel):
        top_k: int = 3

    async def scenario(flow: Flow) -> None:
        client = AsyncClient(flow.urls[protocol])
        trace = {"traceparent": "00-11111111111111111111111111111111-2222222222222222-01"}
        options = {"parameters": Wanted(), "return_responses": True, "metadata": trace}
        [response] = [r async for r in client.post("/x", NOTES, **options)]
        assert response.parameters == {"top_k": 3}
        told = flow.pea.metadata[-1].get("traceparent", "")
        assert "1" * 32 in told
        await client.close()

    in_flow(folder, scenario)


@each_protocol
def test_a_deadline_is_known_to_the_flow_and_kept_here(folder: Path, protocol: str) -> None:
    async def scenario(flow: Flow) -> None:
        client = AsyncClient(flow.urls[protocol])
        for stream in (True, False):
            flow.pea.cancelled.clear()
            with pytest.raises(AnswerLate, match=r"/hang took longer than 0.4 s") as caught:
                async for _ in client.post("/hang", NOTES, timeout=0.4, stream=stream):
                    pass
            assert isinstance(caught.value, TimeoutError)
            assert isinstance(caught.value, ConnectionError)
            await asyncio.wait_for(flow.pea.cancelled.wait(), 5)
            assert 0 < flow.pea.seconds_left[-1] < 2
        await client.close()

    in_flow(folder, scenario)


@each_protocol
def test_leaving_a_post_cancels_what_the_flow_works_on(folder: Path, protocol: str) -> None:
    async def scenario(flow: Flow) -> None:
        client = AsyncClient(flow.urls[protocol])
        posting = asyncio.ensure_future(anext(client.post("/hang", NOTES)))
        while not flow.pea.asked:
            await asyncio.sleep(0.01)
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
        await asyncio.wait_for(flow.pea.cancelled.wait(), 5)
        assert [docs.text async for docs in client.post("/x", NOTES)] == [TEXTS]
        await client.close()

    in_flow(folder, scenario)


@each_protocol
def test_an_endless_generator_is_held_to_the_window(folder: Path, protocol: str) -> None:
    taken = 0

    def endless() -> Iterator[Note]:
        nonlocal taken
        while True:
            taken += 1
            yield Note(text=str(taken))

    async def scenario(flow: Flow) -> None:
        client = Client(flow.urls[protocol], prefetch=4)
        answers = client.post_iter("/gated", endless(), request_size=2)
        first = asyncio.ensure_future(asyncio.to_thread(next, answers))
        while flow.pea.asked < 4:
            await asyncio.sleep(0.01)
        assert (flow.pea.asked, flow.pea.most, taken) == (4, 4, 8)
        flow.pea.gate.set()
        assert (await first).text == ["1", "2"]
        for _ in range(20):
            await asyncio.to_thread(next, answers)
        assert flow.pea.most <= 4
        assert taken <= 2 * (21 + 4 + 1)
        await asyncio.to_thread(answers.close)
        await asyncio.to_thread(client.close)

    in_flow(folder, scenario)


@each_protocol
def test_a_streaming_endpoint_gives_documents_as_they_come(folder: Path, protocol: str) -> None:
    def use(client: Client) -> None:
        docs = client.stream_doc("/count", NOTES[0], return_type=Note, parameters={"count": 4})
        assert [(type(doc), doc.text) for doc in docs] == [(Note, "a")] * 4
        docs = client.stream_doc("/break", {"text": "a"})
        assert [next(docs).text for _ in range(3)] == ["a"] * 3
        with pytest.raises(BadServer, match="ValueError: no"):
            next(docs)
        with pytest.raises(BadClient, match="takes one document, not 5"):
            next(client.stream_doc("/count", NOTES))

    with_client(folder, protocol, use)


def test_answers_that_a_closed_client_lacks_are_an_error_and_nothing_runs_for_them(
    folder: Path,
) -> None:
    def use(client: Client) -> None:
        docs = client.stream_doc("/count", NOTES[0], parameters={"count": 10**9})
        next(docs)
        client.close()
        with pytest.raises(ConnectionFailed, match="closed before all answers were there"):
            next(docs)
        assert client._background.loop is None

    with_client(folder, "grpc", use)


@each_protocol
def test_leaving_a_streamed_answer_cancels_the_work(folder: Path, protocol: str) -> None:
    async def scenario(flow: Flow) -> None:
        client = AsyncClient(flow.urls[protocol])
        docs = client.stream_doc("/count", NOTES[0], parameters={"count": 10**9})
        for _ in range(3):
            assert (await anext(docs)).text == "a"
        await docs.aclose()
        await asyncio.wait_for(flow.pea.cancelled.wait(), 5)
        await client.close()

    in_flow(folder, scenario)


@each_protocol
def test_a_ready_flow_says_so_and_where_the_time_goes(
    folder: Path, protocol: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def use(client: Client) -> None:
        assert client.is_flow_ready()
        assert client.dry_run()
        times = client.profiling()
        assert times.keys() >= {"Roundtrip", "Server", "echo"}

    with_client(folder, protocol, use)

    assert "Roundtrip" in capsys.readouterr().err


def test_a_message_over_the_clients_limit_names_the_option(folder: Path) -> None:
    async def scenario(flow: Flow) -> None:
        for protocol in PROTOCOLS:
            client = AsyncClient(flow.urls[protocol], max_message_bytes=1000)
            with pytest.raises(BadServer, match=r"over the .*limit") as caught:
                await anext(client.post("/x", [{"text": "x" * 5000}]))
            assert caught.value.status == "TOO_LARGE"
            await client.close()

    in_flow(folder, scenario)


def test_one_client_serves_many_threads(folder: Path) -> None:
    def use(client: Client) -> None:
        found: list[list[str]] = []

        def ask(name: str) -> None:
            notes = [Note(text=f"{name}{n}") for n in range(20)]
            docs = client.post("/x", notes, request_size=2, return_type=DocList[Note])
            found.append([docs.text == [note.text for note in notes]])

        threads = [threading.Thread(target=ask, args=(name,)) for name in "abcdefgh"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert found == [[True]] * 8

    with_client(folder, "grpc", use)


def test_a_plain_client_works_where_an_event_loop_runs(folder: Path) -> None:
    async def scenario(flow: Flow) -> None:
        # The Pea is in this very loop, so that the notebook's cell is another one's.
        async def cell() -> list[str]:
            found: list[str] = Client(flow.urls["native"]).post("/x", NOTES).text
            return found

        assert await asyncio.to_thread(asyncio.run, cell()) == TEXTS

    in_flow(folder, scenario)


def test_an_async_client_serves_one_loop_after_the_other(folder: Path) -> None:
    async def scenario(flow: Flow) -> None:
        client = AsyncClient(flow.urls["grpc"])

        async def ask() -> list[str]:
            return [doc.text async for docs in client.post("/x", NOTES) for doc in docs]

        for _ in range(3):
            assert await asyncio.to_thread(asyncio.run, ask()) == TEXTS

    in_flow(folder, scenario)


def test_a_client_that_was_closed_connects_again(folder: Path) -> None:
    def use(client: Client) -> None:
        for _ in range(3):
            assert client.post("/x", NOTES).text == TEXTS
            client.close()

    with_client(folder, "ws", use)


def test_what_is_not_known_is_refused_with_what_may_be_meant(folder: Path) -> None:
    def use(client: Client) -> None:
        with pytest.raises(BadClient, match="no option 'request_sizes': did you mean request_size"):
            client.post("/x", NOTES, request_sizes=2)
        with pytest.raises(BadClient, match="parameters are a list: give a dict"):
            client.post("/x", NOTES, parameters=[1])
        with pytest.raises(BadClientInput):
            client.post("/x", "bread")

    with_client(folder, "native", use)


def test_a_step_without_an_end_takes_no_time() -> None:
    from jina_cli.client.profile import times_of
    from jina_cli.wire import messages

    routes = (
        RouteStep(pod="gateway", start=10.0, end=10.5),
        RouteStep(pod="a", start=10.1, end=10.2),
        RouteStep(pod="b", start=10.2, end=0.0),
    )

    times = times_of(messages.Response(routes=routes), 600.0)

    assert times == pytest.approx(
        {
            "Roundtrip": 600.0,
            "Client-server network": 100.0,
            "Server": 500.0,
            "Gateway-executors network": 400.0,
            "a": 100.0,
            "b": 0.0,
        }
    )
