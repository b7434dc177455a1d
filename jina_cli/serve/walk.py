"""Carries requests through the Flow, along the way that the router lays out.

This is the one `answer` behind every protocol. It opens no body: what a Pod answered goes to
the next as it came.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from jina_cli.plan.models import MAX_QUEUE, Route
from jina_cli.serve.identify import with_ids
from jina_cli.serve.router import ROOT, Itinerary, Router, Step
from jina_cli.vocabulary import DRY_RUN_ENDPOINT, RESULTS, TRAIN_ENDPOINT
from jina_cli.wire.messages import (
    EMPTY,
    Answering,
    Body,
    Request,
    Response,
    RouteStep,
    Status,
    StatusCode,
    new_request_id,
)
from jina_cli.wire.targets import parameters_among, parameters_of

log = logging.getLogger(__name__)

_GIVES_BACK = frozenset({StatusCode.EXECUTOR, StatusCode.INVALID, StatusCode.NOT_FOUND})


class Peer(Protocol):
    """All replicas of one Pod, as one that answers. Failures are in the `Response`."""

    async def request(self, request: Request) -> Response: ...

    async def broadcast(self, request: Request) -> Response: ...


class StepFailed(Exception):
    """A Pod did not answer as it should; ends the walk.

    Attributes:
        status: What is answered to the client; names the Pod.
    """

    def __init__(self, status: Status) -> None:
        self.status = status
        super().__init__(status.description)


@dataclass(slots=True)
class _Pod:
    """One Pod, and how many requests it has."""

    name: str
    peer: Peer
    timeout_s: float | None
    pending: int = 0


@dataclass(slots=True)
class _Journey:
    """One request under way."""

    request: Request
    started: float
    steps: list[RouteStep] = field(default_factory=list)
    results: dict[str, Any] = field(default_factory=dict)

    def parameters(self) -> Mapping[str, Any]:
        """Return the request's parameters, with what Executors returned as dicts so far."""
        if not self.results:
            return self.request.parameters
        return {**self.request.parameters, RESULTS: dict(self.results)}

    def answer(self, body: Body, status: Status | None = None) -> Response:
        gateway = RouteStep(pod="gateway", start=self.started, end=time.time())
        return Response(
            request_id=self.request.request_id,
            status=status or Status(),
            body=body,
            parameters=self.parameters(),
            routes=(gateway, *self.steps),
        )


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
        self._pods = {
            route.pod: _Pod(route.pod, peers[route.pod], route.timeout_s) for route in routes
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
        journey = _Journey(self._complete(request), time.time())
        self.pending += 1
        try:
            if not self._known.is_set():
                await self._wait_for_pods(journey.request)
            itinerary = self.router.itinerary(request.endpoint, request.target)
            if isinstance(itinerary, Status):
                raise StepFailed(itinerary)
            if itinerary.is_forked:
                journey.request = replace(journey.request, bodies=(with_ids(journey.request),))
            if itinerary.is_chain:
                return journey.answer(await self._chain(itinerary, journey))
            return journey.answer(await self._graph(itinerary, journey))
        except StepFailed as failed:
            return journey.answer(_given_back(journey.request, failed.status), failed.status)
        finally:
            self.pending -= 1

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        """Yield the Flow's answer in parts; a part whose status is not OK is the last one."""
        yield await self.answer(request)

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
        if request.deadline is not None and request.request_id:
            return request
        deadline = request.deadline
        return replace(
            request,
            request_id=request.request_id or new_request_id(),
            deadline=time.monotonic() + self._deadline_s if deadline is None else deadline,
        )

    async def _wait_for_pods(self, request: Request) -> None:
        if self.pending > self._max_queue:
            text = f"{self.pending - 1} requests wait for the Flow to start, which is the limit"
            raise StepFailed(Status(code=StatusCode.OVERLOADED, description=text))
        left = (request.deadline or 0.0) - time.monotonic()
        try:
            await asyncio.wait_for(self._known.wait(), left)
        except TimeoutError:
            text = "the Flow is still starting"
            raise StepFailed(Status(code=StatusCode.UNAVAILABLE, description=text)) from None

    async def _chain(self, itinerary: Itinerary, journey: _Journey) -> Body:
        bodies = journey.request.bodies
        for step in itinerary.steps:
            bodies = (await self._visit(step, bodies, journey),)
        return bodies[0]

    async def _graph(self, itinerary: Itinerary, journey: _Journey) -> Body:
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
            failures, bugs = errors.split(StepFailed)
            if failures is None or bugs is not None:
                raise
            raise _first(failures) from None
        return tasks[itinerary.last].result() if itinerary.last else journey.request.bodies[0]

    async def _join(
        self, step: Step, tasks: Mapping[str, asyncio.Task[Body]], journey: _Journey
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

    async def _visit(self, step: Step, bodies: tuple[Body, ...], journey: _Journey) -> Body:
        pod = self._pods[step.pod]
        if pod.pending >= self._max_queue:
            raise StepFailed(_overloaded(pod))
        request = self._request_for(step, bodies, journey)
        start = time.time()
        pod.pending += 1
        try:
            if request.endpoint == TRAIN_ENDPOINT:
                response = await pod.peer.broadcast(request)
            else:
                response = await pod.peer.request(request)
        finally:
            pod.pending -= 1
        # Pods of one process tell their own times; it may have passed some of them by.
        own = response.routes if step.fused else ()
        journey.steps += own or (RouteStep(pod=step.pod, start=start, end=time.time()),)
        if not response.status.ok:
            raise StepFailed(_named(response.status, step.pod))
        found = response.parameters.get(RESULTS)
        if found:
            journey.results.update(found)
        return response.body

    def _request_for(self, step: Step, bodies: tuple[Body, ...], journey: _Journey) -> Request:
        request = journey.request
        timeout_s = self._pods[step.pod].timeout_s
        deadline = request.deadline
        if timeout_s is not None and deadline is not None:
            deadline = min(deadline, time.monotonic() + timeout_s)
        return Request(
            endpoint=request.endpoint if step.serves else DRY_RUN_ENDPOINT,
            bodies=bodies,
            request_id=request.request_id,
            target=request.target if step.fused else "",
            parameters=self._parameters_for(step, journey),
            wanted=request.wanted if step.format is None else step.format,
            deadline=deadline,
            metadata=request.metadata,
        )

    def _parameters_for(self, step: Step, journey: _Journey) -> Mapping[str, Any]:
        parameters, pods = journey.parameters(), self.router.pods
        if step.fused:
            return parameters_among((step.pod, *step.fused), parameters, pods)
        return parameters_of(step.pod, parameters, pods)


def _named(status: Status, pod: str) -> Status:
    """Return `status` with the Pod in it; also in its text, where no Executor is to blame."""
    if status.pod:
        return status
    if status.code is StatusCode.EXECUTOR:
        return replace(status, pod=pod)
    return replace(status, pod=pod, description=f"{pod}: {status.description}")


def _overloaded(pod: _Pod) -> Status:
    text = f"{pod.name}: {pod.pending} requests are waiting, which is the limit"
    return Status(code=StatusCode.OVERLOADED, description=text, pod=pod.name)


def _given_back(request: Request, status: Status) -> Body:
    """Return the request's documents, as Jina does; not where the answer should be cheap."""
    body = request.bodies[0] if request.bodies else EMPTY
    return body if status.code in _GIVES_BACK and body.format is request.wanted else EMPTY


def _first(failures: BaseExceptionGroup[StepFailed]) -> StepFailed:
    found: BaseException = failures
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, StepFailed)
    return found
