"""The class that every Executor derives from, and how one is made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, NoReturn, Self

from jina_cli.errors import JinaError
from jina_cli.executors.endpoints import (
    Batching,
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

CONTEXT = ("metas", "requests", "runtime_args", "workspace", "dynamic_batching")
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
        workspace: Folder in which the Executor gets one of its own, for what it keeps on disk.
        dynamic_batching: Endpoint → `{preferred_batch_size, timeout}`, over the decorator's.

    Attributes:
        metas: `name`, `description`.
        requests: Endpoint → name of the method that answers it.
        runtime_args: `name` (of the Pea), `shard_id`, `shards`, `replica_id`, `replicas`,
            `workspace`, `allow_concurrent`.
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
    _folder: Path | None = None
    _shard: str = ""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        instance = super().__new__(cls)
        instance.timings = Timings()
        attach(instance, {})
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
        attach(self, {key: value for key, value in given.items() if value is not None})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, value in vars(cls).items():
            if marks_of(value) is not None:
                method_of(cls, name)

    @property
    def workspace(self) -> str:
        """Folder for what this Executor keeps on disk; made when it is asked for.

        Each Pod and shard has its own; the replicas of a shard share it. Where there is none
        yet, the folder that Jina made for an Executor of that name and shard is used on.
        """
        path = self._folder or self._folder_by_hand()
        if not path.exists():
            before = path.parent.parent / str(self.metas.name) / path.name
            path = before if self._folder and before.is_dir() else path
        path.mkdir(parents=True, exist_ok=True)
        return str(path)

    def _folder_by_hand(self) -> Path:
        """Return where one that is in no Flow keeps what it keeps: by its name and shard."""
        root = getattr(self.runtime_args, "workspace", "") or getattr(self.metas, "workspace", "")
        return Path(root or _cache_dir()) / str(self.metas.name) / self._shard

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
        return [e for e, m in self.requests.items() if isinstance(m, str) and writes(cls, m)]

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

    @classmethod
    def load_config(
        cls,
        source: Any,
        *,
        allow_py_modules: bool = True,
        substitute: bool = True,
        context: Mapping[str, Any] | None = None,
        runtime_args: Mapping[str, Any] | None = None,
        **over: Any,
    ) -> Executor:
        """Return an Executor that YAML describes, made here and now.

        Args:
            source: Path of a file, YAML text, something with `read`, or a dict.
            allow_py_modules: False refuses one that has Python files imported.
            substitute: Whether variables are put in.
            context: What `${{ CONTEXT.x }}` stands for.
            runtime_args: Its place, as if it were in a Flow: `workspace`, `shard_id`, …
            over: Keys of a Pod laid over it: `uses_with`, `uses_metas`, `uses_requests`,
                `uses_dynamic_batching`, `py_modules`, `extra_search_paths`.

        Raises:
            InputMissing: There is no such file.
            SpecInvalid: With all that is wrong.
            ExecutorNotFound: No class has that name.
            Exception: Whatever its code raised.
        """
        from jina_cli.executors.compound import assemble
        from jina_cli.executors.creation import Surroundings
        from jina_cli.executors.jina_names import install
        from jina_cli.executors.registry import is_defined, load
        from jina_cli.orchestrate.described import described

        plan = described(
            source,
            over,
            is_defined,
            context=context or {},
            substitute=substitute,
            allow_py_modules=allow_py_modules,
        )
        install()
        return assemble(plan, load, Surroundings(by_hand=runtime_args or {}))

    @classmethod
    def from_hub(cls, uri: str, *_: Any, **__: Any) -> NoReturn:
        """There is none; for those who look for Jina's.

        Raises:
            JinaError: Always; says what to do instead.
        """
        hint = "install its package, or load_config() its YAML"
        raise JinaError(f"{uri!r} is not fetched: there is no hub here", hint=hint)

    @classmethod
    def to_kubernetes_yaml(cls, *_: Any, **__: Any) -> NoReturn:
        """There is none; for those who look for Jina's.

        Raises:
            JinaError: Always; says what to do instead.
        """
        hint = "a container of it runs 'jina executor --uses FILE'"
        raise JinaError("there is no export to Kubernetes or docker-compose here", hint=hint)

    to_k8s_yaml = to_docker_compose_yaml = to_kubernetes_yaml

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


_PLACE: Mapping[str, Any] = {
    "name": "",
    "shard_id": 0,
    "shards": 1,
    "replica_id": 0,
    "replicas": 1,
    "workspace": "",
    "allow_concurrent": False,
}


def attach(executor: Executor, given: Mapping[str, Any]) -> None:
    """Set what an Executor is told, over what it was told before."""
    state = vars(executor)
    cls = type(executor)
    metas = _namespace(state.get("metas"), {"name": cls.__name__}, given.get("metas"))
    runtime_args = _namespace(state.get("runtime_args"), _PLACE, given.get("runtime_args"))
    if given.get("workspace"):
        runtime_args.workspace = str(given["workspace"])
        if executor._folder is not None and str(executor._folder) != runtime_args.workspace:
            executor._folder = None  # it was given another one under `with`
    told = _namespace(None, {}, given.get("runtime_args"))
    executor._shard = str(getattr(told, "shard_id", executor._shard))
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
    executor.name = str(runtime_args.name or metas.name).partition("/")[0]
    executor.logger = ExecutorLogger(executor.name)


def _namespace(
    known: SimpleNamespace | None, defaults: Mapping[str, Any], given: Any
) -> SimpleNamespace:
    values = {**defaults, **(vars(known) if known is not None else {})}
    values.update(given if isinstance(given, Mapping) else vars(given) if given else {})
    return SimpleNamespace(**values)


def _cache_dir() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jina"
