"""A Pea (or a Gateway) that does as it is told: real processes for tests of the supervisor.

What it does stands in `with_` of its `ExecutorPlan`, as shell-like steps under `do`:

    say ready | say failed KIND CAUSE | say phase NAME | print TEXT | stderr TEXT | flood N
    env NAME            print how long the variable is
    exit N | raise TEXT | segfault | hang | ignore SIGTERM
    child COMMAND…      a child in its group
    daemon COMMAND…     a grandchild in a session of its own, whose parent has ended
    once PATH STEP…     the rest of the line only if PATH is not there yet; makes it
    write PATH TEXT     append a line
    serve               wait for SIGTERM, say drain, do the rest and end with 0
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from jina_cli.lifeline import (
    DrainSaid,
    FailedSaid,
    Launch,
    PhaseSaid,
    ReadySaid,
    log_to_parent,
    say,
    watch_death,
)


def run(launch: Launch) -> int:
    """Be the stand-in; return its exit code."""
    plan = json.loads(Path(launch.plan_path).read_text("utf-8"))
    over = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda signum, frame: over.set())
    log_to_parent()
    watch_death(launch.death_fd, over.set)
    executor = plan["executor"] or {}
    for step in executor.get("with_", {}).get("do", ["say ready", "serve"]):
        code = _do(step, launch, over)
        if code is not None:
            return code
    return 0


def _do(step: str, launch: Launch, over: threading.Event) -> int | None:  # noqa: PLR0912
    verb, _, rest = step.partition(" ")
    match verb:
        case "say":
            say(launch.control_fd, _said(rest.split(" ", 2), launch))
        case "print":
            print(rest, flush=True)
        case "stderr":
            print(rest, file=sys.stderr, flush=True)
        case "flood":
            for number in range(int(rest)):
                os.write(1, b"line %d\n" % number)
        case "env":
            print(len(os.environ[rest]), flush=True)
        case "exit":
            os._exit(int(rest))
        case "raise":
            raise ValueError(rest)
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "ignore":
            signal.signal(signal.Signals[rest], signal.SIG_IGN)
        case "hang":
            while True:
                signal.pause()
        case "child":
            subprocess.Popen(rest, shell=True)
        case "daemon":
            subprocess.run(f"setsid {rest} & ", shell=True, check=True)
        case "once":
            path, _, inner = rest.partition(" ")
            if not Path(path).exists():
                Path(path).touch()
                return _do(inner, launch, over)
        case "serve":
            over.wait()
            say(launch.control_fd, DrainSaid(pending=0))
        case "write":
            path, _, text = rest.partition(" ")
            with Path(path).open("a") as file:
                file.write(f"{text}\n")
        case _:
            raise AssertionError(f"no step {step!r}")
    return None


def _said(words: list[str], launch: Launch) -> Any:
    match words:
        case ["ready"]:
            return ReadySaid(addresses={"fds": ",".join(sorted(launch.listen_fds))})
        case ["phase", name]:
            return PhaseSaid(phase=name)
        case ["failed", kind, cause]:
            return FailedSaid(kind=kind, cause=cause, place="executor.py:12")
        case _:
            raise AssertionError(f"nothing to say: {words}")


if __name__ == "__main__":
    sys.exit(run(Launch.from_argument(sys.argv[1])))
