"""One `Call` stream: many requests at a time, answers in the order of the requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc.aio

from jina_cli.wire.budget import Budget

QUIET_S = 0.25
"""A stream without a request for this long, and with nothing under way, ends in a drain."""

_LAST_S = 0.5
"""So long before the end of a drain even a busy stream reads no more."""


class Stream:
    """Reads requests as long as there is room, works on them, writes their answers.

    Args:
        context: Of the RPC.
        work: Answers one message; never raises but when it is cancelled.
        slots: Shared by all streams, so that many of them do not fill the Pods' queues.
        window: Requests of this stream that are worked on at a time.
        budget: Room for the bytes of requests; a stream waits for some before it reads on.
    """

    def __init__(
        self,
        context: Any,
        work: Callable[[bytes, Any], Awaitable[bytes]],
        slots: asyncio.Semaphore,
        window: int,
        budget: Budget,
    ) -> None:
        self._context = context
        self._work = work
        self._slots = slots
        self._budget = budget
        self._room = asyncio.Semaphore(window)
        # Bounded by `_room`; None ends it.
        self._answers: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue()
        self._under_way: set[asyncio.Task[bytes]] = set()
        self._last_read = time.monotonic()
        self._unanswered = 0
        self._drainer: asyncio.Task[None] | None = None
        self.was_cut = False

    async def run(self) -> None:
        """Serve until the client has said all, or a drain cuts the stream (see `was_cut`)."""
        reader = asyncio.create_task(self._read())
        try:
            while (task := await self._answers.get()) is not None:
                await self._context.write(await task)
                self._unanswered -= 1
                self._room.release()
            if not self.was_cut:
                await reader
        finally:
            for other in (reader, self._drainer, *self._under_way):
                if other is not None:
                    other.cancel()

    def drain(self, until: float) -> None:
        """End when the client falls silent, at the latest shortly before `until`."""
        if self._drainer is None:
            self._drainer = asyncio.create_task(self._end_when_quiet(until - _LAST_S))

    async def _read(self) -> None:
        try:
            while True:
                await self._room.acquire()
                data = await self._context.read()
                if data is grpc.aio.EOF:
                    break
                self._last_read = time.monotonic()
                await self._admit(len(data))
                if self.was_cut:
                    self._dismiss(len(data))
                    return
                self._begin(data)
        except Exception:
            self._answers.put_nowait(None)
            raise
        self._answers.put_nowait(None)

    async def _admit(self, size: int) -> None:
        await self._budget.wait(size)
        try:
            await self._slots.acquire()
        except BaseException:
            self._budget.give(size)
            raise

    def _dismiss(self, size: int) -> None:
        self._slots.release()
        self._budget.give(size)

    def _begin(self, data: bytes) -> None:
        self._unanswered += 1
        task: asyncio.Task[bytes] = asyncio.ensure_future(self._work(data, self._context))
        self._under_way.add(task)

        def ended(task: asyncio.Task[bytes]) -> None:
            self._under_way.discard(task)
            self._dismiss(len(data))

        task.add_done_callback(ended)
        self._answers.put_nowait(task)

    async def _end_when_quiet(self, until: float) -> None:
        while True:
            now = time.monotonic()
            quiet_at = self._last_read + QUIET_S
            if now >= until or (now >= quiet_at and not self._unanswered):
                break
            await asyncio.sleep(max(0.02, min(quiet_at - now, until - now)))
        self.was_cut = True
        self._answers.put_nowait(None)
