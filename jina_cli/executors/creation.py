"""How an Executor is made, and what it is told of the place it runs in."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from jina_cli.executors.endpoints import ExecutorInvalid
from jina_cli.executors.executor import CONTEXT, Executor, attach
from jina_cli.nearest import nearest

E_ = TypeVar("E_", bound=Executor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where an Executor runs, as it is told.

    Attributes:
        name: Of its Pea, `encode/rep-0`, or its Pod.
        workspace: Its folder; empty for one by its name, in the user's cache.
        metas: As the YAML has them.
        requests: Endpoint → method or Drivers, over the class's own.
        dynamic_batching: Endpoint → `{preferred_batch_size, timeout}`.
        allow_concurrent: Whether its methods may be called by several threads at once.
        by_hand: What `runtime_args` are, where no Flow says them.
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
    by_hand: Mapping[str, Any] | None = None

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
        }
        return {
            "metas": dict(self.metas),
            "requests": dict(self.requests),
            "runtime_args": runtime_args if self.by_hand is None else dict(self.by_hand),
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
        named.update(CONTEXT)
    keywords = {name: value for name, value in arguments.items() if name in named}
    keywords.update(with_)
    instance = cls.__new__(cls)
    _check_keywords(cls, signature, keywords, with_)
    instance._folder = Path(surroundings.workspace) if surroundings.workspace else None
    attach(instance, arguments)
    instance.__init__(**keywords)  # type: ignore[misc]
    return instance


def _takes_any(signature: inspect.Signature) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())


def _check_keywords(
    cls: type[Executor],
    signature: inspect.Signature,
    keywords: Mapping[str, Any],
    with_: Mapping[str, Any],
) -> None:
    own = [name for name, p in signature.parameters.items() if p.kind in _NAMED][1:]
    own = [name for name in own if name not in CONTEXT]
    takes = f"it takes {', '.join(own)}" if own else "it takes none"
    for name in with_:
        unknown = name not in own and name not in CONTEXT
        if unknown and (cls.__init__ is Executor.__init__ or not _takes_any(signature)):
            near = nearest(name, own)
            hint = f"{takes}; did you mean {near!r}?" if near else takes
            raise ExecutorInvalid(f"{cls.__name__} takes no argument {name!r}", hint=hint)
    for name, parameter in list(signature.parameters.items())[1:]:
        is_needed = parameter.kind in _NAMED and parameter.default is parameter.empty
        if is_needed and name not in keywords:
            near = nearest(name, [n for n in with_ if n not in own])
            hint = "give it under 'uses_with'" + (f", not as {near!r}" if near else "")
            raise ExecutorInvalid(f"{cls.__name__} needs the argument {name!r}", hint=hint)


_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
