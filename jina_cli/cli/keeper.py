"""The process that `jina flow` becomes once it knows what to run: it stays, so it is small.

Reading options and YAML takes libraries that are of no use to a Flow that runs. So the command
replaces itself (`become`): same process, same terminal, same signals, a third of the memory.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import BinaryIO, NoReturn, cast

from jina_cli.plan.codec import from_json, to_json
from jina_cli.plan.models import Plan
from jina_cli.supervise.spawn import Warming

_HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that come while one program makes way for the other wait for it."""


_UNUSED = ("ssl", "_hashlib")
"""Modules that asyncio and hashlib use where they are there. They take two megabytes and a good
part of the time to start; whoever keeps a Flow speaks to its own children alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """All that is needed to stay with a Flow.

    Attributes:
        words: The command line after `jina`, for `ps` and for messages.
        ready_fd: Where one line of JSON goes when the Flow is ready; None for nowhere.
        log_format: `text` or `json`.
        shown: Pods whose logs are shown; None for all.
        is_quiet: Whether nothing but logs and errors is said.
        warming: The spawner, if it was started already.
    """

    plan: Plan
    words: tuple[str, ...]
    exit_on: str = "failure"
    exit_code_from: str = ""
    grace_s: float = 30.0
    ready_within_s: float | None = None
    deregister_s: float = 0.0
    ready_fd: int | None = None
    log_format: str = "text"
    prefix: bool = True
    colour: bool = False
    align: bool = False
    shown: tuple[str, ...] | None = None
    is_quiet: bool = False
    warming: Warming | None = None


def become(keeping: Keeping) -> NoReturn:
    """Replace this process by the keeper of a Flow."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    if keeping.ready_fd is not None:
        os.set_inheritable(keeping.ready_fd, True)
    if keeping.warming is not None:
        keeping.warming.set_inheritable(True)
    with _nameless_file() as file:
        file.write(json.dumps(to_json(keeping)).encode())
        file.seek(0)
        os.set_inheritable(file.fileno(), True)
        sys.stdout.flush()
        sys.stderr.flush()
        # The words are not read again: they are there for whoever looks at `ps`.
        own = [sys.executable, "-P", "-m", __name__, str(file.fileno())]
        os.execv(sys.executable, [*own, *keeping.words])


def _nameless_file() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("jina"), "w+b")
    from tempfile import TemporaryFile

    return TemporaryFile()


def keep(keeping: Keeping) -> int:
    """Run the Flow in the foreground, and return the exit code."""
    _do_without(_UNUSED)
    import asyncio

    from jina_cli.supervise.flow_machine import ExitOn
    from jina_cli.supervise.foreground import Foreground, stay
    from jina_cli.supervise.options import Options
    from jina_cli.supervise.running import Recipe
    from jina_cli.supervise.sinks import Render, Stream, plain_renderer, render_json

    def note(text: str) -> None:
        if not keeping.is_quiet:
            print(text, file=sys.stderr, flush=True)

    names = [pea.name for pea in (keeping.plan.gateway, *keeping.plan.peas)]
    render: Render = render_json
    if keeping.log_format == "text":
        render = plain_renderer(
            names, colour=keeping.colour, prefix=keeping.prefix, align=keeping.align
        )
    how = Foreground(
        sink=Stream(sys.stdout.fileno(), render, shown=keeping.shown),
        options=Options(
            exit_on=ExitOn(keeping.exit_on),
            grace_s=keeping.grace_s,
            ready_within_s=keeping.ready_within_s,
            is_lasting=True,
            recipe=Recipe(deregister_s=keeping.deregister_s),
            warming=keeping.warming,
        ),
        note=note,
        ready_fd=keeping.ready_fd,
        exit_code_from=keeping.exit_code_from,
        held=_HELD,
    )
    return asyncio.run(stay(keeping.plan, how))


def _do_without(modules: Sequence[str]) -> None:
    """Make modules look as if they were not installed, unless they are in use."""
    for name in modules:
        sys.modules.setdefault(name, cast(ModuleType, None))


def main(arguments: Sequence[str]) -> int:
    """Be what `become` made of the command, and return the exit code."""
    with os.fdopen(int(arguments[0]), "rb") as file:
        keeping = from_json(Keeping, json.load(file))
    if keeping.ready_fd is not None:
        os.set_inheritable(keeping.ready_fd, False)
    if keeping.warming is not None:
        keeping.warming.set_inheritable(False)
    try:
        return keep(keeping)
    except BaseException as error:
        from jina_cli.cli.failures import end_of

        return end_of(error, keeping.words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
