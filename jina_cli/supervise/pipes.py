"""The pipes on which one child is heard: what it says, and what it prints."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence

from jina_cli.lifeline import Said, from_line

_CHUNK = 2**16
CONTROL = "control"


class ChildPipes:
    """Read ends of the pipes of one process, watched by the event loop.

    They are read in bounded pieces, a piece a turn, so that a child that floods one cannot
    keep the loop from the others.

    Args:
        heard: Called with each event on the control pipe.
        printed: Called with the name of any other pipe and what came out of it.
        ended: Called once all of them have reached their end.
    """

    def __init__(
        self,
        *,
        heard: Callable[[Said], None],
        printed: Callable[[str, bytes], None],
        ended: Callable[[], None],
    ) -> None:
        self._heard = heard
        self._printed = printed
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._open: dict[str, int] = {}
        self._line = bytearray()

    @property
    def is_open(self) -> bool:
        """Whether any of them may still bring something."""
        return bool(self._open)

    def inodes(self) -> frozenset[int]:
        """Return what names those that are not at their end, also in other processes."""
        return frozenset(os.fstat(descriptor).st_ino for descriptor in self._open.values())

    def open(self, names: Sequence[str]) -> dict[str, int]:
        """Return the write ends by name; whoever gets them closes them.

        Raises:
            OSError: There are too many open files; none of these stays open.
        """
        write_ends: dict[str, int] = {}
        try:
            for name in names:
                read_end, write_ends[name] = os.pipe2(os.O_CLOEXEC)
                self.watch(name, read_end)
        except OSError:
            self.close()
            for descriptor in write_ends.values():
                os.close(descriptor)
            raise
        return write_ends

    def watch(self, name: str, read_end: int) -> None:
        """Read a pipe that is there already; it is closed here from now on."""
        os.set_blocking(read_end, False)
        self._open[name] = read_end
        self._loop.add_reader(read_end, self._read, name)

    def close(self) -> None:
        """Read no more."""
        for name in tuple(self._open):
            self._close(name)

    def _close(self, name: str) -> None:
        descriptor = self._open.pop(name)
        self._loop.remove_reader(descriptor)
        os.close(descriptor)

    def _read(self, name: str) -> None:
        try:
            data = os.read(self._open[name], _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(name)
            if not self._open:
                self._ended()
        elif name == CONTROL:
            self._hear(data)
        else:
            self._printed(name, data)

    def _hear(self, data: bytes) -> None:
        self._line += data
        *lines, self._line = self._line.split(b"\n")
        for line in lines:
            try:
                said = from_line(bytes(line))
            except (ValueError, TypeError):
                continue  # user code wrote into a descriptor that is not its own
            self._heard(said)
        del self._line[:-_CHUNK]
