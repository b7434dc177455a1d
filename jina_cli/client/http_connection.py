"""As much of HTTP/1.1 as a client of a Gateway needs, on asyncio's streams."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from jina_cli.client.address import Target
from jina_cli.errors import RequestFailed, Unreachable
from jina_cli.wire.messages import StatusCode

_MAX_HEAD_BYTES = 64 * 1024


class BadAnswer(ConnectionError):
    """What came is no HTTP."""


class AnswerTooLarge(RequestFailed):
    """The answer is over the limit; the same question would have it again."""

    def __init__(self, limit: int) -> None:
        what = f"the answer is over the limit of {limit} bytes"
        how = "send fewer documents at a time, or ask for fewer matches"
        super().__init__(f"{what}: {how}", status=StatusCode.TOO_LARGE.name)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(eq=False, slots=True)
class Connection:
    """One kept-alive connection, used for one request at a time."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answered: int = field(default=0)

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
        self.writer.write(head + body)
        await self.writer.drain()
        try:
            answer = await self._read(max_bytes)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise BadAnswer("the answer is cut off, or no HTTP") from error
        self.answered += 1
        return answer

    async def _read(self, max_bytes: int) -> Answer:
        status = 100
        while 100 <= status < 200:
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")[:-2]
            status = int(first.split(" ", 2)[1]) if first.startswith("HTTP/1.") else 0
        if status == 0:
            raise BadAnswer("the answer is no HTTP")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return Answer(status, headers, await self._body(status, headers, max_bytes))

    async def _body(self, status: int, headers: Mapping[str, str], max_bytes: int) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self._chunks(max_bytes)
        if status in (204, 304):
            return b""
        if "content-length" in headers:
            return await self.reader.readexactly(_bounded(headers["content-length"], 10, max_bytes))
        return await self._rest(max_bytes)

    async def _chunks(self, max_bytes: int) -> bytes:
        parts: list[bytes] = []
        left = max_bytes
        while True:
            line = await self.reader.readuntil(b"\r\n")
            length = _bounded(line.partition(b";")[0].strip().decode(), 16, left)
            if length == 0:
                while await self.reader.readuntil(b"\r\n") != b"\r\n":
                    pass
                return b"".join(parts)
            parts.append((await self.reader.readexactly(length + 2))[:-2])
            left -= length

    async def _rest(self, max_bytes: int) -> bytes:
        data = await self.reader.read(max_bytes + 1)
        parts = [data]
        while data and sum(map(len, parts)) <= max_bytes:
            data = await self.reader.read(max_bytes + 1)
            parts.append(data)
        if data:
            raise AnswerTooLarge(max_bytes)
        return b"".join(parts)

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except OSError:
            pass


def _bounded(text: str, base: int, limit: int) -> int:
    length = int(text, base)
    if length < 0:
        raise BadAnswer("the answer is shorter than nothing")
    if length > limit:
        raise AnswerTooLarge(limit)
    return length


async def connect(target: Target) -> Connection:
    """Open a connection; no proxy is used.

    Raises:
        Unreachable: Nobody listens there.
    """
    context = ssl.create_default_context() if target.secure else None
    try:
        reader, writer = await asyncio.open_connection(
            target.host, target.port, ssl=context, limit=_MAX_HEAD_BYTES
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unreachable(f"nobody answers at {target}", hint=reason) from error
    return Connection(reader, writer)


def head_of(method: str, path: str, target: Target, headers: Mapping[str, str]) -> bytes:
    """Return a request's head; header values are checked for line ends."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {target.authority}"]
    for name, value in headers.items():
        if "\r" in value or "\n" in value:
            raise ValueError(f"the header {name!r} has a line end")
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
