"""One `JinaRPC/Call` for many requests: each answer finds its request by the id in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import grpc.aio

from jina_cli.client.errors import ConnectionFailed
from jina_cli.client.transport import left_of, over_limit
from jina_cli.wire import jina3
from jina_cli.wire.messages import BadMessage, Format, Request, Response, StatusCode, failed

Failed = Callable[[Request, grpc.aio.AioRpcError], Response]
Metadata = Sequence[tuple[str, str]]

_DOUBT_S = 0.5
"""How long an answer that went nowhere and says nothing is doubted."""

_END_S = 2.0
"""How long the other side may take to end a stream on which all is answered."""


class CallSession:
    """Asks over one stream, made with the first request; leaving it ends the stream.

    Metadata travels once, with the first request. A single request cannot be taken back on a
    stream: one whose time is over is given up here, and its answer is dropped. A stream that
    broke is made anew for the next request.

    Args:
        make: Makes the RPC.
        failed: Returns the answer that the RPC's end with an error is for a request, or raises.
        max_bytes: Of a request.
    """

    def __init__(self, make: Callable[..., Any], failed: Failed, max_bytes: int) -> None:
        self._make = make
        self._failed = failed
        self._max_bytes = max_bytes
        self._stream: _Stream | None = None

    async def __aenter__(self) -> CallSession:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            await self._stream.end(is_whole=kind is None)

    async def request(self, request: Request) -> Response:
        data = jina3.write_data_request(request, timed=True)
        if len(data) > self._max_bytes:
            text = over_limit("request", len(data), self._max_bytes)
            return failed(request, StatusCode.TOO_LARGE, text)
        if self._stream is None or self._stream.is_over:
            metadata = tuple((name.lower(), text) for name, text in request.metadata.items())
            self._stream = _Stream(self._make(metadata=metadata))
        try:
            if request.deadline is None:
                return await self._stream.ask(request.request_id, data)
            async with asyncio.timeout(left_of(request.deadline)):
                return await self._stream.ask(request.request_id, data)
        except TimeoutError:
            return failed(request, StatusCode.DEADLINE, "no answer in time")
        except grpc.aio.AioRpcError as error:
            return self._failed(request, error)


class _Stream:
    """One RPC."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._waiting: dict[str, asyncio.Future[Response]] = {}
        # Bounded by who asks: each of its requests waits for an answer.
        self._outbox: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())
        self._reader = asyncio.create_task(self._read())

    @property
    def is_over(self) -> bool:
        return bool(self._call.done()) or self._reader.done()

    async def ask(self, id_: str, data: bytes) -> Response:
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = answer
        self._outbox.put_nowait((id_, data))
        try:
            return await answer
        finally:
            del self._waiting[id_]

    async def end(self, *, is_whole: bool) -> None:
        """End the RPC; one that is not whole, or still answers, is cancelled."""
        tasks = (self._writer, self._reader)
        if is_whole and not self._waiting and not self.is_over:
            self._outbox.put_nowait(None)
            await asyncio.wait(tasks, timeout=_END_S)
        self._call.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

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
            self._writer.cancel()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(problem)

    def _take(self, data: bytes) -> None:
        response = jina3.read_data_response(data)
        if response.status.ok and not response.routes and response.body.format is Format.NONE:
            # A Gateway of Jina that cannot reach an Executor says this before it ends the RPC
            # with the reason: taken as an answer, it would be a success without documents.
            loop = asyncio.get_running_loop()
            loop.call_later(_DOUBT_S, self._settle, response)
        else:
            self._settle(response)

    def _settle(self, response: Response) -> None:
        waiting = self._waiting.get(response.request_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(response)
