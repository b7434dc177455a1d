"""One request on its way through a Flow: what each Pod is asked, and what has come of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic
from time import time as now
from typing import Any, Protocol

from jina_cli.quick import quick
from jina_cli.serve.router import Step
from jina_cli.vocabulary import DRY_RUN_ENDPOINT, RESULTS
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
from jina_cli.wire.targets import parameters_among, parameters_of

_GIVES_BACK = frozenset({StatusCode.EXECUTOR, StatusCode.INVALID, StatusCode.NOT_FOUND})

_NO_MARKS: Mapping[str, str] = {}
_NO_RESULTS: Mapping[str, Any] = {}

_request = quick(Request)
_response = quick(Response)
_route_step = quick(RouteStep)


class Peer(Protocol):
    """All replicas of one Pod, as one that answers. Failures are in the `Response`."""

    async def request(self, request: Request) -> Response: ...

    def stream(self, request: Request) -> AsyncIterator[Response]: ...

    async def broadcast(self, request: Request) -> Response: ...


class StepFailed(Exception):
    """A Pod did not answer as it should; ends the walk.

    Attributes:
        status: What is answered to the client; names the Pod.
    """

    def __init__(self, status: Status) -> None:
        self.status = status
        super().__init__(status.description)


class Stop:
    """One Pod on the way, and how many requests it has.

    Args:
        name: Of the Pod.
        peer: Its other end.
        timeout_s: Bound on this one step; None leaves it to the request's deadline.
        max_queue: Requests that it may have at a time; one more is refused.
    """

    __slots__ = ("_max_queue", "name", "peer", "pending", "timeout_s")

    def __init__(self, name: str, peer: Peer, timeout_s: float | None, max_queue: int) -> None:
        self.name = name
        self.peer = peer
        self.timeout_s = timeout_s
        self.pending = 0
        self._max_queue = max_queue

    def enter(self) -> None:
        """Count a request; who calls this counts `pending` down at its end.

        Raises:
            StepFailed: There is no room for it.
        """
        if self.pending >= self._max_queue:
            text = f"{self.name}: {self.pending} requests are waiting, which is the limit"
            raise StepFailed(Status(code=StatusCode.OVERLOADED, description=text, pod=self.name))
        self.pending += 1

    @contextmanager
    def occupied(self) -> Iterator[None]:
        """Count a request as long as this lasts.

        Raises:
            StepFailed: There is no room for it.
        """
        self.enter()
        try:
            yield
        finally:
            self.pending -= 1


class Journey:
    """One request under way.

    Args:
        request: With an id and a deadline.
        pods: Names of all Pods of the Flow, by which parameters are told apart.

    Attributes:
        request: What the client asked.
        marks: What the client is to know of how complete the answer is.
    """

    __slots__ = ("_pods", "_results", "_started", "_steps", "marks", "request")

    def __init__(self, request: Request, pods: Collection[str]) -> None:
        self.request = request
        self.marks: Mapping[str, str] = _NO_MARKS
        self._pods = pods
        self._started = now()
        self._steps: dict[str, RouteStep] = {}
        self._results: Mapping[str, Any] = _NO_RESULTS

    def ask(
        self, step: Step, stop: Stop, bodies: tuple[Body, ...], *, streamed: bool = False
    ) -> Request:
        """Return what the Pod of a step is asked."""
        request = self.request
        deadline = request.deadline
        has_parameters = request.parameters or self._results
        if stop.timeout_s is not None and deadline is not None:
            deadline = min(deadline, monotonic() + stop.timeout_s)
        return _request(
            endpoint=request.endpoint if step.serves else DRY_RUN_ENDPOINT,
            bodies=bodies,
            request_id=request.request_id,
            target=request.target if step.fused else "",
            parameters=self._parameters_for(step) if has_parameters else request.parameters,
            wanted=request.wanted if step.format is None else step.format,
            deadline=deadline,
            metadata=request.metadata,
            streamed=streamed,
        )

    def take(self, step: Step, response: Response, start: float) -> Body:
        """Take note of a Pod's answer, or of a part of it, and return its documents.

        Raises:
            StepFailed: It is a failure.
        """
        pod, known = step.pod, self._steps
        if step.fused and response.routes:
            # Pods of one process tell their own times; it may have passed some of them by.
            for own in response.routes:
                known[own.pod] = _longer(known.get(own.pod), own)
        elif pod in known:
            known[pod] = _longer(known[pod], _route_step(pod=pod, start=start, end=now()))
        else:
            known[pod] = _route_step(pod=pod, start=start, end=now())
        if response.status is not OK and not response.status.ok:
            raise StepFailed(_named(response.status, pod))
        if response.parameters:
            found = response.parameters.get(RESULTS)
            if found:
                self._results = {**self._results, **found}
        if response.marks:
            self.marks = _sum(self.marks, response.marks)
        return response.body

    def answer(self, body: Body, status: Status = OK) -> Response:
        """Return the answer to the client, or a part of it."""
        gateway = _route_step(pod="gateway", start=self._started, end=now())
        return _response(
            request_id=self.request.request_id,
            status=status,
            body=body,
            parameters=self._parameters() if self._results else self.request.parameters,
            routes=(gateway, *self._steps.values()),
            marks=self.marks,
        )

    def given_back(self, status: Status) -> Response:
        """Return a failure with the request's documents, as Jina does; without them where the
        answer should be cheap."""
        bodies, wanted = self.request.bodies, self.request.wanted
        body = bodies[0] if bodies else EMPTY
        keeps = status.code in _GIVES_BACK and body.format is wanted
        return self.answer(body if keeps else EMPTY, status)

    def _parameters(self) -> Mapping[str, Any]:
        """Return the request's parameters, with what Executors returned as dicts so far."""
        if not self._results:
            return self.request.parameters
        return {**self.request.parameters, RESULTS: dict(self._results)}

    def _parameters_for(self, step: Step) -> Mapping[str, Any]:
        parameters = self._parameters()
        if step.fused:
            return parameters_among((step.pod, *step.fused), parameters, self._pods)
        return parameters_of(step.pod, parameters, self._pods)


def _longer(known: RouteStep | None, step: RouteStep) -> RouteStep:
    """Return one step for all parts of an answer, from the first to the last."""
    return step if known is None else _route_step(pod=step.pod, start=known.start, end=step.end)


def _sum(marks: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Return the marks of several Pods: numbers added up, of other texts the last one."""
    found = dict(marks)
    for name, value in more.items():
        known = found.get(name, "")
        both = known.isdecimal() and value.isdecimal()
        found[name] = str(int(known) + int(value)) if both else value
    return found


def _named(status: Status, pod: str) -> Status:
    """Return `status` with the Pod in it; also in its text, where no Executor is to blame."""
    if status.pod:
        return status
    if status.code is StatusCode.EXECUTOR:
        return replace(status, pod=pod)
    return replace(status, pod=pod, description=f"{pod}: {status.description}")
