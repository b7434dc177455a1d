"""Jina's JSON over HTTP, over any Gateway that serves it: ours or Jina 3's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from jina_cli.client.address import Target
from jina_cli.client.http_connection import (
    Answer,
    AnswerTooLarge,
    Connection,
    connect,
    head_of,
)
from jina_cli.client.transport import left_of
from jina_cli.errors import Unreachable
from jina_cli.wire.balance import may_repeat
from jina_cli.wire.messages import (
    EMPTY,
    STATUSES,
    Body,
    Format,
    Request,
    Response,
    Status,
    StatusCode,
)

_BY_HTTP = {http: code for code, (_, http) in STATUSES.items()}
_BY_HTTP |= {400: StatusCode.INVALID, 405: StatusCode.NOT_FOUND, 500: StatusCode.EXECUTOR}


class HttpTransport:
    """A `Transport` over kept-alive connections, one request at a time on each."""

    format = Format.JSON

    def __init__(self, target: Target, *, max_message_bytes: int) -> None:
        self._target = target
        self._max_bytes = max_message_bytes
        self._idle: list[Connection] = []

    async def open(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                self._idle.append(await connect(self._target))
        except TimeoutError as error:
            raise Unreachable(f"nobody answers at {self._target}") from error

    async def request(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(left_of(request.deadline)):
                answer = await self._post(request)
        except TimeoutError:
            status = Status(code=StatusCode.DEADLINE, description="no answer in time")
            return Response(request_id=request.request_id, status=status)
        except AnswerTooLarge as error:
            status = Status(code=StatusCode.TOO_LARGE, description=error.message)
            return Response(request_id=request.request_id, status=status)
        return _response_of(request, answer)

    async def _post(self, request: Request) -> Answer:
        body = _body_of(request)
        headers = {
            **request.metadata,
            "content-type": "application/json",
            "content-length": str(len(body)),
        }
        path = quote("/" + request.endpoint.lstrip("/"))
        head = head_of("POST", path, self._target, headers)
        return await self._ask(head, body, repeats=may_repeat(request.endpoint, was_sent=True))

    async def get(self, path: str) -> Answer:
        """Return the page at `path`.

        Raises:
            Unreachable: There is no connection to be had.
            AnswerTooLarge: The page is over the limit.
        """
        return await self._ask(head_of("GET", path, self._target, {}), b"", repeats=True)

    async def _ask(self, head: bytes, body: bytes, *, repeats: bool) -> Answer:
        """Ask on an idle connection, else on a new one.

        The server may close an idle connection just when it is used. What was sent then is
        sent again only if it `repeats` without harm: nobody knows whether it was acted on.
        """
        while self._idle:
            connection = self._idle.pop()
            if connection.is_over:
                await connection.close()
                continue
            try:
                return await self._ask_on(connection, head, body)
            except ConnectionError as error:
                if not repeats:
                    raise self._broke(error) from error
        try:
            return await self._ask_on(await connect(self._target), head, body)
        except ConnectionError as error:
            raise self._broke(error) from error

    def _broke(self, error: ConnectionError) -> Unreachable:
        return Unreachable(f"the connection to {self._target} broke: {error}")

    async def _ask_on(self, connection: Connection, head: bytes, body: bytes) -> Answer:
        try:
            answer = await connection.ask(head, body, self._max_bytes)
        except BaseException:
            connection.writer.transport.abort()
            raise
        if answer.headers.get("connection", "").lower() == "close":
            await connection.close()
        else:
            self._idle.append(connection)
        return answer

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()


def _body_of(request: Request) -> bytes:
    header: dict[str, Any] = {"request_id": request.request_id}
    if request.target:
        header["target_executor"] = request.target
    data = {
        "header": header,
        "parameters": dict(request.parameters),
        "data": orjson.Fragment(bytes(request.bodies[0].data) or b"[]"),
    }
    return orjson.dumps(data)


def _response_of(request: Request, answer: Answer) -> Response:
    try:
        data = orjson.loads(answer.body) if answer.body else {}
    except orjson.JSONDecodeError:
        data = {"detail": answer.body[:200].decode("utf-8", "replace")}
    if not isinstance(data, dict):
        data = {"detail": str(data)[:200]}
    if answer.status != 200:
        return Response(request_id=request.request_id, status=_status_of(answer.status, data))
    docs = data.get("data")
    body = Body(Format.JSON, orjson.dumps(docs)) if docs else EMPTY
    parameters = data.get("parameters") or {}
    return Response(request_id=request.request_id, body=body, parameters=parameters)


def _status_of(http: int, data: Mapping[str, Any]) -> Status:
    code = _BY_HTTP.get(http, StatusCode.INVALID if http < 500 else StatusCode.UNAVAILABLE)
    header = data.get("header")
    status = header.get("status") if isinstance(header, dict) else None
    detail = data.get("detail") or data.get("description") or f"HTTP status {http}"
    if isinstance(status, dict):
        known = StatusCode.__members__.get(str(status.get("code")))
        code, detail = known or code, status.get("description") or detail
    text = detail if isinstance(detail, str) else orjson.dumps(detail).decode()
    return Status(code=code, description=text)
