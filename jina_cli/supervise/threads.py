"""How many threads the numeric libraries of each Pea may use."""

from __future__ import annotations

import os
from collections.abc import Mapping

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_MAX_THREADS",
)
"""What OpenMP, the BLAS libraries and numexpr read when they are loaded."""


def thread_limits(peas: int, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that share the processors out among `peas` processes.

    Left alone, every process takes as many threads as there are processors, and they spend
    their time waiting for each other: two encoders on two processors were ten times slower.
    What `environ` already says is left alone.
    """
    share = max(1, _processors() // max(1, peas))
    return {name: str(share) for name in VARIABLES if name not in environ}


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
