"""The numbers of one process under the names that Jina 3 gave them, for Prometheus to fetch.

`prometheus_client` is imported only where a process counts.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from jina_cli.observe.counting import size_of
from jina_cli.vocabulary import DEFAULT_ENDPOINT
from jina_cli.wire.messages import Answering, Hello, Request, Response
from jina_cli.wire.parts import closing

_NAMESPACE = "jina"


class PortTaken(OSError):
    """The numbers cannot be served where the plan says."""


class Numbers:
    """All numbers of one process.

    Args:
        runtime: Name of the process, the label `runtime_name` of every number.
    """

    def __init__(self, runtime: str) -> None:
        from prometheus_client import CollectorRegistry

        self.runtime = runtime
        self.registry = CollectorRegistry()
        self._known: dict[str, Any] = {}
        self._server: Any = None

    def summary(self, name: str, words: str, *labels: str) -> Any:
        """Return a summary: how many, and their sum; of one name there is one."""
        from prometheus_client import Summary

        return self._number(Summary, name, words, labels)

    def counter(self, name: str, words: str, *labels: str) -> Any:
        from prometheus_client import Counter

        return self._number(Counter, name, words, labels)

    def gauge(self, name: str, words: str) -> Any:
        from prometheus_client import Gauge

        return self._number(Gauge, name, words, ())

    def _number(self, kind: Any, name: str, words: str, labels: tuple[str, ...]) -> Any:
        """Return the number of a name, made once: Pods that share a process count in it alike."""
        if name not in self._known:
            named = ("runtime_name", *labels)
            self._known[name] = kind(
                name, words, named, namespace=_NAMESPACE, registry=self.registry
            )
        return self._known[name]

    def serve(self, port: int) -> None:
        """Serve the numbers at `http://HOST:port/metrics`, from a thread of its own.

        Raises:
            PortTaken: Somebody else listens there.
        """
        from prometheus_client import start_http_server

        try:
            self._server, _ = start_http_server(port, registry=self.registry)
        except OSError as error:
            text = f"the metrics of {self.runtime} cannot be served on port {port}"
            raise PortTaken(f"{text}: {error.strerror or error}") from error

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


@dataclass(frozen=True, slots=True)
class _Ends:
    """How requests ended; the same for a Gateway and a Pea."""

    succeeded: Any
    failed: Any
    pending: Any

    @classmethod
    def of(cls, numbers: Numbers) -> _Ends:
        name = numbers.runtime
        return cls(
            numbers.counter("successful_requests", "Requests that were answered").labels(name),
            numbers.counter("failed_requests", "Requests that failed").labels(name),
            numbers.gauge("number_of_pending_requests", "Requests under way").labels(name),
        )

    @contextmanager
    def counted(self) -> Iterator[Callable[[bool], None]]:
        """Count one request; the block says whether it went well, else it failed."""
        self.pending.inc()
        went_well = False

        def ended(ok: bool) -> None:
            nonlocal went_well
            went_well = ok

        try:
            yield ended
        finally:
            self.pending.dec()
            (self.succeeded if went_well else self.failed).inc()


class WatchedFlow:
    """Counts and times what a Gateway is asked.

    Args:
        flow: What answers.
        numbers: Of the Gateway's process.
    """

    def __init__(self, flow: Answering, numbers: Numbers) -> None:
        name = numbers.runtime
        self._flow = flow
        self._ends = _Ends.of(numbers)
        self._seconds = numbers.summary(
            "receiving_request_seconds", "Time from a request to its answer"
        ).labels(name)
        self._received = numbers.summary(
            "received_request_bytes", "Documents' bytes of requests"
        ).labels(name)
        self._sent = numbers.summary("sent_response_bytes", "Documents' bytes of answers").labels(
            name
        )

    @property
    def answering(self) -> Answering:
        return Answering(answer=self._answer, stream=self._stream)

    async def _answer(self, request: Request) -> Response:
        self._received.observe(size_of(request))
        with self._ends.counted() as ended, self._seconds.time():
            response = await self._flow.answer(request)
            ended(response.status.ok)
        self._sent.observe(len(response.body.data))
        return response

    async def _stream(self, request: Request) -> AsyncIterator[Response]:
        self._received.observe(size_of(request))
        with self._ends.counted() as ended, self._seconds.time():
            async with closing(self._flow.stream(request)) as parts:
                async for part in parts:
                    ended(part.status.ok)
                    self._sent.observe(len(part.body.data))
                    yield part


class Sending:
    """Numbers of what a Gateway asks its Pods."""

    def __init__(self, numbers: Numbers) -> None:
        self._runtime = numbers.runtime
        self._seconds = numbers.summary(
            "sending_request_seconds", "Time that a Pod took to answer", "deployment"
        )
        self._sent = numbers.summary(
            "sent_request_bytes", "Documents' bytes sent to a Pod", "deployment"
        )
        self._received = numbers.summary(
            "received_response_bytes", "Documents' bytes that a Pod answered", "deployment"
        )

    @contextmanager
    def to(self, pod: str, request: Request) -> Iterator[Callable[[Response], None]]:
        """Time one request to a Pod; the block gives each answer."""
        labels = self._runtime, pod
        self._sent.labels(*labels).observe(size_of(request))
        received = self._received.labels(*labels)
        with self._seconds.labels(*labels).time():
            yield lambda response: received.observe(len(response.body.data))


class WatchedExecutor:
    """Counts and times what a Pea is asked.

    Args:
        own: What answers.
        numbers: Of the Pea's process.
        hello: Names its class and its endpoints, which are labels. What else is asked for is
            counted as `/default`, which serves it: clients could name ever more.
    """

    def __init__(self, own: Answering, numbers: Numbers, hello: Hello) -> None:
        self._own = own
        self._runtime = numbers.runtime
        self._executor = hello.executor
        self._endpoints = frozenset(hello.endpoints)
        self._ends = _Ends.of(numbers)
        labels = "executor", "executor_endpoint"
        self._receiving = numbers.summary(
            "receiving_request_seconds", "Time from a request to its answer"
        ).labels(self._runtime)
        self._seconds = numbers.summary(
            "process_request_seconds", "Time that an Executor took", *labels
        )
        self._received = numbers.summary(
            "received_request_bytes", "Documents' bytes of requests"
        ).labels(self._runtime)
        self._sent = numbers.summary("sent_response_bytes", "Documents' bytes of answers").labels(
            self._runtime
        )
        self._documents = numbers.counter(
            "document_processed", "Documents that an Executor was given", *labels
        )

    @property
    def answering(self) -> Answering:
        return Answering(answer=self._answer, stream=self._stream)

    async def _answer(self, request: Request) -> Response:
        with self._timed(request) as took, self._ends.counted() as ended:
            response = await self._own.answer(request)
            took(response.taken)
            ended(response.status.ok)
        self._sent.observe(len(response.body.data))
        return response

    async def _stream(self, request: Request) -> AsyncIterator[Response]:
        with self._timed(request) as took, self._ends.counted() as ended:
            async with closing(self._own.stream(request)) as parts:
                async for part in parts:
                    took(part.taken)
                    ended(part.status.ok)
                    self._sent.observe(len(part.body.data))
                    yield part

    @contextmanager
    def _timed(self, request: Request) -> Iterator[Callable[[int], None]]:
        """Time one request; the block tells of documents that were taken for it."""
        known = request.endpoint in self._endpoints
        endpoint = request.endpoint if known else DEFAULT_ENDPOINT
        labels = self._runtime, self._executor, endpoint
        self._received.observe(size_of(request))
        began = time.perf_counter()
        try:
            yield self._documents.labels(*labels).inc
        finally:
            seconds = time.perf_counter() - began
            self._receiving.observe(seconds)
            self._seconds.labels(*labels).observe(seconds)


class Timing(Protocol):
    """How often something was done, and how long it took in all."""

    @property
    def documentation(self) -> str: ...

    @property
    def count(self) -> int: ...

    @property
    def seconds(self) -> float: ...


class WatchedTimings:
    """Shows what Executors measure with `@monitor`, as it is when it is fetched.

    Args:
        timings: Returns what is known by now, by name.
    """

    def __init__(self, numbers: Numbers, timings: Callable[[], Mapping[str, Timing]]) -> None:
        self._runtime = numbers.runtime
        self._timings = timings
        numbers.registry.register(self)

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import SummaryMetricFamily

        for name, timing in self._timings().items():
            family = SummaryMetricFamily(
                f"{_NAMESPACE}_{name}", timing.documentation or name, labels=("runtime_name",)
            )
            family.add_metric((self._runtime,), count_value=timing.count, sum_value=timing.seconds)
            yield family
