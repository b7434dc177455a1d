"""Calling a method of an Executor with documents, and what becomes of what it returns."""

from __future__ import annotations

import inspect
import typing
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from typing import Any

from docarray import BaseDoc, DocList, DocVec
from pydantic import ValidationError

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.convert import DoesNotFit, are_docs, from_docs, to_docs
from jina_cli.documents.document import Document
from jina_cli.drivers.base import BadParameter, BadResult, Done, settled
from jina_cli.executors.calls import BadDocuments, Call, gathered
from jina_cli.executors.endpoints import ExecutorInvalid, Method, writes
from jina_cli.executors.executor import Executor
from jina_cli.executors.telemetry import context_of
from jina_cli.quick import quick

_done = quick(Done)

_APART = ("docs_matrix", "docs_map")
_DOCS = ("docs", "doc", *_APART)
_READY = (type(None), list, dict, DocumentBatch)
"""What most methods return; to ask whether it is to be awaited takes as long as all the rest."""

_END = object()


class MethodHandler:
    """Calls a method with documents as objects, or as columns where its annotation says so.

    Raises:
        ExecutorInvalid: An annotation cannot be made sense of.
    """

    is_generator = False
    top_k = 0
    takes_parts = False

    def __init__(self, executor: Executor, method: Method) -> None:
        self._call = getattr(executor, method.name)
        self._takes = method.takes
        self._where = f"{type(executor).__name__}.{method.name}"
        self.writes = writes(type(executor), method.name)
        hints = _hints(self._call, self._where)
        asked = next((hints[name] for name in _DOCS if name in hints), None)
        self._wants_columns = _mentions(asked, DocumentBatch)
        self._stack = _stack_type(asked)
        self._takes_apart = [name for name in _APART if name in method.takes]
        self.is_async = method.is_async
        self.is_singleton = "doc" in method.takes
        self.needs_docs = any(name in method.takes for name in _DOCS)
        known = _doc_type(method.request_schema) or _doc_type(asked)
        self.input_type = None if self._wants_columns else known or Document
        self.output_type = _doc_type(method.response_schema) or _doc_type(_yielded(hints))
        self.parameters_type = _parameters_type(hints.get("parameters"))

    async def __call__(self, call: Call) -> Done:
        if self.is_singleton:
            return await self._one_by_one(call)
        docs = self._given(call.docs) if self.needs_docs else None
        returned = self._call(**self._arguments(call, docs))
        if not isinstance(returned, _READY):
            returned = await settled(returned)
        return self._done(call, docs, returned)

    async def stream(self, call: Call) -> AsyncGenerator[Done, None]:
        """Yield the answer as the one part it is."""
        yield await self(call)

    def weights(self, docs: DocumentBatch, metric: Callable[[Any], float]) -> Sequence[float]:
        """Return what each document weighs, by a function of one document."""
        given = to_docs(docs, Document) if self._wants_columns else self._given(docs)
        return [metric(doc) for doc in given]

    def _arguments(self, call: Call, docs: Any) -> dict[str, Any]:
        takes = self._takes
        arguments: dict[str, Any] = {}
        if "docs" in takes:
            arguments["docs"] = docs
        if "parameters" in takes:
            arguments["parameters"] = self._parameters(call.parameters)
        if self._takes_apart:
            arguments.update(self._apart(call, docs))
        if "tracing_context" in takes:
            arguments["tracing_context"] = context_of(call.metadata)
        return arguments

    def _apart(self, call: Call, docs: Any) -> dict[str, Any]:
        """Return the documents of each Pod that was needed, as far as the method asks."""
        if self.is_singleton:
            return dict.fromkeys(self._takes_apart)
        single = len(call.parts) < 2
        parts = [docs] if single else [self._given(part) for part in call.parts]
        named = dict(zip(call.inputs, parts, strict=False)) if call.inputs else {}
        if len(self._takes_apart) == len(_APART):
            return {"docs_matrix": parts, "docs_map": named}
        return {"docs_matrix": parts} if "docs_matrix" in self._takes_apart else {"docs_map": named}

    async def _one_by_one(self, call: Call) -> Done:
        returned = []
        arguments = self._arguments(call, None)
        for doc in self._given(call.docs):
            one = await settled(self._call(**arguments, doc=doc))
            if one is not None and not isinstance(one, BaseDoc):
                raise self._bad(one, "a document or None")
            returned.append(doc if one is None else one)
        return _done(docs=from_docs(returned, original=call.docs))

    def _given(self, docs: DocumentBatch) -> Any:
        if self._wants_columns:
            return docs
        doc_type = self.input_type or Document
        try:
            given = to_docs(docs, doc_type)
            return given if self._stack is None or self.is_singleton else self._stack(given)
        except DoesNotFit as error:
            problem = f"the documents are no {doc_type.__name__}: {error}"
            raise BadDocuments(problem, _place_of(error, docs)) from error

    def _parameters(self, parameters: Mapping[str, Any]) -> Any:
        if self.parameters_type is None:
            return dict(parameters)
        try:
            return self.parameters_type(**parameters)
        except ValueError as error:
            raise _bad_parameter(error) from error

    def _done(self, call: Call, docs: Any, returned: Any) -> Done:
        if returned is None:
            return _done(docs=self._back(call, docs))
        if isinstance(returned, dict):
            return _done(docs=self._back(call, docs), results=returned)
        return _done(docs=self._batch(call.docs, returned, "documents, None or a dict"))

    def _batch(self, original: DocumentBatch, returned: Any, expected: str) -> DocumentBatch:
        """Return what the method gave back as columns."""
        if isinstance(returned, DocumentBatch):
            return returned
        if are_docs(returned):  # before a document: pydantic takes long to say that it is none
            return from_docs(returned, original=original)
        if isinstance(returned, BaseDoc):
            return from_docs([returned], original=original)
        raise self._bad(returned, expected)

    def _back(self, call: Call, docs: Any) -> DocumentBatch:
        """Return documents that the method may have changed in place."""
        return (
            call.docs if docs is None or docs is call.docs else from_docs(docs, original=call.docs)
        )

    def _bad(self, returned: Any, expected: str) -> BadResult:
        what = type(returned).__name__
        return BadResult(f"{self._where} returned {what}, and must return {expected}")


class GeneratorHandler(MethodHandler):
    """Calls a generator, and hands on what it yields as it comes.

    A generator for one document is called for each of them, one after another.
    """

    is_generator = True

    async def __call__(self, call: Call) -> Done:
        async with aclosing(self.stream(call)) as parts:
            return await gathered(parts)

    async def stream(self, call: Call) -> AsyncGenerator[Done, None]:
        """Yield what the generator yields; each part has a document or more.

        Closing this closes the generator. Where it is a synchronous one, nothing here
        suspends.
        """
        for original, arguments in self._turns(call):
            generator = self._call(**arguments)
            step = _next_later if self.is_async else _next
            try:
                while (item := await step(generator)) is not _END:
                    docs = self._part(item, original)
                    if len(docs):
                        yield _done(docs=docs)
            finally:
                await (_close_later if self.is_async else _close)(generator)

    def _turns(self, call: Call) -> Iterator[tuple[DocumentBatch, dict[str, Any]]]:
        """Yield what the generator is called with, and the documents that this is made of."""
        if not self.is_singleton:
            docs = self._given(call.docs) if self.needs_docs else None
            yield call.docs, self._arguments(call, docs)
            return
        shared = self._arguments(call, None)
        for place in range(len(call.docs)):
            one = call.docs.slice(place, place + 1)
            yield one, {**shared, "doc": self._given(one)[0]}

    def _part(self, item: Any, original: DocumentBatch) -> DocumentBatch:
        return self._batch(original, item, "documents")

    def _bad(self, returned: Any, expected: str) -> BadResult:
        what = type(returned).__name__
        return BadResult(f"{self._where} yields {what}, and must yield {expected}")


async def _next(generator: Generator[Any, None, None]) -> Any:
    return next(generator, _END)


async def _next_later(generator: AsyncGenerator[Any, None]) -> Any:
    return await anext(generator, _END)


async def _close(generator: Generator[Any, None, None]) -> None:
    generator.close()


async def _close_later(generator: AsyncGenerator[Any, None]) -> None:
    await generator.aclose()


def _place_of(error: DoesNotFit, docs: DocumentBatch) -> str:
    """Return where the document stands in the request; one inside another is not told."""
    row = list(docs.ids).index(error.id) if error.id in docs.ids else None
    return "data" if row is None else f"data.{row}.{error.field}".rstrip(".")


def _bad_parameter(error: ValueError) -> BadParameter:
    """Return what a model of parameters found, in one line, with the place of the first."""
    found: list[Any] = error.errors() if isinstance(error, ValidationError) else []
    if not found:
        return BadParameter(" ".join(str(error).split()))
    places = [".".join(map(str, one["loc"])) for one in found]
    told = [
        f"{place}: {one['msg']}" if place else str(one["msg"])
        for place, one in zip(places, found, strict=True)
    ]
    return BadParameter("; ".join(told), f"parameters.{places[0]}".rstrip("."))


def _hints(method: Any, where: str) -> dict[str, Any]:
    try:
        # `typing.get_type_hints` would subscript `DocList[T]` once more, which fails on 3.13.
        return inspect.get_annotations(method, eval_str=True)
    except Exception as error:
        raise ExecutorInvalid(f"{where} has an annotation that means nothing: {error}") from error


def _yielded(hints: Mapping[str, Any]) -> Any:
    """Return what a method is annotated to return; of a generator, what it yields."""
    hint = hints.get("return")
    origin = typing.get_origin(hint)
    if isinstance(origin, type) and issubclass(origin, AsyncIterator | Iterator):
        return typing.get_args(hint)[0]
    return hint


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


def _stack_type(hint: Any) -> Callable[[DocList[Any]], Any] | None:
    """Return what makes a `DocVec` of documents, where an annotation asks for one."""
    kind: Any = typing.get_origin(hint) or hint
    return hint if isinstance(kind, type) and issubclass(kind, DocVec) else None


def _parameters_type(hint: Any) -> Any:
    return hint if isinstance(hint, type) and hasattr(hint, "model_validate") else None
