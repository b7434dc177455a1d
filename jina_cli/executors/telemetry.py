"""What `self.tracer` and `self.meter` of an Executor are: OpenTelemetry's, or nothing at all."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Nothing:
    """Has every method, and none of them does anything: a span, or an instrument."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._ignore

    def _ignore(self, *_: Any, **__: Any) -> None:
        """Take what is said, and forget it."""

    def __enter__(self) -> Nothing:
        return self

    def __exit__(self, *_: object) -> None: ...


class NoTracer:
    """Traces nothing."""

    @contextmanager
    def start_as_current_span(self, *_: Any, **__: Any) -> Iterator[Nothing]:
        yield Nothing()

    def start_span(self, *_: Any, **__: Any) -> Nothing:
        return Nothing()


class NoMeter:
    """Measures nothing."""

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("create_"):
            raise AttributeError(name)
        return lambda *_, **__: Nothing()


def tracer_of(name: str) -> Any:
    """Return OpenTelemetry's tracer of that name, or one that traces nothing."""
    api = _api("opentelemetry.trace")
    return NoTracer() if api is None else api.get_tracer(name)


def meter_of(name: str) -> Any:
    """Return OpenTelemetry's meter of that name, or one that measures nothing."""
    api = _api("opentelemetry.metrics")
    return NoMeter() if api is None else api.get_meter(name)


def context_of(metadata: Mapping[str, str]) -> Any:
    """Return OpenTelemetry's context of a request that came with one; None for any other."""
    if "traceparent" not in metadata:
        return None
    api = _api("opentelemetry.propagate")
    return None if api is None else api.extract(metadata)


def _api(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        return None
