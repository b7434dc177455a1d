"""ONNX networks: how they are opened, and with how many threads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jina_cli.errors import InputMissing
from jina_cli.extras import need


class BadModel(ValueError):
    """A file is no ONNX network, or not one of the kind that is needed."""


def threads_for(executor_args: Any, threads: int = 0) -> int:
    """Return how many threads a network gets in one Pea.

    The replicas of a Pod work side by side, so each has its share of the cores that this
    process may use: more threads than cores only wait for each other.

    Args:
        executor_args: `Executor.runtime_args`.
        threads: What the user says; 0 for that share.
    """
    if threads > 0:
        return threads
    side_by_side: int = executor_args.replicas * executor_args.shards
    return max(1, _cores() // max(1, side_by_side))


def open_session(path: Path, *, threads: int, what: str, arena: bool = True) -> Any:
    """Return an `onnxruntime.InferenceSession` on the processor.

    Threads that have nothing to do sleep: by default they spin, and take the time of the
    other Peas on the machine.

    Args:
        path: The `.onnx` file.
        threads: That work on one call.
        what: Who needs it, for the error.
        arena: Whether memory is kept for the next call: of inputs of many sizes that grows to
            gigabytes.

    Raises:
        MissingExtra: The extra `neural` is not installed.
        InputMissing: There is no such file.
        BadModel: It is no ONNX network.
    """
    runtime = need("onnxruntime", "neural", what=what)
    if not path.is_file():
        raise InputMissing(f"the model {path} of {what} is not there")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = options.enable_mem_pattern = arena
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library's own, of several modules and versions
        raise BadModel(f"{path} cannot be loaded: {str(error).splitlines()[0]}") from error


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1
