"""What children print, made fit to be shown: lines of bounded length that cannot do harm.

Pure: bytes and times in, `LogLine`s out. Where they go is decided in `sinks`.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from jina_cli.lifeline import LOG_MARK

MAX_LINE_BYTES = 16 * 1024
TAIL_LINES = 20

MAX_LINES_A_SECOND = 20_000
"""Of one Pea. More are counted and dropped: the parent must stay able to hear signals."""

_CUT = " … (line cut)"
_MARK = LOG_MARK.encode()
_COLOURS = re.compile("\x1b\\[[0-9;:]*m")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of one child.

    Attributes:
        pea: Who wrote it; the Flow's name for what the supervisor says itself.
        stream: `stdout`, `stderr`, `log` (a record of the `logging` module) or `flow`.
        text: Without line end and control characters. A traceback is in lines of its own.
        time: Seconds since 1970.
        level: `INFO`, `WARNING`…; empty where it is just output.
        logger: Name of the logger; empty where it is just output.
    """

    pea: str
    stream: str
    text: str
    time: float
    level: str = ""
    logger: str = ""


def harmless(text: str) -> str:
    """Return text that does nothing to a terminal: colours go, other controls are spelt out."""
    plain = _COLOURS.sub("", text)
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", plain)


@dataclass(slots=True)
class LineReader:
    """Cuts what one stream of one child writes into lines.

    A line longer than `MAX_LINE_BYTES` is cut there and its rest is forgotten, so that output
    without a line end cannot fill memory.
    """

    pea: str
    stream: str
    _rest: bytearray = field(default_factory=bytearray)
    _is_cut: bool = False

    def feed(self, data: bytes, now: float) -> Iterator[LogLine]:
        """Yield the lines that are complete with `data`."""
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._keep(data[start:end])
            yield from self._line(now)
            start = end + 1
        self._keep(data[start:])

    def end(self, now: float) -> Iterator[LogLine]:
        """Yield what stands without a line end at the end of the stream."""
        if self._rest:
            yield from self._line(now)

    def _keep(self, part: bytes) -> None:
        room = MAX_LINE_BYTES - len(self._rest)
        self._is_cut = self._is_cut or len(part) > room
        self._rest += part[:room]

    def _line(self, now: float) -> Iterator[LogLine]:
        data, is_cut = bytes(self._rest), self._is_cut
        self._rest.clear()
        self._is_cut = False
        if data.startswith(_MARK) and not is_cut and (record := _record(data[1:])) is not None:
            yield from self._lines_of(record, now)
            return
        text = harmless(data.decode("utf-8", "replace").rstrip("\r").replace(LOG_MARK, ""))
        cut = _CUT if is_cut else ""
        yield LogLine(pea=self.pea, stream=self.stream, text=text + cut, time=now)

    def _lines_of(self, record: dict[str, Any], now: float) -> Iterator[LogLine]:
        texts = [str(record.get("message", ""))]
        if "traceback" in record:
            texts.append(str(record["traceback"]))
        time = record.get("time")
        for text in "\n".join(texts).split("\n"):
            yield LogLine(
                pea=self.pea,
                stream="log",
                text=harmless(text),
                time=float(time) if isinstance(time, int | float) else now,
                level=harmless(str(record.get("level", ""))),
                logger=harmless(str(record.get("logger", ""))),
            )


def _record(data: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(data)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


@dataclass(slots=True)
class PeaLog:
    """All that one Pea writes, over all of its processes.

    Args:
        pea: Its name.
        write: Called with each line.

    Attributes:
        tail: The last lines of the process that runs, oldest first.
    """

    pea: str
    write: Callable[[LogLine], None]
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))
    _readers: dict[str, LineReader] = field(default_factory=dict)
    _second: int = 0
    _lines: int = 0
    _dropped: int = 0

    def begin(self) -> None:
        """Forget the last lines: another process starts."""
        self.tail.clear()
        self._readers.clear()

    def feed(self, stream: str, data: bytes, now: float) -> None:
        """Take what the process wrote; `now` in seconds since 1970."""
        if int(now) != self._second:
            self._tell_dropped(now)
            self._second, self._lines = int(now), 0
        if self._lines > MAX_LINES_A_SECOND:
            self._dropped += data.count(b"\n")
            return
        reader = self._readers.setdefault(stream, LineReader(self.pea, stream))
        for line in reader.feed(data, now):
            self._lines += 1
            self._write(line)

    def end(self, now: float) -> None:
        """Write what is left: the process has ended."""
        for reader in self._readers.values():
            for line in reader.end(now):
                self._write(line)
        self._tell_dropped(now)

    def _write(self, line: LogLine) -> None:
        self.tail.append(line.text)
        self.write(line)

    def _tell_dropped(self, now: float) -> None:
        if self._dropped:
            text = f"{self._dropped} lines dropped: more than {MAX_LINES_A_SECOND} a second"
            self._dropped = 0
            line = LogLine(pea=self.pea, stream="flow", text=text, time=now, level="WARNING")
            self.write(line)
