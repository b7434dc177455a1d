"""The class that every Executor derives from, and how one is made."""

from __future__ import annotations

import difflib
import inspect
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, TypeVar

from jina_cli.executors.endpoints import (
    Batching,
    ExecutorInvalid,
    batching_from,
    batching_of,
    endpoints_of,
    marks_of,
    method_of,
)

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
        runtime_args: `name`, `shard_id`, `shards`, `replica_id`, `replicas`, `workspace`.
        name: Name of the Pod it runs in; else of the class.
        logger: Its lines carry the name of the Pea.
    """

    metas: SimpleNamespace
    requests: dict[str, Any]
    runtime_args: SimpleNamespace
    dynamic_batching: dict[str, Any]
    name: str
    logger: logging.Logger

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        instance = super().__new__(cls)
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

    def arguments(self) -> dict[str, Any]:
        """Return this under the names of the constructor's arguments."""
        runtime_args = {
            "name": self.name,
            "workspace": self.workspace,
            "shard_id": self.shard_id,
            "shards": self.shards,
            "replica_id": self.replica_id,
            "replicas": self.replicas,
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
    """Return how requests are grouped, by endpoint; the YAML's word over the decorator's."""
    cls = type(executor)
    found: dict[str, Batching] = {}
    for endpoint, name in executor.requests.items():
        batching = batching_of(getattr(cls, name, None)) if isinstance(name, str) else None
        if batching is not None:
            found[endpoint] = batching
    for endpoint, data in executor.dynamic_batching.items():
        found[endpoint] = batching_from(data, f"dynamic_batching of {cls.__name__} on {endpoint}")
    return found


def _attach(executor: Executor, given: Mapping[str, Any]) -> None:
    """Set what an Executor is told, over what it was told before."""
    state = vars(executor)
    cls = type(executor)
    metas = _namespace(state.get("metas"), {"name": cls.__name__}, given.get("metas"))
    place = {"name": "", "shard_id": 0, "shards": 1, "replica_id": 0, "replicas": 1}
    runtime_args = _namespace(
        state.get("runtime_args"), {**place, "workspace": ""}, given.get("runtime_args")
    )
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
    executor.logger = logging.getLogger(executor.name)


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
