"""One stream of a connection, as who answers it sees it: what may be sent, what may be read."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from jina_cli.serve.http2.frames import (
    DATA,
    Code,
    frame_head,
    header_frames,
    rst_stream,
    window_update,
)
from jina_cli.wire.messages import Buffer

if TYPE_CHECKING:
    from jina_cli.serve.http2.outgoing import Outgoing

_TOGETHER_BYTES = 16 * 1024
"""Parts of an answer up to this size are copied into one; larger ones are sent as they are."""

_COPIED_BYTES = 4 * 1024

QUANTUM_BYTES = 64 * 1024
"""What one of several streams that wait may send before the next one's turn."""


class Receiver(Protocol):
    """Takes in what a client sends on one stream."""

    def received(self, data: bytes, ended: bool) -> None:
        """Take more of the body; `ended` with the last of it, which may be empty.

        Who has taken data says so with `Stream.consume`, or no more of it will come.
        """
        ...

    def lost(self) -> None:
        """The stream is over, by the client or with its connection; nothing can be sent."""
        ...

    def writable(self) -> None:
        """All that waited to be sent has been."""
        ...


class Stream:
    """One request and its answer.

    Attributes:
        pending: Bytes of the answer that the client gave no room for yet.
        is_over: Whether nothing can be sent any more.
        is_read: Whether the client has said all.
    """

    __slots__ = (
        "_connection",
        "_consumed",
        "_queue",
        "_room",
        "_trailers",
        "id",
        "is_over",
        "is_read",
        "pending",
        "receiver",
        "window_in",
        "window_out",
    )

    def __init__(self, connection: Outgoing, id: int, window_in: int, window_out: int) -> None:
        self._connection = connection
        self.id = id
        self.window_in = window_in
        self.window_out = window_out
        self._room = window_in
        self._consumed = 0
        self._queue: deque[memoryview] | None = None
        self._trailers: bytes | None = None
        self.receiver: Receiver | None = None
        self.pending = 0
        self.is_over = False
        self.is_read = False

    @property
    def backlog(self) -> int:
        """Bytes that wait on all streams of the connection."""
        return self._connection.pending

    def consume(self, size: int) -> None:
        """Let the client send as many bytes more, which were taken in."""
        self._consumed += size
        if self._consumed * 2 >= self._room and not self.is_read and not self.is_over:
            self._connection.emit(window_update(self.id, self._consumed))
            self.window_in += self._consumed
            self._consumed = 0

    def widen(self, room: int) -> None:
        """Let the client be up to `room` bytes ahead from now on; never less than before."""
        if room > self._room and not self.is_read and not self.is_over:
            self._consumed += room - self._room
            self._room = room
            self.consume(0)

    def send_head(self, block: bytes) -> None:
        """Send the response's headers."""
        if not self.is_over:
            self._connection.emit(self._headers(block, end=False))

    def send(self, parts: Sequence[Buffer]) -> None:
        """Send more of the body, now or as the client gives room."""
        if self.is_over:
            return
        size = sum(map(len, parts))
        if self._fits(size):
            self._connection.emit(self._framed(parts, size))
            return
        self._enqueue(parts, size)

    def finish(self, block: bytes) -> None:
        """Send the trailers, after all else; the stream is over then."""
        if self.is_over:
            return
        self.is_over = True
        if self._queue:
            self._trailers = block
        else:
            self._end(block)

    def answer(self, head: bytes, parts: Sequence[Buffer], trailers: bytes) -> None:
        """Send a whole response, as `send_head`, `send` and `finish` would."""
        if self.is_over:
            return
        size = sum(map(len, parts))
        if not self._fits(size) or size > _TOGETHER_BYTES:
            self.send_head(head)
            self.send(parts)
            self.finish(trailers)
            return
        self.is_over = True
        framed = self._headers(head, end=False) + self._framed(parts, size)
        self._connection.emit(framed + self._headers(trailers, end=True))
        self._close()

    def refuse(self, block: bytes) -> None:
        """Send a response that has headers alone."""
        if not self.is_over:
            self.is_over = True
            self._end(block)

    def reset(self, code: Code) -> None:
        """End the stream now; what waits to be sent is dropped."""
        self.is_over = True
        self.drop()
        self._connection.emit(rst_stream(self.id, code))
        self._connection.forget(self)

    def drop(self) -> None:
        """Drop what waits to be sent."""
        self._connection.pending -= self.pending
        self.pending = 0
        self._queue = None

    def pump(self) -> bool:
        """Send some of what waits; return whether some of it cannot be sent now."""
        connection, queue = self._connection, self._queue
        sent = 0
        while queue:
            if sent >= QUANTUM_BYTES:
                return True
            room = connection.room_for(self)
            if room <= 0:
                return True
            chunk = queue.popleft()
            if len(chunk) > room:
                queue.appendleft(chunk[room:])
                chunk = chunk[:room]
            self._emit(chunk)
            self.pending -= len(chunk)
            connection.pending -= len(chunk)
            sent += len(chunk)
        self._queue = None
        if self._trailers is not None:
            self._end(self._trailers)
        elif self.receiver is not None:
            self.receiver.writable()
        return bool(self._queue)

    def _fits(self, size: int) -> bool:
        return not self._queue and size <= self._connection.room_for(self)

    def _enqueue(self, parts: Sequence[Buffer], size: int) -> None:
        if self._queue is None:
            self._queue = deque()
        self._queue.extend(memoryview(part) for part in parts if len(part))
        self.pending += size
        self._connection.pending += size
        self._connection.block(self)

    def _framed(self, parts: Sequence[Buffer], size: int) -> bytes:
        """Return a DATA frame, and take its bytes off the windows."""
        self.window_out -= size
        self._connection.window_out -= size
        return b"".join((frame_head(size, DATA, 0, self.id), *parts))

    def _emit(self, chunk: memoryview) -> None:
        """Send a DATA frame, without a copy of a long one."""
        size = len(chunk)
        if size < _COPIED_BYTES:
            self._connection.emit(self._framed((chunk,), size))
            return
        self._connection.emit(self._framed((), size))
        self._connection.emit(chunk)

    def _headers(self, block: bytes, *, end: bool) -> bytes:
        connection = self._connection
        if connection.table_update:
            block, connection.table_update = connection.table_update + block, b""
        limit = connection.peer_frame_bytes
        return header_frames(self.id, block, end=end, max_bytes=limit)

    def _end(self, block: bytes) -> None:
        self._connection.emit(self._headers(block, end=True))
        self._close()

    def _close(self) -> None:
        if not self.is_read:
            # The client need not send the rest of its request.
            self._connection.emit(rst_stream(self.id, Code.NO_ERROR))
        self._connection.forget(self)
        # It knows this stream, too: a circle of each call would be left to the collector.
        self.receiver = None
