"""Parts of an answer: how many are under way, in which order they come, and who is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from jina_cli.wire.frames import BadFrame
from jina_cli.wire.messages import Body, Format, Response, Status, StatusCode
from jina_cli.wire.parts import WINDOW_BYTES, WINDOW_PARTS, Inbox, Window, closing, merged


def run(scenario: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(scenario, 10))


def a_part(text: str = "x") -> Response:
    return Response(body=Body(Format.JSON, text.encode()))


ROOM: dict[str, tuple[list[int], list[tuple[int, int]], bool]] = {
    "at the beginning": ([], [], True),
    "while a few small parts are under way": ([1] * (WINDOW_PARTS - 1), [], True),
    "not while all parts that may be are": ([1] * WINDOW_PARTS, [], False),
    "again when one was taken": ([1] * WINDOW_PARTS, [(1, 1)], True),
    "behind a part that is not quite too large": ([WINDOW_BYTES - 1], [], True),
    "not behind one that is": ([WINDOW_BYTES], [], False),
    "again when that was taken": ([WINDOW_BYTES], [(1, WINDOW_BYTES)], True),
}


@pytest.mark.parametrize("when", ROOM)
def test_there_is_room_for_a_part(when: str) -> None:
    sent, taken, expected = ROOM[when]

    async def scenario() -> bool:
        window = Window()
        for size in sent:
            await window.enter(size)
        for parts, size in taken:
            window.taken(parts, size)
        return window.has_room

    assert run(scenario()) is expected


def test_more_parts_than_were_sent_cannot_be_taken() -> None:
    async def scenario() -> None:
        window = Window()
        await window.enter(5)
        for parts, size in ((2, 5), (1, 6)):
            with pytest.raises(BadFrame):
                window.taken(parts, size)

    run(scenario())


@pytest.mark.parametrize("size", [1, WINDOW_BYTES // 3, WINDOW_BYTES, 3 * WINDOW_BYTES])
def test_a_sender_that_waits_is_always_given_credit(size: int) -> None:
    async def scenario() -> int:
        window = Window()
        inbox = Inbox(window.taken)

        async def send() -> None:
            for _ in range(100):
                await window.enter(size)
                inbox.put(a_part(), size)
            inbox.end(Response())

        sending = asyncio.create_task(send())
        count = 0
        while await inbox.next() is not None:
            count += 1
        await sending
        return count

    assert run(scenario()) == 100


def test_parts_come_in_order_and_then_the_end() -> None:
    async def scenario() -> list[Any]:
        inbox = Inbox(lambda parts, size: None)
        for text in "abc":
            inbox.put(a_part(text), 1)
        inbox.end(Response())
        return [await inbox.next() for _ in range(5)]

    found = run(scenario())

    assert [part and part.body.data for part in found] == [b"a", b"b", b"c", None, None]


def test_an_end_that_says_something_is_a_part() -> None:
    failed = Response(status=Status(code=StatusCode.EXECUTOR))
    marked = Response(marks={"failed_shards": "1"})

    async def scenario(end: Response) -> Response | None:
        inbox = Inbox(lambda parts, size: None)
        inbox.end(end)
        found = await inbox.next()
        assert await inbox.next() is None
        return found

    for end in (failed, marked, a_part()):
        assert run(scenario(end)) is end


def test_what_broke_is_raised_after_the_parts_that_came_before() -> None:
    async def scenario() -> None:
        inbox = Inbox(lambda parts, size: None)
        inbox.put(a_part(), 1)
        inbox.end(ConnectionError("gone"))
        inbox.end(Response())
        assert await inbox.next() is not None
        with pytest.raises(ConnectionError):
            await inbox.next()

    run(scenario())


def test_a_peer_that_sends_more_than_it_may_is_found_out() -> None:
    async def scenario() -> None:
        inbox = Inbox(lambda parts, size: None)
        for _ in range(WINDOW_PARTS):
            inbox.put(a_part(), 1)
        with pytest.raises(BadFrame):
            inbox.put(a_part(), 1)

    run(scenario())


class Source:
    """Yields numbers, and remembers how it ended."""

    def __init__(self, *numbers: int, then: BaseException | None = None) -> None:
        self.numbers = numbers
        self.then = then
        self.taken = 0
        self.closed = False

    async def parts(self) -> AsyncIterator[int]:
        try:
            for number in self.numbers:
                self.taken += 1
                yield number
                await asyncio.sleep(0)
            if self.then is not None:
                raise self.then
        finally:
            self.closed = True


def test_what_several_sources_yield_is_merged_and_each_stays_in_order() -> None:
    async def scenario() -> list[int]:
        return [one async for one in merged([Source(1, 3, 5).parts(), Source(2, 4).parts()])]

    found = run(scenario())

    assert sorted(found) == [1, 2, 3, 4, 5]
    assert [one for one in found if one % 2] == [1, 3, 5]


def test_closing_a_merge_closes_its_sources_which_ran_little_ahead() -> None:
    async def scenario() -> None:
        sources = [Source(*range(1000)), Source(*range(1000))]
        async with closing(merged([source.parts() for source in sources])) as parts:
            async for _ in parts:
                break
        assert [source.closed for source in sources] == [True, True]
        assert all(source.taken <= 2 for source in sources)

    run(scenario())


def test_what_one_source_raises_closes_the_others() -> None:
    async def scenario() -> None:
        bad, good = Source(then=ValueError("no")), Source(*range(1000))
        with pytest.raises(ValueError, match="no"):
            async for _ in merged([bad.parts(), good.parts()]):
                pass
        assert good.closed

    run(scenario())
