"""Search anything by meaning, from one YAML file.

The public names are resolved when they are first used, so that `import jina_cli` costs
nothing and the command line stays instant.
"""

from jina_cli._version import __version__

TYPE_CHECKING = False  # importing typing would cost more than all the rest of this
if TYPE_CHECKING:
    from typing import Any

_PUBLIC = {
    "Executor": "jina_cli.executors.base",
    "requests": "jina_cli.executors.base",
    "Crafter": "jina_cli.executors.base",
    "Segmenter": "jina_cli.executors.base",
    "Encoder": "jina_cli.executors.base",
    "Indexer": "jina_cli.executors.base",
    "Ranker": "jina_cli.executors.base",
    "Evaluator": "jina_cli.executors.base",
    "ChunkRanker": "jina_cli.executors.base",
    "Classifier": "jina_cli.executors.base",
    "Fuser": "jina_cli.executors.base",
    "dynamic_batching": "jina_cli.executors.base",
    "monitor": "jina_cli.executors.base",
    "BaseDoc": "docarray",
    "DocList": "docarray",
    "Document": "jina_cli.documents.document",
    "DocumentBatch": "jina_cli.documents.batch",
    "Flow": "jina_cli.orchestrate.flow",
    "Deployment": "jina_cli.orchestrate.deployment",
    "AsyncClient": "jina_cli.client.client",
    "Client": "jina_cli.client.client",
    "Question": "jina_cli.client.client",
}

_STARTERS = {"AsyncClient", "Client", "Deployment", "Executor", "Flow"}
"""Whoever uses these may go on to import modules that are written against `jina`."""

__all__ = ["__version__"]
__all__ += list(_PUBLIC)


def __getattr__(name: str) -> "Any":
    if name in _PUBLIC:
        from importlib import import_module

        if name in _STARTERS:
            from jina_cli.executors.jina_names import install

            install()
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
