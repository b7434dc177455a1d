"""What the scripts share: how a report begins, and how a script ends that cannot go on."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

INTERRUPTED, TERMINATED, CANNOT = 130, 143, 2


class BenchFailed(RuntimeError):
    """What was to be measured did not work; the message says what, and what to do."""


def head(bench: str, passes: int) -> dict[str, object]:
    """Return what every report says of its run.

    Args:
        bench: Of `matrix`, `search`, `bulk`: by it `table.py` knows a report.
    """
    return {
        "schema": "jina.bench/1",
        "bench": bench,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": machine(),
        "python": platform.python_version(),
        "passes": passes,
    }


def machine() -> str:
    """Return cores, processor and system, in words."""
    return f"{os.cpu_count()} cores, {_processor()}, {platform.system()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def medians(loads: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each figure over the passes."""
    return {name: round(statistics.median(load[name] for load in loads), 4) for name in loads[0]}


def need(tool: str) -> None:
    """Check that a command can be run.

    Raises:
        BenchFailed: It cannot.
    """
    if shutil.which(tool) is None:
        raise BenchFailed(f"{tool} is not on the PATH; install it, or put its folder there")


def run(main: Callable[[], int]) -> NoReturn:
    """End the process as `main` says; a failure and Ctrl-C are told in one line.

    SIGTERM unwinds as Ctrl-C does, so that what was started is ended either way. Where a shell
    had SIGINT ignored, servers would inherit that, and not end by it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted; all that was started has ended", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except (BenchFailed, FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(CANNOT)
