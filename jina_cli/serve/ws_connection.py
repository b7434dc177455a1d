"""One WebSocket: frames in, frames out, and the end of it. `websockets` knows the protocol."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import cast

from websockets.exceptions import NegotiationError
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from jina_cli.serve.http_connection import House
from jina_cli.serve.limits import LINGER_S, UNREAD_S
from jina_cli.serve.ws_dialect import DIALECTS, Dialect, reason, subprotocol_of
from jina_cli.serve.ws_session import Session
from jina_cli.wire.budget import FULL

PING_S = 20.0
"""A client of which nothing was heard for so long is asked whether it is there."""

GONE_S = 3 * PING_S
"""One that does not answer within this is gone."""

QUIET_S = 0.25
"""A WebSocket without a message for this long, and with nothing under way, ends in a drain."""

ROOM_S = 10.0
"""How long a message may wait for memory before its WebSocket is closed."""

_SLICE_BYTES = 16 * 1024
"""What is parsed at a time: thousands of empty frames fit into one read."""

_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
_STOPPING = "the Flow is stopping"

# It tells of every connection that opens and closes; what fails is told to the client.
_log = logging.getLogger(f"{__name__}.protocol")
_log.setLevel(logging.ERROR)


def _select(protocol: ServerProtocol, offered: list[Subprotocol]) -> Subprotocol | None:
    if not offered:
        return None
    chosen = subprotocol_of(",".join(offered))
    if chosen is None:
        raise NegotiationError(f"there are the subprotocols {' and '.join(DIALECTS)}")
    return Subprotocol(chosen)


class WsConnection(asyncio.Protocol):
    """A connection that has left HTTP.

    Args:
        house: What all connections of the server share.
        session: What it is used for.
        dialect: How the session's messages are written.
    """

    def __init__(self, house: House, session: Session, dialect: Dialect) -> None:
        self._house = house
        self._session = session
        self._dialect = dialect
        self._loop = asyncio.get_running_loop()
        self._protocol = ServerProtocol(
            select_subprotocol=_select,  # type: ignore[arg-type]  # it passes a list
            max_size=house.max_body_bytes,
            logger=_log,
        )
        self._transport: asyncio.Transport | None = None
        self._rest = b""  # read and not parsed, from `_place` on
        self._place = 0
        self._message = bytearray()
        self._held = 0
        self._room: asyncio.Task[None] | None = None
        self._is_read_due = False
        self._reads_no_more = False
        self._heard_at = self._message_at = self._loop.time()
        self._is_pinged = False
        self._stuck_since = self._due = math.inf

    def take_over(self, transport: asyncio.Transport, head: bytes, rest: bytes) -> None:
        """Shake hands, and go on with what came after the head of the request."""
        self._transport = transport
        self._house.guests.add(self)
        transport.set_protocol(self)
        transport.resume_reading()
        self._protocol.receive_data(head)
        for event in self._protocol.events_received():
            self._protocol.send_response(self._protocol.accept(cast(Handshake, event)))
        self._flush()
        if self._protocol.state is State.OPEN:
            self._session.begin(self)
            if rest:
                self.data_received(rest)

    # What a session asks for.

    @property
    def is_clogged(self) -> bool:
        return self._stuck_since < math.inf

    def send(self, data: bytes) -> None:
        if self._protocol.state is State.OPEN:
            if self._dialect.is_text:
                self._protocol.send_text(data)
            else:
                self._protocol.send_binary(data)
            self._flush()

    def read_on(self) -> None:
        if (self._place < len(self._rest) or not self._reads()) and not self._is_read_due:
            self._is_read_due = True
            self._loop.call_soon(self._read)

    def end(self) -> None:
        self._close(CloseCode.NORMAL_CLOSURE)

    # What the event loop calls.

    def data_received(self, data: bytes) -> None:
        self._heard_at, self._is_pinged = self._house.now, False
        self._rest = self._rest[self._place :] + data if self._place < len(self._rest) else data
        self._place = 0
        if not self._is_read_due:
            self._read()

    def pause_writing(self) -> None:
        self._stuck_since = self._house.now

    def resume_writing(self) -> None:
        self._stuck_since = math.inf
        self._session.advance()
        self.read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self._house.guests.discard(self)
        self._transport = None
        self._session.cancel()
        if self._room is not None:
            self._room.cancel()
        self._house.budget.give(self._held)
        self._held = 0
        # Not left to the collector, which looks for no circles before there are many.
        self._rest = b""
        self._message.clear()
        self._protocol.reader.buffer.clear()

    # What the server calls.

    def tick(self, now: float) -> None:
        if now - self._stuck_since > UNREAD_S or now >= self._due:
            self.abort()
            return
        if not self._reads():
            self._heard_at = now  # it was not listened to
        elif now - self._heard_at > GONE_S:
            self.abort()
        elif now - self._heard_at > PING_S and not self._is_pinged:
            self._is_pinged = True
            if self._protocol.state is State.OPEN:
                self._protocol.send_ping(b"")
                self._flush()

    def drain(self, is_late: bool, is_last: bool) -> None:
        self._reads_no_more = is_last
        if self._session.under_way or not is_late:
            return
        if is_last or self._loop.time() - self._message_at > QUIET_S:
            self._close(CloseCode.GOING_AWAY, _STOPPING)

    def abort(self) -> int:
        cut = self._session.under_way
        if self._transport is not None:
            self._transport.abort()
        return cut

    # Reading.

    def _reads(self) -> bool:
        return self._transport is not None and self._transport.is_reading()

    def _read(self) -> None:
        """Parse as long as the session has room, a little in each turn of the event loop."""
        self._is_read_due = False
        if self._transport is None:
            return
        if self._protocol.state is not State.OPEN:
            self._forget()
            return
        is_hindered = (
            self._room is not None
            or self.is_clogged
            or self._reads_no_more
            or not self._session.wants_more
        )
        size = min(len(self._rest) - self._place, _SLICE_BYTES)
        if is_hindered or not size:
            self._listen(not is_hindered)
        elif self._house.budget.take(size):
            self._parse(size)
            if self._place < len(self._rest):
                self._listen(False)
                self.read_on()
            else:
                self._listen(self._session.wants_more)
        else:
            self._listen(False)
            self._room = self._loop.create_task(self._make_room(size))

    def _forget(self) -> None:
        """Look for the end alone in what a client sends that is closed to."""
        rest, self._rest = self._rest[self._place :], b""
        self._place = 0
        if rest:
            self._protocol.receive_data(rest)
            self._protocol.events_received()
            self._flush()
        self._listen(True)

    def _listen(self, listens: bool) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or transport.is_reading() == listens:
            return
        if listens:
            transport.resume_reading()
        else:
            transport.pause_reading()

    async def _make_room(self, size: int) -> None:
        try:
            async with asyncio.timeout(ROOM_S):
                await self._house.budget.wait(size)
        except TimeoutError:
            self._room = None
            self._fail(CloseCode.TRY_AGAIN_LATER, FULL)
            return
        self._room = None
        self._parse(size)
        self.read_on()

    def _parse(self, size: int) -> None:
        """Parse bytes for which room is taken; it goes with the message that they are of."""
        self._held += size
        piece = self._rest[self._place : self._place + size]
        self._place += size
        self._protocol.receive_data(piece)
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode in _DATA:
                self._frame(event)
        self._flush()
        if not self._message and not self._protocol.reader.buffer:
            self._house.budget.give(self._held)
            self._held = 0

    def _frame(self, frame: Frame) -> None:
        if self._protocol.state is not State.OPEN:
            return
        if frame.opcode is not Opcode.CONT:
            self._message.clear()
            if (frame.opcode is Opcode.TEXT) is not self._dialect.is_text:
                what = "text" if self._dialect.is_text else "binary"
                self._fail(CloseCode.UNSUPPORTED_DATA, f"messages are {what} in this subprotocol")
                return
        data, frame.data = frame.data, b""  # the parser keeps its last frame
        if frame.fin and not self._message:
            message = bytes(data)
        else:
            self._message += data
            if not frame.fin:
                return
            message = bytes(self._message)
            self._message.clear()
        if self._dialect.is_text and not _is_utf8(message):
            self._fail(CloseCode.INVALID_DATA, "the message is not UTF-8")
            return
        held, self._held = self._held, 0
        self._message_at = self._loop.time()
        self._session.received(message, held)

    # Writing, and the end.

    def _flush(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        for data in self._protocol.data_to_send():
            if data:
                transport.write(data)
                continue
            # The rest of what the client sends is read and forgotten: a close would reset it,
            # and it might never see why.
            self._session.cancel()
            self._due = self._loop.time() + LINGER_S
            if transport.can_write_eof():
                transport.write_eof()
                self._listen(True)
            else:
                transport.close()

    def _close(self, code: CloseCode, text: str = "") -> None:
        """Say that all is over, and wait for the client to say so too."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason(text))
            self._due = self._loop.time() + LINGER_S
            self._flush()
            self._listen(True)

    def _fail(self, code: CloseCode, text: str) -> None:
        """Say what is wrong, and listen to nothing any more."""
        if self._protocol.state is State.OPEN:
            self._protocol.fail(code, reason(text))
            self._flush()


def _is_utf8(message: bytes) -> bool:
    try:
        message.decode()
    except UnicodeDecodeError:
        return False
    return True
