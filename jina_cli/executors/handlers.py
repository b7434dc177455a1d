"""What answers each endpoint of an Executor: a method of its own, or Drivers that call it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from docarray import BaseDoc, DocList

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.convert import DoesNotFit, from_docs, to_docs
from jina_cli.documents.document import Document
from jina_cli.drivers.base import BadParameter, BadResult, Done, Driver, settled
from jina_cli.drivers.table import BadDriver, build_driver
from jina_cli.executors.endpoints import ExecutorInvalid, Method, method_of
from jina_cli.executors.executor import Executor
from jina_cli.executors.families import Family
from jina_cli.vocabulary import DEFAULT_ENDPOINT


class BadDocuments(ValueError):
    """The documents of a request are not of the type that a method takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What an endpoint is called with.

    Attributes:
        docs: All documents of the request.
        parts: The same, as they came from each Pod that it needs; one or more.
        inputs: Names of these Pods, as many as `parts`, or none.
        parameters: Of the request, for this Pod.
    """

    docs: DocumentBatch = EMPTY_BATCH
    parts: tuple[DocumentBatch, ...] = ()
    inputs: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


class Handler(Protocol):
    """Answers the requests to one endpoint."""

    @property
    def needs_docs(self) -> bool:
        """Whether it looks at the documents at all."""

    @property
    def is_async(self) -> bool:
        """Whether calling it may suspend."""

    @property
    def input_type(self) -> type[BaseDoc] | None:
        """Type of its documents; None if it takes them as columns."""

    @property
    def output_type(self) -> type[BaseDoc] | None:
        """Type of the documents it returns; None if that is not said."""

    async def __call__(self, call: Call) -> Done:
        """Return what became of the documents; the same object where nothing did.

        Raises:
            BadDocuments: They are not of the type it takes.
            Exception: As `Driver.__call__`.
        """


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
    input_type = None
    output_type = None

    def __init__(self, executor: Executor, drivers: Sequence[Driver]) -> None:
        self._executor = executor
        self._drivers = tuple(drivers)
        methods = [self._method(driver) for driver in drivers]
        self.is_async = any(inspect.iscoroutinefunction(method) for method in methods)

    async def __call__(self, call: Call) -> Done:
        docs, results = call.docs, dict[str, Any]()
        for driver in self._drivers:
            done = await driver(self._executor, docs, call.parameters)
            docs = done.docs
            results.update(done.results)
        return Done(docs=docs, results=results)

    def _method(self, driver: Driver) -> Any:
        method = getattr(self._executor, driver.method, None)
        if not callable(method):
            cls, name = type(self._executor).__name__, type(driver).__name__
            raise ExecutorInvalid(f"{cls} has no method {driver.method!r}, which {name} calls")
        return method


class MethodHandler:
    """Calls a method with documents as objects, or as columns where its annotation says so.

    Raises:
        ExecutorInvalid: An annotation cannot be made sense of.
    """

    def __init__(self, executor: Executor, method: Method) -> None:
        self._call = getattr(executor, method.name)
        self._takes = method.takes
        self._where = f"{type(executor).__name__}.{method.name}"
        hints = _hints(self._call, self._where)
        self._parameters_type = _parameters_type(hints.get("parameters"))
        asked = next((hints[name] for name in _DOCS if name in hints), None)
        self._wants_columns = _mentions(asked, DocumentBatch)
        self.is_async = method.is_async
        self.needs_docs = any(name in method.takes for name in _DOCS)
        known = method.request_schema or _doc_type(asked)
        self.input_type = None if self._wants_columns else known or Document
        self.output_type = method.response_schema or _doc_type(hints.get("return"))

    async def __call__(self, call: Call) -> Done:
        if "doc" in self._takes:
            return await self._one_by_one(call)
        docs = self._given(call.docs) if self.needs_docs else None
        returned = await settled(self._call(**self._arguments(call, docs)))
        return self._done(call, docs, returned)

    def _arguments(self, call: Call, docs: Any) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if "docs" in self._takes:
            arguments["docs"] = docs
        if "parameters" in self._takes:
            arguments["parameters"] = self._parameters(call.parameters)
        if "docs_matrix" in self._takes or "docs_map" in self._takes:
            single = len(call.parts) < 2
            parts = [docs] if single else [self._given(part) for part in call.parts]
            arguments["docs_matrix"] = parts
            arguments["docs_map"] = dict(zip(call.inputs, parts, strict=False))
        if "tracing_context" in self._takes:
            arguments["tracing_context"] = None
        return {name: value for name, value in arguments.items() if name in self._takes}

    async def _one_by_one(self, call: Call) -> Done:
        returned = []
        for doc in self._given(call.docs):
            arguments = {**self._arguments(call, None), "doc": doc}
            one = await settled(self._call(**arguments))
            if one is not None and not isinstance(one, BaseDoc):
                raise self._bad(one, "a document or None")
            returned.append(doc if one is None else one)
        return Done(docs=from_docs(returned, original=call.docs))

    def _given(self, docs: DocumentBatch) -> Any:
        if self._wants_columns:
            return docs
        doc_type = self.input_type or Document
        try:
            return to_docs(docs, doc_type)
        except DoesNotFit as error:
            raise BadDocuments(f"the documents are no {doc_type.__name__}: {error}") from error

    def _parameters(self, parameters: Mapping[str, Any]) -> Any:
        if self._parameters_type is None:
            return dict(parameters)
        try:
            return self._parameters_type(**parameters)
        except ValueError as error:
            raise BadParameter(" ".join(str(error).split())) from error

    def _done(self, call: Call, docs: Any, returned: Any) -> Done:
        match returned:
            case None:
                return Done(docs=self._back(call, docs))
            case DocumentBatch():
                return Done(docs=returned)
            case dict():
                return Done(docs=self._back(call, docs), results=returned)
            case BaseDoc():
                return Done(docs=from_docs([returned], original=call.docs))
            case list() | tuple() if all(isinstance(doc, BaseDoc) for doc in returned):
                return Done(docs=from_docs(returned, original=call.docs))
            case _:
                raise self._bad(returned, "documents, None or a dict")

    def _back(self, call: Call, docs: Any) -> DocumentBatch:
        """Return documents that the method may have changed in place."""
        return (
            call.docs if docs is None or docs is call.docs else from_docs(docs, original=call.docs)
        )

    def _bad(self, returned: Any, expected: str) -> BadResult:
        what = type(returned).__name__
        return BadResult(f"{self._where} returned {what}, and must return {expected}")


_DOCS = ("docs", "doc", "docs_matrix", "docs_map")


def _handler(executor: Executor, endpoint: str, what: Any) -> Handler:
    if isinstance(what, str):
        drivers = executor.drivers_of(what) if isinstance(executor, Family) else None
        if drivers is not None:
            return DriverHandler(executor, drivers)
        return MethodHandler(executor, method_of(type(executor), what))
    if not isinstance(what, list | tuple):
        raise ExecutorInvalid(
            f"requests of {endpoint} name {what!r}, and must name a method or a list of Drivers"
        )
    try:
        return DriverHandler(executor, [build_driver(item) for item in what])
    except BadDriver as error:
        raise ExecutorInvalid(f"requests of {endpoint}: {error}") from error


def _hints(method: Any, where: str) -> dict[str, Any]:
    try:
        # `typing.get_type_hints` would subscript `DocList[T]` once more, which fails on 3.13.
        return inspect.get_annotations(method, eval_str=True)
    except Exception as error:
        raise ExecutorInvalid(f"{where} has an annotation that means nothing: {error}") from error


def _mentions(hint: Any, cls: type) -> bool:
    if isinstance(hint, type) and issubclass(hint, cls):
        return True
    return any(_mentions(part, cls) for part in typing.get_args(hint))


def _doc_type(hint: Any) -> type[BaseDoc] | None:
    """Return the type of document that an annotation speaks of, `T` of `DocList[T]`."""
    if isinstance(hint, type):
        if issubclass(hint, DocList):
            known = getattr(hint, "doc_type", None)
            is_named = isinstance(known, type) and known.__name__ != "AnyDoc"
            return known if is_named else None
        return hint if issubclass(hint, BaseDoc) else None
    found = (_doc_type(part) for part in typing.get_args(hint))
    return next((doc_type for doc_type in found if doc_type is not None), None)


def _parameters_type(hint: Any) -> Any:
    return hint if isinstance(hint, type) and hasattr(hint, "model_validate") else None
