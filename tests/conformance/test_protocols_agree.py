"""The same question gets the same answer over gRPC, HTTP and our own protocol.

One real Gateway over real Peas is asked each question three times; what differs between the
protocols (bytes, numbers of statuses) is taken away, and the rest must be equal.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import httpx
import orjson
import pytest

from jina_cli.documents.rows import from_rows, to_rows
from jina_cli.vocabulary import Protocol
from jina_cli.wire import jina3
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.messages import STATUSES, Format, Request, StatusCode
from tests.testing.gateways import RunningGateway, a_folder, a_gateway, a_link, a_route, run
from tests.testing.peas import Peas

LIMIT = 200_000
EXECUTORS = """
import asyncio
from jina import Executor, requests

class First(Executor):
    @requests(on=["/search", "/index", "/fail", "/slow", "/count", "/none"])
    def work(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text = f"{doc.text}{parameters.get('mark', '')}"

class Second(Executor):
    @requests(on=["/search", "/index"])
    def work(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text = f"{doc.text}{parameters.get('mark', '')}"

    @requests(on="/fail")
    def fail(self, docs, **kwargs):
        raise ValueError("no good")

    @requests(on="/slow")
    async def slow(self, docs, **kwargs):
        await asyncio.sleep(60)

    @requests(on="/count")
    def count(self, docs, **kwargs):
        return {"count": len(docs)}

    @requests(on="/none")
    def none(self, docs, **kwargs):
        return docs[:0]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, on every protocol."""

    name: str
    endpoint: str = "/search"
    documents: tuple[Mapping[str, Any], ...] = ({"id": "1", "text": "a"}, {"id": "2", "text": "ü"})
    parameters: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered, whatever the protocol.

    Attributes:
        http_status: Of the table; stands for the status on protocols that have more, or
            fewer, words for it.
        detail: The text of a failure.
    """

    request_id: str
    http_status: int
    detail: str = ""
    documents: tuple[Any, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


QUESTIONS = [
    Question(name="two documents"),
    Question(name="no documents", documents=()),
    Question(name="many documents", documents=tuple({"id": str(n)} for n in range(300))),
    Question(
        name="all kinds of fields",
        documents=(
            {"id": "x", "text": "t", "tags": {"a": 1, "b": [True, None, "c"]}, "uri": "u"},
            {"id": "y", "embedding": [0.5, 1.5], "chunks": [{"id": "z", "text": "part"}]},
        ),
    ),
    Question(name="parameters for all", parameters={"mark": "!"}),
    Question(name="parameters for one", parameters={"second__mark": "?", "mark": "!"}),
    Question(name="parameters grouped", parameters={"first": {"mark": "#"}}),
    Question(name="a target", target="second", parameters={"mark": "+"}),
    Question(name="a target of nobody", target="third"),
    Question(name="a target that is no expression", target="(first"),
    Question(name="a dict as the result", endpoint="/count"),
    Question(name="nothing comes back", endpoint="/none"),
    Question(name="an unknown endpoint", endpoint="/serach"),
    Question(name="an Executor that raises", endpoint="/fail"),
    Question(name="past the deadline", endpoint="/slow"),
]
TOO_LARGE = Question(name="too large", documents=({"id": "1", "text": "x" * (LIMIT + 1)},))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = a_folder()
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def answers(folder: Path) -> dict[tuple[str, Protocol], Answer]:
    """Every question's answer on every protocol, asked of one Gateway."""
    with Peas(folder) as peas:
        source = peas.write("executors.py", EXECUTORS)
        first = peas.worker(f"{source}:First", name="first/rep-0")
        second = peas.worker(f"{source}:Second", name="second/rep-0")
        for pea in (peas.start(first), peas.start(second)):
            assert pea.process.poll() is None
        routes = [
            a_route("first", first.address),
            a_route("second", second.address, needs=["first"]),
        ]
        found: dict[tuple[str, Protocol], Answer] = run(_ask_all(folder, routes))
        return found


async def _ask_all(folder: Path, routes: Any) -> dict[tuple[str, Protocol], Answer]:
    ask = {Protocol.GRPC: by_grpc, Protocol.HTTP: by_http, Protocol.NATIVE: natively}
    async with a_gateway(
        folder, routes, plan={"max_message_bytes": LIMIT}, deadline_s=3.0
    ) as gateway:
        places = [(question, protocol) for question in (*QUESTIONS, TOO_LARGE) for protocol in ask]
        told = await asyncio.gather(
            *(ask[protocol](gateway, question) for question, protocol in places)
        )
    return {
        (question.name, protocol): answer
        for (question, protocol), answer in zip(places, told, strict=True)
    }


def a_request(question: Question, format: Format) -> Request:
    return Request(
        endpoint=question.endpoint,
        bodies=(write_body(from_rows(question.documents), format),),
        request_id="r1",
        target=question.target,
        parameters=question.parameters,
        wanted=format,
    )


async def by_grpc(gateway: RunningGateway, question: Question) -> Answer:
    message = jina3.write_data_request(a_request(question, Format.PROTO))
    async with grpc.aio.insecure_channel(gateway.addresses["grpc"]) as channel:
        call = channel.unary_unary("/jina.JinaSingleDataRequestRPC/process_single_data")
        try:
            response = jina3.read_data_response(await call(message))
        except grpc.aio.AioRpcError as error:
            status = HTTP_OF_RPC[error.code()]
            return Answer(request_id="r1", http_status=status, detail=error.details())
    return _answer(response)


async def by_http(gateway: RunningGateway, question: Question) -> Answer:
    header = {"request_id": "r1", "target_executor": question.target}
    body = {"data": question.documents, "parameters": question.parameters, "header": header}
    url = f"http://{gateway.addresses['http']}{question.endpoint}"
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        response = await client.post(url, content=orjson.dumps(body))
    told = response.json()
    if response.status_code != 200:
        detail = told["detail"]
        return Answer(
            request_id=response.headers.get("x-request-id", "r1"),
            http_status=response.status_code,
            detail=detail if isinstance(detail, str) else detail[0]["msg"],
        )
    return Answer(
        request_id=told["header"]["request_id"],
        http_status=200,
        documents=tuple(to_rows(from_rows(told["data"]))),
        parameters=told["parameters"],
    )


async def natively(gateway: RunningGateway, question: Question) -> Answer:
    async with a_link(gateway) as link:
        return _answer(await link.request(a_request(question, Format.COLUMNS)))


def _answer(response: Any) -> Answer:
    status = STATUSES[response.status.code][1]
    if not response.status.ok:
        return Answer(
            request_id=response.request_id, http_status=status, detail=response.status.description
        )
    return Answer(
        request_id=response.request_id,
        http_status=status,
        documents=tuple(to_rows(read_body(response.body))),
        parameters=response.parameters,
    )


HTTP_OF_RPC = {
    grpc.StatusCode.DEADLINE_EXCEEDED: STATUSES[StatusCode.DEADLINE][1],
    grpc.StatusCode.RESOURCE_EXHAUSTED: STATUSES[StatusCode.TOO_LARGE][1],
}
"""Of the failures that end an RPC and are asked for here."""

EXPECTED = {
    "a target of nobody": 404,
    "a target that is no expression": 422,
    "an unknown endpoint": 404,
    "an Executor that raises": 500,
    "past the deadline": 504,
}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_every_protocol_gives_the_same_answer(
    question: Question, answers: Mapping[tuple[str, Protocol], Answer]
) -> None:
    native, http, by_rpc = (
        answers[question.name, protocol]
        for protocol in (Protocol.NATIVE, Protocol.HTTP, Protocol.GRPC)
    )

    assert http == native
    assert by_rpc == native
    assert native.http_status == EXPECTED.get(question.name, 200)


def test_a_failure_says_what_failed_and_where(
    answers: Mapping[tuple[str, Protocol], Answer],
) -> None:
    details = {name: answers[name, Protocol.HTTP].detail for name in EXPECTED}

    assert details["an unknown endpoint"] == "no Executor serves /serach; did you mean /search?"
    assert "no good" in details["an Executor that raises"]
    assert "Second" in details["an Executor that raises"]


@pytest.mark.parametrize("protocol", [Protocol.NATIVE, Protocol.HTTP, Protocol.GRPC])
def test_a_message_over_the_limit_is_refused_with_the_limit(
    protocol: Protocol, answers: Mapping[tuple[str, Protocol], Answer]
) -> None:
    # It is refused unread, so that no id comes back, and each counts its own bytes.
    answer = answers[TOO_LARGE.name, protocol]

    assert answer.http_status == 413
    assert f"over the limit of {LIMIT}" in answer.detail


def test_parameters_reach_whom_they_are_for(
    answers: Mapping[tuple[str, Protocol], Answer],
) -> None:
    texts = {
        question.name: [row.get("text") for row in answers[question.name, Protocol.HTTP].documents]
        for question in QUESTIONS
    }

    assert texts["parameters for all"] == ["a!!", "ü!!"]
    assert texts["parameters for one"] == ["a!?", "ü!?"]
    assert texts["parameters grouped"] == ["a#", "ü#"]
    assert texts["a target"] == ["a+", "ü+"]
