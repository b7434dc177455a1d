"""What a worker does for each endpoint: its Executors, in order, and what they have for it."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jina_cli.documents.query import Query
from jina_cli.executors.calls import Handler
from jina_cli.executors.executor import Executor
from jina_cli.executors.handlers import handler_for, handlers_of
from jina_cli.vocabulary import DEFAULT_ENDPOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One Executor of a worker, with what answers its endpoints.

    Attributes:
        when: Condition on documents: only those that meet it reach the Executor, the others
            leave the request.
    """

    executor: Executor
    handlers: Mapping[str, Handler]
    when: Query | None = None

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
    found = [(step, handler_for(step.handlers, endpoint)) for step in steps]
    stops = tuple(Stop(step, handler) for step, handler in found if handler is not None)
    is_generator = any(stop.handler.is_generator for stop in stops)
    kinds = {stop.handler.is_async for stop in stops}
    mode = Mode.MIXED
    if kinds == {True}:
        mode = Mode.LOOP
    elif kinds <= {False} and not is_generator:
        mode = Mode.LANE
    return Track(endpoint, stops, mode, is_generator)
