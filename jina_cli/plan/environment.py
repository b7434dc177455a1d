"""What the processes of a Flow find around them: variables, GPUs, the root of workspaces."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from jina_cli.errors import UsageError
from jina_cli.plan.gpus import VISIBLE, count_devices, deal, is_round_robin
from jina_cli.spec.models import FlowSpec, PodSpec

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

EARLY = re.compile(
    r"(?:BLIS|CUDA|DYLD|GOTO|GRPC|HIP|JAX|KMP|LD|MALLOC|MKL|NUMEXPR|NVIDIA|OMP|OPENBLAS|ROCR"
    r"|TF|VECLIB|XLA)_.*|PYTHON.*|.*_NUM_THREADS|GLIBC_TUNABLES|TMPDIR|TZ|LANG|LC_.*"
)
"""Variables that are read when a library is loaded, so that later is too late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What holds for all Pods of a Flow.

    Attributes:
        env: The Flow's variables for its processes.
        workspace: Root of the workspaces, absolute.
        is_workspace_given: Whether the YAML names that root; then it goes before what an
            Executor's own `metas` say, as in Jina.
        inherited_gpus: `CUDA_VISIBLE_DEVICES` of the parent.
        devices: How many GPUs there are.
        log_level: From which level on processes log.
    """

    env: Mapping[str, str]
    workspace: str
    is_workspace_given: bool
    inherited_gpus: str
    devices: int
    log_level: str

    @classmethod
    def of(cls, flow: FlowSpec, environ: Mapping[str, str], workspace: Path) -> Self:
        return cls(
            env=flow.env,
            workspace=os.path.abspath(flow.workspace or workspace),
            is_workspace_given=flow.workspace is not None,
            inherited_gpus=environ.get(VISIBLE, ""),
            devices=count_devices(environ),
            log_level=log_level_of(environ),
        )


def log_level_of(environ: Mapping[str, str]) -> str:
    """Return from which level on processes log: `JINA_LOG_LEVEL`, `INFO` if it is not set.

    Raises:
        UsageError: It is no level.
    """
    level = environ.get("JINA_LOG_LEVEL", "").upper() or "INFO"
    if level not in LOG_LEVELS:
        hint = f"take one of {', '.join(LOG_LEVELS)}"
        raise UsageError(f"JINA_LOG_LEVEL is {level!r}, which is no level", hint=hint)
    return level


def env_of(pod: PodSpec, replica: int, around: Surroundings) -> dict[str, str]:
    """Return the variables of one replica: the Flow's, then the Pod's, then its GPU."""
    env = {**around.env, **pod.env}
    gpus = env.get(VISIBLE, around.inherited_gpus)
    if is_round_robin(gpus):
        env[VISIBLE] = deal(gpus, pod.replicas, around.devices)[replica]
    return env


def is_forkable(env: Mapping[str, str]) -> bool:
    """Whether a process with these variables may start from libraries already loaded."""
    return not any(EARLY.fullmatch(name) for name in env)
