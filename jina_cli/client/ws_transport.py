"""Jina's requests over a WebSocket, over any Gateway that serves it: ours or Jina 3's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import replace
from typing import Any

import websockets.asyncio.client as websockets
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from jina_cli.client.address import Scheme, Target
from jina_cli.client.errors import BadClient, ConnectionFailed, WrongAddress
from jina_cli.client.http_transport import HttpTransport
from jina_cli.client.transport import (
    Asks,
    Settings,
    left_of,
    not_connected,
    over_limit,
    tls_context,
)
from jina_cli.wire import jina3
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.jina3_status import read_status
from jina_cli.wire.messages import BadMessage, Format, Request, Response, Status, StatusCode, failed

END = b"\x00"
"""Says that no request follows."""

_CLOSE_S = 2.0
_NO_PAGE = frozenset({"Not Found", "Method Not Allowed"})
_CODES = {
    1001: StatusCode.UNAVAILABLE,
    1002: StatusCode.INVALID,
    1003: StatusCode.INVALID,
    1007: StatusCode.INVALID,
    1008: StatusCode.INVALID,
    1009: StatusCode.TOO_LARGE,
    1011: StatusCode.UNAVAILABLE,
    1012: StatusCode.UNAVAILABLE,
    1013: StatusCode.OVERLOADED,
}
"""What a server means by the code with which it closes; others are a broken connection."""


class WebsocketTransport:
    """A `Transport` over one WebSocket, with many requests under way on it.

    A single request cannot be taken back there: where one is given up, the connection is used
    for no other, and closed as soon as the rest of its requests are answered.
    """

    format = Format.PROTO

    def __init__(self, target: Target, settings: Settings) -> None:
        self._target = target
        self._settings = settings
        self._timeout_s = 10.0
        self._connection: _Connection | None = None
        self._opening = asyncio.Lock()
        self._retired: set[asyncio.Task[None]] = set()

    async def open(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        await self._connected({})

    async def request(self, request: Request) -> Response:
        data = jina3.write_data_request(request, timed=True)
        limit = self._settings.max_message_bytes
        if len(data) > limit:
            text = over_limit("request", len(data), limit)
            return failed(request, StatusCode.TOO_LARGE, text)
        try:
            async with asyncio.timeout(left_of(request.deadline)):
                connection = await self._connected(request.metadata)
                try:
                    return await connection.ask(request, data)
                except asyncio.CancelledError:
                    self._retire(connection)
                    raise
        except TimeoutError:
            return failed(request, StatusCode.DEADLINE, "no answer in time")
        except ConnectionClosed as error:
            return self._closed(request, error)

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        """Yield an answer's parts as `Transport.stream`, by events over HTTP on the same port.

        A WebSocket of Jina has no such answers. Where the port belongs to our Gateway, it is
        one for HTTP too; Jina's serves there but the pages around it.
        """
        transport = HttpTransport(replace(self._target, scheme=Scheme.HTTP), self._settings)
        body = write_body(read_body(request.bodies[0]), Format.JSON)
        parts = transport.stream(replace(request, bodies=(body,), wanted=Format.JSON))
        try:
            async for part in parts:
                if part.status.description in _NO_PAGE:
                    what = "this WebSocket has no answers in parts"
                    raise BadClient(what, hint="use grpc:// or http:// for a streaming endpoint")
                yield part
        finally:
            if isinstance(parts, AsyncGenerator):
                await parts.aclose()
            await transport.close()

    def session(self) -> AbstractAsyncContextManager[Asks]:
        return nullcontext(self)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
        if self._retired:
            await asyncio.gather(*self._retired)

    async def _connected(self, headers: Mapping[str, str]) -> _Connection:
        async with self._opening:
            # Metadata travels with the handshake alone: other metadata, another connection.
            if self._connection is not None and self._connection.headers != headers:
                self._retire(self._connection)
            if self._connection is None or self._connection.is_over:
                websocket = await connect(
                    self._target,
                    "/",
                    self._settings,
                    timeout_s=self._timeout_s,
                    headers=headers,
                )
                self._connection = _Connection(websocket, headers)
            return self._connection

    def _retire(self, connection: _Connection) -> None:
        if self._connection is connection:
            self._connection = None
            task = asyncio.create_task(connection.close_when_answered())
            self._retired.add(task)
            task.add_done_callback(self._retired.discard)

    def _closed(self, request: Request, error: ConnectionClosed) -> Response:
        if error.rcvd is not None and error.rcvd.code in _CODES:
            code = _CODES[error.rcvd.code]
            text = error.rcvd.reason or f"the Flow closed the WebSocket ({error.rcvd.code})"
            return failed(request, code, text)
        if error.sent is not None and error.sent.code == 1009:
            limit = self._settings.max_message_bytes
            what = over_limit("answer", limit + 1, limit).replace(str(limit + 1), "more")
            return failed(request, StatusCode.TOO_LARGE, what)
        raise ConnectionFailed(
            f"the connection to {self._target} broke", hint=str(error), was_sent=True
        ) from error


class _Connection:
    """One WebSocket, on which each answer finds its request by the id in it.

    Attributes:
        headers: That its handshake had.
    """

    def __init__(self, websocket: websockets.ClientConnection, headers: Mapping[str, str]) -> None:
        self.headers = dict(headers)
        self._websocket = websocket
        self._waiting: dict[str, asyncio.Future[Response]] = {}
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._reader = asyncio.create_task(self._read())

    @property
    def is_over(self) -> bool:
        return self._reader.done() or self._websocket.close_code is not None

    async def ask(self, request: Request, data: bytes) -> Response:
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[request.request_id] = answer
        self._quiet.clear()
        try:
            await self._websocket.send(data)
            return await answer
        finally:
            del self._waiting[request.request_id]
            if not self._waiting:
                self._quiet.set()

    async def close_when_answered(self) -> None:
        await self._quiet.wait()
        await self.close(says_end=False)

    async def close(self, *, says_end: bool = True) -> None:
        try:
            if says_end and not self.is_over:
                await self._websocket.send(END)
        except ConnectionClosed:
            pass
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._websocket.close()
        except TimeoutError:
            self._websocket.transport.abort()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        problem: Exception
        try:
            while True:
                self._take(await self._websocket.recv(decode=False))
        except ConnectionClosed as error:
            problem = error
        except BadMessage as error:
            problem = ConnectionFailed(f"the Flow's answer {error}", was_sent=True)
            await self._websocket.close(1002)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(problem)

    def _take(self, data: bytes) -> None:
        response = jina3.read_data_response(data)
        waiting = self._waiting.get(response.request_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(response)


async def connect(
    target: Target,
    path: str,
    settings: Settings,
    *,
    timeout_s: float | None = None,
    headers: Mapping[str, str] | None = None,
) -> websockets.ClientConnection:
    """Open a WebSocket; no proxy is used for this host.

    Raises:
        ConnectionFailed: Nobody answers, or it is no WebSocket of Jina's.
    """
    scheme = "wss" if target.secure else "ws"
    options: dict[str, Any] = {"proxy": None} if target.is_local else {}
    if (context := tls_context(target, settings)) is not None:
        options["ssl"] = context
    try:
        return await websockets.connect(
            f"{scheme}://{target.authority}{path}",
            subprotocols=[Subprotocol("bytes")],
            additional_headers=headers,
            compression="deflate" if settings.compression else None,
            open_timeout=timeout_s,
            max_size=settings.max_message_bytes,
            **options,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        hint = f"it answers with HTTP status {status}, not with a WebSocket"
        raise WrongAddress(f"no Flow answers at {target}", hint=hint) from error
    except InvalidHandshake as error:
        hint = f"what answers there speaks no WebSocket: {error}"
        raise WrongAddress(f"no Flow answers at {target}", hint=hint) from error
    except OSError as error:
        raise not_connected(target, error) from error
    except EOFError as error:
        raise ConnectionFailed(f"nobody answers at {target}", hint="it hung up") from error


async def dry_run(target: Target, settings: Settings) -> Status:
    """Ask a Flow's Gateway whether all of its Executors answer.

    Raises:
        ConnectionFailed: Nobody answers, or not with a status.
    """
    websocket = await connect(target, "/dry_run", settings)
    try:
        with suppress(ConnectionClosed):  # who has told it at once may be gone
            await websocket.send(b"")
        data = await websocket.recv(decode=False)
        return read_status(data)
    except (ConnectionClosed, BadMessage) as error:
        raise ConnectionFailed(f"the answer of {target} is no status: {error}") from error
    finally:
        await websocket.close()
