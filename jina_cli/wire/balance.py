"""Which replica of a Pod answers a request, and what is done when a connection breaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from jina_cli.vocabulary import IDEMPOTENT_ENDPOINTS
from jina_cli.wire.channel import LinkDown
from jina_cli.wire.messages import Hello, Request, Response, Status, StatusCode

WAIT_UP_S = 30.0
"""How long a request waits for a replica where none is up, if its deadline allows it."""

MAX_WAITING = 256
"""Requests that may wait for a replica; one more is refused."""


class Replica(Protocol):
    """A connection to one replica; `wire.channel.Link` is one."""

    @property
    def is_up(self) -> bool: ...

    @property
    def outstanding(self) -> int: ...

    @property
    def hello(self) -> Hello | None: ...

    async def wait_up(self, timeout_s: float) -> Hello: ...

    async def request(self, request: Request) -> Response: ...

    async def close(self) -> None: ...


def least_outstanding(loads: Sequence[int | None], turn: int) -> int | None:
    """Return the place of the smallest load, or None if nobody is there.

    Args:
        loads: Requests each replica works on; None for one that is not up.
        turn: Where to begin among equals, so that idle replicas take turns.
    """
    places = [place for place, load in enumerate(loads) if load is not None]
    if not places:
        return None
    count = len(loads)
    return min(places, key=lambda place: (loads[place], (place - turn) % count))


def may_repeat(endpoint: str, was_sent: bool) -> bool:
    """Say whether a request whose connection broke may be sent to somebody again."""
    return not was_sent or endpoint in IDEMPOTENT_ENDPOINTS


class ReplicaSet:
    """The replicas of one Pod, or of one of its shards: any of them can answer.

    The one with the fewest outstanding requests does; those that are down are passed by.
    Where none is up a request waits, within its deadline. `request` and `broadcast` always
    give a `Response`; what goes wrong on the way is its status.

    Args:
        links: Started connections; at least one.
        name: Of the Pod or shard, for messages.
        retries: Tries after the first; below 0 means as many as there are links, at least 3.
        wait_up_s: How long a request waits at most while no replica is up.
        max_waiting: Requests that may wait so; one more is refused as OVERLOADED.
    """

    def __init__(
        self,
        links: Sequence[Replica],
        *,
        name: str = "",
        retries: int = -1,
        wait_up_s: float = WAIT_UP_S,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.links = tuple(links)
        self.name = name
        self._retries = retries if retries >= 0 else max(len(self.links), 3)
        self._wait_up_s = wait_up_s
        self._max_waiting = max_waiting
        self._waiting = 0
        self._turn = 0

    @property
    def is_up(self) -> bool:
        """Whether at least one replica can answer now."""
        return any(link.is_up for link in self.links)

    @property
    def outstanding(self) -> int:
        """Requests that all replicas together work on."""
        return sum(link.outstanding for link in self.links)

    async def wait_up(self, timeout_s: float) -> Hello:
        """Return the Hello of the first replica that is up.

        Raises:
            TimeoutError: None was within `timeout_s`.
        """
        link = await _first_up(self.links, timeout_s)
        if link is None:
            raise TimeoutError(f"no replica of {self.name} was up within {timeout_s:g} s")
        return await link.wait_up(timeout_s)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(link.close() for link in self.links))

    async def request(self, request: Request) -> Response:
        """Let one replica answer, and another if its connection breaks and that may be done."""
        return await self._ask(self.links, request)

    async def broadcast(self, request: Request) -> Response:
        """Let every replica answer; the result is the first one's, or the first failure."""
        asked = (self._ask((link,), request) for link in self.links)
        answers = await asyncio.gather(*asked)
        return next((answer for answer in answers if not answer.status.ok), answers[0])

    async def _ask(self, links: Sequence[Replica], request: Request) -> Response:
        for _ in range(self._retries + 1):
            link = self._next(links)
            if link is None:
                if self._waiting >= self._max_waiting:
                    return self._failed(request, StatusCode.OVERLOADED, "too many requests wait")
                link = await self._wait_for_one(links, request)
            if link is None:
                return self._failed(request, StatusCode.UNAVAILABLE, "no replica is up")
            try:
                return self._named(await link.request(request))
            except LinkDown as down:
                if not may_repeat(request.endpoint, down.was_sent):
                    return self._failed(
                        request, StatusCode.UNAVAILABLE, "the connection broke during the request"
                    )
        return self._failed(request, StatusCode.UNAVAILABLE, "the connection broke again and again")

    def _next(self, links: Sequence[Replica]) -> Replica | None:
        loads = [link.outstanding if link.is_up else None for link in links]
        place = least_outstanding(loads, self._turn)
        if place is None:
            return None
        self._turn = (place + 1) % len(self.links)
        return links[place]

    async def _wait_for_one(self, links: Sequence[Replica], request: Request) -> Replica | None:
        patience = self._wait_up_s
        if request.deadline is not None:
            patience = min(patience, max(0.0, request.deadline - time.monotonic()))
        self._waiting += 1
        try:
            return await _first_up(links, patience)
        finally:
            self._waiting -= 1

    def _named(self, response: Response) -> Response:
        """Say where it was if a link itself answered: it knows of no Pod."""
        status = response.status
        if status.ok or status.pod or not self.name:
            return response
        described = f"{self.name}: {status.description}"
        named = replace(status, description=described, pod=self.name.partition("/")[0])
        return replace(response, status=named)

    def _failed(self, request: Request, code: StatusCode, what: str) -> Response:
        described = f"{self.name}: {what}" if self.name else what
        status = Status(code=code, description=described, pod=self.name.partition("/")[0])
        return Response(request_id=request.request_id, status=status, parameters=request.parameters)


async def _first_up(links: Sequence[Replica], timeout_s: float) -> Replica | None:
    """Return the first link that is up within `timeout_s`, else None."""
    waits = {asyncio.ensure_future(link.wait_up(timeout_s)): link for link in links}
    try:
        pending = set(waits)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for wait in done:
                if not wait.cancelled() and wait.exception() is None:
                    return waits[wait]
        return None
    finally:
        for wait in waits:
            wait.cancel()
