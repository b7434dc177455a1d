"""`python -m jina_cli.runtime.install LAUNCH`: pip first, then the Pea itself in its place.

What an Executor's `requirements.txt` asks for is installed into the Python that runs it. This
process does it and then becomes the Pea: same pid, same pipes, and nothing that pip imported
is left. Whoever starts the Flow has allowed it; here nobody asks again.
"""

from __future__ import annotations

import fcntl
import json
import os
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from jina_cli.lifeline import FailedSaid, Launch, PhaseSaid, say
from jina_cli.plan.codec import from_json
from jina_cli.plan.models import ExecutorPlan, PeaPlan

REQUIREMENTS = "requirements.txt"

_QUIET = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")


def requirements_of(pea: PeaPlan) -> tuple[Path, ...]:
    """Return the `requirements.txt` of each Executor of a process, each once.

    It stands beside the file of the class, beside a module of it, or beside its YAML; the first
    one that is there counts.
    """
    found = (_beside(executor) for executor in _executors(pea))
    return tuple(dict.fromkeys(path for path in found if path is not None))


def main(argument: str) -> NoReturn:
    """Install what is asked for and become the Pea; end with 1 where pip fails."""
    launch = Launch.from_argument(argument)
    pea = from_json(PeaPlan, json.loads(Path(launch.plan_path).read_text("utf-8")))
    say(launch.control_fd, PhaseSaid(phase="install"))
    wanted = requirements_of(pea)
    if not wanted:
        print(f"there is no {REQUIREMENTS} beside the Executor", flush=True)
    # One after another: two pips in one environment break each other. It is let go with this
    # program, when it is the Pea.
    lock = os.open(Path(launch.plan_path).parent / "pip.lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    for path in wanted:
        failure = install(path)
        if failure:
            say(launch.control_fd, FailedSaid(kind="install", cause=failure))
            sys.exit(1)
    os.execv(sys.executable, [sys.executable, "-P", "-m", "jina_cli.runtime", argument])


def install(path: Path) -> str:
    """Let pip install a file of requirements in this process; return why it failed, or nothing."""
    sys.argv = ["pip", "install", *_QUIET, "-r", str(path)]
    try:
        runpy.run_module("pip", run_name="__main__", alter_sys=True)
    except ImportError as error:
        if error.name == "pip":
            return f"pip cannot install {path}: {sys.executable} has no pip"
        raise
    except SystemExit as end:
        if end.code:
            return f"pip could not install {path}, and said why above (exit code {end.code})"
    return ""


def _executors(pea: PeaPlan) -> Iterator[ExecutorPlan]:
    held = [pea.executor, *(each.executor for each in pea.fused)]
    if pea.head is not None:
        held += [pea.head.before, pea.head.after]
    for executor in held:
        if executor is not None:
            yield from executor.components or (executor,)


def _beside(executor: ExecutorPlan) -> Path | None:
    names = [executor.uses.rpartition(":")[0], *executor.py_modules]
    folders = [Path(name).parent for name in names if os.path.isabs(name)]
    if executor.source_dir:
        folders.append(Path(executor.source_dir))
    places = (folder / REQUIREMENTS for folder in folders)
    return next((place for place in places if place.is_file()), None)


if __name__ == "__main__":
    main(sys.argv[1])
