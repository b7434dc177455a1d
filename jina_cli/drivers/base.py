"""What all Drivers share: how they are called, what they return, how they call an Executor."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import coroutine
from typing import Any, Protocol, TypeAlias, TypeVar

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.traversal import Path, documents_at, put_at
from jina_cli.vocabulary import MAX_TOP_K

T = TypeVar("T")

MaybeAwaitable: TypeAlias = T | Awaitable[T]
"""What a method returns that may be a coroutine function."""

ROOT: tuple[Path, ...] = ((),)
"""The traversal path `@r`."""

Parameters: TypeAlias = Mapping[str, Any]


class BadResult(TypeError):
    """An Executor returned what cannot be put into the documents."""


class BadParameter(ValueError):
    """A parameter of the request is not what the Executor takes.

    Args:
        problem: What is wrong.
        place: Where in the request, `parameters.top_k`.
    """

    def __init__(self, problem: str, place: str = "parameters") -> None:
        super().__init__(problem, place)

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a Driver made of a request.

    Attributes:
        docs: The documents afterwards.
        results: What else there is to say, by name.
    """

    docs: DocumentBatch
    results: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What came from each Pod that was waited for.

    Attributes:
        parts: Their documents, one batch or more.
        names: Of these Pods, as many, or none where they are not known.
    """

    parts: tuple[DocumentBatch, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What every Driver may be told.

    Attributes:
        priority: What the `queryset` of a request says goes over its options where that has a
            higher priority.
    """

    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling(Ordered):
    """What a Driver that calls an Executor may be told.

    Attributes:
        executor: Which component of a CompoundExecutor it calls, by the `name` of its metas,
            its class or a base class; empty for the one that has the method.
    """

    executor: str = ""


class Driver(Protocol):
    """Takes what an Executor's method needs out of documents, and puts back what it returns."""

    @property
    def method(self) -> str:
        """Name of the method it calls; empty if it calls none."""

    @property
    def priority(self) -> int:
        """As in `Ordered`."""

    async def __call__(self, executor: Any, docs: DocumentBatch, parameters: Parameters) -> Done:
        """Call the Executor and return the documents afterwards.

        Suspends only if the method returns an awaitable.

        Raises:
            MissingField: Documents lack what the method needs.
            BadResult: What it returned does not fit the documents.
            BadParameter: A parameter makes no sense.
            Exception: Whatever the Executor raised.
        """


class Joiner(Driver, Protocol):
    """A Driver that makes one batch of those that several Pods answered with."""

    async def join(self, executor: Any, inputs: Inputs, parameters: Parameters) -> Done:
        """As `__call__`, of several answers."""


async def settled(value: MaybeAwaitable[T]) -> T:
    """Return `value`, awaited if it is to be awaited: in a task, wherever we are now."""
    if not inspect.isawaitable(value):
        return value
    try:
        is_in_task = asyncio.current_task() is not None
    except RuntimeError:  # there is no event loop in this thread
        is_in_task = False
    if not is_in_task:
        await _pause()  # whoever drives us goes on in a task
    result: T = await value
    return result


@coroutine
def _pause() -> Generator[None, None, None]:
    yield


async def at_paths(
    docs: DocumentBatch,
    paths: tuple[Path, ...],
    step: Callable[[DocumentBatch], Awaitable[DocumentBatch]],
) -> DocumentBatch:
    """Return `docs` with those at each path replaced by what `step` makes of them, in order.

    `step` is not called where there are none.
    """
    for path in paths:
        found = documents_at(docs, path)
        if len(found):
            docs = put_at(docs, path, await step(found))
    return docs


def field_of(given: str, executor: Any, default: str, *, attribute: str = "field") -> str:
    """Return the field a Driver is told of, else that of its Executor, else the default."""
    own = getattr(executor, attribute, "")
    return given or (own if isinstance(own, str) else "") or default


def accepted(method: Callable[..., Any], parameters: Parameters) -> dict[str, Any]:
    """Return those parameters that `method` has a keyword for; all where it takes any."""
    names = _keywords(getattr(method, "__func__", method))
    if names is None:
        return dict(parameters)
    return {name: value for name, value in parameters.items() if name in names}


def is_prepared(parameters: Parameters) -> bool:
    """Return whether a request says that its documents are ready to be kept, `prepared: true`.

    They come from a dump, with the chunks and vectors they had: what crafts, segments or encodes
    passes them on as they are.
    """
    return parameters.get("prepared") is True


def top_k_of(parameters: Parameters, default: int) -> int:
    """Return how many matches a request asks for.

    Raises:
        BadParameter: It is no number from 1 to `MAX_TOP_K`.
    """
    return whole_number(parameters, "top_k", default, most=MAX_TOP_K)


def whole_number(parameters: Parameters, name: str, default: int, *, most: int) -> int:
    """Return a parameter that is a number of things.

    Raises:
        BadParameter: It is no number from 1 to `most`.
    """
    value = parameters.get(name, default)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON of Jina's clients has all numbers as floats
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        problem = f"{name} is {value!r}, and must be a number from 1 to {most}"
        raise BadParameter(problem, f"parameters.{name}")
    return value


@lru_cache(maxsize=256)
def _keywords(function: Callable[..., Any]) -> frozenset[str] | None:
    arguments = inspect.signature(function).parameters.values()
    if any(a.kind is a.VAR_KEYWORD for a in arguments):
        return None
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return frozenset(a.name for a in arguments if a.kind in kinds)
