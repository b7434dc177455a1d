"""The bytes of a file that a user or a YAML file names: never endless, never waited for."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

MAX_BYTES = 16 * 2**20
"""At most this much is read of one file."""

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


class NotAFile(OSError):
    """There is something at the path, and no file; `strerror` says what."""


def kind_at(path: Path) -> str:
    """Return what is at a path that is no file, `a pipe`; empty for a file, or for nothing."""
    try:
        return _KINDS.get(stat.S_IFMT(path.stat().st_mode), "")
    except (OSError, ValueError):
        return ""


def read_start(path: Path) -> bytes:
    """Return a file, or `MAX_BYTES` + 1 of one that is larger.

    Raises:
        NotAFile: It is a pipe, a device, a socket or a folder: such may have no end.
        OSError: It cannot be read.
    """
    # A pipe that nobody writes to would else be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        kind = _KINDS.get(stat.S_IFMT(os.fstat(descriptor).st_mode))
        if kind:
            raise NotAFile(errno.EINVAL, f"it is {kind}, not a file", str(path))
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
