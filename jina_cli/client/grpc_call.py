"""One `JinaRPC/Call` for many requests: each answer finds its request by the id in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any

import grpc.aio

from jina_cli.client.errors import ConnectionFailed
from jina_cli.client.transport import failed, left_of, over_limit
from jina_cli.wire import jina3
from jina_cli.wire.messages import BadMessage, Request, Response, StatusCode

Failed = Callable[[Request, grpc.aio.AioRpcError], Response]

_END_S = 2.0
"""How long the other side may take to end a stream on which all is answered."""


class CallSession:
    """Asks over one stream, made with the first request; leaving it ends the stream.

    Metadata travels once, with the first request. A single request cannot be taken back on a
    stream: one whose time is over is given up here, and its answer is dropped.

    Args:
        make: Makes the RPC.
        failed: Returns the answer that the RPC's end with an error is for a request, or raises.
        max_bytes: Of a request.
    """

    def __init__(self, make: Callable[..., Any], failed: Failed, max_bytes: int) -> None:
        self._make = make
        self._failed = failed
        self._max_bytes = max_bytes
        self._waiting: dict[str, asyncio.Future[Response]] = {}
        # Bounded by who asks: each of its requests waits for an answer.
        self._outbox: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        self._call: Any = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    async def __aenter__(self) -> CallSession:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._call is None:
            return
        if kind is None and not self._waiting and not self._call.done():
            self._outbox.put_nowait(None)
            await asyncio.wait(self._tasks, timeout=_END_S)
        self._call.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def request(self, request: Request) -> Response:
        data = jina3.write_data_request(request, timed=True)
        if len(data) > self._max_bytes:
            text = over_limit("request", len(data), self._max_bytes)
            return failed(request, StatusCode.TOO_LARGE, text)
        if self._call is None:
            self._begin(request)
        elif self._call.done():
            raise ConnectionFailed("the stream to the Flow has ended")
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[request.request_id] = answer
        self._outbox.put_nowait((request.request_id, data))
        try:
            if request.deadline is None:
                return await answer
            async with asyncio.timeout(left_of(request.deadline)):
                return await answer
        except TimeoutError:
            return failed(request, StatusCode.DEADLINE, "no answer in time")
        except grpc.aio.AioRpcError as error:
            return self._failed(request, error)
        finally:
            self._waiting.pop(request.request_id, None)

    def _begin(self, request: Request) -> None:
        metadata = tuple((name.lower(), text) for name, text in request.metadata.items())
        self._call = self._make(metadata=metadata)
        self._tasks = (asyncio.create_task(self._write()), asyncio.create_task(self._read()))

    async def _write(self) -> None:
        # A task of its own: gRPC takes one message at a time, and a write that is cancelled
        # would cancel the whole RPC.
        try:
            while (item := await self._outbox.get()) is not None:
                id_, data = item
                if id_ in self._waiting:
                    await self._call.write(data)
            await self._call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            pass  # it has ended; the reader tells everybody why

    async def _read(self) -> None:
        problem: Exception = ConnectionFailed("the stream ended before its answers", was_sent=True)
        try:
            async for data in self._call:
                self._take(data)
        except grpc.aio.AioRpcError as error:
            problem = error
        except BadMessage as error:
            problem = ConnectionFailed(f"the Flow's answer {error}", was_sent=True)
            self._call.cancel()
        finally:
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(problem)

    def _take(self, data: bytes) -> None:
        response = jina3.read_data_response(data)
        waiting = self._waiting.get(response.request_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(response)
