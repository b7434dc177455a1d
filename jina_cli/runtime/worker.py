"""A request in, a response out: decode, call the Executor, encode. No process, no socket."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.drivers.base import BadResult
from jina_cli.executors.executor import Executor
from jina_cli.executors.handlers import Call, Handler, handler_for, handlers_of
from jina_cli.runtime.failures import status_of
from jina_cli.runtime.gather import union
from jina_cli.runtime.parameters import with_results
from jina_cli.vocabulary import DEFAULT_ENDPOINT, DRY_RUN_ENDPOINT
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.messages import Body, Format, Request, Response, RouteStep, StatusCode

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where a worker stands in its Flow.

    Attributes:
        pea: Name of its process, `index/shard-1/rep-0`.
        pod: Name of its Pod.
        label: The Pod as messages name it, with the shard if there are several.
        inputs: Pods whose answers come as the bodies of a request; may be empty.
        no_reduce: Whether they stay apart.
    """

    pea: str
    pod: str
    label: str
    inputs: tuple[str, ...] = ()
    no_reduce: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One Executor of a worker, with what answers its endpoints."""

    executor: Executor
    handlers: Mapping[str, Handler]

    @property
    def name(self) -> str:
        return type(self.executor).__name__

    @classmethod
    def of(cls, executor: Executor) -> Step:
        """Raises: ExecutorInvalid: Its YAML names methods or Drivers that do not fit."""
        return cls(executor=executor, handlers=handlers_of(executor))


@dataclass(frozen=True, slots=True)
class Opened:
    """A request with its documents."""

    request: Request
    docs: DocumentBatch


@dataclass(slots=True)
class _Course:
    """A request on its way through the steps.

    Attributes:
        bodies: As they came in.
        docs: What they are now; None while nobody has looked.
        changed: Whether `docs` are other than what `bodies` hold.
        at: Class of the Executor that is called now.
    """

    bodies: tuple[Body, ...]
    docs: DocumentBatch | None = None
    parts: tuple[DocumentBatch, ...] = ()
    changed: bool = False
    results: dict[str, Any] = field(default_factory=dict)
    at: str = ""

    def read(self) -> DocumentBatch:
        """Raises: BadBody."""
        if self.docs is None:
            self.parts = tuple(read_body(body) for body in self.bodies)
            self.docs = self.parts[0] if len(self.parts) == 1 else union(self.parts)
        return self.docs


class Worker:
    """Answers requests with one Executor, or with several, one after another.

    Args:
        seat: Where it stands.
        steps: Its Executors, in order. One that does not serve an endpoint is passed by.
    """

    def __init__(self, seat: Seat, steps: Sequence[Step]) -> None:
        self.seat = seat
        self._steps = tuple(steps)

    @property
    def endpoints(self) -> dict[str, Handler]:
        """What is served, by endpoint, in the order of the steps."""
        found: dict[str, Handler] = {}
        for step in self._steps:
            for endpoint, handler in step.handlers.items():
                found.setdefault(endpoint, handler)
        return found

    def serves(self, endpoint: str) -> bool:
        """Say whether any Executor has something to do for `endpoint`."""
        return any(handler_for(step.handlers, endpoint) for step in self._steps)

    def is_async(self, endpoint: str) -> bool:
        """Say whether answering may suspend."""
        handlers = (handler_for(step.handlers, endpoint) for step in self._steps)
        return any(handler is not None and handler.is_async for handler in handlers)

    def served_as(self, endpoint: str) -> str:
        """Return the endpoint under whose name it is served: itself, or `/default`."""
        own = any(endpoint in step.handlers for step in self._steps)
        return endpoint if own else DEFAULT_ENDPOINT

    async def answer(self, request: Request) -> Response:
        """Return the answer; what is raised on the way is its status."""
        start = time.time()
        course = _Course(request.bodies)
        try:
            if request.endpoint != DRY_RUN_ENDPOINT:
                await self._run(course, request)
            body = _written(course, request.wanted)
        except Exception as error:
            return self._failed(request, error, course.at, start)
        return self._answered(request, body, course.results, start)

    def open(self, request: Request) -> Opened | Response:
        """Return a request with its documents read, or the answer if they cannot be."""
        start = time.time()
        try:
            return Opened(request, _Course(request.bodies).read())
        except Exception as error:
            return self._failed(request, error, "", start)

    async def answer_together(self, opened: Sequence[Opened], most: int | None) -> list[Response]:
        """Answer requests of one endpoint with equal parameters in one call, or in a few.

        Args:
            opened: At least one.
            most: Documents of one call; None for no limit.
        """
        start = time.time()
        together = _Course(())
        try:
            docs = DocumentBatch.concat(one.docs for one in opened)
            returned = await self._in_stretches(together, opened[0].request, docs, most)
            ends = list(accumulate(len(one.docs) for one in opened))
            bodies = [
                write_body(returned.slice(end - len(one.docs), end), one.request.wanted)
                for one, end in zip(opened, ends, strict=True)
            ]
        except Exception as error:
            return [self._failed(one.request, error, together.at, start) for one in opened]
        return [
            self._answered(one.request, body, {}, start)
            for one, body in zip(opened, bodies, strict=True)
        ]

    async def _in_stretches(
        self, course: _Course, request: Request, docs: DocumentBatch, most: int | None
    ) -> DocumentBatch:
        size = most or max(len(docs), 1)
        parts = []
        for begin in range(0, max(len(docs), 1), size):
            part = docs.slice(begin, begin + size)
            course.docs, course.parts = part, (part,)
            await self._run(course, request)
            returned = course.read()
            if course.results or len(returned) != len(part):
                what = "a dict" if course.results else f"{len(returned)} documents"
                raise BadResult(
                    f"{course.at} returned {what} for {len(part)} documents,"
                    " and dynamic_batching needs as many back"
                )
            parts.append(returned)
        return DocumentBatch.concat(parts)

    async def _run(self, course: _Course, request: Request) -> None:
        for step in self._steps:
            handler = handler_for(step.handlers, request.endpoint)
            if handler is None:
                continue
            course.at = step.name
            given = course.read() if handler.needs_docs else EMPTY_BATCH
            done = await handler(self._call(course, given, request.parameters))
            if done.docs is not given:
                course.docs, course.parts, course.changed = done.docs, (done.docs,), True
            course.results.update(done.results)

    def _call(self, course: _Course, given: DocumentBatch, parameters: Mapping[str, Any]) -> Call:
        parts = course.parts if self.seat.no_reduce and not course.changed else (given,)
        inputs = self.seat.inputs if len(self.seat.inputs) == len(parts) else ()
        return Call(docs=given, parts=parts, inputs=inputs, parameters=parameters)

    def _answered(
        self, request: Request, body: Body, results: Mapping[str, Any], start: float
    ) -> Response:
        return Response(
            request_id=request.request_id,
            body=body,
            parameters=with_results(request.parameters, self.seat.pea, results),
            routes=(RouteStep(pod=self.seat.pod, start=start, end=time.time()),),
        )

    def _failed(self, request: Request, error: Exception, at: str, start: float) -> Response:
        executor = at or (self._steps[0].name if self._steps else "")
        status = status_of(error, self.seat.label, executor)
        level = logging.INFO if status.code is StatusCode.INVALID else logging.ERROR
        log.log(level, "%s failed: %s", request.endpoint, status.description)
        log.debug("%s", "\n".join(status.stacks))
        answered = self._answered(request, Body(), {}, start)
        return replace(answered, status=status)


def _written(course: _Course, wanted: Format) -> Body:
    """Return the documents in the format that is wanted; untouched ones as they came in."""
    if not course.changed and len(course.bodies) == 1:
        body = course.bodies[0]
        if body.format in (wanted, Format.NONE):
            return body
    return write_body(course.read(), wanted)
