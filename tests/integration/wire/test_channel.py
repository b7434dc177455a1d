"""Channels over real sockets: unix and TCP, uvloop and plain asyncio."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
import socket
import struct
import sys
import time
import warnings
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvloop

from jina_cli.wire.channel import Link, LinkDown, Server
from jina_cli.wire.frames import Frame, FrameReader, Kind, Oversized
from jina_cli.wire.messages import (
    Body,
    EndpointInfo,
    Format,
    Hello,
    Request,
    Respond,
    Response,
    StatusCode,
)
from jina_cli.wire.native import encode_hello, encode_request, encode_signal

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]

HELLO = Hello(pea="index/0", executor="Indexer", endpoints={"/index": EndpointInfo(input={"a": 1})})


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Run[Any]:
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def in_a_loop(scenario: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(asyncio.wait_for(scenario, 30))

    return in_a_loop


async def echo(request: Request) -> Response:
    return Response(request_id=request.request_id, body=request.bodies[0])


@dataclass
class Gate:
    """A handler that the test lets go."""

    entered: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: Request) -> Response:
        self.entered.set()
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return await echo(request)


def bound(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    return sock


def a_request(data: bytes = b"x", endpoint: str = "/index", **more: Any) -> Request:
    return Request(endpoint=endpoint, bodies=(Body(Format.COLUMNS, data),), **more)


@asynccontextmanager
async def serving(
    handler: Respond, path: Path, *, sock: socket.socket | None = None, **limits: Any
) -> AsyncIterator[Server]:
    sizes = {"max_queue": 256, "max_message_bytes": 1 << 26, **limits}
    server = Server(handler, lambda: HELLO, **sizes)
    await server.start(sock or bound(path))
    try:
        yield server
    finally:
        await server.close()


@asynccontextmanager
async def linked(path: Path, **limits: Any) -> AsyncIterator[Link]:
    link = Link(f"unix:{path}", **limits)
    link.start()
    try:
        await link.wait_up(10)
        yield link
    finally:
        await link.close()


@asynccontextmanager
async def both(handler: Respond, folder: Path, **limits: Any) -> AsyncIterator[tuple[Server, Link]]:
    path = folder / "s"
    async with serving(handler, path, **limits) as server, linked(path) as link:
        yield server, link


async def until(condition: Callable[[], Any]) -> None:
    """Wait for something that only other tasks of this loop can bring about."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


def test_ten_thousand_requests_come_back_each_with_its_own_answer(
    run: Run[None], tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with both(echo, tmp_path) as (server, link):
            numbers = iter(range(10_000))

            async def ask() -> None:
                for number in numbers:
                    data = str(number).encode() * (1 + number % 7)
                    answer = await link.request(a_request(data, request_id=str(number)))
                    assert (answer.request_id, answer.body.data) == (str(number), data)

            await asyncio.gather(*(ask() for _ in range(64)))
            assert (link.outstanding, server.pending) == (0, 0)

    run(scenario())


def test_bodies_of_all_sizes_come_back_whole(run: Run[None], tmp_path: Path) -> None:
    sizes = [0, 1, 63, 64, 65, 4096, 65_535, 65_536, 200_000, 1 << 20, 5 << 20]
    bodies = [random.Random(size).randbytes(size) for size in sizes]

    async def scenario() -> None:
        async with both(echo, tmp_path) as (_, link):
            for _ in range(3):
                answers = await asyncio.gather(*(link.request(a_request(b)) for b in bodies))
                assert [bytes(answer.body.data) for answer in answers] == bodies

    run(scenario())


def test_a_request_arrives_with_all_it_has(run: Run[None], tmp_path: Path) -> None:
    seen: list[Request] = []

    async def note(request: Request) -> Response:
        seen.append(request)
        return Response()

    sent = Request(
        endpoint="/search",
        bodies=(
            Body(Format.COLUMNS, b"a" * 100),
            Body(Format.PROTO, b""),
            Body(Format.JSON, b"[]"),
        ),
        request_id="r1",
        target="index.*",
        parameters={"top_k": 3, "x": [None, {"é": 1.5}]},
        wanted=Format.PROTO,
        deadline=time.monotonic() + 10,
        metadata={"traceparent": "00-1"},
    )

    async def scenario() -> None:
        async with both(note, tmp_path) as (_, link):
            await link.request(sent)

    run(scenario())
    (got,) = seen
    assert got.deadline == pytest.approx(sent.deadline, abs=1)
    for name in ("endpoint", "bodies", "request_id", "target", "parameters", "wanted", "metadata"):
        assert getattr(got, name) == getattr(sent, name)


def test_the_server_says_who_it_is(run: Run[None], tmp_path: Path) -> None:
    async def scenario() -> None:
        async with both(echo, tmp_path) as (_, link):
            assert await link.wait_up(1) == HELLO
            assert link.hello == HELLO
            assert await link.ping(5) < 5

    run(scenario())


def test_tcp_works_as_unix_sockets_do(run: Run[None], tmp_path: Path) -> None:
    async def scenario() -> None:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        async with serving(echo, tmp_path, sock=sock):
            link = Link(f"tcp:127.0.0.1:{port}")
            link.start()
            await link.wait_up(10)
            assert (await link.request(a_request(b"y" * 100_000))).body.data == b"y" * 100_000
            await link.close()

    run(scenario())


def test_a_handler_may_answer_at_once_or_in_a_task(run: Run[None], tmp_path: Path) -> None:
    def respond(request: Request) -> Response | Awaitable[Response]:
        if request.request_id == "fails":
            raise ValueError("no")
        answer = Response(request_id=request.request_id, body=request.bodies[0])
        return answer if request.request_id == "now" else later(answer)

    async def later(answer: Response) -> Response:
        await asyncio.sleep(0)
        return answer

    async def scenario() -> None:
        async with both(respond, tmp_path, max_queue=2) as (server, link):
            asked = [Request(endpoint="/", request_id="now") for _ in range(50)]
            answers = await asyncio.gather(*map(link.request, asked))
            assert {answer.status.code for answer in answers} == {StatusCode.OK}
            answer = await link.request(Request(endpoint="/", request_id="later"))
            assert answer.request_id == "later"
            answer = await link.request(Request(endpoint="/", request_id="fails"))
            assert answer.status.description == "ValueError: no"
            assert server.pending == 0

    run(scenario())


def test_cancelling_a_request_cancels_the_work(run: Run[None], tmp_path: Path) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with both(gate, tmp_path) as (server, link):
            asked = asyncio.ensure_future(link.request(a_request()))
            await gate.entered.wait()
            asked.cancel()

            async with asyncio.timeout(1):
                await gate.cancelled.wait()
            await until(lambda: server.pending == 0)
            assert link.outstanding == 0

    run(scenario())


def test_a_request_that_is_cancelled_leaves_nothing_for_the_collector(
    run: Run[None], tmp_path: Path
) -> None:
    class Held:
        """Stands for all that the work holds."""

    held: list[weakref.ref[Held]] = []
    entered = asyncio.Event()

    async def hold(request: Request) -> Response:
        mine = Held()
        held.append(weakref.ref(mine))
        entered.set()
        await asyncio.Event().wait()
        return Response(parameters={"mine": mine})

    async def scenario() -> None:
        async with both(hold, tmp_path) as (server, link):
            asked = asyncio.ensure_future(link.request(a_request()))
            await entered.wait()
            asked.cancel()
            await until(lambda: server.pending == 0)
            await until(lambda: held[0]() is None)

    gc.disable()
    try:
        run(scenario())
    finally:
        gc.enable()


def test_a_request_that_is_taken_back_before_it_is_begun_is_never_begun(
    run: Run[None], tmp_path: Path
) -> None:
    gate = Gate()

    async def scenario() -> None:
        async with serving(gate, tmp_path / "s"):
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
            asked = encode_request(1, a_request()) + encode_signal(Kind.CANCEL, 1)
            writer.write(b"".join([*asked, *encode_signal(Kind.PING, 2)]))
            frames = FrameReader(1 << 20)
            found: list[Frame | Oversized] = []
            while not any(frame.kind is Kind.PONG for frame in found):
                found += frames.feed(await reader.read(1000))
            writer.close()

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        run(scenario())
        gc.collect()
    assert not gate.entered.is_set()
    assert not any("never awaited" in str(each.message) for each in told)


def test_a_client_that_goes_away_cancels_its_work(run: Run[None], tmp_path: Path) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with serving(gate, tmp_path / "s") as server:
            async with linked(tmp_path / "s") as link:
                asked = asyncio.ensure_future(link.request(a_request()))
                await gate.entered.wait()
            with pytest.raises(LinkDown):
                await asked

            async with asyncio.timeout(1):
                await gate.cancelled.wait()
            await until(lambda: server.pending == 0)

    run(scenario())


def test_a_deadline_is_told_by_both_sides_and_cancels_the_work(
    run: Run[None], tmp_path: Path
) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with both(gate, tmp_path) as (server, link):
            answer = await link.request(a_request(deadline=time.monotonic() + 0.05))

            assert answer.status.code is StatusCode.DEADLINE
            async with asyncio.timeout(1):
                await gate.cancelled.wait()
            await until(lambda: server.pending == 0)

    run(scenario())


def test_a_request_that_is_too_late_already_is_not_worked_on(
    run: Run[None], tmp_path: Path
) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with both(gate, tmp_path) as (_, link):
            answer = await link.request(a_request(deadline=time.monotonic() - 1))

            assert answer.status.code is StatusCode.DEADLINE
            assert not gate.entered.is_set()

    run(scenario())


def test_a_full_server_says_so(run: Run[None], tmp_path: Path) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with both(gate, tmp_path, max_queue=2) as (server, link):
            asked = [asyncio.ensure_future(link.request(a_request())) for _ in range(5)]
            refused, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            await until(lambda: sum(task.done() for task in asked) == 3)
            gate.opened.set()
            codes = [(await task).status.code for task in asked]

            assert server.pending == 0
            assert codes.count(StatusCode.OVERLOADED) == 3
            assert codes.count(StatusCode.OK) == 2
            assert refused

    run(scenario())


def test_a_full_link_says_so_without_asking(run: Run[None], tmp_path: Path) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with serving(gate, tmp_path / "s"), linked(tmp_path / "s", max_pending=1) as link:
            first = asyncio.ensure_future(link.request(a_request()))
            await gate.entered.wait()

            assert (await link.request(a_request())).status.code is StatusCode.OVERLOADED
            gate.opened.set()
            assert (await first).status.ok

    run(scenario())


def test_an_exception_of_the_handler_is_an_answer(run: Run[None], tmp_path: Path) -> None:
    async def fail(request: Request) -> Response:
        raise RuntimeError("boom")

    async def scenario() -> None:
        async with both(fail, tmp_path) as (_, link):
            status = (await link.request(a_request(request_id="r"))).status

            assert (status.code, status.description) == (StatusCode.INTERNAL, "RuntimeError: boom")
            assert link.is_up

    run(scenario())


def test_an_answer_that_cannot_be_written_is_an_error_not_silence(
    run: Run[None], tmp_path: Path
) -> None:
    async def odd(request: Request) -> Response:
        return Response(parameters={"x": object()})

    async def scenario() -> None:
        async with both(odd, tmp_path) as (_, link):
            assert (await link.request(a_request())).status.code is StatusCode.INTERNAL

    run(scenario())


def test_too_large_a_request_is_refused_and_the_connection_lives(
    run: Run[None], tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with both(echo, tmp_path, max_message_bytes=300_000) as (_, link):
            big = asyncio.ensure_future(link.request(a_request(bytes(2_000_000))))
            small = asyncio.ensure_future(link.request(a_request(b"small")))

            assert (await big).status.code is StatusCode.TOO_LARGE
            assert (await small).body.data == b"small"
            assert link.is_up

    run(scenario())


def test_too_large_a_request_for_the_link_is_not_even_sent(run: Run[None], tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "s"
        async with serving(echo, path), linked(path, max_message_bytes=1000) as link:
            answer = await link.request(a_request(bytes(2000)))

            assert answer.status.code is StatusCode.TOO_LARGE

    run(scenario())


def test_too_large_an_answer_is_told_and_the_connection_lives(
    run: Run[None], tmp_path: Path
) -> None:
    async def large(request: Request) -> Response:
        return Response(body=Body(Format.COLUMNS, bytes(500_000)))

    async def scenario() -> None:
        path = tmp_path / "s"
        async with serving(large, path), linked(path, max_message_bytes=300_000) as link:
            for _ in range(2):
                answer = await link.request(a_request())
                assert answer.status.code is StatusCode.TOO_LARGE

    run(scenario())


def a_frame(kind: int, head: bytes, *, id: int = 1, format: int = 0) -> bytes:
    return struct.pack("<IIBBBBI", 12 + len(head), id, kind, format, 0, 0, len(head)) + head


GARBAGE = {
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "zeros": bytes(64),
    "noise": random.Random(0).randbytes(500),
    "a head that is not JSON": a_frame(2, b"nope"),
    "a head longer than its frame": struct.pack("<IIBBBBI", 12, 1, 2, 0, 0, 0, 99),
    "a format that is none": a_frame(2, b"{}", format=9),
    "an answer to nothing": a_frame(3, b"{}"),
    "two requests of one id": 2 * a_frame(2, b"{}"),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_closes_its_connection_and_no_other(
    what: str, run: Run[None], tmp_path: Path
) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with both(gate, tmp_path) as (_, link):
            asked = asyncio.ensure_future(link.request(a_request()))
            await gate.entered.wait()

            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
            writer.write(GARBAGE[what])
            writer.write_eof()
            async with asyncio.timeout(5):
                await read_to_end(reader)
            writer.close()

            gate.opened.set()
            assert (await asked).status.ok

    run(scenario())


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


@pytest.mark.parametrize(
    "said",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(64), b""],
    ids=["an HTTP server", "zeros", "nothing"],
)
def test_a_link_to_somebody_else_is_never_up(said: bytes, run: Run[None], tmp_path: Path) -> None:
    async def somebody(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_unix_server(somebody, str(tmp_path / "s"))
        link = Link(f"unix:{tmp_path}/s")
        link.start()
        with pytest.raises(TimeoutError, match=f"unix:{tmp_path}/s is not up: it was closed"):
            await link.wait_up(0.2)
        with pytest.raises(LinkDown) as caught:
            await link.request(a_request())
        assert not caught.value.was_sent
        await link.close()
        server.close()

    run(scenario())


def test_a_peer_that_greets_and_hangs_up_is_called_less_and_less(
    run: Run[None], tmp_path: Path
) -> None:
    called: list[float] = []
    often = asyncio.Event()

    async def moody(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(time.monotonic())
        if len(called) == 6:
            often.set()
        writer.write(b"".join(encode_hello(Hello(pea="p"))))
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_unix_server(moody, str(tmp_path / "s"))
        link = Link(f"unix:{tmp_path}/s")
        link.start()
        async with asyncio.timeout(10):
            await often.wait()
        await link.close()
        server.close()

    run(scenario())

    assert called[-1] - called[-2] > 0.1


def test_a_link_without_a_server_says_why_it_is_down(run: Run[None], tmp_path: Path) -> None:
    async def scenario() -> None:
        link = Link(f"unix:{tmp_path}/none")
        link.start()
        with pytest.raises(TimeoutError, match="No such file or directory"):
            await link.wait_up(0.1)
        await link.close()

    run(scenario())


def test_a_link_connects_again_when_its_server_is_back(run: Run[None], tmp_path: Path) -> None:
    changes: list[bool] = []

    async def scenario() -> None:
        path = tmp_path / "s"
        sock = bound(path)
        sock.listen()
        link = Link(f"unix:{path}", on_change=lambda link: changes.append(link.is_up))
        link.start()
        for _ in range(3):
            async with serving(echo, path, sock=sock.dup()):
                await link.wait_up(10)
                assert (await link.request(a_request())).status.ok
            await until(lambda: not link.is_up)
        await link.close()
        sock.close()

    run(scenario())
    assert changes == [True, False] * 3


def test_the_file_of_a_unix_socket_outlives_the_server(run: Run[None], tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(echo, tmp_path / "s"):
            pass
        assert (tmp_path / "s").exists()

    run(scenario())


def test_draining_finishes_what_was_asked_and_takes_nothing_new(
    run: Run[None], tmp_path: Path
) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with both(gate, tmp_path) as (server, link):
            asked = [asyncio.ensure_future(link.request(a_request())) for _ in range(3)]
            await until(lambda: server.pending == 3)
            draining = asyncio.ensure_future(server.drain(10))
            await until(lambda: not link.is_up)
            with pytest.raises(LinkDown) as caught:
                await link.request(a_request())
            gate.opened.set()

            assert await draining == 0
            assert [(await task).status.ok for task in asked] == [True] * 3
            assert not caught.value.was_sent

    run(scenario())


def test_draining_under_load_loses_no_request_that_was_sent(run: Run[None], tmp_path: Path) -> None:
    async def slow_echo(request: Request) -> Response:
        await asyncio.sleep(0.001)
        return await echo(request)

    async def scenario() -> None:
        async with both(slow_echo, tmp_path) as (server, link):
            lost: list[LinkDown] = []
            answered = 0

            async def ask() -> None:
                nonlocal answered
                while True:
                    try:
                        await link.request(a_request())
                        answered += 1
                    except LinkDown as down:
                        lost.append(down)
                        return

            workers = [asyncio.ensure_future(ask()) for _ in range(32)]
            await until(lambda: answered > 100)
            assert await server.drain(10) == 0
            await asyncio.gather(*workers)

            assert not any(down.was_sent for down in lost)

    run(scenario())


def test_draining_gives_up_after_its_time_and_says_how_many_were_left(
    run: Run[None], tmp_path: Path
) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with both(gate, tmp_path) as (server, link):
            asked = [asyncio.ensure_future(link.request(a_request())) for _ in range(2)]
            await until(lambda: server.pending == 2)

            assert await server.drain(0.05) == 2
            await server.close()
            assert gate.cancelled.is_set()
            for task in asked:
                with pytest.raises(LinkDown):
                    await task

    run(scenario())


def test_draining_waits_for_a_slow_client_to_take_its_answers(
    run: Run[None], tmp_path: Path
) -> None:
    async def large(request: Request) -> Response:
        return Response(body=Body(Format.COLUMNS, bytes(3_000_000)))

    async def scenario() -> None:
        async with serving(large, tmp_path / "s") as server:
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
            writer.write(a_frame(2, b"{}", id=1) + a_frame(2, b"{}", id=2))
            await reader.readexactly(16)
            draining = asyncio.ensure_future(server.drain(10))
            await asyncio.sleep(0)
            writer.write(a_frame(5, b""))

            async with asyncio.timeout(10):
                assert len(await read_to_end(reader)) > 6_000_000
            assert await draining == 0
            writer.close()

    run(scenario())


def test_draining_does_not_wait_long_for_an_idle_client_that_reads_nothing(
    run: Run[None], tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with serving(echo, tmp_path / "s") as server:
            deaf = socket.socket(socket.AF_UNIX)
            deaf.connect(str(tmp_path / "s"))
            begin = time.monotonic()
            assert await server.drain(20) == 0
            assert time.monotonic() - begin < 5
            deaf.close()

    run(scenario())


def test_a_client_that_reads_nothing_does_not_fill_the_server(
    run: Run[None], tmp_path: Path
) -> None:
    """Its requests are not even read, once its answers are not taken."""
    seen = 0

    async def large(request: Request) -> Response:
        nonlocal seen
        seen += 1
        return Response(body=Body(Format.COLUMNS, bytes(500_000)))

    async def scenario() -> None:
        async with serving(large, tmp_path / "s") as server:
            deaf = socket.socket(socket.AF_UNIX)
            deaf.connect(str(tmp_path / "s"))
            deaf.setblocking(False)
            loop = asyncio.get_running_loop()

            async def ask_for_much() -> None:
                for number in range(1000):
                    await loop.sock_sendall(deaf, a_frame(2, b"{}".ljust(65_536), id=number))

            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ask_for_much(), 0.5)
            assert 0 < seen < 100
            assert server.pending == 0

            async with linked(tmp_path / "s") as link:
                assert (await link.request(a_request())).status.ok
            deaf.close()

    run(scenario())


def test_a_thousand_connections_that_come_and_go_leave_nothing(
    run: Run[None], tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with serving(echo, tmp_path / "s"):
            before = len(os.listdir("/dev/fd"))
            for _ in range(200):
                connections = []
                for _ in range(5):
                    sock = socket.socket(socket.AF_UNIX)
                    sock.connect(str(tmp_path / "s"))
                    connections.append(sock)
                for sock in connections:
                    sock.close()
                await asyncio.sleep(0)
            await until(lambda: len(os.listdir("/dev/fd")) <= before)
            async with linked(tmp_path / "s") as link:
                assert (await link.request(a_request())).status.ok

    run(scenario())


def test_connections_over_the_limit_are_closed(run: Run[None], tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(echo, tmp_path / "s", max_connections=1), linked(tmp_path / "s"):
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
            async with asyncio.timeout(5):
                assert await read_to_end(reader) == b""
            writer.close()

    run(scenario())


SERVER = """
import asyncio, socket, sys
from jina_cli.wire.channel import Server
from jina_cli.wire.messages import Hello, Response

async def main():
    async def handle(request):
        if request.endpoint == "/hang":
            await asyncio.Event().wait()
        return Response(request_id=request.request_id)
    server = Server(handle, lambda: Hello(pea="p"), max_queue=8, max_message_bytes=1 << 20)
    await server.start(socket.socket(fileno=int(sys.argv[1])))
    await asyncio.Event().wait()

asyncio.run(main())
"""


@asynccontextmanager
async def a_process(sock: socket.socket) -> AsyncIterator[asyncio.subprocess.Process]:
    fd = sock.fileno()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, str(fd), pass_fds=[fd]
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def test_a_server_that_is_killed_breaks_what_it_was_sent_and_its_successor_answers(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        path = tmp_path / "s"
        sock = bound(path)
        sock.listen()
        async with a_process(sock) as process:
            async with asyncio.timeout(20):
                link = Link(f"unix:{path}")
                link.start()
                await link.wait_up(10)
                hanging = asyncio.ensure_future(link.request(a_request(endpoint="/hang")))
                assert (await link.request(a_request())).status.ok
                process.send_signal(signal.SIGKILL)

                with pytest.raises(LinkDown) as caught:
                    await hanging
                assert caught.value.was_sent
        async with a_process(sock), asyncio.timeout(20):
            await link.wait_up(10)
            assert (await link.request(a_request())).status.ok
            await link.close()
        sock.close()

    asyncio.run(scenario())


def test_a_stopped_server_answers_no_ping(tmp_path: Path) -> None:
    async def scenario() -> None:
        sock = bound(tmp_path / "s")
        sock.listen()
        async with a_process(sock) as process, linked(tmp_path / "s") as link:
            assert await link.ping(10) < 10
            process.send_signal(signal.SIGSTOP)
            with pytest.raises(TimeoutError):
                await link.ping(0.1)
            process.send_signal(signal.SIGCONT)
            assert await link.ping(10) < 10
        sock.close()

    asyncio.run(scenario())
