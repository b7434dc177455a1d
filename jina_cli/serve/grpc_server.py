"""The gRPC edge: takes calls off HTTP/2 connections, within bounds, and ends without loss."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass

from jina_cli.serve import grpc_framing as framing
from jina_cli.serve.grpc_calls import UNREAD_BYTES, Desk, StreamedCall, UnaryCall
from jina_cli.serve.grpc_framing import Abort, CallHead, interpret
from jina_cli.serve.grpc_services import SERVICES, Side, methods_of
from jina_cli.serve.grpc_windowed import QUIET_S, StreamCall
from jina_cli.serve.http2.connection import Limits
from jina_cli.serve.http2.server import Http2Server
from jina_cli.serve.http2.stream import Receiver, Stream
from jina_cli.serve.limits import RETRY_AFTER_S
from jina_cli.serve.slots import Slots
from jina_cli.wire.budget import Budget
from jina_cli.wire.messages import GRPC_STATUS_KEY, Answering, StatusCode

_REFUSE_S = 0.5
_QUIET_S = 0.06
"""A drain refuses new calls for the first, or until none has come for the second."""

_LAST_S = 0.5
"""So long before the end of a drain even a busy stream reads no more."""

_POLL_S = 0.02

_STOPPING = Abort(framing.UNAVAILABLE, "the Flow is stopping")


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcSettings:
    """What the plan says of the gRPC edge.

    Attributes:
        max_message_bytes: The limit of a message, in and out.
        window: Requests of one stream that are worked on at a time.
        max_calls: Calls under way at a time, streams and health checks among them; one more
            is refused before its message is read.
        compression: `gzip` or `deflate`: how answers are compressed where the client reads
            that; empty for not at all.
    """

    max_message_bytes: int
    window: int
    max_calls: int
    compression: str = ""


class _Sink:
    """Takes what still comes on a stream that was answered already."""

    def received(self, data: bytes, ended: bool) -> None: ...

    def lost(self) -> None: ...

    def writable(self) -> None: ...


class GrpcEdge:
    """All services of a Gateway on any number of sockets.

    Args:
        flow: Carries requests through the Flow.
        settings: Of the plan.
        side: What the services beside the data ones need.
        budget: Room for the bytes of requests.
        slots: Of the requests that come by streams, of every protocol.
    """

    def __init__(
        self, flow: Answering, settings: GrpcSettings, side: Side, budget: Budget, slots: Slots
    ) -> None:
        # One client may open more streams than there may be calls: those beyond are refused
        # with a reason, which is more than a client is told that has to wait.
        limits = Limits(streams=2 * settings.max_calls)
        self._max_calls = settings.max_calls
        self._slots = slots
        self._methods = methods_of(flow, side, settings.max_message_bytes)
        self._desk = Desk(
            loop=asyncio.get_running_loop(),
            limit=settings.max_message_bytes,
            window=settings.window,
            stream_window=limits.window,
            budget=budget,
            compression=settings.compression.encode(),
        )
        self._last_refusal: float | None = None
        self._server: Http2Server[CallHead] = Http2Server(self._accept, interpret, limits)
        self._server.on_tick = self._tick

    @property
    def calls(self) -> int:
        """How many calls are under way."""
        return len(self._desk.calls)

    async def start(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Serve the connections that are made to a listening socket."""
        await self._server.start(sock, tls)

    async def drain(self, timeout_s: float) -> int:
        """Refuse new calls and finish those under way; streams end when they fall silent.

        Returns how many calls were cut off when the time was over.
        """
        until = time.monotonic() + timeout_s
        await self._server.stop_accepting()
        await self._refuse_until_quiet(min(_REFUSE_S, timeout_s))
        self._server.leave()
        while (self._desk.calls or self._server.guests) and time.monotonic() < until:
            self._end_quiet_streams(until - _LAST_S)
            await asyncio.sleep(_POLL_S)
        cut = sum(call.under_way for call in self._desk.calls)
        for call in list(self._desk.calls):
            call.abort(_STOPPING)
        self._server.close()
        await asyncio.sleep(0)  # what was said last is written in the next turn of the loop
        return cut

    async def _refuse_until_quiet(self, at_most_s: float) -> None:
        """Answer new calls with UNAVAILABLE until hardly any come.

        A client that is told so knows that its call was not taken; one whose connection ends
        does not.
        """
        until = time.monotonic() + at_most_s
        self._last_refusal = time.monotonic()
        while time.monotonic() < min(until, self._last_refusal + _QUIET_S):
            wait_s = min(until, self._last_refusal + _QUIET_S) - time.monotonic()
            await asyncio.sleep(max(0.0, wait_s))

    def _end_quiet_streams(self, until: float) -> None:
        now = time.monotonic()
        for call in list(self._desk.calls):
            is_quiet = not call.under_way and now - call.last_read >= QUIET_S
            if is_quiet or (now >= until and isinstance(call, StreamCall)):
                call.abort(_STOPPING)

    def _accept(self, stream: Stream, head: CallHead, ended: bool) -> Receiver:
        refusal = self._refusal(stream, head)
        if refusal is not None:
            stream.refuse(refusal)
            return _Sink()
        method, desk = self._methods[head.path], self._desk
        call: UnaryCall | StreamedCall | StreamCall
        if method.unary is not None:
            call = UnaryCall(desk, stream, head, method.unary)
        elif method.each is not None:
            call = StreamCall(desk, stream, head, work=method.each, slots=self._slots)
        else:
            assert method.streamed is not None
            call = StreamedCall(desk, stream, head, method.streamed, is_endless=method.is_endless)
        desk.calls.add(call)
        if ended:
            call.received(b"", True)
        return call

    def _refusal(self, stream: Stream, head: CallHead) -> bytes | None:
        """Return the answer to a call that is not taken; None for one that is."""
        if head.refusal is not None:
            return head.refusal
        if self._last_refusal is not None:
            self._last_refusal = time.monotonic()
            return _STOPPING.alone()
        if head.path not in self._methods:
            return Abort(framing.UNIMPLEMENTED, f"there is no method {head.path[:200]}").alone()
        if len(self._desk.calls) >= self._max_calls:
            return _overloaded(f"{self._max_calls} calls are under way, which is the limit")
        if stream.backlog > UNREAD_BYTES + self._desk.limit:
            return _overloaded("the client does not read what it asked for")
        return None

    def _tick(self, now: float) -> None:
        for call in list(self._desk.calls):
            call.tick(now)


def _overloaded(text: str) -> bytes:
    told = [(GRPC_STATUS_KEY, StatusCode.OVERLOADED.value), ("retry-after", str(RETRY_AFTER_S))]
    return Abort(framing.RESOURCE_EXHAUSTED, text, told).alone()


__all__ = ["SERVICES", "GrpcEdge", "GrpcSettings"]
