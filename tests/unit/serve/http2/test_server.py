"""What the clock does to a connection; its socket is a fake one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from jina_cli.serve.http2 import frames
from jina_cli.serve.http2.blocks import Fields, write_block
from jina_cli.serve.http2.connection import Limits
from jina_cli.serve.http2.frames import Code
from jina_cli.serve.http2.server import Guest, Http2Server
from jina_cli.serve.http2.stream import Receiver, Stream
from jina_cli.serve.limits import CONNECTIONS

GREETING = frames.PREFACE + frames.settings({4: 0})
ASKED = frames.frame(
    frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, 1, write_block([(b"a", b"b")])
)
HEAD = write_block([], status=200)


class FakeTransport:
    """Keeps what is written, and how it ended."""

    def __init__(self) -> None:
        self.written = b""
        self.is_reading = True
        self.buffered = 0
        self.end = ""

    def write(self, data: bytes) -> None:
        self.written += bytes(data)

    def writelines(self, parts: list[bytes]) -> None:
        self.written += b"".join(parts)

    def set_write_buffer_limits(self, high: int) -> None: ...

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def close(self) -> None:
        self.end = self.end or "closed"

    def abort(self) -> None:
        self.end = self.end or "aborted"


class Deaf:
    """Takes a stream in and does nothing."""

    def received(self, data: bytes, ended: bool) -> None: ...

    def lost(self) -> None: ...

    def writable(self) -> None: ...


async def a_guest() -> tuple[Guest[Fields], FakeTransport, list[Stream]]:
    streams: list[Stream] = []

    def accept(stream: Stream, fields: Fields, ended: bool) -> Receiver:
        streams.append(stream)
        return Deaf()

    server: Http2Server[Fields] = Http2Server(accept, lambda fields: fields, Limits())
    guest, transport = Guest(server), FakeTransport()
    guest.connection_made(cast(Any, transport))
    return guest, transport, streams


def run(scenario: Callable[[], Any]) -> None:
    asyncio.run(scenario())


def test_what_is_sent_in_one_turn_is_written_at_once() -> None:
    async def scenario() -> None:
        guest, transport, _ = await a_guest()
        guest.data_received(GREETING)
        guest.connection.ping()
        assert transport.written == b""

        await asyncio.sleep(0)

        assert transport.written.endswith(frames.ping(b"jinaping", ack=False))

    run(scenario)


def test_a_client_that_says_nothing_is_cut_off() -> None:
    async def scenario() -> None:
        guest, transport, _ = await a_guest()
        start = guest._loop.time()

        guest.tick(start + 5)
        assert transport.end == ""
        guest.tick(start + 11)

        assert transport.end == "aborted"

    run(scenario)


def test_a_silent_client_is_asked_whether_it_is_there_and_given_up() -> None:
    async def scenario() -> None:
        guest, transport, _ = await a_guest()
        guest.data_received(GREETING + ASKED)
        start = guest._loop.time()

        guest.tick(start + 25)
        await asyncio.sleep(0)
        assert frames.ping(b"jinaping", ack=False) in transport.written
        assert transport.end == ""
        guest.tick(start + 50)

        assert transport.end == "aborted"

    run(scenario)


def test_a_connection_without_requests_is_left() -> None:
    async def scenario() -> None:
        guest, transport, _ = await a_guest()
        guest.data_received(GREETING)
        start = guest._loop.time()

        for after in range(0, 620, 15):
            guest._server.now = start + after
            guest.data_received(frames.ping(b"12345678", ack=True))
            guest.tick(start + after)
            await asyncio.sleep(0)

        assert frames.goaway(0, Code.NO_ERROR) in transport.written
        assert transport.end == "closed"

    run(scenario)


@pytest.mark.parametrize(("reads", "end"), [(0, "aborted"), (100, "aborted"), (5000, "")])
def test_a_client_that_takes_next_to_nothing_of_its_answer_is_cut_off(reads: int, end: str) -> None:
    async def scenario() -> None:
        guest, transport, streams = await a_guest()
        guest.data_received(GREETING + ASKED)
        start = guest._loop.time()
        streams[0].answer(HEAD, (b"x" * 100_000,), HEAD)

        for after in range(0, 60, 5):
            guest._server.now = start + after
            if reads:
                guest.data_received(frames.window_update(1, reads))
            guest.data_received(frames.ping(b"12345678", ack=True))
            guest.tick(start + after)

        assert transport.end == end

    run(scenario)


@pytest.mark.parametrize(("takes", "end"), [(0, "aborted"), (100, "aborted"), (5000, "")])
def test_a_client_whose_network_is_slow_is_cut_off_only_if_it_takes_next_to_nothing(
    takes: int, end: str
) -> None:
    async def scenario() -> None:
        guest, transport, streams = await a_guest()
        guest.data_received(GREETING + frames.settings({4: 2**30}) + ASKED)
        guest.data_received(frames.window_update(0, 2**30))
        start = guest._loop.time()
        streams[0].answer(HEAD, (b"x" * 2_000_000,), HEAD)
        await asyncio.sleep(0)
        transport.buffered = len(transport.written)
        guest.pause_writing()

        for after in range(0, 90, 5):
            guest.tick(start + after)
            transport.buffered -= takes

        assert transport.end == end

    run(scenario)


def test_a_client_whose_socket_is_full_is_not_read_from() -> None:
    async def scenario() -> None:
        guest, transport, streams = await a_guest()
        guest.data_received(GREETING + frames.settings({4: 1000}) + ASKED)
        await asyncio.sleep(0)
        written = len(transport.written)

        guest.pause_writing()
        streams[0].send_head(HEAD)
        streams[0].send((b"x" * 500,))
        await asyncio.sleep(0)
        assert not transport.is_reading
        assert len(transport.written) < written + 100
        guest.resume_writing()
        await asyncio.sleep(0)

        assert transport.is_reading
        assert transport.written.endswith(b"x" * 500)

    run(scenario)


def test_one_connection_more_than_may_be_is_refused() -> None:
    async def scenario() -> None:
        first, _, _ = await a_guest()
        server = first._server
        for _ in range(CONNECTIONS - 1):
            Guest(server).connection_made(cast(Any, FakeTransport()))
        last = FakeTransport()

        Guest(server).connection_made(cast(Any, last))

        assert last.end == "aborted"
        assert len(server.guests) == CONNECTIONS

    run(scenario)


def test_a_server_that_closes_says_so_to_all() -> None:
    async def scenario() -> None:
        guest, transport, _ = await a_guest()
        guest.data_received(GREETING + ASKED)

        guest._server.close()
        await asyncio.sleep(0)

        assert frames.goaway(1, Code.NO_ERROR) in transport.written
        assert transport.end == "closed"

    run(scenario)
