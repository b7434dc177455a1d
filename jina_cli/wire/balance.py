"""Which replica of a Pod answers a request, and what is done when a connection breaks."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Protocol

from jina_cli.vocabulary import DRY_RUN_ENDPOINT, IDEMPOTENT_ENDPOINTS
from jina_cli.wire import circuit
from jina_cli.wire.channel import LinkDown
from jina_cli.wire.circuit import FRESH, Policy
from jina_cli.wire.messages import OK, Hello, Request, Response, Status, StatusCode
from jina_cli.wire.parts import closing

WAIT_UP_S = 30.0
"""How long a request waits for a replica where none is up, if its deadline allows it."""

MAX_WAITING = 256
"""Requests that may wait for a replica; one more is refused."""

PROBE_S = 5.0
"""How long a replica that was left out may take to answer a dry run."""

_BROKE = "the connection broke during the request"
_BROKE_LATE = "the connection broke during the answer"
_BROKE_AGAIN = "the connection broke again and again"


class Replica(Protocol):
    """A connection to one replica; `wire.channel.Link` is one."""

    @property
    def is_up(self) -> bool: ...

    @property
    def outstanding(self) -> int: ...

    @property
    def hello(self) -> Hello | None: ...

    async def wait_up(self, timeout_s: float) -> Hello: ...

    async def request(self, request: Request, *, is_patient: bool = True) -> Response: ...

    def stream(self, request: Request, *, is_patient: bool = True) -> AsyncIterator[Response]: ...

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


def may_repeat(endpoint: str, was_sent: bool, idempotent: Collection[str] = ()) -> bool:
    """Say whether a request whose connection broke may be sent to somebody again.

    Args:
        idempotent: Endpoints that may, beside those that always may.
    """
    return not was_sent or endpoint in IDEMPOTENT_ENDPOINTS or endpoint in idempotent


class _Member:
    """One replica, and whether it is worth asking."""

    __slots__ = ("circuit", "link")

    def __init__(self, link: Replica) -> None:
        self.link = link
        self.circuit = FRESH


class ReplicaSet:
    """The replicas of one Pod, or of one of its shards: any of them can answer.

    What changes what they keep is for the first one alone, which writes it down for all; while
    it is down, that waits for it. Of all else this is true:

    The one with the fewest outstanding requests does; those that are down are passed by, and
    those that failed several times in a row are left out until they answer a dry run; never
    all of them. Where none is up a request waits, within its deadline. `request`, `stream` and
    `broadcast` always give a `Response`; what goes wrong on the way is its status.

    Args:
        links: Started connections; at least one, the one that writes first.
        name: Of the Pod or shard, for messages.
        retries: Tries after the first; below 0 means as many as there are links, at least 3.
        wait_up_s: How long a request waits at most while no replica is up.
        max_waiting: Requests that may wait so; one more is refused as OVERLOADED.
        idempotent: Endpoints that may be asked again, beside those that always may.
        policy: When a replica is left out.
    """

    def __init__(
        self,
        links: Sequence[Replica],
        *,
        name: str = "",
        retries: int = -1,
        wait_up_s: float = WAIT_UP_S,
        max_waiting: int = MAX_WAITING,
        idempotent: Collection[str] = (),
        policy: Policy | None = None,
    ) -> None:
        self.links = tuple(links)
        self.name = name
        self._members = tuple(_Member(link) for link in links)
        self._tries = 1 + (retries if retries >= 0 else max(len(self.links), 3))
        self._wait_up_s = wait_up_s
        self._max_waiting = max_waiting
        self._idempotent = frozenset(idempotent)
        self._policy = policy or Policy()
        self._probes: set[asyncio.Task[None]] = set()
        self._ejected = 0
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
        member = await _first_up(self._members, timeout_s)
        if member is None:
            raise TimeoutError(f"no replica of {self.name} was up within {timeout_s:g} s")
        return await member.link.wait_up(timeout_s)

    async def close(self) -> None:
        """Close all connections."""
        probes = tuple(self._probes)
        for probe in probes:
            probe.cancel()
        await asyncio.gather(*probes, return_exceptions=True)
        await asyncio.gather(*(link.close() for link in self.links))

    def request(self, request: Request) -> Coroutine[Any, Any, Response]:
        """Let one replica answer, and another if its connection breaks and that may be done."""
        return self._ask(self._members, request)

    async def broadcast(self, request: Request) -> Response:
        """Let every replica answer; the result is the first one's, or the first failure."""
        asked = (self._ask((member,), request) for member in self._members)
        answers = await asyncio.gather(*asked)
        return next((answer for answer in answers if not answer.status.ok), answers[0])

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        """Let one replica answer in parts, and another only as long as none has come."""
        for left in reversed(range(self._tries)):
            members = self._for(request, self._members)
            member = self._next(members) or await self._wait(members, request)
            if isinstance(member, Response):
                yield member
                return
            may_move = len(members) > 1 and self._may_move(request)
            has_begun = cannot = False
            try:
                async with closing(member.link.stream(request, is_patient=not may_move)) as parts:
                    async for part in parts:
                        cannot = part.status.code is StatusCode.UNAVAILABLE and not has_begun
                        if cannot and may_move and left:
                            break
                        has_begun = True
                        yield self._named(part)
            except LinkDown as down:
                self._failed(member)
                if has_begun or not may_repeat(request.endpoint, down.was_sent, self._idempotent):
                    what = _BROKE_LATE if has_begun else _BROKE
                    yield self._refused(request, StatusCode.UNAVAILABLE, what)
                    return
            else:
                (self._failed if cannot else self._answered)(member)
                if has_begun or not cannot:
                    return
        yield self._refused(request, StatusCode.UNAVAILABLE, _BROKE_AGAIN)

    async def _ask(self, members: Sequence[_Member], request: Request) -> Response:
        left = self._tries
        while left:
            left -= 1
            members = self._for(request, members)
            member = self._next(members) or await self._wait(members, request)
            if isinstance(member, Response):
                return member
            may_move = len(members) > 1 and self._may_move(request)
            try:
                response = await member.link.request(request, is_patient=not may_move)
            except LinkDown as down:
                self._failed(member)
                if not may_repeat(request.endpoint, down.was_sent, self._idempotent):
                    return self._refused(request, StatusCode.UNAVAILABLE, _BROKE)
                continue
            if response.status is OK and member.circuit is FRESH:
                return response
            if response.status.code is not StatusCode.UNAVAILABLE:
                self._answered(member)
                return self._named(response)
            self._failed(member)
            if not may_move or not left:
                return self._named(response)
        return self._refused(request, StatusCode.UNAVAILABLE, _BROKE_AGAIN)

    def _may_move(self, request: Request) -> bool:
        """Say whether another replica may answer what one of them was sent."""
        return may_repeat(request.endpoint, True, self._idempotent)

    def _for(self, request: Request, members: Sequence[_Member]) -> Sequence[_Member]:
        """Return those of the replicas that may answer; all of them while none has said hello."""
        if len(members) == 1:
            return members
        hellos = (member.link.hello for member in members)
        told = next((hello for hello in hellos if hello is not None), None)
        return members[:1] if told is not None and told.writes(request.endpoint) else members

    def _next(self, members: Sequence[_Member]) -> _Member | None:
        if self._ejected:
            self._probe()
        if len(members) == 1:
            return members[0] if members[0].link.is_up else None
        place = least_outstanding(_loads(members), self._turn)
        if place is None:
            return None
        self._turn = (place + 1) % len(self._members)
        return members[place]

    async def _wait(self, members: Sequence[_Member], request: Request) -> _Member | Response:
        """Return the first replica that is up and may answer, or what to say if none is in time."""
        if self._waiting >= self._max_waiting:
            return self._refused(request, StatusCode.OVERLOADED, "too many requests wait")
        patience = self._wait_up_s
        if request.deadline is not None:
            patience = min(patience, max(0.0, request.deadline - time.monotonic()))
        until = time.monotonic() + patience
        self._waiting += 1
        try:
            member = await _first_up(members, patience)
            chosen = self._for(request, members)
            if member is not None and member not in chosen:
                # Only now that one of them has said what it serves it is known that it may not.
                member = await _first_up(chosen, max(0.0, until - time.monotonic()))
        finally:
            self._waiting -= 1
        return member or self._refused(request, StatusCode.UNAVAILABLE, "no replica is up")

    def _answered(self, member: _Member) -> None:
        if member.circuit is not FRESH:
            self._set(member, circuit.succeeded(member.circuit))

    def _failed(self, member: _Member) -> None:
        now = time.monotonic()
        self._set(member, circuit.failed(member.circuit, self._policy, now, random.random()))

    def _set(self, member: _Member, found: circuit.Circuit) -> None:
        member.circuit = found
        self._ejected = sum(not one.circuit.is_closed for one in self._members)

    def _probe(self) -> None:
        """Ask those that were left out long enough for a dry run."""
        now = time.monotonic()
        for member in self._members:
            if member.link.is_up and circuit.is_due(member.circuit, now):
                self._set(member, circuit.probed(member.circuit))
                probe = asyncio.get_running_loop().create_task(self._probed(member))
                self._probes.add(probe)
                probe.add_done_callback(self._probes.discard)

    async def _probed(self, member: _Member) -> None:
        request = Request(endpoint=DRY_RUN_ENDPOINT, deadline=time.monotonic() + PROBE_S)
        try:
            response = await member.link.request(request, is_patient=False)
        except LinkDown:
            self._failed(member)
            return
        if response.status.ok:
            self._answered(member)
        else:
            self._failed(member)

    def _named(self, response: Response) -> Response:
        """Say where it was if who answered knows of no Pod."""
        status = response.status
        if status.ok or status.pod or not self.name:
            return response
        described = status.description
        if status.code is not StatusCode.EXECUTOR:
            described = f"{self.name}: {described}"
        named = replace(status, description=described, pod=self.name.partition("/")[0])
        return replace(response, status=named)

    def _refused(self, request: Request, code: StatusCode, what: str) -> Response:
        described = f"{self.name}: {what}" if self.name else what
        status = Status(code=code, description=described, pod=self.name.partition("/")[0])
        return Response(request_id=request.request_id, status=status, parameters=request.parameters)


def _loads(members: Sequence[_Member]) -> list[int | None]:
    """Return what each has to do; None for those that are down, or left out if others are not."""
    up = [member.link.outstanding if member.link.is_up else None for member in members]
    kept = [
        load if member.circuit.is_closed else None for load, member in zip(up, members, strict=True)
    ]
    return up if all(load is None for load in kept) else kept


async def _first_up(members: Sequence[_Member], timeout_s: float) -> _Member | None:
    """Return the first replica that is up within `timeout_s`, else None."""
    waits = {asyncio.ensure_future(one.link.wait_up(timeout_s)): one for one in members}
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
