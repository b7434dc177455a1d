"""Clients of each protocol, as cheap as can be: one question after another, and how it ended.

async with an_asker("http", address) as ask:
    assert await ask(2.0) is Outcome.ANSWERED
"""

from __future__ import annotations

import asyncio
import enum
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from jina_cli.documents.rows import from_rows
from jina_cli.wire import jina3
from jina_cli.wire.bodies import write_body
from jina_cli.wire.channel import Link
from jina_cli.wire.messages import Format, Request, StatusCode

SINGLE = "/jina.JinaSingleDataRequestRPC/process_single_data"
PROTOCOLS = ("grpc", "http", "websocket", "native")
_DOCUMENT = {"id": "5ae1f3c2d4b60718293a4b5c6d7e8f90", "text": "a tiny document"}


class Outcome(enum.Enum):
    """How a question ended."""

    ANSWERED = "answered"
    REFUSED = "refused"  # 429, RESOURCE_EXHAUSTED: at once, and with no harm done
    LATE = "late"  # past its deadline
    FAILED = "failed"  # in any other way


Ask = Callable[[float], Awaitable[Outcome]]
"""Asks once, with so many seconds for the answer."""

_OF_STATUS = {
    StatusCode.OK: Outcome.ANSWERED,
    StatusCode.OVERLOADED: Outcome.REFUSED,
    StatusCode.DEADLINE: Outcome.LATE,
}


@asynccontextmanager
async def an_asker(protocol: str, address: str) -> AsyncIterator[Ask]:
    """Give a client with a connection of its own.

    Args:
        address: `host:port`, or for `native` `unix:/path`.
    """
    async with _ASKERS[protocol](address) as ask:
        yield ask


def a_question(endpoint: str = "/default", wanted: Format = Format.PROTO) -> Request:
    body = write_body(from_rows([_DOCUMENT]), wanted)
    return Request(endpoint=endpoint, bodies=(body,), request_id="1" * 32, wanted=wanted)


@asynccontextmanager
async def _grpc(address: str) -> AsyncIterator[Ask]:
    import grpc
    import grpc.aio

    question = jina3.write_data_request(a_question())
    of_code = {
        grpc.StatusCode.RESOURCE_EXHAUSTED: Outcome.REFUSED,
        grpc.StatusCode.DEADLINE_EXCEEDED: Outcome.LATE,
    }
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary(SINGLE)

        async def ask(within_s: float) -> Outcome:
            try:
                answer = jina3.read_data_response(await call(question, timeout=within_s))
            except grpc.aio.AioRpcError as error:
                return of_code.get(error.code(), Outcome.FAILED)
            return _OF_STATUS.get(answer.status.code, Outcome.FAILED)

        yield ask


@asynccontextmanager
async def _http(address: str) -> AsyncIterator[Ask]:
    host, _, port = address.rpartition(":")
    body = json.dumps({"data": [_DOCUMENT]}).encode()
    head = f"POST /default HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    question = head.encode() + b"Content-Type: application/json\r\n\r\n" + body
    reader, writer = await asyncio.open_connection(host, int(port))

    async def ask(within_s: float) -> Outcome:
        writer.write(question)
        try:
            async with asyncio.timeout(within_s):
                answer = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in answer.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                )
                await reader.readexactly(length)
        except TimeoutError:
            return Outcome.LATE
        except (OSError, asyncio.IncompleteReadError):
            return Outcome.FAILED
        status = int(answer.split(b" ", 2)[1])
        if status == 429 and b"\r\nretry-after:" not in answer.lower():
            return Outcome.FAILED
        return {200: Outcome.ANSWERED, 429: Outcome.REFUSED}.get(status, Outcome.FAILED)

    try:
        yield ask
    finally:
        writer.close()


@asynccontextmanager
async def _websocket(address: str) -> AsyncIterator[Ask]:
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed

    question = jina3.write_data_request(a_question())
    url = f"ws://{address}/"
    async with connect(url, subprotocols=["bytes"], compression=None) as socket:  # type: ignore[list-item]

        async def ask(within_s: float) -> Outcome:
            try:
                async with asyncio.timeout(within_s):
                    await socket.send(question)
                    message: Any = await socket.recv()
            except TimeoutError:
                return Outcome.LATE
            except ConnectionClosed:
                return Outcome.FAILED
            answer = jina3.read_data_response(message)
            return _OF_STATUS.get(answer.status.code, Outcome.FAILED)

        yield ask


@asynccontextmanager
async def _native(address: str) -> AsyncIterator[Ask]:
    import time

    link = Link(address)
    link.start()
    await link.wait_up(10.0)
    question = a_question(wanted=Format.COLUMNS)

    async def ask(within_s: float) -> Outcome:
        answer = await link.request(
            Request(
                endpoint=question.endpoint,
                bodies=question.bodies,
                deadline=time.monotonic() + within_s,
            )
        )
        return _OF_STATUS.get(answer.status.code, Outcome.FAILED)

    try:
        yield ask
    finally:
        await link.close()


_ASKERS = {"grpc": _grpc, "http": _http, "websocket": _websocket, "native": _native}
