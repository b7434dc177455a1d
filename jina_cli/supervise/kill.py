"""Signals to processes that may be gone by now, and orphans that are nobody else's to reap."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection
from pathlib import Path

from jina_cli.lifeline import PEA_MARK
from jina_cli.supervise.procfs import Process, children_of

MARK = "JINA_FLOW"
"""Variable in the environment of all processes of a Flow; inherited by whatever they start."""


def send(pid: int, signum: int) -> None:
    """Send SIGKILL to the whole group of a process, any other signal to it alone."""
    if signum != signal.SIGKILL:
        send_one(pid, signum)
        return
    try:
        os.killpg(pid, signum)
    except ProcessLookupError:
        send_one(pid, signum)  # so young that it does not lead its group yet
    except PermissionError:
        return


def send_one(pid: int, signum: int) -> None:
    """Send a signal to one process; one that is gone is no error."""
    try:
        os.kill(pid, signum)
    except (ProcessLookupError, PermissionError):
        return


def reap_orphans(own: Collection[int]) -> None:
    """Reap dead processes that came to us when their parents died.

    Args:
        own: Children that we started and reap elsewhere.
    """
    for child in _foreign():
        if child.zombie and child.pid not in own:
            try:
                os.waitpid(child.pid, os.WNOHANG)
            except ChildProcessError:
                continue


def kill_strays(mark: str) -> bool:
    """Kill orphans of a Flow that came to us, reap them, and say if there were any.

    One that left its session and its parent is still known by the mark it was born with.
    """
    strays = [child.pid for child in _foreign() if not child.zombie and _has(child.pid, mark)]
    for pid in strays:
        send_one(pid, signal.SIGKILL)
    reap_orphans(())
    return bool(strays)


def strays_of(pea: str, pipes: Collection[int], own: Collection[int]) -> list[int]:
    """Return orphans of one Pea that left its session: marked as its, or with a pipe of its.

    Args:
        pea: Its name.
        pipes: Inodes of its pipes; whoever was forked off it without an exec holds one.
        own: Children that we started; they are no orphans.
    """
    found = (each.pid for each in _foreign() if not each.zombie and each.pid not in own)
    return [pid for pid in found if _has(pid, pea, PEA_MARK) or _holds(pid, pipes)]


def _foreign() -> list[Process]:
    """Return children in other sessions; those in ours were not started by us as Peas."""
    session = os.getsid(0)
    return [child for child in children_of(os.getpid()) if child.session != session]


def _has(pid: int, mark: str, name: str = MARK) -> bool:
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return f"{name}={mark}".encode() in environ.split(b"\0")


def _holds(pid: int, pipes: Collection[int]) -> bool:
    folder, wanted = f"/proc/{pid}/fd", {f"pipe:[{inode}]" for inode in pipes}
    try:
        numbers = os.listdir(folder) if wanted else []
    except OSError:
        return False
    for number in numbers:
        try:
            if os.readlink(f"{folder}/{number}") in wanted:
                return True
        except OSError:
            continue
    return False
