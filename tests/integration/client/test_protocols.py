"""One client, three protocols, a real Gateway: the same question has the same answer."""

from __future__ import annotations

import asyncio
import doctest
import shutil
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina_cli.client.address import target_of
from jina_cli.client.client import Answer, AsyncClient, Client, Question
from jina_cli.client.probe import Role, ask_once
from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TensorColumn, TextColumn
from jina_cli.errors import JinaError, RequestFailed, StorageFailed, TimedOut, Unreachable
from jina_cli.wire.messages import Request, Response, Status, StatusCode
from tests.testing.gateways import a_folder, a_gateway, a_pea, a_route, echo, run

PROTOCOLS = ["native", "grpc", "http"]


async def answer(request: Request) -> Response:
    """Echo; but fail, hang or be busy where the endpoint says so."""
    match request.endpoint:
        case "/fail":
            status = Status(
                code=StatusCode.EXECUTOR, description="ValueError: no", executor="Mine", pod="echo"
            )
            return Response(request_id=request.request_id, status=status)
        case "/full":
            status = Status(code=StatusCode.STORAGE, description="the disk is full", pod="echo")
            return Response(request_id=request.request_id, status=status)
        case "/hang":
            await asyncio.Event().wait()
    return await echo(request)


@pytest.fixture
def folder() -> Iterator[Path]:
    path = a_folder()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@asynccontextmanager
async def a_flow(folder: Path) -> AsyncIterator[Mapping[str, str]]:
    """Give the address of a running Flow by protocol."""
    async with (
        a_pea(folder / "echo.sock", answer) as address,
        a_gateway(folder, [a_route("echo", address)]) as gateway,
    ):
        yield {
            "native": gateway.native,
            "grpc": f"grpc://{gateway.addresses['grpc']}",
            "http": f"http://{gateway.addresses['http']}",
        }


def _docs(*texts: str) -> DocumentBatch:
    vectors = TensorColumn(np.arange(2 * len(texts), dtype=np.float32).reshape(-1, 2))
    return DocumentBatch(list(texts), {"text": TextColumn(texts), "embedding": vectors})


def _numbers(count: int) -> Iterator[DocumentBatch]:
    for number in range(count):
        yield _docs(str(number))


def test_each_protocol_gives_the_same_documents_in_order(folder: Path) -> None:
    async def scenario() -> None:
        async with a_flow(folder) as urls:
            for protocol in PROTOCOLS:
                async with AsyncClient(urls[protocol]) as client:
                    answers = [a async for a in client.ask_all("/index", _numbers(20), window=5)]
                assert [list(a.docs.ids) for a in answers] == [[str(n)] for n in range(20)]
                first = answers[0].docs
                assert (first.text(), first.tensor("embedding").tolist()) == (["0"], [[0.0, 1.0]])

    run(scenario())


def test_a_failing_executor_is_named_on_each_protocol(folder: Path) -> None:
    async def scenario() -> list[RequestFailed]:
        failures: list[RequestFailed] = []
        async with a_flow(folder) as urls:
            for protocol in PROTOCOLS:
                async with AsyncClient(urls[protocol]) as client:
                    with pytest.raises(RequestFailed) as caught:
                        await client.ask(Question(endpoint="/fail", docs=_docs("a")))
                    failures.append(caught.value)
        return failures

    failures = run(scenario())

    assert {failure.status for failure in failures} == {"EXECUTOR"}
    assert all("ValueError: no" in failure.message for failure in failures)


def test_a_request_that_takes_too_long_times_out_on_each_protocol(folder: Path) -> None:
    async def scenario() -> None:
        async with a_flow(folder) as urls:
            for protocol in PROTOCOLS:
                async with AsyncClient(urls[protocol]) as client:
                    with pytest.raises(TimedOut, match=r"/hang took longer than 0.3 s"):
                        await client.ask(Question(endpoint="/hang", docs=_docs("a"), timeout_s=0.3))

    run(scenario())


def test_a_batch_is_sent_as_several_requests_where_that_is_wanted(folder: Path) -> None:
    async def scenario() -> list[int]:
        async with a_flow(folder) as urls, AsyncClient(urls["native"]) as client:
            docs = _docs("a", "b", "c", "d", "e")
            return [len(a.docs) async for a in client.ask_all("/index", docs, request_size=2)]

    assert run(scenario()) == [2, 2, 1]


def test_endless_input_is_taken_only_as_fast_as_it_is_answered(folder: Path) -> None:
    taken = 0

    def endless() -> Iterator[DocumentBatch]:
        nonlocal taken
        while True:
            taken += 1
            yield _docs(str(taken))

    async def scenario() -> None:
        async with a_flow(folder) as urls, AsyncClient(urls["native"]) as client:
            answers = client.ask_all("/index", endless(), window=3)
            for number in range(1, 51):
                assert list((await anext(answers)).docs.ids) == [str(number)]
                assert taken <= number + 3 + 3  # the window, and what the reader holds ahead
            await answers.aclose()

    run(scenario())


@pytest.mark.parametrize("role", Role)
def test_a_ready_flow_answers_a_ping_on_each_protocol(folder: Path, role: Role) -> None:
    async def scenario() -> None:
        async with a_flow(folder) as urls:
            for protocol in PROTOCOLS:
                await ask_once(target_of(urls[protocol]), role, 5)

    run(scenario())


@pytest.mark.parametrize("url", ["grpc://127.0.0.1:{}", "http://127.0.0.1:{}", "tcp:127.0.0.1:{}"])
def test_nobody_there_is_said_at_once_or_within_the_time(url: str) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address = url.format(sock.getsockname()[1])

        async def scenario() -> None:
            with pytest.raises(Unreachable, match="nobody answers at"):
                async with AsyncClient(address, connect_timeout_s=0.5):
                    pass
            with pytest.raises(JinaError):
                await ask_once(target_of(address), Role.FLOW, 0.5)

        started = time.monotonic()
        run(scenario())
        assert time.monotonic() - started < 5


def test_a_ping_to_somebody_who_is_silent_times_out() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]

        async def scenario() -> None:
            for url in (f"grpc://127.0.0.1:{port}", f"http://127.0.0.1:{port}"):
                with pytest.raises(TimedOut):
                    await ask_once(target_of(url), Role.FLOW, 0.3)

        run(scenario())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_full_disk_is_told_at_once_and_as_what_it_is(folder: Path, protocol: str) -> None:
    async def scenario() -> None:
        async with a_flow(folder) as urls, AsyncClient(urls[protocol]) as client:
            with pytest.raises(StorageFailed, match="the disk is full"):
                await client.ask(Question(endpoint="/full", docs=_docs("a"), timeout_s=5))

    run(scenario())


def test_plain_code_has_the_same_client(folder: Path) -> None:
    async def scenario() -> None:
        async with a_flow(folder) as urls:
            await asyncio.to_thread(use, urls["native"])

    def use(url: str) -> None:
        with Client(url) as client:
            answers: list[Answer] = list(client.ask_all("/index", _numbers(5), window=2))
            assert [list(a.docs.ids) for a in answers] == [["0"], ["1"], ["2"], ["3"], ["4"]]
            assert client.ask(Question(endpoint="/index", docs=_docs("x"))).docs.text() == ["x"]
            with pytest.raises(RequestFailed):
                client.ask(Question(endpoint="/fail", docs=_docs("a")))

    run(scenario())


def test_a_list_of_dicts_or_documents_is_one_batch(folder: Path) -> None:
    from jina_cli import Document

    async def scenario() -> None:
        async with a_flow(folder) as urls, AsyncClient(urls["native"]) as client:
            for given in ([{"id": "1", "text": "a"}], [Document(id="1", text="a")]):
                [answer] = [each async for each in client.ask_all("/index", given)]
                assert (answer.docs.ids, answer.docs.text()) == (["1"], ["a"])

    run(scenario())


@pytest.mark.parametrize("given", ["text", 5, ["text"], [{"id": "1"}, 5], iter("ab")])
def test_what_is_no_documents_is_a_type_error(folder: Path, given: Any) -> None:
    async def scenario() -> None:
        async with a_flow(folder) as urls, AsyncClient(urls["native"]) as client:
            with pytest.raises(TypeError, match="inputs are documents"):
                await anext(client.ask_all("/index", given))

    run(scenario())


def test_the_example_of_the_client_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [example] = doctest.DocTestParser().get_examples(Client.__doc__ or "")

    async def scenario() -> None:
        async with a_flow(folder) as urls:
            source = example.source.replace("grpc://localhost:51000", urls["grpc"])
            code = compile(source, "<example>", "exec")
            await asyncio.to_thread(exec, code, {"Client": Client})

    run(scenario())

    assert capsys.readouterr().out == "q\n"
