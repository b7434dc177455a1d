"""Where log lines go: a terminal, a pipe, files; none of them can hold up the supervisor."""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from jina_cli.supervise.logs import LogLine

MAX_WAITING_BYTES = 4 * 2**20
"""Text that may wait for a slow terminal; more lines are counted and dropped."""

MAX_FILE_BYTES = 10 * 2**20
KEPT_FILES = 3
_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


class LogSink(Protocol):
    """Takes log lines; must return at once."""

    def write(self, line: LogLine) -> None: ...

    def close(self) -> None: ...


class Quiet:
    """Takes log lines and drops them; what a failing Pea wrote last is kept elsewhere."""

    def write(self, line: LogLine) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


Render = Callable[[LogLine], str]


def plain_renderer(
    names: Sequence[str], *, colour: bool = False, prefix: bool = True, align: bool = False
) -> Render:
    """Return what makes a line of text of a log line: `encode/rep-0 | WARNING: it is slow`.

    Args:
        names: All names that may come, for the width of the prefix and its colours.
        align: Whether prefixes are filled up to the same width.
    """
    width = max(map(len, names), default=0) if align else 0
    # Peas of one Pod have the same colour.
    pods = list(dict.fromkeys(name.partition("/")[0] for name in names))
    colours = {pod: _COLOURS[place % len(_COLOURS)] for place, pod in enumerate(pods)}

    def render(line: LogLine) -> str:
        text = line.text if line.level in ("", "INFO") else f"{line.level}: {line.text}"
        if not prefix:
            return text
        name = line.pea.ljust(width)
        if colour:
            number = colours.get(line.pea.partition("/")[0], 0)
            return f"\x1b[{number}m{name} |\x1b[0m {text}"
        return f"{name} | {text}"

    return render


def render_json(line: LogLine) -> str:
    """Return a log line as one object of the schema `jina.log/1`."""
    time = datetime.fromtimestamp(line.time, UTC).isoformat(timespec="milliseconds")
    data = {
        "schema": "jina.log/1",
        "time": time.replace("+00:00", "Z"),
        "pod": line.pea.partition("/")[0],
        "pea": line.pea,
        "stream": line.stream,
        "level": line.level or None,
        "logger": line.logger or None,
        "message": line.text,
    }
    return json.dumps(data, ensure_ascii=False)


class Stream:
    """Writes rendered lines to a descriptor from a thread of its own.

    A terminal that is stopped with Ctrl-S, or a reader that is slow, then holds up nobody.
    When the reader is gone, lines are dropped in silence: the Flow goes on.

    Args:
        shown: Pods whose lines are written; None for all.
    """

    def __init__(self, fd: int, render: Render, *, shown: Collection[str] | None = None) -> None:
        self._fd = fd
        self._render = render
        self._shown = None if shown is None else frozenset(shown)
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0
        self._closed = False
        self._changed = threading.Condition()
        self._writer = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._writer.start()

    def write(self, line: LogLine) -> None:
        """Queue a line, or count it as dropped where too much waits already."""
        if self._shown is not None and line.pea.partition("/")[0] not in self._shown:
            return
        data = (self._render(line) + "\n").encode("utf-8", "replace")
        with self._changed:
            if self._bytes + len(data) > MAX_WAITING_BYTES:
                self._dropped += 1
                return
            self._waiting.append(data)
            self._bytes += len(data)
            self._changed.notify()

    def close(self, timeout_s: float = 1.0) -> None:
        """Write what waits, if that is quick."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._writer.join(timeout_s)

    def _run(self) -> None:
        while data := self._next():
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                continue  # somebody made it non-blocking: drop rather than spin
            except OSError:
                return  # the reader is gone

    def _next(self) -> bytes:
        """Return all that waits as one piece; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            data = b"".join(self._waiting)
            if self._dropped:
                data += f"{self._dropped} lines dropped: the reader is too slow\n".encode()
            self._waiting.clear()
            self._bytes = self._dropped = 0
            return data


@dataclass(slots=True)
class LogFile:
    """The file of one Pea, with its predecessors beside it: `encode.log`, `encode.log.1`…

    What cannot be written is dropped: a full disk must not end the Flow.
    """

    path: Path
    max_bytes: int = MAX_FILE_BYTES
    _fd: int | None = None
    _size: int = 0

    def write(self, line: LogLine) -> None:
        """Append a line, into a new file if this one is full."""
        time = datetime.fromtimestamp(line.time, UTC).isoformat(timespec="milliseconds")
        level = f" {line.level}" if line.level else ""
        data = f"{time.replace('+00:00', 'Z')}{level} {line.text}\n".encode("utf-8", "replace")
        try:
            if self._fd is None:
                self._open()
            elif self._size + len(data) > self.max_bytes:
                self._rotate()
            assert self._fd is not None, "opened above"
            self._size += os.write(self._fd, data)
        except OSError:
            return

    def reopen(self) -> None:
        """Close it; the next line opens what is at its path by then."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _open(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._fd = os.open(self.path, flags, 0o600)
        self._size = os.fstat(self._fd).st_size

    def _rotate(self) -> None:
        self.reopen()
        for number in range(KEPT_FILES - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            newer = self.path.with_name(f"{self.path.name}.{number - 1}")
            source = newer if number > 1 else self.path
            if source.exists():
                source.replace(older)
        self._open()


@dataclass(slots=True)
class LogFiles:
    """One file for each Pea in a folder; slashes in names become dots."""

    folder: Path
    _files: dict[str, LogFile] = field(default_factory=dict)

    def write(self, line: LogLine) -> None:
        """Append a line to the file of its Pea."""
        if line.pea not in self._files:
            path = self.folder / f"{line.pea.replace('/', '.')}.log"
            self._files[line.pea] = LogFile(path)
        self._files[line.pea].write(line)

    def reopen(self) -> None:
        """Have all files opened again, after somebody moved them away."""
        for file in self._files.values():
            file.reopen()

    def close(self) -> None:
        """Close all files."""
        self.reopen()
