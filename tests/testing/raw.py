"""Questions as the bytes that a client writes to its socket."""

from __future__ import annotations

import struct

import h2.config
import h2.connection

from tests.testing.askers import SINGLE

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: bytes\r\n\r\n"
)
"""Begins a WebSocket."""

_PIECE_BYTES = 16_000


def websocket_message(payload: bytes) -> bytes:
    """Return a binary WebSocket message of a client, masked with zeros; under 64 KiB."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
    return b"\x82" + length + bytes(4) + payload


def grpc_call(message: bytes, method: str = SINGLE) -> bytes:
    """Return a new HTTP/2 connection on which one unary call is made."""
    peer = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    peer.initiate_connection()
    headers = [(":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "x")]
    peer.send_headers(1, [*headers, ("content-type", "application/grpc"), ("te", "trailers")])
    framed = b"\0" + struct.pack(">I", len(message)) + message
    for start in range(0, len(framed), _PIECE_BYTES):
        peer.send_data(1, framed[start : start + _PIECE_BYTES])
    peer.end_stream(1)
    return peer.data_to_send()
