"""All that an Executor is written with."""

from __future__ import annotations

from jina_cli.executors.creation import Surroundings, create
from jina_cli.executors.endpoints import ExecutorInvalid, dynamic_batching, requests, write
from jina_cli.executors.executor import Executor
from jina_cli.executors.families import (
    ChunkRanker,
    Classifier,
    Crafter,
    Encoder,
    Evaluator,
    Family,
    Fuser,
    Indexer,
    Ranker,
    Segmenter,
)
from jina_cli.executors.timings import monitor

__all__ = [
    "ChunkRanker",
    "Classifier",
    "Crafter",
    "Encoder",
    "Evaluator",
    "Executor",
    "ExecutorInvalid",
    "Family",
    "Fuser",
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
