"""`from jina import Executor, requests` where no package of that name is installed.

Executors are written against the import name `jina`. In a Pea it resolves to what we have,
unless a real package `jina` can be imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from jina_cli.errors import JinaError

_NAMES: Mapping[str, Mapping[str, str]] = {
    "jina": {
        "Executor": "jina_cli.executors.base:Executor",
        "requests": "jina_cli.executors.base:requests",
        "dynamic_batching": "jina_cli.executors.base:dynamic_batching",
        "monitor": "jina_cli.executors.base:monitor",
        "Crafter": "jina_cli.executors.base:Crafter",
        "Encoder": "jina_cli.executors.base:Encoder",
        "Evaluator": "jina_cli.executors.base:Evaluator",
        "Indexer": "jina_cli.executors.base:Indexer",
        "Ranker": "jina_cli.executors.base:Ranker",
        "Segmenter": "jina_cli.executors.base:Segmenter",
        "Document": "jina_cli.documents.document:Document",
        "DocumentBatch": "jina_cli.documents.batch:DocumentBatch",
        "DocumentArray": "docarray:DocList",
        "DocList": "docarray:DocList",
        "BaseDoc": "docarray:BaseDoc",
        "Client": "jina_cli.client.client:Client",
        "Flow": "jina_cli.executors.jina_names:Flow",
        "Deployment": "jina_cli.executors.jina_names:Deployment",
        "__version__": "jina_cli._version:__version__",
    },
    "jina.serve": {},
    "jina.serve.executors": {
        "BaseExecutor": "jina_cli.executors.base:Executor",
        "Executor": "jina_cli.executors.base:Executor",
    },
    "jina.serve.executors.decorators": {
        "requests": "jina_cli.executors.base:requests",
        "dynamic_batching": "jina_cli.executors.base:dynamic_batching",
        "monitor": "jina_cli.executors.base:monitor",
        "write": "jina_cli.executors.base:write",
    },
    "jina.logging": {},
    "jina.logging.logger": {"JinaLogger": "jina_cli.executors.logger:ExecutorLogger"},
}
"""What the modules of that name offer: name → where it is."""


class Flow:
    """A name that files with Executors often import beside them; here it starts nothing.

    Raises:
        NotHere: Always; Flows are started by `jina flow`.
    """

    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotHere(type(self).__name__)


class Deployment(Flow):
    """As `Flow`."""


class NotHere(JinaError):
    """A process of a Flow is asked to start a Flow."""

    code = "JNA915"

    def __init__(self, name: str) -> None:
        super().__init__(f"a {name} cannot be started inside an Executor", hint="use 'jina flow'")


class _Module(ModuleType):
    """A module whose names are looked up when they are first used."""

    def __init__(self, name: str, names: Mapping[str, str]) -> None:
        super().__init__(name, "Names of Jina that Executors are written with.")
        self.__path__: list[str] = []
        self.__all__ = sorted(names)
        self._names = names

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            raise AttributeError(f"module {self.__name__!r} has no {name!r} here")
        module, _, attribute = self._names[name].partition(":")
        return getattr(importlib.import_module(module), attribute)


def install() -> bool:
    """Make the import name `jina` mean ours; return False where a real one is installed."""
    if "jina" in sys.modules:
        return isinstance(sys.modules["jina"], _Module)
    found = importlib.util.find_spec("jina")
    if found is not None and found.origin is not None:  # a mere folder `jina` has no origin
        return False
    for name, names in _NAMES.items():
        module = _Module(name, names)
        sys.modules[name] = module
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], own, module)
    return True
