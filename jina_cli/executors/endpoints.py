"""The decorators that say which method of an Executor answers which requests, and their checks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from jina_cli.errors import JinaError
from jina_cli.vocabulary import DEFAULT_ENDPOINT

F = TypeVar("F", bound=Callable[..., Any])

ARGUMENTS = ("docs", "doc", "parameters", "docs_matrix", "docs_map", "tracing_context")
"""What a method may ask for, by name."""

_ON = "__jina_on__"
_BATCHING = "__jina_batching__"
_WRITES = "__jina_writes__"


class ExecutorInvalid(JinaError):
    """A class cannot be run as an Executor; the message names class, method and argument."""

    code = "JNA913"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """How requests to one endpoint are grouped before its method is called.

    Attributes:
        preferred_batch_size: Documents that are enough to call at once.
        timeout_ms: How long the first document waits for more. With 0 none waits for company:
            what is there when the Executor is free goes together.
        flush_all: Whether one call may get more than `preferred_batch_size` documents.
        custom_metric: What a document counts, instead of 1.
        is_harmless: Whether calls change nothing, so that requests that failed together can
            be asked again, one by one.
    """

    preferred_batch_size: int
    timeout_ms: float = 10_000
    flush_all: bool = False
    custom_metric: Callable[[Any], float] | None = None
    is_harmless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method that answers requests.

    Attributes:
        name: Of the method.
        takes: Which of `ARGUMENTS` it is given.
        is_async: Whether it runs in the event loop: a coroutine function or an asynchronous
            generator. One that is neither may return an awaitable all the same.
        is_generator: Whether it yields its answer, part by part.
        request_schema: Type of its documents, over the annotation.
        response_schema: Type of the documents it returns, over the annotation.
    """

    name: str
    takes: frozenset[str]
    is_async: bool
    is_generator: bool = False
    request_schema: type | None = None
    response_schema: type | None = None


@dataclass(frozen=True, slots=True)
class _Marks:
    endpoints: tuple[str, ...]
    request_schema: type | None
    response_schema: type | None


@overload
def requests(func: F) -> F: ...
@overload
def requests(
    func: None = None,
    *,
    on: str | Iterable[str] | None = None,
    request_schema: type | None = None,
    response_schema: type | None = None,
) -> Callable[[F], F]: ...


def requests(
    func: F | None = None,
    *,
    on: str | Iterable[str] | None = None,
    request_schema: type | None = None,
    response_schema: type | None = None,
) -> F | Callable[[F], F]:
    """Mark a method of an Executor as the one that answers requests to `on`.

    Without `on` it answers all requests that no other method is for. The method gets, by
    name, what it asks for: `docs`, `parameters`, `docs_matrix`, `docs_map`, or `doc` for one
    document at a time. It returns documents, or None where it changed `docs` in place, or a
    dict, which goes to `parameters["__results__"]`. A generator yields documents, one or
    several at a time, which a client that streams gets as they come.

    Raises:
        ExecutorInvalid: `on` is no endpoint, or the function cannot be called so. (What
            concerns its arguments is checked when its class is defined.)
    """
    endpoints = _endpoints(on)

    def mark(function: F) -> F:
        if not inspect.isfunction(function):
            what = type(function).__name__
            raise ExecutorInvalid(f"@requests stands on a {what}, and needs a plain method")
        marks = marks_of(function)
        known = marks.endpoints if marks is not None else ()
        setattr(function, _ON, _Marks(known + endpoints, request_schema, response_schema))
        return function

    return mark if func is None else mark(func)


@overload
def dynamic_batching(func: F) -> F: ...
@overload
def dynamic_batching(
    func: None = None,
    *,
    preferred_batch_size: int | None = ...,
    timeout: float = ...,
    flush_all: bool = ...,
    custom_metric: Callable[[Any], float] | None = ...,
    use_custom_metric: bool = ...,
    use_dynamic_batching: bool = ...,
) -> Callable[[F], F]: ...


def dynamic_batching(
    func: F | None = None,
    *,
    preferred_batch_size: int | None = None,
    timeout: float = 10_000,
    flush_all: bool = False,
    custom_metric: Callable[[Any], float] | None = None,
    use_custom_metric: bool = False,
    use_dynamic_batching: bool = True,
) -> F | Callable[[F], F]:
    """Let a method that answers requests see the documents of several of them in one call.

    Only requests with equal parameters go together. The method must return as many
    documents as it got.

    Args:
        preferred_batch_size: Documents that are enough to call at once; 32 by default.
        timeout: Milliseconds the first document waits for more; with 0 only while the
            Executor is busy.
        flush_all: Whether one call may get more documents than that.
        custom_metric: What a document counts, instead of 1, where `use_custom_metric` is set.
        use_dynamic_batching: Whether to do it at all; YAML may say otherwise.
    """
    options = {
        "preferred_batch_size": preferred_batch_size,
        "timeout": timeout,
        "flush_all": flush_all,
        "custom_metric": custom_metric,
        "use_custom_metric": use_custom_metric,
        "use_dynamic_batching": use_dynamic_batching,
    }

    def mark(function: F) -> F:
        batching_from(options, getattr(function, "__qualname__", "dynamic_batching"))
        setattr(function, _BATCHING, options)
        return function

    return mark if func is None else mark(func)


def batching_from(data: Mapping[str, Any], where: str) -> Batching | None:
    """Return how to group requests, from the YAML's or the decorator's names; None for not.

    Raises:
        ExecutorInvalid: A number makes no sense, or the metric is missing; the message begins
            with `where`.
    """
    if not data.get("use_dynamic_batching", True):
        return None
    size, timeout = data.get("preferred_batch_size"), data.get("timeout", 10_000)
    size = 32 if size is None else size
    if not isinstance(size, int) or size < 1:
        raise ExecutorInvalid(f"{where}: preferred_batch_size is {size!r}, and must be 1 or more")
    if not isinstance(timeout, int | float) or timeout < 0:
        raise ExecutorInvalid(f"{where}: timeout is {timeout!r}, and must be milliseconds")
    metric = data.get("custom_metric") if data.get("use_custom_metric") else None
    if data.get("use_custom_metric") and not callable(metric):
        raise ExecutorInvalid(
            f"{where}: use_custom_metric needs a custom_metric",
            hint="give @dynamic_batching a function of one document",
        )
    return Batching(
        preferred_batch_size=size,
        timeout_ms=timeout,
        flush_all=bool(data.get("flush_all", False)),
        custom_metric=metric,
    )


def marks_of(function: Any) -> _Marks | None:
    """Return what `@requests` left on a function, or None."""
    return getattr(function, _ON, None)


def batching_of(function: Any) -> Mapping[str, Any] | None:
    """Return the options that `@dynamic_batching` left on a function, or None."""
    return getattr(function, _BATCHING, None)


def write(func: F) -> F:
    """Mark a method as one that changes what the Executor keeps."""
    setattr(func, _WRITES, True)
    return func


def writes(cls: type, name: str) -> bool:
    """Say whether a method of a class, or one that it overrides, is marked with `@write`."""
    return any(getattr(vars(each).get(name), _WRITES, False) for each in cls.__mro__)


def endpoints_of(cls: type) -> dict[str, str]:
    """Return which method of a class answers which endpoint; a subclass's word goes last."""
    found: dict[str, str] = {}
    for ancestor in reversed(cls.__mro__):
        for name, value in vars(ancestor).items():
            marks = marks_of(value)
            if marks is not None:
                found.update(dict.fromkeys(marks.endpoints, name))
    return found


def method_of(cls: type, name: str) -> Method:
    """Return how to call the method `name` of `cls` with documents and parameters.

    Raises:
        ExecutorInvalid: There is no such method, or it asks for what there is not.
    """
    where = f"{cls.__name__}.{name}"
    function = inspect.getattr_static(cls, name, None)
    if not inspect.isfunction(function):
        raise ExecutorInvalid(f"{where} is not a method")
    marks = marks_of(function)
    yields_later = inspect.isasyncgenfunction(function)
    return Method(
        name=name,
        takes=_taken(function, where),
        is_async=inspect.iscoroutinefunction(function) or yields_later,
        is_generator=inspect.isgeneratorfunction(function) or yields_later,
        request_schema=marks.request_schema if marks else None,
        response_schema=marks.response_schema if marks else None,
    )


def _endpoints(on: str | Iterable[str] | None) -> tuple[str, ...]:
    if on is None:
        return (DEFAULT_ENDPOINT,)
    names = (on,) if isinstance(on, str) else tuple(on)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ExecutorInvalid(f"@requests(on={on!r}) names no endpoint", hint="use on='/search'")
    return tuple(name if name.startswith("/") else f"/{name}" for name in names)


def _taken(function: Callable[..., Any], where: str) -> frozenset[str]:
    arguments = list(inspect.signature(function).parameters.values())
    if not arguments or arguments[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise ExecutorInvalid(f"{where} has no 'self'")
    takes: set[str] = set()
    for argument in arguments[1:]:
        if argument.kind is argument.VAR_KEYWORD:
            takes.update(name for name in ARGUMENTS if name != "doc")
        elif argument.name in ARGUMENTS and argument.kind is not argument.POSITIONAL_ONLY:
            takes.add(argument.name)
        elif argument.kind is not argument.VAR_POSITIONAL and argument.default is argument.empty:
            known = ", ".join(ARGUMENTS)
            raise ExecutorInvalid(
                f"{where} asks for the argument {argument.name!r}", hint=f"there are {known}"
            )
    if "doc" in takes:
        takes.discard("docs")
    return frozenset(takes)
