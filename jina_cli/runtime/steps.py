"""What a worker does for each endpoint: its Executors, in order, and what they have for it."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jina_cli.documents.query import Query
from jina_cli.executors.calls import Handler
from jina_cli.executors.compound import CompoundExecutor
from jina_cli.executors.executor import Executor
from jina_cli.executors.handlers import DriverHandler, handler_for, handlers_of
from jina_cli.vocabulary import DEFAULT_ENDPOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One Executor of a worker, with what answers its endpoints.

    Attributes:
        when: Condition on documents: only those that meet it reach the Executor, the others
            leave the request. Asked of the first step of a track alone: what does not reach
            that one does not reach those behind it.
        hidden: Endpoints that it is passed by for, whatever it has for them.
    """

    executor: Executor
    handlers: Mapping[str, Handler]
    when: Query | None = None
    hidden: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return type(self.executor).__name__

    @classmethod
    def of(cls, executor: Executor, **others: Any) -> Step:
        """Return the step of an Executor; `others` are further attributes.

        Raises:
            ExecutorInvalid: Its YAML names methods or Drivers that do not fit.
        """
        return cls(executor=executor, handlers=handlers_of(executor), **others)

    def handler(self, endpoint: str) -> Handler | None:
        """Return what answers `endpoint`; None lets the request pass by."""
        return None if endpoint in self.hidden else handler_for(self.handlers, endpoint)


def steps_of(executor: Executor, when: Query | None = None) -> list[Step]:
    """Return the steps of an Executor: of a CompoundExecutor those of its components.

    An endpoint that a CompoundExecutor has in its own `requests` is a step of its own, and its
    components are passed by for it. Of several that keep documents, all but the last let them
    go on whole.

    Raises:
        ExecutorInvalid: YAML names methods or Drivers that do not fit.
    """
    steps = list(_steps(executor, frozenset(), when))
    for place, step in enumerate(steps):
        keeping = {
            name: handler.passing_on()
            for name, handler in step.handlers.items()
            if isinstance(handler, DriverHandler) and handler.keeps
            if any(_keeps(later, name) for later in steps[place + 1 :])
        }
        if keeping:
            steps[place] = replace(step, handlers={**step.handlers, **keeping})
    return steps


def _steps(executor: Executor, hidden: frozenset[str], when: Query | None) -> Iterator[Step]:
    if not isinstance(executor, CompoundExecutor):
        yield Step.of(executor, when=when, hidden=hidden)
        return
    own = handlers_of(executor)
    if own:
        yield Step(executor=executor, handlers=own, when=when, hidden=hidden)
    if DEFAULT_ENDPOINT not in own:
        for component in executor.components:
            yield from _steps(component, hidden.union(own), when)


def _keeps(step: Step, endpoint: str) -> bool:
    handler = step.handler(endpoint)
    return isinstance(handler, DriverHandler) and handler.keeps


@dataclass(frozen=True, slots=True)
class Stop:
    """A step that serves an endpoint, and what it has for it."""

    step: Step
    handler: Handler


class Mode(enum.Enum):
    """Where the answers of a track can be computed."""

    LOOP = "loop"  # all is asynchronous: in the event loop
    LANE = "lane"  # nothing is: wherever there is time, in one go
    MIXED = "mixed"  # step by step, each where it belongs


@dataclass(frozen=True, slots=True)
class Track:
    """What a request to one endpoint meets.

    Attributes:
        endpoint: The name under which it is served: its own, or `/default`.
        stops: In order.
        mode: Where it can be computed.
        is_generator: Whether the answer comes in parts.
    """

    endpoint: str
    stops: tuple[Stop, ...]
    mode: Mode = Mode.LANE
    is_generator: bool = False


def tracks_of(steps: Sequence[Step]) -> tuple[dict[str, Track], Track]:
    """Return the track of each endpoint that some step names, and that of all others."""
    names = dict.fromkeys(name for step in steps for name in step.handlers)
    tracks = {name: _track(name, steps) for name in names}
    return tracks, tracks.get(DEFAULT_ENDPOINT) or _track(DEFAULT_ENDPOINT, steps)


def _track(endpoint: str, steps: Sequence[Step]) -> Track:
    found = [(step, step.handler(endpoint)) for step in steps]
    stops = tuple(Stop(step, handler) for step, handler in found if handler is not None)
    stops = tuple(
        Stop(replace(stop.step, when=None), stop.handler) if place and stop.step.when else stop
        for place, stop in enumerate(stops)
    )
    is_generator = any(stop.handler.is_generator for stop in stops)
    kinds = {stop.handler.is_async for stop in stops}
    mode = Mode.MIXED
    if kinds == {True}:
        mode = Mode.LOOP
    elif kinds <= {False} and not is_generator:
        mode = Mode.LANE
    return Track(endpoint, stops, mode, is_generator)
