"""How many files the parent of a Flow may have open: as many as it needs, or it does not start."""

from __future__ import annotations

import resource

from jina_cli.errors import JinaError

_OWN = 12
_EACH = 8
"""Pipes and sockets of one process, and those that are on their way to it."""

_PLENTY = 4096


def make_room(processes: int) -> None:
    """Raise this process's limit of open files, as far as it may, for so many processes.

    Raises:
        JinaError: It may not have enough of them.
    """
    needed = _OWN + _EACH * processes
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(needed, _PLENTY)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        except (OSError, ValueError):  # the system has a bound of its own
            allowed = soft
    if allowed < needed:
        raise JinaError(
            f"{processes} processes need about {needed} open files, and only {allowed} are allowed",
            hint="raise the limit with ulimit -n",
        )
