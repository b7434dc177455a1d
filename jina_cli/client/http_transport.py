"""Jina's JSON over HTTP, over any Gateway that serves it: ours or Jina 3's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from urllib.parse import quote

from jina_cli.client import http_messages
from jina_cli.client.address import Target
from jina_cli.client.errors import ConnectionFailed, WrongAddress
from jina_cli.client.http_connection import (
    Answer,
    AnswerTooLarge,
    Connection,
    Head,
    NoHttp,
    connect,
    head_of,
)
from jina_cli.client.sse import EventReader, EventTooLong
from jina_cli.client.transport import Asks, Settings, left_of, over_limit, tls_context
from jina_cli.wire.balance import may_repeat
from jina_cli.wire.messages import Format, Request, Response, StatusCode, failed

_DEFAULT = "/default"
_WRONG_METHOD = 405


class HttpTransport:
    """A `Transport` over kept-alive connections, one request at a time on each."""

    format = Format.JSON

    def __init__(self, target: Target, settings: Settings) -> None:
        self._target = target
        self._max_bytes = settings.max_message_bytes
        self._tls = tls_context(target, settings)
        self._idle: list[Connection] = []
        self._paths: frozenset[str] | None = None
        self._elsewhere: set[str] = set()
        self._gets: set[str] = set()

    async def open(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                self._idle.append(await connect(self._target, self._tls))
        except TimeoutError as error:
            raise ConnectionFailed(f"nobody answers at {self._target}") from error

    async def request(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(left_of(request.deadline)):
                answer = await self._post(request)
        except TimeoutError:
            return failed(request, StatusCode.DEADLINE, "no answer in time")
        except AnswerTooLarge as error:
            return failed(request, StatusCode.TOO_LARGE, error.message)
        return http_messages.read_answer(request, answer.status, answer.body)

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        parts = self._events(request)
        try:
            while True:
                # Not around the `yield`: it would end what the caller does between two parts.
                async with asyncio.timeout(left_of(request.deadline)):
                    part = await anext(parts, None)
                if part is None:
                    return
                yield part
        except TimeoutError:
            yield failed(request, StatusCode.DEADLINE, "no answer in time")
        except EventTooLong:
            what = over_limit("part of the answer", self._max_bytes + 1, self._max_bytes)
            yield failed(request, StatusCode.TOO_LARGE, what)
        except AnswerTooLarge as error:
            yield failed(request, StatusCode.TOO_LARGE, error.message)
        finally:
            await parts.aclose()

    def session(self) -> AbstractAsyncContextManager[Asks]:
        return nullcontext(self)

    async def get(self, path: str) -> Answer:
        """Return the page at `path`.

        Raises:
            ConnectionFailed: There is no connection to be had.
            AnswerTooLarge: The page is over the limit.
        """
        return await self._ask(head_of("GET", path, self._target, {}), b"", repeats=True)

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()

    async def _post(self, request: Request) -> Answer:
        body = http_messages.write_request(request)
        if len(body) > self._max_bytes:
            text = over_limit("request", len(body), self._max_bytes)
            return Answer(413, {}, http_messages.detail(text))
        repeats = may_repeat(request.endpoint, was_sent=True)
        path = request.endpoint
        if path in self._elsewhere:
            return await self._ask(self._head("POST", _DEFAULT, request, body), body, repeats)
        answer = await self._ask(self._head("POST", path, request, body), body, repeats)
        is_missing = answer.status in (404, 405) and http_messages.is_page_missing(answer.body)
        # Jina's gateway has a page for each endpoint, and one more for all others.
        if is_missing and await self._has_default():
            self._elsewhere.add(path)
            return await self._ask(self._head("POST", _DEFAULT, request, body), body, repeats)
        return answer

    async def _has_default(self) -> bool:
        if self._paths is None:
            page = await self.get("/openapi.json")
            self._paths = (
                http_messages.posted_paths(page.body) if page.status == 200 else frozenset()
            )
        return _DEFAULT in self._paths

    def _head(self, method: str, path: str, request: Request, body: bytes) -> bytes:
        headers = {
            **request.metadata,
            "content-type": "application/json",
            "content-length": str(len(body)),
            "x-jina-routes": "true",
            **({"accept": "text/event-stream"} if request.streamed else {}),
        }
        return head_of(method, quote("/" + path.lstrip("/")), self._target, headers)

    async def _events(self, request: Request) -> AsyncGenerator[Response, None]:
        connection, head = await self._streaming(request)
        try:
            if not head.headers.get("content-type", "").startswith("text/event-stream"):
                content = await connection.rest(head, self._max_bytes)
                yield http_messages.read_answer(request, head.status, content)
                return
            reader = EventReader(self._max_bytes)
            async for piece in connection.pieces(head):
                for event in reader.feed(piece):
                    if event.name == "end":
                        return
                    yield http_messages.read_event(request, event.name, event.data)
        except ConnectionError as error:
            raise self._broke(error, was_sent=True) from error
        finally:
            connection.abort()

    async def _streaming(self, request: Request) -> tuple[Connection, Head]:
        """Return a new connection whose answer has begun.

        Ours takes a whole request; Jina's gateway the document alone, as the body of a GET.
        """
        if request.endpoint not in self._gets:
            connection, head = await self._begun("POST", request, http_messages.write_request)
            if head.status != _WRONG_METHOD:
                return connection, head
            connection.abort()
            self._gets.add(request.endpoint)
        return await self._begun("GET", request, http_messages.write_document)

    async def _begun(
        self, method: str, request: Request, write: Callable[[Request], bytes]
    ) -> tuple[Connection, Head]:
        body = write(request)
        connection = await connect(self._target, self._tls)
        try:
            head = self._head(method, request.endpoint, request, body)
            return connection, await connection.begin(head, body)
        except BaseException as error:
            connection.abort()
            if isinstance(error, ConnectionError):
                raise self._broke(error, was_sent=True) from error
            raise

    async def _ask(self, head: bytes, body: bytes, repeats: bool) -> Answer:
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
                    raise self._broke(error, was_sent=True) from error
        connection = await connect(self._target, self._tls)
        try:
            return await self._ask_on(connection, head, body)
        except ConnectionError as error:
            raise self._broke(error, was_sent=True) from error

    def _broke(self, error: ConnectionError, *, was_sent: bool) -> ConnectionFailed:
        if isinstance(error, NoHttp):
            return WrongAddress(f"what answers at {self._target} speaks no HTTP")
        what = f"the connection to {self._target} broke: {error}"
        return ConnectionFailed(what, was_sent=was_sent)

    async def _ask_on(self, connection: Connection, head: bytes, body: bytes) -> Answer:
        try:
            answer = await connection.ask(head, body, self._max_bytes)
        except BaseException:
            connection.abort()
            raise
        if answer.headers.get("connection", "").lower() == "close":
            await connection.close()
        else:
            self._idle.append(connection)
        return answer
