"""How often parts of an Executor were called, and how long they took, by their names."""

from __future__ import annotations

import functools
import inspect
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from jina_cli.executors.endpoints import ExecutorInvalid

P = ParamSpec("P")
R = TypeVar("R")


_NAME = re.compile(r"[A-Za-z0-9_:]+")
"""What Prometheus takes, behind a prefix; one other name would spoil all it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What is known of one name.

    Attributes:
        documentation: What it stands for.
        count: Calls that ended, also those that raised.
        seconds: How long they took in all.
    """

    documentation: str = ""
    count: int = 0
    seconds: float = 0.0


class Timings:
    """Adds up what is timed, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timings: dict[str, Timing] = {}

    def add(self, name: str, seconds: float, documentation: str = "") -> None:
        """Count one call."""
        with self._lock:
            known = self._timings.get(name) or Timing(documentation=documentation)
            self._timings[name] = Timing(
                documentation=known.documentation,
                count=known.count + 1,
                seconds=known.seconds + seconds,
            )

    @contextmanager
    def time(self, name: str, documentation: str = "") -> Iterator[None]:
        """Count what is done inside as one call.

        Raises:
            ExecutorInvalid: Prometheus has no such names.
        """
        if name not in self._timings:
            _check(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - start, documentation)

    def all(self) -> Mapping[str, Timing]:
        """Return what is known by now, by name."""
        with self._lock:
            return dict(self._timings)


class _Timed(Protocol):
    @property
    def timings(self) -> Timings: ...


def monitor(
    *, name: str | None = None, documentation: str | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Time a method of an Executor; see `Executor.monitor` for a stretch of one.

    A coroutine is timed until it returns, a generator until it ends.

    Args:
        name: Of the measure; by default the method's, and `_seconds`.
        documentation: What it stands for.

    Raises:
        ExecutorInvalid: Prometheus has no such names.
    """
    if name:
        _check(name)

    def mark(function: Callable[P, R]) -> Callable[P, R]:
        known = getattr(function, "__name__", "call")
        measure = name or f"{known}_seconds"
        meaning = documentation or f"Time spent calling method {known}"
        timed = _timed_as(function)(cast("Callable[..., Any]", function), measure, meaning)
        return cast("Callable[P, R]", functools.wraps(function)(timed))

    return mark


def _check(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        proposed = re.sub(r"[^A-Za-z0-9_:]+", "_", name).strip("_")
        raise ExecutorInvalid(
            f"monitor: the name {name!r} has other signs than letters, digits, '_' and ':'",
            hint=f"call it {proposed!r}" if proposed else "name it after what is timed",
        )


_Wrap = Callable[[Callable[..., Any], str, str], Callable[..., Any]]


def _timed_as(function: object) -> _Wrap:
    if inspect.iscoroutinefunction(function):
        return _coroutine
    if inspect.isasyncgenfunction(function):
        return _later
    return _generator if inspect.isgeneratorfunction(function) else _plain


def _plain(function: Callable[..., Any], name: str, meaning: str) -> Callable[..., Any]:
    def timed(self: _Timed, *args: Any, **kwargs: Any) -> Any:
        with self.timings.time(name, meaning):
            return function(self, *args, **kwargs)

    return timed


def _coroutine(function: Callable[..., Any], name: str, meaning: str) -> Callable[..., Any]:
    async def timed(self: _Timed, *args: Any, **kwargs: Any) -> Any:
        with self.timings.time(name, meaning):
            return await function(self, *args, **kwargs)

    return timed


def _generator(function: Callable[..., Any], name: str, meaning: str) -> Callable[..., Any]:
    def timed(self: _Timed, *args: Any, **kwargs: Any) -> Iterator[Any]:
        with self.timings.time(name, meaning):
            yield from function(self, *args, **kwargs)

    return timed


def _later(function: Callable[..., Any], name: str, meaning: str) -> Callable[..., Any]:
    async def timed(self: _Timed, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        with self.timings.time(name, meaning):
            stream = function(self, *args, **kwargs)
            try:
                async for item in stream:
                    yield item
            finally:
                await stream.aclose()

    return timed


def added_up(several: Iterable[Mapping[str, Timing]]) -> dict[str, Timing]:
    """Return the timings of Executors that share a process; those of one name are one."""
    found: dict[str, Timing] = {}
    for name, timing in (each for timings in several for each in timings.items()):
        known = found.get(name, Timing(documentation=timing.documentation))
        found[name] = Timing(
            documentation=known.documentation,
            count=known.count + timing.count,
            seconds=known.seconds + timing.seconds,
        )
    return found
