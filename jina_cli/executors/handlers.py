"""What answers each endpoint of an Executor: a method of its own, or Drivers that call it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.convert import to_docs
from jina_cli.documents.document import Document
from jina_cli.drivers.base import Done, Driver, Inputs
from jina_cli.drivers.keep import IndexDriver
from jina_cli.drivers.table import BadDriver, build_driver, overridden
from jina_cli.executors.calls import Call, Handler
from jina_cli.executors.compound import CompoundExecutor
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

    Args:
        executor: What they call; of a CompoundExecutor, a component of it where they say so.
        drivers: In order. What an Indexer keeps goes on whole to those behind that keep it too.

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
        self._drivers = _passing_on(drivers)
        self._called = tuple(_called_by(driver, executor) for driver in self._drivers)
        pairs = list(zip(self._drivers, self._called, strict=True))
        methods = [getattr(called, driver.method) for driver, called in pairs if driver.method]
        self.is_async = any(inspect.iscoroutinefunction(method) for method in methods)
        self.writes = any(writes(type(called), driver.method) for driver, called in pairs)
        bounds = [getattr(driver, "top_k", 0) for driver in self._drivers]
        self.top_k = next((bound for bound in reversed(bounds) if bound), 0)
        self.takes_parts = any(hasattr(driver, "join") for driver in drivers)
        self.keeps = any(isinstance(driver, IndexDriver) for driver in drivers)

    def passing_on(self) -> DriverHandler:
        """Return the same for an Executor behind which others keep the documents too."""
        return DriverHandler(self._executor, _passing_on(self._drivers, is_last=False))

    async def __call__(self, call: Call) -> Done:
        docs, parts, results = call.docs, call.parts, dict[str, Any]()
        for driver, called in zip(self._drivers, self._called, strict=True):
            driver = overridden(driver, call.parameters)  # noqa: PLW2901
            join = getattr(driver, "join", None)
            if join is not None and len(parts) > 1:
                inputs = Inputs(parts=parts, names=call.inputs)
                done = await join(called, inputs, call.parameters)
            else:
                done = await driver(called, docs, call.parameters)
            if done.docs is not docs:
                docs, parts = done.docs, ()
            results.update(done.results)
        return Done(docs=docs, results=results)

    async def stream(self, call: Call) -> AsyncGenerator[Done, None]:
        """Yield the answer as the one part it is."""
        yield await self(call)

    def weights(self, docs: DocumentBatch, metric: Callable[[Any], float]) -> Sequence[float]:
        """Return what each document weighs, by a function of one document."""
        return [metric(doc) for doc in to_docs(docs, Document)]


def _passing_on(drivers: Sequence[Driver], *, is_last: bool = True) -> tuple[Driver, ...]:
    """Return Drivers of which only the last that hands documents to an Indexer strips them."""
    passed = list(drivers)
    places = [place for place, driver in enumerate(drivers) if isinstance(driver, IndexDriver)]
    for place in places[:-1] if is_last else places:
        passed[place] = replace(drivers[place], pass_on=True)  # type: ignore[type-var]
    return tuple(passed)


def _called_by(driver: Driver, executor: Executor) -> Any:
    """Return the Executor whose method a Driver calls.

    Raises:
        ExecutorInvalid: There is none of that name, or it has no such method.
    """
    name = getattr(driver, "executor", "")
    if not isinstance(executor, CompoundExecutor):
        called: Any = executor
        if name:
            cls, kind = type(executor).__name__, type(driver).__name__
            problem = f"{kind} is for {name!r}, and {cls} has no components"
            raise ExecutorInvalid(problem, hint="leave 'executor' out, or list 'components'")
    elif name:
        called = executor.component(name)
    elif driver.method:
        component, method = executor.calling(driver.method)
        called = component if method == driver.method else executor
    else:
        return executor
    if driver.method and not callable(getattr(called, driver.method, None)):
        cls, kind = type(called).__name__, type(driver).__name__
        raise ExecutorInvalid(f"{cls} has no method {driver.method!r}, which {kind} calls")
    return called


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
