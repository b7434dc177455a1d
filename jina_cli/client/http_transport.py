"""Jina's JSON over HTTP, over any Gateway that serves it: ours or Jina 3's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from jina_cli.client.address import Target
from jina_cli.client.http_connection import Answer, Connection, connect, head_of
from jina_cli.client.transport import left_of
from jina_cli.errors import Unreachable
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
                path = quote("/" + request.endpoint.lstrip("/"))
                answer = await self.ask("POST", path, _body_of(request), request.metadata)
        except TimeoutError:
            status = Status(code=StatusCode.DEADLINE, description="no answer in time")
            return Response(request_id=request.request_id, status=status)
        return _response_of(request, answer)

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask anything of the server.

        An idle connection may have been closed by the server meanwhile, so a request that
        fails on one before any answer is sent once more on a new one.

        Raises:
            Unreachable: There is no connection to be had.
        """
        more = dict(headers or {})
        if method == "POST":
            more |= {"content-type": "application/json", "content-length": str(len(body))}
        head = head_of(method, path, self._target, more)
        while self._idle:
            try:
                return await self._ask_on(self._idle.pop(), head, body)
            except ConnectionError:
                continue
        try:
            return await self._ask_on(await connect(self._target), head, body)
        except ConnectionError as error:
            raise Unreachable(f"the connection to {self._target} broke: {error}") from error

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
