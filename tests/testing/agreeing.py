"""One question asked over each protocol, and its answer without what is the protocol's own.

async with a_gateway(...) as gateway:
    answers = {name: await ask(gateway, question) for name, ask in ASKERS.items()}
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import grpc
import grpc.aio
import httpx
import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from jina_cli.documents.rows import from_rows, to_rows
from jina_cli.wire import jina3
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.messages import STATUSES, Format, Request, Response, StatusCode
from tests.testing.gateways import RunningGateway, a_link


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


Ask = Callable[[RunningGateway, Question], Awaitable[Answer]]

_ID = "r1"
_TOO_LARGE = 1009
_HTTP_OF_RPC = {
    grpc.StatusCode.DEADLINE_EXCEEDED: STATUSES[StatusCode.DEADLINE][1],
    grpc.StatusCode.RESOURCE_EXHAUSTED: STATUSES[StatusCode.TOO_LARGE][1],
}
"""Of the failures that end an RPC and are asked for."""


def _request(question: Question, format: Format) -> Request:
    return Request(
        endpoint=question.endpoint,
        bodies=(write_body(from_rows(question.documents), format),),
        request_id=_ID,
        target=question.target,
        parameters=question.parameters,
        wanted=format,
    )


def _message(question: Question) -> bytes:
    return jina3.write_data_request(_request(question, Format.PROTO))


async def _by_grpc(gateway: RunningGateway, question: Question) -> Answer:
    async with grpc.aio.insecure_channel(gateway.addresses["grpc"]) as channel:
        call = channel.unary_unary("/jina.JinaSingleDataRequestRPC/process_single_data")
        try:
            return _answer(jina3.read_data_response(await call(_message(question))))
        except grpc.aio.AioRpcError as error:
            status = _HTTP_OF_RPC[error.code()]
            return Answer(request_id=_ID, http_status=status, detail=error.details())


async def _by_stream(gateway: RunningGateway, question: Question) -> Answer:
    async with grpc.aio.insecure_channel(gateway.addresses["grpc"]) as channel:
        call = channel.stream_stream("/jina.JinaRPC/Call")(iter([_message(question)]))
        answers = [answer async for answer in call]
    assert len(answers) == 1
    return _answer(jina3.read_data_response(answers[0]))


async def _by_http(gateway: RunningGateway, question: Question) -> Answer:
    url = f"http://{gateway.addresses['http']}{quote(question.endpoint)}"
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        response = await client.post(url, content=_json(question))
    told = response.json()
    if response.status_code != 200:
        detail = told["detail"]
        return Answer(
            request_id=response.headers.get("x-request-id", _ID),
            http_status=response.status_code,
            detail=detail if isinstance(detail, str) else detail[0]["msg"],
        )
    return _told(told)


def _json(question: Question, **more: Any) -> bytes:
    header = {"request_id": _ID, "target_executor": question.target}
    return orjson.dumps(
        {"data": question.documents, "parameters": question.parameters, "header": header, **more}
    )


def _told(told: Mapping[str, Any]) -> Answer:
    return Answer(
        request_id=told["header"]["request_id"],
        http_status=200,
        documents=tuple(to_rows(from_rows(told["data"]))),
        parameters=told["parameters"],
    )


async def _in_bytes(gateway: RunningGateway, question: Question) -> Answer:
    answer = await _by_websocket(gateway, "bytes", _message(question))
    if isinstance(answer, Answer):
        return answer
    assert isinstance(answer, bytes)
    return _answer(jina3.read_data_response(answer))


async def _in_json(gateway: RunningGateway, question: Question) -> Answer:
    message = _json(question, exec_endpoint=question.endpoint).decode()
    answer = await _by_websocket(gateway, "json", message)
    if isinstance(answer, Answer):
        return answer
    told = orjson.loads(answer)
    status = told["header"].get("status")
    if status is None:
        return _told(told)
    return Answer(
        request_id=told["header"]["request_id"] or _ID,
        http_status=STATUSES[StatusCode(status["jina_status"])][1],
        detail=status["description"],
    )


async def _by_websocket(
    gateway: RunningGateway, subprotocol: Any, message: str | bytes
) -> str | bytes | Answer:
    """Return the message that answers; an `Answer` where it was too large to be taken."""
    url = f"ws://{gateway.addresses['websocket']}"
    async with connect(url, subprotocols=[subprotocol], max_size=None) as connection:
        try:
            await connection.send(message)
            return await connection.recv()
        except ConnectionClosed as error:
            if error.rcvd is None or error.rcvd.code != _TOO_LARGE:
                raise
            return Answer(request_id=_ID, http_status=413, detail=error.rcvd.reason)


async def _natively(gateway: RunningGateway, question: Question) -> Answer:
    async with a_link(gateway) as link:
        return _answer(await link.request(_request(question, Format.COLUMNS)))


def _answer(response: Response) -> Answer:
    status = STATUSES[response.status.code][1]
    if not response.status.ok:
        return Answer(
            request_id=response.request_id or _ID,
            http_status=status,
            detail=response.status.description,
        )
    return Answer(
        request_id=response.request_id,
        http_status=status,
        documents=tuple(to_rows(read_body(response.body))),
        parameters=response.parameters,
    )


ASKERS: Mapping[str, Ask] = {
    "native": _natively,
    "http": _by_http,
    "grpc": _by_grpc,
    "grpc-stream": _by_stream,
    "websocket-bytes": _in_bytes,
    "websocket-json": _in_json,
}
"""By the name of the protocol."""
