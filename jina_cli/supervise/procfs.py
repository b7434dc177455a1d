"""What the system knows of processes: who lives, since when, and who holds a port.

Read from `/proc`. Where there is none (macOS) the answers are the poorer ones of `os.kill`.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_LISTEN = "0A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A line of the table of processes.

    Attributes:
        start: Clock ticks from boot to its start; with `pid` it names a process for good.
        zombie: Whether it is dead and only waits to be reaped.
    """

    pid: int
    parent: int
    group: int
    session: int
    start: int
    zombie: bool


def process(pid: int) -> Process | None:
    """Return what is known of a process, or None if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The second field is the name in brackets, and may hold spaces and brackets itself.
    fields = text[text.rindex(")") + 2 :].split()
    return Process(
        pid=pid,
        zombie=fields[0] in "ZX",
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        start=int(fields[19]),
    )


def processes() -> Iterator[Process]:
    """Yield all processes there are now."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in names:
        if name.isdecimal() and (found := process(int(name))) is not None:
            yield found


def start_of(pid: int) -> int:
    """Return the start time of a process in clock ticks; 0 if there is none."""
    found = process(pid)
    return found.start if found else 0


def is_same(pid: int, start: int) -> bool:
    """Return whether this very process still runs; a pid alone may be somebody else's by now."""
    found = process(pid)
    return found is not None and found.start == start and not found.zombie


def members(leaders: Collection[int]) -> dict[int, list[int]]:
    """Return the living processes of each leader's session and group, however deep.

    One that left the group stays in the session, unless it founded one of its own.
    """
    found: dict[int, list[int]] = {}
    for each in processes() if leaders else ():
        for leader in {each.session, each.group}.intersection(leaders):
            if not each.zombie:
                found.setdefault(leader, []).append(each.pid)
    return found


def children_of(pid: int) -> list[Process]:
    """Return the children of a process, dead ones that nobody reaped included."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        lists = [Path(f"/proc/{pid}/task/{task}/children").read_text("ascii") for task in tasks]
    except OSError:  # not in every kernel
        return [found for found in processes() if found.parent == pid]
    children = (process(int(child)) for text in lists for child in text.split())
    return [child for child in children if child is not None]


def set_subreaper(on: bool) -> None:
    """Make this process the parent of all orphans below it, so that it can reap them."""
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return  # orphans go to the system's first process, as everywhere
    prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(on), 0, 0, 0)


def holder_of(port: int) -> str:
    """Return who listens on a TCP port, `python (pid 1234)`; empty if it cannot be known."""
    sockets = {f"socket:[{inode}]" for inode in _listeners(port)}
    if not sockets:
        return ""
    for name in filter(str.isdecimal, os.listdir("/proc")):
        if any(target in sockets for target in _open_files(name)):
            return f"{_name_of(name)} (pid {name})"
    return ""


def _listeners(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _open_files(pid: str) -> Iterator[str]:
    folder = f"/proc/{pid}/fd"
    try:
        for number in os.listdir(folder):
            yield os.readlink(f"{folder}/{number}")
    except OSError:
        return


def _name_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
    except OSError:
        return "a process"
