"""One connection that carries frames: the part of `Server` and `Link` that touches a socket."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol, cast

from jina_cli.wire.budget import Budget
from jina_cli.wire.frames import BadFrame, Frame, FrameReader, Oversized
from jina_cli.wire.messages import Buffer

log = logging.getLogger(__name__)

HIGH_WATER_BYTES = 1024 * 1024
"""What may wait in the kernel's way before a connection stops writing."""

_CHUNK_BYTES = 256 * 1024
_EAGER_FRAMES = 16
"""So many frames are written without waiting for the end of the event loop's turn.

Of a large turn the peer can work on the first frames while we are busy with the last ones.
"""

_FEW_FRAMES = 4
_TURN_S = 0.005
"""How long the frames of one read may keep the event loop from others, if they are more."""

_MAX_PIECES = 512
"""Of one write; the kernel takes 1,024."""

_KEEPALIVE = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""A peer that vanished without a word is noticed within 50 s."""


class Side(Protocol):
    """What a connection tells who owns it. All calls come from the event loop."""

    def made(self, connection: Connection) -> None: ...

    def frame_received(self, connection: Connection, frame: Frame | Oversized) -> None:
        """Act on a frame; a `BadFrame` out of here ends the connection."""
        ...

    def lost(self, connection: Connection) -> None: ...


class Connection(asyncio.BufferedProtocol):
    """Frames over one socket.

    What is sent in one turn of the event loop is written at once; what answers frames while
    they are read, as soon as the last of them is. While the peer does not read, frames wait
    here, and are not sent; who sends must bound how many. Many frames that are read together are
    handed on a few milliseconds at a time, so that others have their turns in between.

    Args:
        side: Is told of frames, and of the beginning and end.
        max_bytes: The longest frame to take.
        throttles_reading: Read nothing while the peer does not read what it asked for. Of two
            peers only one may do so, or both could wait for the other.
        budget: Room for large frames is taken from it as soon as they begin to come, and
            belongs to who gets the frame.
    """

    def __init__(
        self,
        side: Side,
        max_bytes: int,
        *,
        throttles_reading: bool,
        budget: Budget | None = None,
    ) -> None:
        self._side = side
        self._budget = budget
        self._reader = FrameReader(max_bytes, None if budget is None else budget.take)
        self._throttles_reading = throttles_reading
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[int, Sequence[Buffer]]] = deque()
        self._received: deque[Frame | Oversized] = deque()
        self._is_paused = False
        self._moved = asyncio.Event()
        self._is_flush_due = False
        self._is_reading = False
        self._is_closing = False
        self._fd = -1

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._is_closing

    def send(self, id: int, parts: Sequence[Buffer], *, is_alone: bool = False) -> None:
        """Send a frame soon; on a connection that is over, it is dropped.

        Args:
            is_alone: Whether nothing else is under way here that another frame could come of:
                then there is no use in waiting for one.
        """
        self._waiting.append((id, parts))
        is_enough = (is_alone and not self._is_reading) or len(self._waiting) >= _EAGER_FRAMES
        if is_enough and not self._is_paused:
            self._flush()
        elif not self._is_flush_due and not self._is_reading:
            self._is_flush_due = True
            self._loop.call_soon(self._flush_in_time)

    def take_back(self, id: int) -> bool:
        """Drop the frames of an id that are not sent; False if there is none of them."""
        kept = [item for item in self._waiting if item[0] != id]
        found = len(kept) < len(self._waiting)
        self._waiting = deque(kept)
        return found

    def unsent(self) -> frozenset[int]:
        """Return the ids of frames of which no byte was given to the kernel."""
        return frozenset(id for id, _ in self._waiting)

    async def writable(self) -> None:
        """Return when the peer reads what it is sent, or the connection is over."""
        while self._is_paused and self.is_open:
            self._moved.clear()
            await self._moved.wait()

    def close(self) -> None:
        """Close after all that was sent has gone, also what waits for the peer to read."""
        if self._transport is not None and not self._is_closing:
            self._is_paused = False
            while self._waiting and not self._is_closing:
                self._flush()
                self._is_paused = False
            self._is_closing = True
            self._transport.close()

    def abort(self) -> None:
        """Close now."""
        self._is_closing = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        sock = transport.get_extra_info("socket")
        self._fd = -1 if sock is None else sock.fileno()
        _keep_alive(sock)
        self._side.made(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closing = True
        self._fd = -1
        self._moved.set()
        if self._budget is not None:
            self._budget.give(self._reader.held + sum(_held(frame) for frame in self._received))
            self._reader.held = 0
        self._received.clear()
        self._side.lost(self)
        self._transport = None

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._reader.get_buffer()

    def buffer_updated(self, nbytes: int) -> None:
        self._is_reading = True
        try:
            frames = self._reader.received(nbytes)
            if len(frames) > _FEW_FRAMES or self._received:
                self._received.extend(frames)
                self._take_turn()
            else:
                for frame in frames:
                    self._side.frame_received(self, frame)
        except BadFrame as error:
            self._refuse(error)
        finally:
            self._is_reading = False
            self._flush()

    def pause_writing(self) -> None:
        self._is_paused = True
        self._read_or_wait()

    def resume_writing(self) -> None:
        self._is_paused = False
        self._moved.set()
        self._flush()
        self._read_or_wait()

    def _take_turn(self) -> None:
        """Hand on frames that were read, as many as there is time for, and see to the rest."""
        received, end = self._received, time.perf_counter() + _TURN_S
        while received:
            self._side.frame_received(self, received.popleft())
            if received and time.perf_counter() > end:
                self._loop.call_soon(self._take_another_turn)
                break
        self._read_or_wait()

    def _take_another_turn(self) -> None:
        if not self.is_open:
            return
        self._is_reading = True
        try:
            self._take_turn()
        except BadFrame as error:
            self._refuse(error)
        finally:
            self._is_reading = False
            self._flush()

    def _refuse(self, error: BadFrame) -> None:
        log.warning("closed a connection: %s", error)
        self.abort()

    def _read_or_wait(self) -> None:
        """Read on, if what was read is dealt with and the peer reads its answers."""
        if self._transport is None or self._is_closing:
            return
        if self._received or (self._is_paused and self._throttles_reading):
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _flush_in_time(self) -> None:
        self._is_flush_due = False
        self._flush()

    def _flush(self) -> None:
        while self._waiting and self.is_open and not self._is_paused:
            parts: list[Buffer] = []
            size = 0
            while self._waiting and size < _CHUNK_BYTES and len(parts) < _MAX_PIECES:
                _, frame = self._waiting.popleft()
                parts.extend(frame)
                for part in frame:
                    size += len(part)
            self._write(parts, size)

    def _write(self, parts: list[Buffer], size: int) -> None:
        """Give bytes to the kernel now as far as it takes them, the rest to the transport.

        A transport of uvloop would keep all of them until the end of the turn.
        """
        transport = cast(asyncio.Transport, self._transport)
        written = 0
        if self._fd >= 0 and not transport.get_write_buffer_size():
            try:
                written = os.writev(self._fd, parts)
            except OSError:
                pass  # it takes nothing now, or is gone: the transport finds out which
        if written == size:
            return
        for part in parts:
            if written >= len(part):
                written -= len(part)
            else:
                transport.write(memoryview(part)[written:] if written else part)
                written = 0


def _held(frame: Frame | Oversized) -> int:
    return frame.held if isinstance(frame, Frame) else 0


def _keep_alive(sock: socket.socket | None) -> None:
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        # macOS names the first of them otherwise, and has its own defaults.
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
