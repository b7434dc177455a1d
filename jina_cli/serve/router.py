"""Which Pods a request visits, in which order, and what each of them is given.

Pure: routes, the endpoints that Pods serve and a request go in, an `Itinerary` comes out;
`walk` carries it out. A Pod is passed by when it serves neither the endpoint nor `/default`,
or when `target` does not match its name; what came before it then stands for its answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from jina_cli.nearest import nearest
from jina_cli.plan.models import Route
from jina_cli.vocabulary import DEFAULT_ENDPOINT, DRY_RUN_ENDPOINT
from jina_cli.wire.messages import Format, Status, StatusCode
from jina_cli.wire.targets import target_of

ROOT = ""
"""Stands among the sources of a step for what the client sent."""

_GATEWAY = "gateway"
_CACHED = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One Pod that a request visits.

    Attributes:
        pod: Its name.
        sources: Pods whose answers it is given, and `ROOT`, in the order of the plan.
        serves: Whether it serves the endpoint. Where it does not, it is visited to merge
            its sources and nothing else.
        fused: Pods that run in the same process after it. It is visited if one of all these
            serves the endpoint.
        awaited: Whether the answer of the Flow depends on it; a floating Pod is not awaited.
        format: What its answer is wanted in; None is what the client wants.
    """

    pod: str
    sources: tuple[str, ...]
    serves: bool = True
    fused: tuple[str, ...] = ()
    awaited: bool = True
    format: Format | None = Format.COLUMNS


@dataclass(frozen=True, slots=True, kw_only=True)
class Itinerary:
    """The way of a request through the Flow.

    Attributes:
        steps: Sources come before those that need them.
        last: Pod whose answer is the Flow's; `ROOT` where only floating Pods are visited.
        is_chain: Whether each step has the one before as its only source, and all are awaited.
        is_forked: Whether more than one step begins with what the client sent, so that
            documents must have ids before they part.
    """

    steps: tuple[Step, ...]
    last: str
    is_chain: bool
    is_forked: bool


class Router:
    """Answers `itinerary` for one set of routes and endpoints.

    Args:
        routes: In an order in which needs come first.
        serves: Endpoints of each Pod, by its name.
    """

    def __init__(self, routes: Sequence[Route], serves: Mapping[str, Collection[str]]) -> None:
        self._routes = tuple(routes)
        self._serves = {pod: frozenset(endpoints) for pod, endpoints in serves.items()}
        self._cache: dict[tuple[str, str], Itinerary | Status] = {}
        self.pods = frozenset(pod for route in routes for pod in (route.pod, *route.fused))
        self.endpoints = sorted(frozenset().union(*self._serves.values()))

    def itinerary(self, endpoint: str, target: str = "") -> Itinerary | Status:
        """Return the way of a request, or why there is none: NOT_FOUND or INVALID."""
        key = (endpoint, target)
        found = self._cache.get(key)
        if found is None:
            found = self._find(endpoint, target)
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            self._cache[key] = found
        return found

    def serves(self, endpoint: str) -> bool:
        """Return whether some Pod serves `endpoint`, by its name or by `/default`."""
        return isinstance(self.itinerary(endpoint), Itinerary)

    def _find(self, endpoint: str, target: str) -> Itinerary | Status:
        matches = target_of(target)
        if isinstance(matches, Status):
            return matches
        served = {pod for pod in self.pods if self._has(pod, endpoint)}
        visited = {pod for pod in served if matches(pod)}
        if not served:
            return self._unknown(endpoint)
        if not visited:
            return _refused(StatusCode.NOT_FOUND, self._nobody(endpoint, target, served))
        return _lay_out(self._routes, visited)

    def _has(self, pod: str, endpoint: str) -> bool:
        endpoints = self._serves.get(pod, frozenset())
        return (
            endpoint == DRY_RUN_ENDPOINT or endpoint in endpoints or DEFAULT_ENDPOINT in endpoints
        )

    def _unknown(self, endpoint: str) -> Status:

        near = nearest(endpoint, self.endpoints, 0.5)
        if near:
            hint = f"; did you mean {near}?"
        elif self.endpoints:
            hint = f"; there are {', '.join(self.endpoints[:10])}"
        else:
            hint = ""
        return _refused(StatusCode.NOT_FOUND, f"no Executor serves {endpoint[:200]}{hint}")

    def _nobody(self, endpoint: str, target: str, served: Collection[str]) -> str:
        names = ", ".join(sorted(served))
        return f"no Pod that serves {endpoint} matches the target {target!r}: {names}"


def apart(routes: Sequence[Route]) -> tuple[Route, ...]:
    """Return the routes as if each Pod had processes of its own."""
    last = {route.pod: (route.pod, *route.fused)[-1] for route in routes}
    found: list[Route] = []
    for route in routes:
        needs = tuple(last.get(need, need) for need in route.needs)
        found.append(replace(route, needs=needs, fused=()))
        for before, pod in zip((route.pod, *route.fused), route.fused, strict=False):
            found.append(replace(route, pod=pod, needs=(before,), fused=()))
    return tuple(found)


def _refused(code: StatusCode, description: str) -> Status:
    return Status(code=code, description=description)


def _lay_out(routes: Sequence[Route], visited: Set[str]) -> Itinerary:
    stands_for: dict[str, tuple[str, ...]] = {ROOT: (ROOT,)}
    made_from: dict[str, frozenset[str]] = {ROOT: frozenset()}
    steps: list[Step] = []
    for route in routes:
        sources = _sources(route, stands_for, made_from)
        merges = len(sources) > 1 and not route.floating
        serves = not visited.isdisjoint((route.pod, *route.fused))
        if not serves and not merges:
            stands_for[route.pod] = sources
            continue
        stands_for[route.pod] = (route.pod,)
        made_from[route.pod] = frozenset(sources).union(*(made_from[one] for one in sources))
        steps.append(Step(pod=route.pod, sources=sources, serves=serves, fused=route.fused))
    last = stands_for[_end(routes)][0]
    return _finish(steps, last, made_from, {route.pod: route for route in routes})


def _sources(
    route: Route,
    stands_for: Mapping[str, tuple[str, ...]],
    made_from: Mapping[str, frozenset[str]],
) -> tuple[str, ...]:
    """Return whose answers `route` is given, in order.

    Where a need was passed by, what stands for it is left out if another of the answers was
    made from it: it has nothing new to say.
    """
    asked = [ROOT if need == _GATEWAY else need for need in route.needs] or [ROOT]
    found: dict[str, None] = {}
    for need in asked:
        found.update(dict.fromkeys(stands_for[need]))
    older = frozenset().union(*(made_from[one] for one in found))
    return tuple(one for one in found if one in asked or one not in older)


def _end(routes: Sequence[Route]) -> str:
    needed = {need for route in routes if not route.floating for need in route.needs}
    ends = [route.pod for route in routes if not route.floating and route.pod not in needed]
    return ends[-1] if ends else ROOT


def _finish(
    steps: Sequence[Step],
    last: str,
    made_from: Mapping[str, frozenset[str]],
    routes: Mapping[str, Route],
) -> Itinerary:
    awaited = made_from[last] | {last}
    foreign = {source for step in steps if routes[step.pod].external for source in step.sources}
    finished = tuple(
        Step(
            pod=step.pod,
            sources=step.sources,
            serves=step.serves,
            fused=step.fused,
            awaited=step.pod in awaited,
            format=_format(step.pod, last, foreign),
        )
        for step in steps
    )
    befores = [(ROOT,), *((step.pod,) for step in finished)]
    return Itinerary(
        steps=finished,
        last=last,
        is_chain=all(
            step.awaited and step.sources == before
            for step, before in zip(finished, befores, strict=False)
        ),
        is_forked=sum(ROOT in step.sources for step in finished) > 1,
    )


def _format(pod: str, last: str, foreign: Collection[str]) -> Format | None:
    if pod == last:
        return None
    return Format.PROTO if pod in foreign else Format.COLUMNS
