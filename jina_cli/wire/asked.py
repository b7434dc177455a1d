"""What was asked on one connection and is not answered yet."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator

from jina_cli.wire.alarm import NEVER
from jina_cli.wire.frames import BadFrame
from jina_cli.wire.messages import Request, Response
from jina_cli.wire.parts import Inbox

WINDOW_REQUESTS = 64
"""Requests that a peer is sent before it answered one of them, unless it says how many."""

WINDOW_BYTES = 16 * 1024 * 1024
"""Another request may follow while the bodies of those under way are less than this."""

_LAST_ID = 0xFFFF_FFFF


class Whole:
    """Waits for an answer in one piece.

    Attributes:
        size: Bytes of the request's bodies.
        is_patient: Whether it waits on while nothing is heard of the peer.
        is_sent: Whether it was given to the connection.
        is_settled: Whether the peer owes it nothing more.
        has_room: Whether it takes some of the peer's room.
    """

    __slots__ = (
        "answer",
        "has_room",
        "id",
        "is_patient",
        "is_sent",
        "is_settled",
        "request",
        "size",
    )

    def __init__(self, request: Request, loop: asyncio.AbstractEventLoop, is_patient: bool) -> None:
        self.request = request
        self.id = 0
        self.size = _size(request)
        self.is_patient = is_patient
        self.is_sent = self.is_settled = self.has_room = False
        self.answer: asyncio.Future[Response] = loop.create_future()

    @property
    def is_over(self) -> bool:
        return self.answer.done()

    def part(self, part: Response, size: int) -> None:
        raise BadFrame("a part came of an answer that was asked for whole")

    def end(self, how: Response | Exception) -> None:
        """The peer answered, or never will."""
        self.is_settled = True
        self.give_up(how)

    def give_up(self, how: Response | Exception) -> None:
        """Have the waiting end, whatever the peer still does."""
        if self.answer.done():
            return
        if isinstance(how, Exception):
            self.answer.set_exception(how)
        else:
            self.answer.set_result(how)


class InParts:
    """Waits for an answer in parts. Attributes are those of `Whole`."""

    __slots__ = (
        "has_room",
        "id",
        "inbox",
        "is_patient",
        "is_sent",
        "is_settled",
        "request",
        "size",
    )

    def __init__(self, request: Request, inbox: Inbox, is_patient: bool) -> None:
        self.request = request
        self.id = 0
        self.size = _size(request)
        self.is_patient = is_patient
        self.is_sent = self.is_settled = self.has_room = False
        self.inbox = inbox

    @property
    def is_over(self) -> bool:
        return self.inbox.has_ended

    def part(self, part: Response, size: int) -> None:
        self.inbox.put(part, size)
        # From the first part on the answer is this peer's: nobody else can go on with it.
        self.is_patient = True

    def end(self, how: Response | Exception) -> None:
        """The peer answered, or never will."""
        self.is_settled = True
        self.inbox.end(how)

    def give_up(self, how: Response | Exception) -> None:
        """Have the waiting end, whatever the peer still does."""
        self.inbox.end(how)


Waiter = Whole | InParts


class Asked:
    """All that waits for an answer, by id, and of it what was not sent for want of room.

    Room is counted from when a request is sent until its answer has begun to come, so that a
    peer never holds more than it can work on: what waits here can still go elsewhere.
    """

    def __init__(self) -> None:
        self.window = WINDOW_REQUESTS
        self._waiters: dict[int, Waiter] = {}
        self._queue: deque[Waiter] = deque()
        self._last_id = 0
        self._sent = 0
        self._size = 0

    @property
    def count(self) -> int:
        """How many wait."""
        return len(self._waiters)

    def __iter__(self) -> Iterator[Waiter]:
        return iter(tuple(self._waiters.values()))

    def get(self, id: int) -> Waiter | None:
        return self._waiters.get(id)

    def add(self, waiter: Waiter) -> bool:
        """Give `waiter` an id; False if it has to wait for room."""
        waiter.id = id = self.new_id()
        self._waiters[id] = waiter
        if self._queue or self._sent >= self.window or self._size >= WINDOW_BYTES:
            self._queue.append(waiter)
            return False
        self._send(waiter)
        return True

    def remove(self, waiter: Waiter) -> bool:
        """Forget `waiter`; return whether there may be room now for one that waits."""
        if self._waiters.pop(waiter.id, None) is not None and not waiter.is_sent:
            self._queue.remove(waiter)
        if waiter.has_room:
            self.release(waiter)
        return bool(self._queue)

    def release(self, waiter: Waiter) -> None:
        """Give back the room that `waiter` takes: the peer works on it, or no longer does."""
        if waiter.has_room:
            waiter.has_room = False
            self._sent -= 1
            self._size -= waiter.size

    def next(self) -> Waiter | None:
        """Return one that waited and has room now, to be sent."""
        if not self._queue or not self._has_room:
            return None
        waiter = self._queue.popleft()
        self._send(waiter)
        return waiter

    def new_id(self) -> int:
        while True:
            self._last_id = self._last_id % _LAST_ID + 1
            if self._last_id not in self._waiters:
                return self._last_id

    def overdue(self, now: float) -> tuple[list[Waiter], float]:
        """Return those whose deadline is over, and the nearest deadline of the others."""
        nearest = NEVER
        found: list[Waiter] = []
        for waiter in self._waiters.values():
            deadline = waiter.request.deadline
            if deadline is None or waiter.is_over:
                continue
            if deadline <= now:
                found.append(waiter)
            elif deadline < nearest:
                nearest = deadline
        return found, nearest

    @property
    def _has_room(self) -> bool:
        return self._sent < self.window and self._size < WINDOW_BYTES

    def _send(self, waiter: Waiter) -> None:
        waiter.is_sent = waiter.has_room = True
        self._sent += 1
        self._size += waiter.size


def _size(request: Request) -> int:
    bodies = request.bodies
    return len(bodies[0].data) if len(bodies) == 1 else sum(len(body.data) for body in bodies)
