"""Carries requests through the Flow, along the way that the router lays out.

This is the one `answer` behind every protocol. It opens no body: what a Pod answered goes to
the next as it came.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jina_cli.plan.models import MAX_QUEUE, Route
from jina_cli.quick import quick
from jina_cli.serve.groups import first_of
from jina_cli.serve.identify import with_ids
from jina_cli.serve.journey import Journey, Peer, StepFailed, Stop
from jina_cli.serve.router import ROOT, Itinerary, Router, Step
from jina_cli.vocabulary import DRY_RUN_ENDPOINT, TRAIN_ENDPOINT
from jina_cli.wire.messages import (
    EMPTY,
    Answering,
    Body,
    Request,
    Response,
    Status,
    StatusCode,
    new_request_id,
)
from jina_cli.wire.parts import closing

log = logging.getLogger(__name__)

Bodies = tuple[Body, ...]

_request = quick(Request)


class Walker:
    """Answers requests by visiting the Pods of a Flow.

    Args:
        routes: Of the plan.
        peers: The other end of each Pod, by its name.
        deadline_s: For requests that bring none.
        max_queue: Requests that one Pod may have at a time; one more is refused.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        peers: Mapping[str, Peer],
        *,
        deadline_s: float,
        max_queue: int = MAX_QUEUE,
    ) -> None:
        self._stops = {
            route.pod: Stop(route.pod, peers[route.pod], route.timeout_s, max_queue)
            for route in routes
        }
        self._deadline_s = deadline_s
        self._max_queue = max_queue
        self._background: set[asyncio.Task[Body]] = set()
        self._known = asyncio.Event()
        self.router = Router(routes, {})
        self.pending = 0

    def learn(self, router: Router) -> None:
        """Route by `router` from now on. Requests that came before the first one wait for it."""
        self.router = router
        self._known.set()

    async def answer(self, request: Request) -> Response:
        """Return the Flow's answer; whatever went wrong is in its status."""
        journey = Journey(self._complete(request), self.router.pods)
        self.pending += 1
        try:
            itinerary = await self._find_way(journey)
            if itinerary.is_chain:
                return journey.answer(await self._chain(itinerary, journey))
            return journey.answer(await self._graph(itinerary, journey))
        except StepFailed as failed:
            return journey.given_back(failed.status)
        finally:
            self.pending -= 1

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        """Yield the Flow's answer in parts, in order.

        What a Pod yields goes on through the next Pod while the first works on. A part whose
        status is not OK is the last one. Where branches meet or Pods float, a Pod's parts are
        collected, and the Flow's answer is one part.
        """
        journey = Journey(self._complete(request), self.router.pods)
        self.pending += 1
        try:
            itinerary = await self._find_way(journey)
            if not itinerary.is_chain or request.endpoint == TRAIN_ENDPOINT:
                yield journey.answer(await self._graph(itinerary, journey))
                return
            told: Mapping[str, str] = {}
            async with closing(self._stages(itinerary, journey)) as parts:
                async for (body,) in parts:
                    told = dict(journey.marks)
                    yield journey.answer(body)
            if journey.marks != told:
                yield journey.answer(EMPTY)
        except StepFailed as failed:
            yield journey.answer(EMPTY, failed.status)
        finally:
            self.pending -= 1

    @property
    def answering(self) -> Answering:
        return Answering(answer=self.answer, stream=self.stream)

    async def settle(self, timeout_s: float) -> int:
        """Wait for floating Pods; returns how many had no answer yet, and gives them up."""
        if self._background:
            await asyncio.wait(self._background, timeout=max(0.0, timeout_s))
        left = [task for task in self._background if not task.done()]
        for task in left:
            task.cancel()
        return len(left)

    def _complete(self, request: Request) -> Request:
        """Return the request with an id and a deadline; a dry run takes no documents along."""
        deadline = request.deadline
        is_dry = request.endpoint == DRY_RUN_ENDPOINT
        if deadline is not None and request.request_id and not is_dry:
            return request
        return _request(
            endpoint=request.endpoint,
            bodies=(EMPTY,) if is_dry else request.bodies,
            request_id=request.request_id or new_request_id(),
            target=request.target,
            parameters=request.parameters,
            wanted=request.wanted,
            deadline=time.monotonic() + self._deadline_s if deadline is None else deadline,
            metadata=request.metadata,
            streamed=request.streamed,
        )

    async def _wait_for_pods(self, request: Request) -> None:
        if self.pending > self._max_queue:
            text = f"{self.pending - 1} requests wait for the Flow to start, which is the limit"
            raise StepFailed(Status(code=StatusCode.OVERLOADED, description=text))
        left = (request.deadline or 0.0) - time.monotonic()
        try:
            async with asyncio.timeout(left):
                await self._known.wait()
        except TimeoutError:
            text = "the Flow is still starting"
            raise StepFailed(Status(code=StatusCode.UNAVAILABLE, description=text)) from None

    async def _find_way(self, journey: Journey) -> Itinerary:
        """Return the way of a request, once there is one.

        Raises:
            StepFailed: There is none.
        """
        if not self._known.is_set():
            await self._wait_for_pods(journey.request)
        request = journey.request
        itinerary = self.router.itinerary(request.endpoint, request.target)
        if isinstance(itinerary, Status):
            raise StepFailed(itinerary)
        if itinerary.is_forked:
            journey.request = replace(request, bodies=(with_ids(request),))
        return itinerary

    async def _chain(self, itinerary: Itinerary, journey: Journey) -> Body:
        bodies = journey.request.bodies
        for step in itinerary.steps:
            bodies = (await self._visit(step, bodies, journey),)
        return bodies[0]

    def _stages(self, itinerary: Itinerary, journey: Journey) -> AsyncIterator[Bodies]:
        bodies = _once(journey.request.bodies)
        for step in itinerary.steps:
            bodies = self._stage(step, bodies, journey)
        return bodies

    async def _stage(
        self, step: Step, given: AsyncIterator[Bodies], journey: Journey
    ) -> AsyncIterator[Bodies]:
        """Yield what one Pod makes of all that comes to it, in order.

        How far the Pods before it run ahead is bounded by the credits of their links.
        """
        stop = self._stops[step.pod]
        async with closing(given) as before:
            async for bodies in before:
                with stop.occupied():
                    start = time.time()
                    request = journey.ask(step, stop, bodies, streamed=True)
                    async with closing(stop.peer.stream(request)) as parts:
                        async for part in parts:
                            body = journey.take(step, part, start)
                            if body.format:
                                yield (body,)

    async def _graph(self, itinerary: Itinerary, journey: Journey) -> Body:
        tasks: dict[str, asyncio.Task[Body]] = {}
        try:
            async with asyncio.TaskGroup() as group:
                for step in itinerary.steps:
                    work = self._join(step, tasks, journey)
                    if step.awaited:
                        tasks[step.pod] = group.create_task(work)
                    else:
                        tasks[step.pod] = self._float(step, work)
        except BaseExceptionGroup as errors:
            raise first_of(errors, StepFailed) from None
        return tasks[itinerary.last].result() if itinerary.last else journey.request.bodies[0]

    async def _join(
        self, step: Step, tasks: Mapping[str, asyncio.Task[Body]], journey: Journey
    ) -> Body:
        bodies: list[Body] = []
        for source in step.sources:
            bodies += journey.request.bodies if source == ROOT else (await tasks[source],)
        return await self._visit(step, tuple(bodies), journey)

    def _float(self, step: Step, work: Any) -> asyncio.Task[Body]:
        task: asyncio.Task[Body] = asyncio.get_running_loop().create_task(work)
        self._background.add(task)

        def ended(task: asyncio.Task[Body]) -> None:
            self._background.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                log.warning("the floating Pod %s failed: %s", step.pod, error)

        task.add_done_callback(ended)
        return task

    async def _visit(self, step: Step, bodies: Bodies, journey: Journey) -> Body:
        stop = self._stops[step.pod]
        stop.enter()
        try:
            start = time.time()
            request = journey.ask(step, stop, bodies)
            if request.endpoint == TRAIN_ENDPOINT:
                response = await stop.peer.broadcast(request)
            else:
                response = await stop.peer.request(request)
        finally:
            stop.pending -= 1
        return journey.take(step, response, start)


async def _once(bodies: Bodies) -> AsyncIterator[Bodies]:
    yield bodies
