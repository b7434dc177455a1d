"""As much of HTTP/1.1 as a client of a Gateway needs, on asyncio's streams."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from jina_cli.client.address import Target
from jina_cli.client.transport import not_connected
from jina_cli.errors import RequestFailed
from jina_cli.wire.messages import StatusCode

_MAX_HEAD_BYTES = 64 * 1024
_PIECE_BYTES = 256 * 1024
_ENDLESS = 2**62
_HTTP = b"HTTP/1."


class BadAnswer(ConnectionError):
    """What came is no HTTP."""


class NoHttp(BadAnswer):
    """Somebody answers, who speaks something else."""


class AnswerTooLarge(RequestFailed):
    """The answer is over the limit; the same question would have it again."""

    def __init__(self, limit: int) -> None:
        what = f"the answer is over the limit of {limit} bytes"
        how = (
            "send fewer documents at a time, ask for fewer matches, "
            "or give the client a larger max_message_bytes"
        )
        super().__init__(f"{what}: {how}", status=StatusCode.TOO_LARGE.name)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """What the server says before the body; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]

    @property
    def is_chunked(self) -> bool:
        return self.headers.get("transfer-encoding", "").lower() == "chunked"


@dataclass(eq=False, slots=True)
class Connection:
    """One kept-alive connection, used for one request at a time."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def is_over(self) -> bool:
        """Whether the server is known to have closed it."""
        return self.reader.at_eof() or self.writer.is_closing()

    async def ask(self, head: bytes, body: bytes, max_bytes: int) -> Answer:
        """Send a request and return its answer.

        Raises:
            ConnectionError: The connection broke, or the answer is no HTTP.
            AnswerTooLarge: The answer has more than `max_bytes`.
        """
        found = await self.begin(head, body)
        content = await self.rest(found, max_bytes)
        return Answer(found.status, found.headers, content)

    async def rest(self, head: Head, max_bytes: int) -> bytes:
        """Return the body of an answer that has begun; raises as `ask`."""
        try:
            return await self._body(head, max_bytes)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise _bad() from error

    async def begin(self, head: bytes, body: bytes) -> Head:
        """Send a request and return what comes before the answer's body.

        Raises:
            ConnectionError: The connection broke, or the answer is no HTTP.
        """
        if len(body) < _PIECE_BYTES:
            self.writer.write(head + body)
        else:  # a copy of it would cost more than another write
            self.writer.write(head)
            self.writer.write(body)
        await self.writer.drain()
        status = 100
        try:
            while 100 <= status < 200:
                text = await self.reader.readuntil(b"\r\n\r\n")
                first, *lines = text.decode("latin-1").split("\r\n")[:-2]
                status = int(first.split(" ", 2)[1]) if first.startswith("HTTP/1.") else 0
        except asyncio.IncompleteReadError as error:
            is_other = not error.partial.startswith(_HTTP[: len(error.partial)])
            raise NoHttp("the answer is no HTTP") if is_other else _bad() from error
        except (asyncio.LimitOverrunError, ValueError) as error:
            raise _bad() from error
        if status == 0:
            raise NoHttp("the answer is no HTTP")
        pairs = (line.partition(":") for line in lines)
        return Head(status, {name.strip().lower(): value.strip() for name, _, value in pairs})

    async def pieces(self, head: Head) -> AsyncIterator[bytes]:
        """Yield the body of an answer as it comes.

        Raises:
            ConnectionError: The connection broke, or the answer is no HTTP.
        """
        try:
            if head.is_chunked:
                while left := await self._chunk_length(_ENDLESS):
                    while left > 0:
                        data = await self.reader.read(min(left, _PIECE_BYTES))
                        if not data:
                            raise _bad()
                        left -= len(data)
                        yield data
                    await self.reader.readexactly(2)
                return
            left = int(head.headers.get("content-length", _ENDLESS))
            while left > 0 and (data := await self.reader.read(min(left, _PIECE_BYTES))):
                left -= len(data)
                yield data
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise _bad() from error

    async def _body(self, head: Head, max_bytes: int) -> bytes:
        if head.is_chunked:
            return await self._chunks(max_bytes)
        if head.status in (204, 304):
            return b""
        if (length := head.headers.get("content-length")) is not None:
            return await self.reader.readexactly(_bounded(length, 10, max_bytes))
        return await self._rest(max_bytes)

    async def _chunks(self, max_bytes: int) -> bytes:
        parts: list[bytes] = []
        left = max_bytes
        while part := await self._chunk(left, max_bytes):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    async def _chunk(self, left: int, limit: int = 0) -> bytes:
        """Return one chunk of at most `left` bytes; empty at the end of the body."""
        length = await self._chunk_length(left, limit)
        return (await self.reader.readexactly(length + 2))[:-2] if length else b""

    async def _chunk_length(self, left: int, limit: int = 0) -> int:
        """Return how long the chunk is that comes now; 0 once the body has ended."""
        line = await self.reader.readuntil(b"\r\n")
        length = _bounded(line.partition(b";")[0].strip().decode(), 16, left, limit)
        if length == 0:
            while await self.reader.readuntil(b"\r\n") != b"\r\n":
                pass
        return length

    async def _rest(self, max_bytes: int) -> bytes:
        data = await self.reader.read(max_bytes + 1)
        parts = [data]
        while data and sum(map(len, parts)) <= max_bytes:
            data = await self.reader.read(max_bytes + 1)
            parts.append(data)
        if data:
            raise AnswerTooLarge(max_bytes)
        return b"".join(parts)

    def abort(self) -> None:
        """Close it now; what the server still works on for it, it may give up."""
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except OSError:
            pass


def _bad() -> BadAnswer:
    return BadAnswer("the answer is cut off, or no HTTP")


def _bounded(text: str, base: int, left: int, limit: int = 0) -> int:
    length = int(text, base)
    if length < 0:
        raise BadAnswer("the answer is shorter than nothing")
    if length > left:
        raise AnswerTooLarge(limit or left)
    return length


async def connect(target: Target, context: ssl.SSLContext | None = None) -> Connection:
    """Open a connection; no proxy is used.

    Raises:
        ConnectionFailed: Nobody listens there, or its certificate is not trusted.
    """
    try:
        reader, writer = await asyncio.open_connection(
            target.host, target.port, ssl=context, limit=_MAX_HEAD_BYTES
        )
    except OSError as error:
        raise not_connected(target, error) from error
    return Connection(reader, writer)


def head_of(method: str, path: str, target: Target, headers: Mapping[str, str]) -> bytes:
    """Return a request's head; header values are checked for line ends."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {target.authority}"]
    for name, value in headers.items():
        if "\r" in value or "\n" in value:
            raise ValueError(f"the header {name!r} has a line end")
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
