"""HTTP as servers write it: lengths, chunks, closed connections, nonsense."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from jina_cli.client.address import target_of
from jina_cli.client.http_connection import Answer, AnswerTooLarge
from jina_cli.client.http_transport import HttpTransport
from jina_cli.client.transport import Settings
from jina_cli.errors import Unreachable
from jina_cli.wire.messages import Request, Response, StatusCode
from tests.testing.gateways import run

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _says(*answers: bytes, close: bool = False) -> Serve:
    """A server that says these things, one for each request on a connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            try:
                await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            writer.write(answer)
        if not close:
            await reader.read()  # until the client goes
        writer.close()

    return serve


async def _asked(serve: Serve, times: int = 1, max_bytes: int = 1000) -> list[Answer]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        transport = HttpTransport(
            target_of(f"http://127.0.0.1:{port}"), Settings(max_message_bytes=max_bytes)
        )
        try:
            return [await transport.get("/x") for _ in range(times)]
        finally:
            await transport.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
def test_a_body_has_a_length_or_chunks(answer: bytes) -> None:
    [found] = run(_asked(_says(answer)))

    assert (found.status, found.body) == (200, b"hello")


def test_a_body_ends_with_its_connection() -> None:
    [found] = run(_asked(_says(b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello", close=True)))

    assert found.body == b"hello"


def test_a_connection_is_used_again_and_a_closed_one_is_replaced() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"

    found = run(_asked(_says(answer, answer, close=True), times=5))

    assert [each.body for each in found] == [b"x"] * 5


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"\r\n\r\n",
        b"",
    ],
)
def test_nonsense_is_a_broken_connection(answer: bytes) -> None:
    with pytest.raises(Unreachable, match=r"broke|speaks no HTTP"):
        run(_asked(_says(answer, close=True)))


TOO_MUCH = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 1001,
]


@pytest.mark.parametrize("answer", TOO_MUCH)
def test_too_much_is_told_with_the_limit_and_what_to_do(answer: bytes) -> None:
    with pytest.raises(AnswerTooLarge, match="over the limit of 1000 bytes: send fewer documents"):
        run(_asked(_says(answer, close=True)))


async def _parts(said: bytes, max_bytes: int = 1000) -> list[Response]:
    """Return what a client makes of a streamed answer, whose last part it closes upon."""
    async with await asyncio.start_server(_says(said), "127.0.0.1", 0) as server:
        target = target_of(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        transport = HttpTransport(target, Settings(max_message_bytes=max_bytes))
        parts: list[Response] = []
        async with asyncio.timeout(5):
            async for part in transport.stream(Request(endpoint="/x", streamed=True)):
                parts.append(part)
                if len(parts) == 2:
                    break
        await transport.close()
        return parts


@pytest.mark.parametrize("answer", TOO_MUCH[:2])
def test_too_much_where_a_stream_was_asked_for_is_a_part_that_says_so(answer: bytes) -> None:
    [part] = run(_parts(answer))

    assert part.status.code is StatusCode.TOO_LARGE
    assert "over the limit of 1000 bytes: send fewer documents" in part.status.description


def test_a_chunk_of_a_stream_is_not_waited_for_to_its_end() -> None:
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    event = b'event: update\ndata: {"text": "a"}\n\n'

    parts = run(_parts(head + b"fffffff\r\n" + 2 * event))

    assert [part.body.data for part in parts] == [b'[{"text": "a"}]'] * 2


EMPTY_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def _posted(endpoints: list[str], second: bytes) -> tuple[list[Response | None], int]:
    """Post one after another to a server that says `second` and hangs up from then on.

    Returns the answers, with None for a broken connection, and how many requests came.
    """
    came = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            came += 1
            writer.write(EMPTY_ANSWER if came == 1 else second)
            if came > 1:
                break
            await reader.readexactly(len(_BODY))
        writer.close()

    async def post(transport: HttpTransport, endpoint: str) -> Response | None:
        try:
            return await transport.request(Request(endpoint=endpoint))
        except Unreachable:
            return None

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        transport = HttpTransport(
            target_of(f"http://127.0.0.1:{port}"), Settings(max_message_bytes=1000)
        )
        answers = [await post(transport, endpoint) for endpoint in endpoints]
        await transport.close()
        return answers, came


_BODY = b'{"header":{"request_id":""},"parameters":{},"data":[]}'


@pytest.mark.parametrize(("endpoint", "sent"), [("/index", 2), ("/search", 3)])
def test_only_what_does_no_harm_twice_is_sent_again_when_an_idle_connection_breaks(
    endpoint: str, sent: int
) -> None:
    answers, came = run(_posted(["/search", endpoint], b""))

    assert (answers[1], came) == (None, sent)


@pytest.mark.parametrize("answer", TOO_MUCH)
def test_an_answer_that_is_too_large_is_not_asked_for_again(answer: bytes) -> None:
    answers, came = run(_posted(["/search", "/search"], answer))

    assert answers[1] is not None
    assert answers[1].status.code is StatusCode.TOO_LARGE
    assert came == 2


def test_a_connection_that_the_server_closed_is_not_written_to() -> None:
    async def scenario() -> int:
        answers = [EMPTY_ANSWER, EMPTY_ANSWER]

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len(_BODY))
            writer.write(answers.pop())
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            transport = HttpTransport(
                target_of(f"http://127.0.0.1:{port}"), Settings(max_message_bytes=99)
            )
            await transport.request(Request(endpoint="/index"))
            while not transport._idle[0].is_over:
                await asyncio.sleep(0)
            await transport.request(Request(endpoint="/index"))
            await transport.close()
        return len(answers)

    assert run(scenario()) == 0


def test_the_time_of_a_stream_does_not_end_what_its_reader_does_between_two_parts() -> None:
    has_gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        writer.write(b'event: update\r\ndata: {"id": "1"}\r\n\r\n')
        await reader.read()
        has_gone.set()
        writer.close()

    async def scenario() -> list[StatusCode]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            transport = HttpTransport(target_of(f"http://127.0.0.1:{port}"), Settings())
            deadline = time.monotonic() + 0.3
            codes = []
            async for part in transport.stream(Request(endpoint="/x", deadline=deadline)):
                codes.append(part.status.code)
                while time.monotonic() < deadline + 0.1:
                    await asyncio.sleep(0.01)
            await asyncio.wait_for(has_gone.wait(), 5)
            return codes

    assert run(scenario()) == [StatusCode.OK, StatusCode.DEADLINE]
