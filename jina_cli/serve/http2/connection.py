"""An HTTP/2 connection of a server, without its socket: bytes in, calls and bytes out.

What a peer may do is bounded here: the frames and headers that are taken, the streams that are
open, and how many frames it may send that lead to nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from jina_cli.serve.http2 import frames
from jina_cli.serve.http2.blocks import BlockReader, Fields, Head
from jina_cli.serve.http2.frames import Code, Fault, StreamFault
from jina_cli.serve.http2.outgoing import Outgoing
from jina_cli.serve.http2.stream import Receiver, Stream

log = logging.getLogger(__name__)

_UNPACK = frames.HEAD.unpack_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client may ask for.

    Attributes:
        window: Bytes of one stream that may come before any was consumed.
        connection_window: The same of all streams together; given back as they come.
        frame_bytes: The longest frame.
        header_bytes: All headers of a request, packed, and as HPACK counts them.
        streams: Open at a time.
        noise: Frames without any use between two calls of `Connection.quieten`.
    """

    window: int = 256 * 1024
    connection_window: int = 16 * 2**20
    frame_bytes: int = 64 * 1024
    header_bytes: int = 64 * 1024
    streams: int = 1024
    noise: int = 5000


class Connection(Outgoing, Generic[Head]):
    """What one client and we have said to each other.

    Args:
        accept: Takes a new request: its stream, what `interpret` made of its headers, and
            whether that is all of it. Returns who takes the body.
        interpret: As in `BlockReader`.
        wake: Called when there are bytes in `out`, once until they are taken.
    """

    def __init__(
        self,
        accept: Callable[[Stream, Head, bool], Receiver],
        interpret: Callable[[Fields], Head],
        wake: Callable[[], None],
        limits: Limits,
    ) -> None:
        super().__init__(wake)
        self._accept = accept
        self._limits = limits
        self._reader = BlockReader(interpret, limits.header_bytes)
        self._rest = bytearray()
        self._needed = len(frames.PREFACE)
        self._unfinished: tuple[int, int, bytearray] | None = None
        self._noise = 0
        self._received = 0
        self._window_in = limits.connection_window
        self._peer_window = frames.DEFAULT_WINDOW

    @property
    def is_greeted(self) -> bool:
        """Whether the client has sent its preface."""
        return self._greeted

    def start(self) -> None:
        """Say what a client may do here."""
        limits = self._limits
        offered = {
            frames.MAX_CONCURRENT_STREAMS: limits.streams,
            frames.INITIAL_WINDOW_SIZE: limits.window,
            frames.MAX_FRAME_SIZE: limits.frame_bytes,
            frames.MAX_HEADER_LIST_SIZE: limits.header_bytes,
        }
        more = limits.connection_window - frames.DEFAULT_WINDOW
        self.emit(frames.settings(offered) + frames.window_update(0, more))

    def receive(self, data: bytes) -> None:
        """Act on what came; whatever it is, nothing is raised."""
        try:
            self._take(data)
        except Fault as fault:
            self.fail(fault.code, str(fault))
        except Exception:
            log.exception("a connection failed in the Gateway")
            self.fail(Code.INTERNAL_ERROR, "")

    def quieten(self) -> None:
        """Forget the noise so far; called at a steady pace."""
        self._noise = 0

    def _take(self, data: bytes) -> None:
        if self._rest or not self._greeted:
            self._rest += data
            if not self._greeted:
                self._check_preface()
            if len(self._rest) < self._needed:
                return
            data = bytes(self._rest)
            self._rest.clear()
        place, size = 0, len(data)
        if not self._greeted:
            self._greeted = True
            place = len(frames.PREFACE)
        while size - place >= frames.HEAD_BYTES and not self.is_over:
            high, low, kind, flags, id = _UNPACK(data, place)
            length = high << 8 | low
            if length > self._limits.frame_bytes:
                raise Fault(Code.FRAME_SIZE_ERROR, f"a frame of {length} bytes")
            start = place + frames.HEAD_BYTES
            if start + length > size:
                self._needed = frames.HEAD_BYTES + length
                break
            place = start + length
            try:
                self._frame(kind, flags, id & frames.MAX_WINDOW, data[start:place])
            except StreamFault as fault:
                self._end_stream(fault)
        else:
            self._needed = frames.HEAD_BYTES
        if place < size:
            self._rest += data[place:]

    def _check_preface(self) -> None:
        if not self._rest.startswith(frames.PREFACE[: len(self._rest)]):
            raise Fault(Code.PROTOCOL_ERROR, "speaks no HTTP/2")

    def _frame(self, kind: int, flags: int, id: int, payload: bytes) -> None:
        if self._unfinished is not None:
            self._continuation(kind, flags, id, payload)
        elif kind == frames.DATA:
            self._data(flags, id, payload)
        elif kind == frames.HEADERS:
            self._headers(flags, id, payload)
        elif kind == frames.WINDOW_UPDATE:
            self._window_update(id, payload)
        else:
            self._rare(kind, flags, id, payload)

    def _rare(self, kind: int, flags: int, id: int, payload: bytes) -> None:
        self._make_noise()
        match kind:
            case frames.SETTINGS:
                self._settings(flags, id, payload)
            case frames.PING:
                _expect(id == 0 and len(payload) == 8)
                if flags & frames.ACK:
                    self.awaits_ping = False
                else:
                    self.emit(frames.ping(payload, ack=True))
            case frames.RST_STREAM:
                _expect(len(payload) == 4 and 0 < id <= self._last_id)
                stream = self.streams.get(id)
                if stream is not None:
                    self._drop(stream)
            case frames.GOAWAY:
                _expect(id == 0 and len(payload) >= 8)
                self._is_leaving = True
                self._end_if_done()
            case frames.PRIORITY:
                _expect(len(payload) == 5 and id > 0)
            case frames.PUSH_PROMISE | frames.CONTINUATION:
                raise Fault(Code.PROTOCOL_ERROR, "a frame out of place")
            case _:
                pass  # kinds that are not known are to be ignored

    def _data(self, flags: int, id: int, payload: bytes) -> None:
        length = len(payload)
        self._count(length)
        if flags & frames.PADDED:
            payload = frames.unpadded(payload, flags)
        stream = self.streams.get(id)
        if stream is None:
            _expect(0 < id <= self._last_id)
            # It was sent before the client knew that the stream has ended.
            self._make_noise()
            return
        if stream.is_read:
            raise StreamFault(id, Code.STREAM_CLOSED)
        stream.window_in -= length
        if stream.window_in < 0:
            raise StreamFault(id, Code.FLOW_CONTROL_ERROR)
        if length > len(payload):
            stream.consume(length - len(payload))
        ended = bool(flags & frames.END_STREAM)
        if not payload and not ended:
            self._make_noise()
            return
        stream.is_read = ended
        assert stream.receiver is not None
        stream.receiver.received(payload, ended)

    def _count(self, length: int) -> None:
        """Take bytes off the connection's window, and give them back now and then.

        What they fill is bounded stream by stream.
        """
        self._received += length
        if self._received > self._window_in:
            raise Fault(Code.FLOW_CONTROL_ERROR, "more than the window of the connection")
        if self._received * 2 >= self._window_in:
            self.emit(frames.window_update(0, self._received))
            self._received = 0

    def _headers(self, flags: int, id: int, payload: bytes) -> None:
        payload = frames.unpadded(payload, flags)
        if flags & frames.HAS_PRIORITY:
            _expect(len(payload) >= 5)
            payload = payload[5:]
        _expect(id % 2 == 1)
        if not flags & frames.END_HEADERS:
            self._unfinished = (id, flags, bytearray(payload))
            return
        self._block(id, flags, payload)

    def _continuation(self, kind: int, flags: int, id: int, payload: bytes) -> None:
        assert self._unfinished is not None
        first_id, first_flags, block = self._unfinished
        _expect(kind == frames.CONTINUATION and id == first_id)
        self._make_noise()
        block += payload
        if len(block) > self._limits.header_bytes:
            raise Fault(Code.ENHANCE_YOUR_CALM, "too many headers")
        if flags & frames.END_HEADERS:
            self._unfinished = None
            self._block(id, first_flags, bytes(block))

    def _block(self, id: int, flags: int, block: bytes) -> None:
        ended = bool(flags & frames.END_STREAM)
        if id <= self._last_id:
            self._trailers(id, ended, block)
            return
        self._last_id = id
        head = self._reader.read(block)
        if self._is_leaving or len(self.streams) >= self._limits.streams:
            self._make_noise()
            self.emit(frames.rst_stream(id, Code.REFUSED_STREAM))
            return
        stream = Stream(self, id, self._limits.window, self._peer_window)
        stream.is_read = ended
        self.streams[id] = stream
        stream.receiver = self._accept(stream, head, ended)

    def _trailers(self, id: int, ended: bool, block: bytes) -> None:
        self._reader.fields(block)  # the table must follow, whatever they say
        stream = self.streams.get(id)
        if stream is None:
            self._make_noise()
            return
        if stream.is_read or not ended:
            raise StreamFault(id, Code.PROTOCOL_ERROR)
        stream.is_read = True
        assert stream.receiver is not None
        stream.receiver.received(b"", True)

    def _window_update(self, id: int, payload: bytes) -> None:
        # Two of these come with each request.
        if len(payload) != 4 or id > self._last_id:
            raise _senseless()
        increment = int.from_bytes(payload, "big") & frames.MAX_WINDOW
        if id == 0:
            _expect(increment > 0)
            self.window_out += increment
            if self.window_out > frames.MAX_WINDOW:
                raise Fault(Code.FLOW_CONTROL_ERROR, "a window over its maximum")
        else:
            stream = self.streams.get(id)
            if stream is None:
                return
            stream.window_out += increment
            if increment == 0 or stream.window_out > frames.MAX_WINDOW:
                code = Code.FLOW_CONTROL_ERROR if increment else Code.PROTOCOL_ERROR
                raise StreamFault(id, code)
        if self._blocked:
            self._pump()

    def _settings(self, flags: int, id: int, payload: bytes) -> None:
        _expect(id == 0 and len(payload) % 6 == 0)
        if flags & frames.ACK:
            _expect(not payload)
            return
        # Of a setting that is there a thousand times the last one counts: each is work.
        for name, value in dict(frames.read_settings(payload)).items():
            self._set(name, value)
        self.emit(frames.SETTINGS_ACK)
        if self._blocked:
            self._pump()

    def _set(self, name: int, value: int) -> None:
        match name:
            case frames.INITIAL_WINDOW_SIZE:
                if value > frames.MAX_WINDOW:
                    raise Fault(Code.FLOW_CONTROL_ERROR, "a window over its maximum")
                for stream in self.streams.values():
                    stream.window_out += value - self._peer_window
                self._peer_window = value
            case frames.MAX_FRAME_SIZE:
                _expect(frames.DEFAULT_FRAME_BYTES <= value <= frames.MOST_FRAME_BYTES)
                self.peer_frame_bytes = value
            case frames.ENABLE_PUSH:
                _expect(value in (0, 1))
            case frames.HEADER_TABLE_SIZE:
                # We index nothing, but a table that shrinks must be acknowledged in the next
                # header block: here, down to nothing.
                self.table_update = b"\x20"
            case _:
                pass

    def _end_stream(self, fault: StreamFault) -> None:
        self._make_noise()
        stream = self.streams.get(fault.stream_id)
        if stream is None:
            self.emit(frames.rst_stream(fault.stream_id, fault.code))
            return
        stream.reset(fault.code)
        if stream.receiver is not None:
            stream.receiver.lost()

    def _drop(self, stream: Stream) -> None:
        stream.is_over = True
        stream.drop()
        self.forget(stream)
        if stream.receiver is not None:
            stream.receiver.lost()

    def _make_noise(self) -> None:
        self._noise += 1
        if self._noise > self._limits.noise:
            raise Fault(Code.ENHANCE_YOUR_CALM, "too many frames that lead to nothing")


def _expect(holds: bool) -> None:
    if not holds:
        raise _senseless()


def _senseless() -> Fault:
    return Fault(Code.PROTOCOL_ERROR, "a frame that makes no sense")
