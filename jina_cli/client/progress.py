"""How far a long command is, on stderr: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

LINE_EVERY_S = 10.0


class Progress(Protocol):
    """Shows how many are done; used as a context manager."""

    def __enter__(self) -> Progress: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def advance(self, count: int) -> None:
        """Say that so many more are done."""
        ...


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def advance(self, count: int) -> None:
        return None


class Lines:
    """Writes a line every ten seconds, for logs."""

    def __init__(self, what: str, out: TextIO, *, every_s: float = LINE_EVERY_S) -> None:
        self._what = what
        self._out = out
        self._every_s = every_s
        self._done = 0
        self._started = self._said = time.monotonic()

    def __enter__(self) -> Lines:
        self._started = self._said = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def advance(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if now - self._said >= self._every_s:
            rate = self._done / (now - self._started)
            print(f"{self._what}: {self._done:,} ({rate:,.0f}/s)", file=self._out, flush=True)
            self._said = now


class Bar:
    """Draws one moving line, and takes it away at the end."""

    def __init__(self, what: str, out: TextIO, *, color: bool, noun: str = "documents") -> None:
        from rich.console import Console
        from rich.progress import Progress as RichProgress
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        # A terminal was found by the caller: colour is another matter.
        console = Console(file=out, force_terminal=True, no_color=not color, highlight=False)
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TextColumn(f"[bold]{{task.completed:,.0f}}[/] {noun}"),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
        )
        self._rich: RichProgress = RichProgress(*columns, console=console, transient=True)
        self._task: TaskID = self._rich.add_task(what, total=None, rate="")
        self._started = time.monotonic()
        self._done = 0

    def __enter__(self) -> Bar:
        self._started = time.monotonic()
        self._rich.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._rich.stop()

    def advance(self, count: int) -> None:
        self._done += count
        rate = self._done / max(time.monotonic() - self._started, 1e-9)
        self._rich.update(self._task, completed=self._done, rate=f"{rate:,.0f}/s")


def progress_on(
    what: str, *, shown: bool, color: bool, out: TextIO | None = None, noun: str = "documents"
) -> Progress:
    """Return the progress that suits a stream.

    Args:
        what: What is being done, `indexing`.
        shown: Whether anything may be shown at all.
        color: Whether colours may be used.
        out: stderr if None.
        noun: What is counted.
    """
    stream = sys.stderr if out is None else out
    if not shown:
        return Silent()
    if not stream.isatty():
        return Lines(what, stream)
    return Bar(what, stream, color=color, noun=noun)
