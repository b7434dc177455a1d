"""Several Pods in one process: what one answers is given to the next as it is, unwritten.

Each has its own Executors, lane, groups and condition, just as in a process of its own. What the
Gateway does between Pods is done here: to pass by those that a request is not for, and to give
each the parameters that are its own.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Protocol

from jina_cli.executors.timings import Timing, added_up
from jina_cli.plan.models import PeaPlan
from jina_cli.vocabulary import DEFAULT_ENDPOINT, DRY_RUN_ENDPOINT, RESULTS
from jina_cli.wire.messages import (
    Answer,
    Answering,
    Body,
    EndpointInfo,
    Format,
    Hello,
    Request,
    Response,
    RouteStep,
    Stream,
)
from jina_cli.wire.targets import parameters_of, target_of

_CACHED = 256

Watch = Callable[[Answering, Hello], Answering]
"""Returns what answers, watched, for what says that of itself."""


class Tenant(Protocol):
    """One Pod of a process."""

    @property
    def answer(self) -> Answer: ...

    @property
    def stream(self) -> Stream: ...

    def hello(self) -> Hello: ...

    def timings(self) -> Mapping[str, Timing]: ...

    def flush(self) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    pod: str
    tenant: Tenant
    answering: Answering
    endpoints: Mapping[str, EndpointInfo]

    def serves(self, endpoint: str) -> bool:
        named = endpoint in self.endpoints or DEFAULT_ENDPOINT in self.endpoints
        return named or endpoint == DRY_RUN_ENDPOINT


@dataclass(frozen=True, slots=True)
class _Stop:
    """A Pod that a request visits, and what it is asked there."""

    room: _Room
    endpoint: str


class _Course:
    """What has come of a request so far: where it was, and what was returned besides documents."""

    __slots__ = ("_request", "_results", "_steps", "pods")

    def __init__(self, request: Request, pods: frozenset[str]) -> None:
        self._request = request
        self._results: Mapping[str, Any] = request.parameters.get(RESULTS) or {}
        self._steps: dict[str, RouteStep] = {}
        self.pods = pods

    def ask(self, stop: _Stop, bodies: tuple[Body, ...], wanted: Format) -> Request:
        """Return what a Pod is asked."""
        return replace(
            self._request,
            endpoint=stop.endpoint,
            bodies=bodies,
            target="",
            parameters=parameters_of(stop.room.pod, self._parameters(), self.pods),
            wanted=wanted,
        )

    def take(self, response: Response) -> None:
        """Take note of an answer, or of a part of one: all parts together are one step."""
        for step in response.routes:
            known = self._steps.get(step.pod)
            self._steps[step.pod] = step if known is None else replace(step, start=known.start)
        self._results = response.parameters.get(RESULTS) or self._results

    def answer(self, response: Response) -> Response:
        """Return the last Pod's answer as that of all of them."""
        steps = tuple(self._steps.values())
        return replace(response, parameters=self._parameters(), routes=steps)

    def _parameters(self) -> Mapping[str, Any]:
        parameters = self._request.parameters
        return {**parameters, RESULTS: self._results} if self._results else parameters


class Fused:
    """Answers for all Pods of a process.

    Args:
        pea: Name of the process.
        tenants: The Pods by name, in the order of the Flow.
        watch: Wraps what answers in each of them.
    """

    def __init__(self, pea: str, tenants: Mapping[str, Tenant], watch: Watch) -> None:
        self._rooms = tuple(_room(pod, tenant, watch) for pod, tenant in tenants.items())
        self._pods = frozenset(tenants)
        self._ways: dict[tuple[str, str, bool], tuple[_Stop, ...]] = {}
        self._hello = Hello(
            pea=pea,
            executor="+".join(tenant.hello().executor for tenant in tenants.values()),
            endpoints=_chained([room.endpoints for room in self._rooms]),
            pods={room.pod: room.endpoints for room in self._rooms},
        )

    async def answer(self, request: Request) -> Response:
        """Return what the last of the Pods answers, or the first that fails."""
        course, bodies = _Course(request, self._pods), request.bodies
        way = self._way(request)
        for number, stop in enumerate(way, 1):
            wanted = request.wanted if number == len(way) else Format.HELD
            asked = course.ask(stop, bodies, wanted)
            response = await stop.room.answering.answer(asked)
            course.take(response)
            if not response.status.ok:
                break
            bodies = (response.body,)
        return course.answer(response)

    respond = answer

    async def stream(self, request: Request) -> AsyncGenerator[Response, None]:
        """Yield the answer in parts: each part of one Pod goes through all those after it."""
        course = _Course(request, self._pods)
        async with aclosing(self._stages(course, self._way(request), request)) as parts:
            async for part in parts:
                yield part

    async def _stages(
        self, course: _Course, way: Sequence[_Stop], request: Request
    ) -> AsyncGenerator[Response, None]:
        stop, is_last = way[0], len(way) == 1
        asked = course.ask(stop, request.bodies, request.wanted if is_last else Format.HELD)
        async with aclosing(_parts(stop, asked)) as parts:
            async for part in parts:
                course.take(part)
                if is_last or not part.status.ok:
                    yield course.answer(part)
                elif part.body.format:
                    onward = replace(request, bodies=(part.body,))
                    async with aclosing(self._stages(course, way[1:], onward)) as finished:
                        async for later in finished:
                            yield later
                            if not later.status.ok:
                                return

    def hello(self) -> Hello:
        return self._hello

    def timings(self) -> dict[str, Timing]:
        """Return what the Executors timed themselves, by name."""
        return added_up(room.tenant.timings() for room in self._rooms)

    def flush(self) -> None:
        for room in self._rooms:
            room.tenant.flush()

    async def close(self) -> None:
        """Close all Executors, the last one first; the first exception is raised at the end."""
        first: Exception | None = None
        for room in reversed(self._rooms):
            try:
                await room.tenant.close()
            except Exception as error:
                first = first or error
        if first is not None:
            raise first

    def _way(self, request: Request) -> tuple[_Stop, ...]:
        """Return the Pods that a request visits, at least one."""
        joins = len(request.bodies) > 1
        key = (request.endpoint, request.target, joins)
        way = self._ways.get(key)
        if way is None:
            if len(self._ways) >= _CACHED:
                self._ways.clear()
            way = self._ways[key] = self._find_way(*key)
        return way

    def _find_way(self, endpoint: str, target: str, joins: bool) -> tuple[_Stop, ...]:
        matches = target_of(target)
        way = [
            _Stop(room, endpoint)
            for room in self._rooms
            if room.serves(endpoint) and callable(matches) and matches(room.pod)
        ]
        first = self._rooms[0]
        # Passed by or not, the first one merges the answers that all of them are made from.
        if not way or (joins and way[0].room is not first):
            way.insert(0, _Stop(first, DRY_RUN_ENDPOINT))
        return tuple(way)


def plans_of(pea: PeaPlan) -> tuple[PeaPlan, ...]:
    """Return the plan of a process for each of its Pods, as if each had it alone."""
    others = (
        replace(
            pea,
            name=f"{fused.pod}/rep-{pea.replica}",
            pod=fused.pod,
            executor=fused.executor,
            workspace=fused.workspace,
            when=fused.when,
            inputs=(),
            no_reduce=False,
            allow_concurrent=fused.allow_concurrent,
            exit_on_exceptions=fused.exit_on_exceptions,
            fused=(),
        )
        for fused in pea.fused
    )
    return (replace(pea, fused=()), *others)


def _room(pod: str, tenant: Tenant, watch: Watch) -> _Room:
    hello = tenant.hello()
    own = Answering(answer=tenant.answer, stream=tenant.stream)
    watched = watch(own, hello)
    return _Room(pod=pod, tenant=tenant, answering=watched, endpoints=hello.endpoints)


async def _parts(stop: _Stop, asked: Request) -> AsyncGenerator[Response, None]:
    stream = stop.room.answering.stream(asked)
    try:
        async for part in stream:
            yield part
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()


def _chained(served: Sequence[Mapping[str, EndpointInfo]]) -> dict[str, EndpointInfo]:
    """Return all endpoints: the input of the first Pod that serves one, the output of the last."""
    found: dict[str, EndpointInfo] = {}
    for endpoints in served:
        for name, info in endpoints.items():
            found[name] = found[name].then(info) if name in found else info
    return found
