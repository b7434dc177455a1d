"""One writer for each index, on the word of the operating system."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from jina_cli.errors import StorageFailed


class WriterLock:
    """The right to write into a directory, held until `release` or the end of the process.

    The lock is the system's, on an open file: it ends with its holder, however that ends,
    so there is never a stale one to clean up. The file stays behind and only names the
    last holder.

    Raises:
        StorageFailed: Another process holds it, whose pid is in the message, or the
            directory cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / "lock"
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageFailed(f"cannot write {path}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            raise StorageFailed(
                f"the index in {directory} is being written by process {holder or 'unknown'}",
                hint="stop it, or use another workspace; an index has one writer",
            ) from error
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            pass  # a full disk must not keep anybody from reading; only the pid is missing

    def release(self) -> None:
        os.close(self._file)
