"""Events that a server sends one after another (`text/event-stream`), cut out of bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


class EventTooLong(ValueError):
    """An event has more bytes than are taken."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    name: str
    data: bytes


class EventReader:
    """Cut what arrives into events; lines may end in CR LF, LF or CR.

    Args:
        max_bytes: Of one event.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = b""
        self._name = "message"
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Event]:
        """Yield the events that `data` completes.

        Raises:
            EventTooLong: One is over the limit.
        """
        lines = (self._rest + data).replace(b"\r\n", b"\n").split(b"\n")
        self._rest = lines.pop()
        if self._size + len(self._rest) > self._max_bytes:
            raise EventTooLong
        for line in lines:
            event = self._line(line.rstrip(b"\r"))
            if event is not None:
                yield event

    def _line(self, line: bytes) -> Event | None:
        if not line:
            event = Event(self._name, b"\n".join(self._data))
            wanted = bool(self._data) or self._name != "message"
            self._name, self._data, self._size = "message", [], 0
            return event if wanted else None
        self._size += len(line)
        if self._size > self._max_bytes:
            raise EventTooLong
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"data":
            self._data.append(value)
        return None
