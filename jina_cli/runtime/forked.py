"""What a process that user code forks off a Pea must not keep of it.

One that becomes a daemon outlives its Pea. With the Pea's connections in its hands nobody
would notice that the Pea is gone, and whoever connects next might wait for it.
"""

from __future__ import annotations

import os
import socket
import stat

_STANDARD = 3


def let_go_after_fork(address: str, death_fd: int) -> None:
    """From now on children that are forked from this process do not hold its connections.

    The control pipe they keep: by it the parent knows whose they are.

    Args:
        address: Where this Pea listens, `unix:/path`.
        death_fd: Read end of the death pipe.
    """
    path = address.removeprefix("unix:")
    os.register_at_fork(after_in_child=lambda: _let_go(path, death_fd))


def _let_go(path: str, death_fd: int) -> None:
    try:
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
        numbers = [int(name) for name in os.listdir(folder)]
    except OSError:
        return
    for number in numbers:
        if number >= _STANDARD and (number == death_fd or _is_of(number, path)):
            # Replaced, not closed: objects of this process still close these numbers one day.
            os.dup2(nothing, number, inheritable=False)
    os.close(nothing)


def _is_of(number: int, path: str) -> bool:
    """Return whether a descriptor is the socket that listens at `path`, or accepted by it."""
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            return False
        held = socket.socket(fileno=os.dup(number))
    except OSError:
        return False
    with held:
        try:
            return held.family == socket.AF_UNIX and held.getsockname() == path
        except OSError:
            return False
