"""A request in, a response out: decode, call the Executor, encode. No process, no socket."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.drivers.base import BadResult, Done
from jina_cli.executors.calls import BadDocuments, Call, Handler, gathered
from jina_cli.executors.endpoints import Batching
from jina_cli.quick import quick
from jina_cli.runtime.batching import stretches_of
from jina_cli.runtime.course import Course, write, written
from jina_cli.runtime.failures import status_of
from jina_cli.runtime.parameters import with_results
from jina_cli.runtime.steps import Step, Stop, Track, tracks_of
from jina_cli.vocabulary import DRY_RUN_ENDPOINT
from jina_cli.wire.messages import (
    EMPTY,
    OK,
    Body,
    Request,
    Response,
    RouteStep,
    Status,
    StatusCode,
)

log = logging.getLogger(__name__)

_call = quick(Call)
_response = quick(Response)
_route_step = quick(RouteStep)


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


class Place(Protocol):
    """Where Executors are called."""

    async def call(self, handler: Handler, call: Call) -> Done:
        """Return what the handler returns."""

    def parts(self, handler: Handler, call: Call) -> AsyncGenerator[Done, None]:
        """Yield what the handler yields; closing this ends it."""


class Here:
    """Calls Executors where the worker itself runs."""

    async def call(self, handler: Handler, call: Call) -> Done:
        return await handler(call)

    def parts(self, handler: Handler, call: Call) -> AsyncGenerator[Done, None]:
        return handler.stream(call)


HERE: Place = Here()


@dataclass(frozen=True, slots=True)
class Opened:
    """A request with its documents, and what each of them weighs."""

    request: Request
    docs: DocumentBatch
    weights: Sequence[float]

    def course(self, at: Stop | None = None) -> Course:
        """Return where it is on its way once it went with others up to a stop."""
        return Course((), at=at, taken=len(self.docs))


class Worker:
    """Answers requests with one Executor, or with several, one after another.

    Args:
        seat: Where it stands.
        steps: Its Executors, in order. One that does not serve an endpoint is passed by.
    """

    def __init__(self, seat: Seat, steps: Sequence[Step]) -> None:
        self.seat = seat
        self._steps = tuple(steps)
        self._tracks, self._default = tracks_of(steps)
        self._dry = Track(endpoint=DRY_RUN_ENDPOINT, stops=())

    @property
    def endpoints(self) -> dict[str, Track]:
        """What is served, by endpoint, in the order of the steps."""
        return self._tracks

    def track(self, endpoint: str) -> Track:
        """Return what a request to `endpoint` meets here."""
        found = self._tracks.get(endpoint)
        if found is not None:
            return found
        return self._dry if endpoint == DRY_RUN_ENDPOINT else self._default

    async def answer(self, request: Request, place: Place = HERE) -> Response:
        """Return the answer; what is raised on the way is its status."""
        start = time.time()
        course = Course(request.bodies)
        try:
            for stop in self.track(request.endpoint).stops:
                await self._pass(course, stop, request, place)
            body = written(course, request.wanted)
        except Exception as error:
            return self._failed(request, error, course, start)
        return self._answered(request, start, body, course)

    async def stream(self, request: Request, place: Place = HERE) -> AsyncGenerator[Response, None]:
        """Yield the answer in parts as generators give them; else as the one part it is.

        What is raised on the way is the status of the last part.
        """
        start = time.time()
        course = Course(request.bodies)
        stops = self.track(request.endpoint).stops
        try:
            async with aclosing(self._parts(course, stops, request, place)) as parts:
                async for part in parts:
                    body = written(part, request.wanted)
                    taken, course.taken = course.taken, 0
                    part.taken = taken
                    yield self._answered(request, start, body, part)
        except Exception as error:
            yield self._failed(request, error, course, start)

    def open(self, request: Request, how: Batching) -> Opened | Response:
        """Return a request with its documents read, or the answer where there is one already."""
        start = time.time()
        course = Course(request.bodies)
        try:
            docs = course.read()
            for stop in self.track(request.endpoint).stops[:1]:
                course.at = stop
                if not self._select(course, stop):
                    body = written(course, request.wanted)
                    return self._answered(request, start, body, course)
                docs = course.read()
            weights: Sequence[float] = [1] * len(docs)
            if how.custom_metric is not None and course.at is not None:
                weights = course.at.handler.weights(docs, how.custom_metric)
        except Exception as error:
            return self._failed(request, error, course, start)
        return Opened(request, docs, weights)

    async def answer_together(
        self, opened: Sequence[Opened], how: Batching, place: Place = HERE
    ) -> list[Response]:
        """Answer requests of one endpoint with equal parameters in one call, or in a few.

        What is raised is the status of all of them. Where it is known to be the documents'
        fault, or asking again does no harm, they are asked one by one instead.

        Args:
            opened: At least one.
        """
        start = time.time()
        together = Course(())
        try:
            docs = DocumentBatch.concat(one.docs for one in opened)
            weights = [weight for one in opened for weight in one.weights]
            most = None if how.flush_all else how.preferred_batch_size
            parts = [slice(0, len(docs))] if most is None else stretches_of(weights, most)
            returned = await self._in_stretches(together, opened[0].request, docs, parts, place)
            ends = list(accumulate(len(one.docs) for one in opened))
            bodies = [
                write(returned.slice(end - len(one.docs), end), one.request.wanted, together.at)
                for one, end in zip(opened, ends, strict=True)
            ]
        except Exception as error:
            if len(opened) > 1 and (how.is_harmless or isinstance(error, BadDocuments)):
                return [(await self.answer_together([one], how, place))[0] for one in opened]
            return [
                self._failed(one.request, error, one.course(together.at), start) for one in opened
            ]
        return [
            self._answered(one.request, start, body, one.course())
            for one, body in zip(opened, bodies, strict=True)
        ]

    async def _in_stretches(
        self,
        course: Course,
        request: Request,
        docs: DocumentBatch,
        stretches: Sequence[slice],
        place: Place,
    ) -> DocumentBatch:
        stops = self.track(request.endpoint).stops
        parts = []
        for stretch in stretches:
            part = docs.slice(stretch.start, stretch.stop) if len(stretches) > 1 else docs
            course.docs, course.parts = part, (part,)
            for stop in stops:
                await self._pass(course, stop, request, place)
            returned = course.read()
            if course.results or len(returned) != len(part):
                what = "a dict" if course.results else f"{len(returned)} documents"
                name = course.at.step.name if course.at else "the Executor"
                raise BadResult(
                    f"{name} returned {what} for {len(part)} documents,"
                    " and dynamic_batching needs as many back"
                )
            parts.append(returned)
        return DocumentBatch.concat(parts)

    async def _pass(self, course: Course, stop: Stop, request: Request, place: Place) -> None:
        """Let one Executor do its part."""
        call = self._call(course, stop, request)
        if call is None:
            return
        if stop.handler.is_generator:
            async with aclosing(place.parts(stop.handler, call)) as parts:
                done = await gathered(parts)
        else:
            done = await place.call(stop.handler, call)
        if done.docs is not call.docs:
            course.put(done.docs)
        course.results.update(done.results)

    async def _parts(
        self, course: Course, stops: Sequence[Stop], request: Request, place: Place
    ) -> AsyncGenerator[Course, None]:
        """Yield the course of each part, at its end."""
        for number, stop in enumerate(stops, 1):
            if not stop.handler.is_generator:
                await self._pass(course, stop, request, place)
                continue
            call = self._call(course, stop, request)
            if call is None:
                continue
            async with aclosing(place.parts(stop.handler, call)) as parts:
                async for done in parts:
                    branch = course.branch(done)
                    rest = self._rest(course, branch, stops[number:], request, place)
                    async with aclosing(rest):
                        async for part in rest:
                            yield part
            return
        yield course

    async def _rest(
        self,
        course: Course,
        branch: Course,
        stops: Sequence[Stop],
        request: Request,
        place: Place,
    ) -> AsyncGenerator[Course, None]:
        """Yield what becomes of one part further on."""
        if not stops:
            yield branch
            return
        async with aclosing(self._parts(branch, stops, request, place)) as parts:
            try:
                async for part in parts:
                    yield part
            except Exception:
                course.at = branch.at
                raise

    def _call(self, course: Course, stop: Stop, request: Request) -> Call | None:
        """Return what an Executor is called with; None where the request passes it by."""
        if not self._select(course, stop):
            return None
        course.at = stop
        given = course.read() if stop.handler.needs_docs else EMPTY_BATCH
        apart = self.seat.no_reduce or stop.handler.takes_parts
        parts = course.parts if apart and len(course.parts) > 1 else (given,)
        inputs = self.seat.inputs if len(self.seat.inputs) == len(parts) else ()
        return _call(
            docs=given,
            parts=parts,
            inputs=inputs,
            parameters=request.parameters,
            metadata=request.metadata,
        )

    def _select(self, course: Course, stop: Stop) -> bool:
        """Let documents go that the step does not want; say whether it is to be called.

        It is called for a request that came with no documents: there is nothing to choose.
        """
        condition = stop.step.when
        if condition is None:
            return True
        docs = course.read()
        found = condition.matching(docs)
        if len(found) == len(docs):
            return True
        parts = course.parts
        course.put(docs.take(found))
        course.parts = tuple(part.take(condition.matching(part)) for part in parts)
        return len(found) > 0

    def _answered(
        self, request: Request, start: float, body: Body, course: Course, status: Status = OK
    ) -> Response:
        parameters = with_results(request.parameters, self.seat.pea, course.results)
        return _response(
            request_id=request.request_id,
            status=status,
            body=body,
            parameters=parameters,
            routes=(_route_step(pod=self.seat.pod, start=start, end=time.time()),),
            taken=course.taken,
        )

    def _failed(self, request: Request, error: Exception, course: Course, start: float) -> Response:
        at = course.at
        step = at.step if at else self._steps[0] if self._steps else None
        status = status_of(error, self.seat.label, step.name if step is not None else "")
        level = logging.INFO if status.code is StatusCode.INVALID else logging.ERROR
        log.log(level, "%s failed: %s", request.endpoint, status.description)
        log.debug("%s", "\n".join(status.stacks))
        course.results = {}
        return self._answered(request, start, EMPTY, course, status)
