"""What answers each endpoint of an Executor: a method of its own, or Drivers that call it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.convert import to_docs
from jina_cli.documents.document import Document
from jina_cli.drivers.base import Done, Driver
from jina_cli.drivers.table import BadDriver, build_driver
from jina_cli.executors.calls import Call, Handler
from jina_cli.executors.endpoints import ExecutorInvalid, method_of, writes
from jina_cli.executors.executor import Executor
from jina_cli.executors.families import Family
from jina_cli.executors.methods import GeneratorHandler, MethodHandler
from jina_cli.vocabulary import DEFAULT_ENDPOINT


def handlers_of(executor: Executor) -> dict[str, Handler]:
    """Return what answers each endpoint of an Executor, YAML's word over the class's.

    Raises:
        ExecutorInvalid: A method or Driver that is named does not exist or does not fit.
    """
    handlers: dict[str, Handler] = {}
    if isinstance(executor, Family):
        for endpoint, drivers in executor.default_drivers().items():
            handlers[endpoint] = DriverHandler(executor, drivers)
    for endpoint, what in executor.requests.items():
        handlers[endpoint] = _handler(executor, endpoint, what)
    return handlers


def handler_for(handlers: Mapping[str, Handler], endpoint: str) -> Handler | None:
    """Return what answers `endpoint`; None lets the request pass by."""
    return handlers.get(endpoint) or handlers.get(DEFAULT_ENDPOINT)


class DriverHandler:
    """Calls Drivers one after another.

    Raises:
        ExecutorInvalid: The Executor has no method that a Driver calls.
    """

    needs_docs = True
    is_generator = False
    is_singleton = False
    input_type = None
    output_type = None
    parameters_type = None

    def __init__(self, executor: Executor, drivers: Sequence[Driver]) -> None:
        self._executor = executor
        self._drivers = tuple(drivers)
        methods = [self._method(driver) for driver in drivers]
        self.is_async = any(inspect.iscoroutinefunction(method) for method in methods)
        self.writes = any(writes(type(executor), driver.method) for driver in drivers)

    async def __call__(self, call: Call) -> Done:
        docs, results = call.docs, dict[str, Any]()
        for driver in self._drivers:
            done = await driver(self._executor, docs, call.parameters)
            docs = done.docs
            results.update(done.results)
        return Done(docs=docs, results=results)

    async def stream(self, call: Call) -> AsyncGenerator[Done, None]:
        """Yield the answer as the one part it is."""
        yield await self(call)

    def weights(self, docs: DocumentBatch, metric: Callable[[Any], float]) -> Sequence[float]:
        """Return what each document weighs, by a function of one document."""
        return [metric(doc) for doc in to_docs(docs, Document)]

    def _method(self, driver: Driver) -> Any:
        method = getattr(self._executor, driver.method, None)
        if not callable(method):
            cls, name = type(self._executor).__name__, type(driver).__name__
            raise ExecutorInvalid(f"{cls} has no method {driver.method!r}, which {name} calls")
        return method


def _handler(executor: Executor, endpoint: str, what: Any) -> Handler:
    if isinstance(what, str):
        drivers = executor.drivers_of(what) if isinstance(executor, Family) else None
        if drivers is not None:
            return DriverHandler(executor, drivers)
        method = method_of(type(executor), what)
        kind = GeneratorHandler if method.is_generator else MethodHandler
        return kind(executor, method)
    if not isinstance(what, list | tuple):
        raise ExecutorInvalid(
            f"requests of {endpoint} name {what!r}, and must name a method or a list of Drivers"
        )
    try:
        return DriverHandler(executor, [build_driver(item) for item in what])
    except BadDriver as error:
        raise ExecutorInvalid(f"requests of {endpoint}: {error}") from error
