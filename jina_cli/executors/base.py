"""All that an Executor is written with."""

from __future__ import annotations

from jina_cli.executors.creation import Surroundings, create
from jina_cli.executors.endpoints import ExecutorInvalid, dynamic_batching, requests, write
from jina_cli.executors.executor import Executor
from jina_cli.executors.families import (
    Crafter,
    Encoder,
    Evaluator,
    Family,
    Indexer,
    Ranker,
    Segmenter,
)
from jina_cli.executors.timings import monitor

__all__ = [
    "Crafter",
    "Encoder",
    "Evaluator",
    "Executor",
    "ExecutorInvalid",
    "Family",
    "Indexer",
    "Ranker",
    "Segmenter",
    "Surroundings",
    "create",
    "dynamic_batching",
    "monitor",
    "requests",
    "write",
]
