"""The class that every Executor derives from, and how one is made."""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Self, TypeVar

from jina_cli.executors.endpoints import (
    Batching,
    ExecutorInvalid,
    batching_from,
    batching_of,
    endpoints_of,
    marks_of,
    method_of,
    writes,
)
from jina_cli.executors.logger import ExecutorLogger
from jina_cli.executors.telemetry import meter_of, tracer_of
from jina_cli.executors.timings import Timings

_CONTEXT = ("metas", "requests", "runtime_args", "workspace", "dynamic_batching")
"""What an Executor's constructor is given besides what the YAML says under `with`."""


class Executor:
    """Answers requests with what its methods make of their documents.

    Derive from it, and mark methods with `@requests`. Without any, an Executor passes on
    what it gets. The synchronous methods of one instance are called one at a time, not
    always by the same thread; the asynchronous ones concurrently.

    All attributes are there before `__init__` runs, whether or not it calls this one's.

    Args:
        metas: `name`, `description`, as the YAML has them.
        requests: Endpoint → name of a method, over what `@requests` says.
        runtime_args: Place in the Flow; `runtime_args.shard_id` and so on.
        workspace: Folder for what is kept on disk.
        dynamic_batching: Endpoint → `{preferred_batch_size, timeout}`, over the decorator's.

    Attributes:
        metas: `name`, `description`.
        requests: Endpoint → name of the method that answers it.
        runtime_args: `name`, `shard_id`, `shards`, `replica_id`, `replicas`, `workspace`,
            `allow_concurrent`, `output_array_type`.
        name: Name of the Pod it runs in; else of the class.
        logger: Its lines carry the name of the Pea.
        timings: What `@monitor` and `self.monitor` measured.
    """

    metas: SimpleNamespace
    requests: dict[str, Any]
    runtime_args: SimpleNamespace
    dynamic_batching: dict[str, Any]
    name: str
    logger: ExecutorLogger
    timings: Timings

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        instance = super().__new__(cls)
        instance.timings = Timings()
        _attach(instance, {})
        return instance

    def __init__(
        self,
        metas: Mapping[str, Any] | None = None,
        requests: Mapping[str, Any] | None = None,
        runtime_args: Mapping[str, Any] | None = None,
        workspace: str | None = None,
        dynamic_batching: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        given = {
            "metas": metas,
            "requests": requests,
            "runtime_args": runtime_args,
            "workspace": workspace,
            "dynamic_batching": dynamic_batching,
        }
        _attach(self, {key: value for key, value in given.items() if value is not None})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, value in vars(cls).items():
            if marks_of(value) is not None:
                method_of(cls, name)

    @property
    def workspace(self) -> str:
        """Folder for what this Executor keeps on disk; made when it is asked for.

        Each Pod and shard has its own; the replicas of a shard share it.
        """
        known = getattr(self.runtime_args, "workspace", "") or getattr(self.metas, "workspace", "")
        path = Path(known) if known else _cache_dir() / self.name
        path.mkdir(parents=True, exist_ok=True)
        return str(path)

    @cached_property
    def tracer(self) -> Any:
        """OpenTelemetry's tracer, where that is installed; else one that does nothing."""
        return tracer_of(self.name)

    @cached_property
    def meter(self) -> Any:
        """OpenTelemetry's meter, where that is installed; else one that does nothing."""
        return meter_of(self.name)

    @property
    def write_endpoints(self) -> list[str]:
        """Endpoints whose methods are marked with `@write`."""
        cls = type(self)
        return [e for e, m in self.requests.items() if isinstance(m, str) and _writes(cls, m)]

    @classmethod
    def serve(cls, *, stop_event: Any = None, **values: Any) -> None:
        """Serve this Executor alone, until `stop_event` is set or the program is told to stop.

        Args:
            stop_event: Something with `is_set`.
            values: As of `Deployment`: `port`, `uses_with`, `replicas`, …

        Raises:
            JinaError: As `Deployment.start` and `Deployment.block`.
        """
        from jina_cli.orchestrate.deployment import Deployment

        with Deployment(uses=cls, **values) as deployment:
            deployment.block(stop_event)

    def monitor(
        self, name: str | None = None, documentation: str | None = None
    ) -> AbstractContextManager[None]:
        """Time what is done inside a `with` statement, under a name."""
        return self.timings.time(name or "process_seconds", documentation or "")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what the Executor holds; called once, after its last request."""


E_ = TypeVar("E_", bound=Executor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where an Executor runs, as it is told.

    Attributes:
        name: Of its Pod.
        workspace: Its folder; empty for one in the user's cache.
        metas: As the YAML has them.
        requests: Endpoint → method or Drivers, over the class's own.
        dynamic_batching: Endpoint → `{preferred_batch_size, timeout}`.
        allow_concurrent: Whether its methods may be called by several threads at once.
        output_array_type: Kind of the arrays that its documents hold; empty as they say.
    """

    name: str = ""
    workspace: str = ""
    shard_id: int = 0
    shards: int = 1
    replica_id: int = 0
    replicas: int = 1
    metas: Mapping[str, Any] = field(default_factory=dict)
    requests: Mapping[str, Any] = field(default_factory=dict)
    dynamic_batching: Mapping[str, Any] = field(default_factory=dict)
    allow_concurrent: bool = False
    output_array_type: str = ""

    def arguments(self) -> dict[str, Any]:
        """Return this under the names of the constructor's arguments."""
        runtime_args = {
            "name": self.name,
            "workspace": self.workspace,
            "shard_id": self.shard_id,
            "shards": self.shards,
            "replica_id": self.replica_id,
            "replicas": self.replicas,
            "allow_concurrent": self.allow_concurrent,
            "output_array_type": self.output_array_type or None,
        }
        return {
            "metas": dict(self.metas),
            "requests": dict(self.requests),
            "runtime_args": runtime_args,
            "workspace": self.workspace or None,
            "dynamic_batching": dict(self.dynamic_batching),
        }


def create(cls: type[E_], with_: Mapping[str, Any], surroundings: Surroundings) -> E_:
    """Return an instance of `cls`, made with what the YAML says under `with`.

    Raises:
        ExecutorInvalid: Its constructor takes no such argument, or needs one more.
        Exception: Whatever the constructor raised.
    """
    arguments = surroundings.arguments()
    signature = inspect.signature(cls.__init__)
    named = set(signature.parameters)
    if _takes_any(signature):
        named.update(_CONTEXT)
    keywords = {name: value for name, value in arguments.items() if name in named}
    keywords.update(with_)
    instance = cls.__new__(cls)
    _check_keywords(cls, signature, keywords, with_)
    _attach(instance, arguments)
    instance.__init__(**keywords)  # type: ignore[misc]
    return instance


def batchings_of(executor: Executor) -> dict[str, Batching]:
    """Return how requests are grouped, by endpoint; the YAML's word over the decorator's.

    YAML may name a method instead of its endpoints.

    Raises:
        ExecutorInvalid: It makes no sense; the message names class and endpoint.
    """
    cls = type(executor)
    options: dict[str, dict[str, Any]] = {}
    for endpoint, name in executor.requests.items():
        marked = batching_of(getattr(cls, name, None)) if isinstance(name, str) else None
        if marked is not None:
            options[endpoint] = dict(marked)
    for key, data in executor.dynamic_batching.items():
        methods = [e for e, name in executor.requests.items() if name == key]
        for endpoint in methods or [key if key.startswith("/") else f"/{key}"]:
            options[endpoint] = {**options.get(endpoint, {}), **data}
    found = {
        endpoint: batching_from(data, f"dynamic_batching of {cls.__name__} on {endpoint}")
        for endpoint, data in options.items()
    }
    return {endpoint: batching for endpoint, batching in found.items() if batching is not None}


def _writes(cls: type, name: str) -> bool:
    return writes(inspect.getattr_static(cls, name, None))


_PLACE: Mapping[str, Any] = {
    "name": "",
    "shard_id": 0,
    "shards": 1,
    "replica_id": 0,
    "replicas": 1,
    "workspace": "",
    "allow_concurrent": False,
    "output_array_type": None,
}


def _attach(executor: Executor, given: Mapping[str, Any]) -> None:
    """Set what an Executor is told, over what it was told before."""
    state = vars(executor)
    cls = type(executor)
    metas = _namespace(state.get("metas"), {"name": cls.__name__}, given.get("metas"))
    runtime_args = _namespace(state.get("runtime_args"), _PLACE, given.get("runtime_args"))
    if given.get("workspace"):
        runtime_args.workspace = str(given["workspace"])
    executor.metas, executor.runtime_args = metas, runtime_args
    executor.requests = {
        **endpoints_of(cls),
        **state.get("requests", {}),
        **given.get("requests", {}),
    }
    executor.dynamic_batching = {
        **state.get("dynamic_batching", {}),
        **given.get("dynamic_batching", {}),
    }
    executor.name = runtime_args.name or metas.name
    executor.logger = ExecutorLogger(executor.name)


def _namespace(
    known: SimpleNamespace | None, defaults: Mapping[str, Any], given: Any
) -> SimpleNamespace:
    values = {**defaults, **(vars(known) if known is not None else {})}
    values.update(given if isinstance(given, Mapping) else vars(given) if given else {})
    return SimpleNamespace(**values)


def _takes_any(signature: inspect.Signature) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())


def _check_keywords(
    cls: type[Executor],
    signature: inspect.Signature,
    keywords: Mapping[str, Any],
    with_: Mapping[str, Any],
) -> None:
    own = [name for name, p in signature.parameters.items() if p.kind in _NAMED][1:]
    own = [name for name in own if name not in _CONTEXT]
    takes = f"it takes {', '.join(own)}" if own else "it takes none"
    for name in with_:
        unknown = name not in own and name not in _CONTEXT
        if unknown and (cls.__init__ is Executor.__init__ or not _takes_any(signature)):
            near = difflib.get_close_matches(name, own, 1)
            hint = f"{takes}; did you mean {near[0]!r}?" if near else takes
            raise ExecutorInvalid(f"{cls.__name__} takes no argument {name!r}", hint=hint)
    for name, parameter in list(signature.parameters.items())[1:]:
        is_needed = parameter.kind in _NAMED and parameter.default is parameter.empty
        if is_needed and name not in keywords:
            near = difflib.get_close_matches(name, [n for n in with_ if n not in own], 1)
            hint = "give it under 'uses_with'" + (f", not as {near[0]!r}" if near else "")
            raise ExecutorInvalid(f"{cls.__name__} needs the argument {name!r}", hint=hint)


_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def _cache_dir() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jina"
