"""`from jina import Executor, requests`: the import name that Jina's users write.

It resolves to what we have, unless another package `jina` can be imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from jina_cli.errors import JinaError

_BASE = "jina_cli.executors.base:"
_EXECUTOR = {"BaseExecutor": _BASE + "Executor", "Executor": _BASE + "Executor"}
_DECORATORS = {name: _BASE + name for name in ("requests", "dynamic_batching", "monitor")}
_FLOW = {"Flow": "jina_cli.orchestrate.flow:Flow"}
_DEPLOYMENT = {"Deployment": "jina_cli.orchestrate.deployment:Deployment"}
_CLIENT = {"Client": "jina_cli.client.client:Client"}
_GATEWAY = {"Gateway": "jina_cli.executors.jina_names:Gateway"}
_RESPONSE = "jina_cli.client.response:Response"
_WRONG_SPEC = "jina_cli.errors:SpecInvalid"
_EXCEPTIONS = {
    "BaseJinaException": "jina_cli.errors:JinaError",
    "BadClient": "jina_cli.client.errors:BadClient",
    "BadClientCallback": "jina_cli.client.errors:BadClientCallback",
    "BadClientInput": "jina_cli.client.errors:BadClientInput",
    "BadConfigSource": _WRONG_SPEC,
    "BadRequestType": "jina_cli.client.errors:BadClientInput",
    "BadServer": "jina_cli.client.errors:BadServer",
    "BadServerFlow": "jina_cli.client.errors:BadServer",
    "BadYAMLVersion": _WRONG_SPEC,
    "EstablishGrpcConnectionError": "jina_cli.client.errors:ConnectionFailed",
    "ExecutorError": "jina_cli.client.errors:BadServer",
    "FlowBuildLevelError": _WRONG_SPEC,
    "FlowMissingDeploymentError": _WRONG_SPEC,
    "FlowTopologyError": _WRONG_SPEC,
    "InternalNetworkError": "jina_cli.client.errors:FlowUnavailable",
    "NotSupportedError": "jina_cli.errors:JinaError",
    "PortAlreadyUsed": "jina_cli.errors:Unreachable",
    "RuntimeFailToStart": "jina_cli.errors:PodFailed",
}
_ENUMS = {
    "GatewayProtocolType": "jina_cli.vocabulary:Protocol",
    "PollingType": "jina_cli.vocabulary:Polling",
    "ProtocolType": "jina_cli.vocabulary:Protocol",
}

_NAMES: Mapping[str, Mapping[str, str]] = {
    "jina": {
        **_EXECUTOR,
        **_DECORATORS,
        **_FLOW,
        **_DEPLOYMENT,
        **_CLIENT,
        **_GATEWAY,
        "ChunkRanker": _BASE + "ChunkRanker",
        "Classifier": _BASE + "Classifier",
        "Crafter": _BASE + "Crafter",
        "Encoder": _BASE + "Encoder",
        "Evaluator": _BASE + "Evaluator",
        "Fuser": _BASE + "Fuser",
        "Indexer": _BASE + "Indexer",
        "Ranker": _BASE + "Ranker",
        "Segmenter": _BASE + "Segmenter",
        "Document": "jina_cli.documents.document:Document",
        "DocumentBatch": "jina_cli.documents.batch:DocumentBatch",
        "DocumentArray": "docarray:DocList",
        "DocList": "docarray:DocList",
        "BaseDoc": "docarray:BaseDoc",
        "__version__": "jina_cli._version:__version__",
    },
    "jina._docarray": {
        "Document": "jina_cli.documents.document:Document",
        "DocumentArray": "docarray:DocList",
    },
    "jina.clients": _CLIENT,
    "jina.enums": _ENUMS,
    "jina.excepts": _EXCEPTIONS,
    "jina.helper": {"random_port": "jina_cli.orchestrate.ports:random_port"},
    "jina.logging": {},
    "jina.logging.logger": {"JinaLogger": "jina_cli.executors.logger:ExecutorLogger"},
    "jina.logging.predefined": {"default_logger": "jina_cli.executors.logger:default_logger"},
    "jina.orchestrate": {},
    "jina.orchestrate.deployments": _DEPLOYMENT,
    "jina.orchestrate.flow": {},
    "jina.orchestrate.flow.base": _FLOW,
    "jina.serve": {},
    "jina.serve.executors": _EXECUTOR,
    "jina.serve.executors.decorators": {**_DECORATORS, "write": _BASE + "write"},
    "jina.types": {},
    "jina.types.request": {"Request": _RESPONSE},
    "jina.types.request.data": {"DataRequest": _RESPONSE, "Response": _RESPONSE},
}
"""What the modules of that name offer: name → where it is."""

_ABSENT: Mapping[str, str] = {
    "AsyncFlow": "use Flow(asyncio=True)",
    "FastAPIBaseGateway": "the built-in Gateway serves HTTP: 'expose_endpoints' names its paths",
    "GatewayStreamer": "the built-in Gateway streams; use a Client to ask a Flow",
    "InferenceClient": "there is no cloud service here",
    "JAML": "use Flow.load_config and Flow.save_config",
    "get_or_reuse_loop": "use asyncio.get_running_loop()",
    "random_identity": "use uuid.uuid4().hex",
    "run_async": "use asyncio.run()",
}
"""Names of Jina that there is nothing for: name → what to do."""


_GATEWAYS = "there are no Gateways of one's own: put logic into an Executor"
_ELSEWHERE: Mapping[str, str] = {
    "jina.checker": "use Client.is_flow_ready()",
    "jina.exporter": "use 'jina export'",
    "jina.hubble": "there is no hub",
    "jina.importer": "use import, in a try statement",
    "jina.jaml": "use load_config() and save_config() of Flow, Deployment and Executor",
    "jina.parsers": "use Flow, Deployment and Client",
    "jina.proto": "'jina export proto' writes the .proto files",
    "jina.serve.gateway": _GATEWAYS,
    "jina.serve.networking": "use Client",
    "jina.serve.runtimes": _GATEWAYS,
    "jina.serve.streamer": _GATEWAYS,
    "jina.types.arrays": "use docarray.DocList",
    "jina.types.document": "use docarray.BaseDoc, or jina.Document",
}
"""Modules of Jina that there is nothing for: name → what to do."""


class NotOffered(JinaError, ImportError):
    """Code written for Jina asks for something that does not exist here."""

    code = "JNA918"


class Gateway:
    """Stands for Jina's class, so that files which import it can be imported.

    Raises:
        NotOffered: Something is derived from it: there are no Gateways of one's own.
    """

    def __init_subclass__(cls, **_: Any) -> None:
        raise NotOffered(
            f"{cls.__name__} is a Gateway of one's own, which there are none of here",
            hint="the built-in one speaks gRPC, HTTP and WebSocket: see 'protocol' of the Flow",
        )


class _Module(ModuleType):
    """A module whose names are looked up when they are first used."""

    def __init__(self, name: str, names: Mapping[str, str]) -> None:
        super().__init__(name, "Names of Jina that Executors and programs are written with.")
        self.__path__: list[str] = []
        self.__spec__ = ModuleSpec(name, None, is_package=True)
        self.__all__ = sorted(names)
        self._names = names

    def __getattr__(self, name: str) -> Any:
        if name in self._names:
            module, _, attribute = self._names[name].partition(":")
            return getattr(importlib.import_module(module), attribute)
        if name in _ABSENT:
            raise NotOffered(f"there is no {self.__name__}.{name} here", hint=_ABSENT[name])
        # No ImportError: others look in all modules for what they miss.
        raise AttributeError(f"module {self.__name__!r} has no {name!r} here")


class _Elsewhere:
    """The last of all finders: says of modules of Jina that they are not here, and what is."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return None for all modules but those of Jina.

        Raises:
            ModuleNotFoundError: It is one of Jina's.
        """
        if not name.startswith("jina."):
            return None
        hints = (hint for module, hint in _ELSEWHERE.items() if f"{name}.".startswith(f"{module}."))
        known = ", ".join(each for each in _NAMES if _NAMES[each])
        hint = next(hints, f"there are {known}")
        raise ModuleNotFoundError(f"there is no module {name!r} here: {hint}", name=name)


def install() -> bool:
    """Make the import name `jina` mean ours; return False where another one is installed."""
    if isinstance(sys.modules.get("jina"), _Module):
        return True
    if not _is_ours(importlib.util.find_spec("jina")):
        return False
    for name, names in _NAMES.items():
        module = _Module(name, names)
        sys.modules[name] = module
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], own, module)
    sys.meta_path.append(_Elsewhere)
    return True


def _is_ours(found: ModuleSpec | None) -> bool:
    """Say whether the name leads to nothing, to a mere folder or to the module we install."""
    if found is None or found.origin is None:
        return True
    path = Path(found.origin)
    return path.name == "jina.py" and __name__ in path.read_text("utf-8", "replace")
