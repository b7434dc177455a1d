"""How much a link sends before it was answered, and how much a server takes, on real sockets."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from jina_cli.wire.asked import WINDOW_BYTES, WINDOW_REQUESTS
from jina_cli.wire.budget import FULL, Budget
from jina_cli.wire.channel import Link, LinkDown, Server
from jina_cli.wire.messages import Body, Format, Hello, Request, Respond, Response, StatusCode
from jina_cli.wire.native import Kind, build

pytestmark = pytest.mark.anyio

SMALL = Request(endpoint="/x")


class Gate:
    """A handler that answers once it is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.asked = 0

    async def __call__(self, request: Request) -> Response:
        self.asked += 1
        await self.opened.wait()
        return Response()


@asynccontextmanager
async def serving(
    folder: Path, gate: Respond, hello: Hello | None = None, **more: Any
) -> AsyncIterator[tuple[Server, Link]]:
    said = hello or Hello(pea="p")
    server = Server(gate, lambda: said, max_queue=1000, max_message_bytes=2**26, **more)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(folder / "s"))
    await server.start(sock)
    link = Link(f"unix:{folder / 's'}", max_pending=500)
    link.start()
    await link.wait_up(5)
    try:
        yield server, link
    finally:
        await link.close()
        await server.close()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def settled(link: Link) -> None:
    """Return once the peer has all that it was sent: it answers in order."""
    await link.ping(5)


def asking(link: Link, count: int, request: Request = SMALL) -> list[asyncio.Task[Response]]:
    return [asyncio.create_task(link.request(request)) for _ in range(count)]


async def test_a_peer_is_sent_so_many_requests_and_the_others_wait_their_turn(
    tmp_path: Path,
) -> None:
    gate = Gate()
    async with serving(tmp_path, gate) as (_, link):
        tasks = asking(link, 3 * WINDOW_REQUESTS)
        await until(lambda: gate.asked)
        await settled(link)
        sent_at_first = gate.asked
        gate.opened.set()
        answers = await asyncio.gather(*tasks)

    assert sent_at_first == WINDOW_REQUESTS
    assert gate.asked == len(answers) == 3 * WINDOW_REQUESTS
    assert all(answer.status.ok for answer in answers)


async def test_a_peer_may_say_how_many_it_takes(tmp_path: Path) -> None:
    gate = Gate()
    async with serving(tmp_path, gate, Hello(pea="p", window=3)) as (_, link):
        tasks = asking(link, 10)
        await until(lambda: gate.asked)
        await settled(link)
        sent_at_first = gate.asked
        gate.opened.set()
        await asyncio.gather(*tasks)

    assert (sent_at_first, gate.asked) == (3, 10)


async def test_large_requests_are_held_back_by_their_bytes(tmp_path: Path) -> None:
    gate = Gate()
    large = Request(endpoint="/x", bodies=(Body(Format.COLUMNS, bytes(WINDOW_BYTES // 4)),))
    async with serving(tmp_path, gate) as (_, link):
        tasks = asking(link, 10, large)
        await until(lambda: gate.asked == 4)
        await settled(link)
        sent_at_first = gate.asked
        gate.opened.set()
        await asyncio.gather(*tasks)

    assert (sent_at_first, gate.asked) == (4, 10)


async def test_what_waits_for_room_was_not_sent_and_says_so_when_the_peer_goes(
    tmp_path: Path,
) -> None:
    gate = Gate()
    async with serving(tmp_path, gate, Hello(pea="p", window=1)) as (server, link):
        first, second = asking(link, 2)
        await until(lambda: gate.asked)
        await server.close()
        results = await asyncio.gather(first, second, return_exceptions=True)

    assert [one.was_sent for one in results if isinstance(one, LinkDown)] == [True, False]


async def test_who_is_cancelled_while_waiting_gives_its_place_away(tmp_path: Path) -> None:
    gate = Gate()
    async with serving(tmp_path, gate, Hello(pea="p", window=1)) as (_, link):
        first, second, third = asking(link, 3)
        await until(lambda: gate.asked)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        gate.opened.set()
        await asyncio.gather(first, third)

    assert gate.asked == 2
    assert link.outstanding == 0


async def test_a_deadline_ends_the_wait_for_room(tmp_path: Path) -> None:
    gate = Gate()
    loop = asyncio.get_running_loop()
    async with serving(tmp_path, gate, Hello(pea="p", window=1)) as (_, link):
        first = asyncio.create_task(link.request(SMALL))
        await until(lambda: gate.asked)
        late = Request(endpoint="/x", deadline=loop.time() + 0.05)
        answer = await link.request(late)
        gate.opened.set()
        await first

    assert answer.status.code is StatusCode.DEADLINE
    assert gate.asked == 1


async def test_half_a_request_takes_its_room_and_gives_it_back_when_its_client_goes(
    tmp_path: Path,
) -> None:
    gate, budget = Gate(), Budget(1_000_000)
    whole = b"".join(build(Kind.REQUEST, 1, head=b'{"e":"/x"}', bodies=[bytes(900_000)]))
    async with serving(tmp_path, gate, budget=budget) as (_, link):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
        writer.write(whole[:200_000])
        await until(lambda: budget.held == len(whole))
        large = Request(endpoint="/x", bodies=(Body(Format.COLUMNS, bytes(500_000)),))
        refused = await link.request(large)
        writer.close()
        await until(lambda: budget.held == 0)
        gate.opened.set()
        taken = await link.request(large)
        reader.feed_eof()

    assert (refused.status.code, refused.status.description) == (StatusCode.OVERLOADED, FULL)
    assert taken.status.ok
    assert budget.held == 0


async def test_an_answer_over_the_limit_names_the_key_that_raises_it(tmp_path: Path) -> None:
    gate = Gate()
    async with serving(tmp_path, gate):
        link = Link(f"unix:{tmp_path / 's'}", max_message_bytes=1000)
        link.start()
        await link.wait_up(5)
        refused = await link.request(
            Request(endpoint="/x", bodies=(Body(Format.COLUMNS, bytes(2000)),))
        )
        await link.close()

    assert refused.status.code is StatusCode.TOO_LARGE
    assert "raise 'max_message_bytes' of the gateway" in refused.status.description


async def test_requests_that_came_together_leave_others_their_turns(tmp_path: Path) -> None:
    turns: set[int] = set()
    turn = 0

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    def at_once(request: Request) -> Response:
        turns.add(turn)
        time.sleep(0.001)  # the work itself
        return Response(request_id=request.request_id)

    async with serving(tmp_path, at_once) as (_, link):
        counting = asyncio.create_task(count())
        asked = [Request(endpoint="/x", request_id=str(number)) for number in range(40)]
        answers = await asyncio.gather(*map(link.request, asked))
        counting.cancel()

    assert [answer.request_id for answer in answers] == [str(number) for number in range(40)]
    assert len(turns) > 3
