"""What goes out of an HTTP/2 connection: frames, and bodies as far as the client has room."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jina_cli.serve.http2 import frames
from jina_cli.serve.http2.frames import Code
from jina_cli.wire.messages import Buffer

if TYPE_CHECKING:
    from jina_cli.serve.http2.stream import Stream


class Outgoing:
    """The side of a connection that its streams and its owner see.

    Args:
        wake: Called when there are bytes in `out`, once until they are taken.

    Attributes:
        out: Bytes to be sent.
        streams: Those that are open, by id.
        pending: Bytes that wait until the client gives room for them.
        sent: Bytes of bodies that were sent; tells whether a client reads at all.
        is_paused: Whether the network takes no more; set by the owner, see `resume`.
        is_over: Whether the connection is to be closed once `out` is written.
        awaits_ping: Whether the client has not answered a ping.
        window_out: Bytes of all bodies together that the client has room for.
        peer_frame_bytes: The longest frame that it takes.
        table_update: What the next block of headers is to begin with.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._blocked: dict[Stream, None] = {}
        self._greeted = False
        self._last_id = 0
        self._is_leaving = False
        self.window_out = frames.DEFAULT_WINDOW
        self.peer_frame_bytes = frames.DEFAULT_FRAME_BYTES
        self.table_update = b""
        self.out: list[Buffer] = []
        self.streams: dict[int, Stream] = {}
        self.pending = 0
        self.sent = 0
        self.is_paused = False
        self.is_over = False
        self.awaits_ping = False

    def emit(self, data: Buffer) -> None:
        """Send bytes soon."""
        if not self.out:
            self._wake()
        self.out.append(data)

    def fail(self, code: Code, text: str) -> None:
        """Tell the peer why, and end the connection with all its streams."""
        if not self.is_over:
            # A peer that speaks something else could not read it.
            if self._greeted:
                self.emit(frames.goaway(self._last_id, code, text))
            self.is_over = True
            self._wake()
            self.lost()

    def leave(self) -> None:
        """Take no new streams, and end when those that are open have ended."""
        if not self._is_leaving and not self.is_over:
            self._is_leaving = True
            if self._greeted:
                self.emit(frames.goaway(self._last_id, Code.NO_ERROR))
            self._end_if_done()

    def lost(self) -> None:
        """There is no connection any more; or there will soon be none."""
        self.is_over = True
        self._blocked.clear()
        streams, self.streams = self.streams, {}
        for stream in streams.values():
            stream.is_over = True
            stream.drop()
            if stream.receiver is not None:
                stream.receiver.lost()

    def ping(self) -> None:
        """Ask whether the peer is there; see `awaits_ping`."""
        self.awaits_ping = True
        self.emit(frames.ping(b"jinaping", ack=False))

    def resume(self) -> None:
        """The network takes bytes again."""
        self.is_paused = False
        self._pump()

    # What streams ask of their connection.

    def room_for(self, stream: Stream) -> int:
        """Return how long a frame of this stream may be now."""
        if self.is_paused:
            return 0
        return min(stream.window_out, self.window_out, self.peer_frame_bytes)

    def block(self, stream: Stream) -> None:
        """Have a stream send what it can, now and when there is room for more."""
        self._blocked[stream] = None
        self._pump()

    def forget(self, stream: Stream) -> None:
        """A stream has ended."""
        self.streams.pop(stream.id, None)
        self._blocked.pop(stream, None)
        if self._is_leaving:
            self._end_if_done()

    def _end_if_done(self) -> None:
        if not self.streams and not self.is_over:
            self.is_over = True
            self._wake()

    def _pump(self) -> None:
        """Let streams that wait send in turns, until none can."""
        before, moved = self.pending, True
        while moved and self._blocked:
            moved = False
            for stream in list(self._blocked):
                # Who was told that it may send on may have made others send, and end.
                if stream not in self._blocked:
                    continue
                left = stream.pending
                if not stream.pump():
                    self._blocked.pop(stream, None)
                moved = moved or stream.pending < left
        self.sent += before - self.pending
