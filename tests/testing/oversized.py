"""Requests that are too much, over each protocol, and what a Gateway says to them.

Each `ask_…` sends one and returns how it was refused: `400`, `TOO_LARGE`, `closed`, `1009`. What
was not refused is `answered`.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import zlib
from collections.abc import Sequence

import grpc
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from jina_cli.documents.varint import sized, varint
from jina_cli.wire import jina3
from jina_cli.wire.frames import Frame, FrameReader, Kind
from jina_cli.wire.native import decode_response
from tests.testing.askers import SINGLE, a_question
from tests.testing.raw import UPGRADE

ANSWERED, CLOSED = "answered", "closed"
_WITHIN_S = 30.0
_PARAMETERS, _DATA = 0x12, 0x22
_LIST_VALUE, _VALUES = 0x32, 0x0A
"""Of google.protobuf's Value and ListValue."""

_NODE_LIST, _NODES = 0x4A, 0x0A
"""Of docarray's NodeProto and ListOfAnyProto."""


def nested(depth: int, tags: Sequence[int]) -> bytes:
    """Return protobuf messages within each other, whose fields have these tags in turn."""
    size, prefixes = 0, []
    for _ in range(depth):
        for tag in reversed(tags):
            prefixes.append(bytes([tag]) + varint(size))
            size += len(prefixes[-1])
    return b"".join(reversed(prefixes))


def deep_parameters(depth: int) -> bytes:
    """Return a DataRequest whose parameters are lists within lists."""
    entry = sized(0x0A, b"key") + sized(0x12, nested(depth, (_LIST_VALUE, _VALUES)))
    return jina3.write_data_request(a_question()) + sized(_PARAMETERS, sized(0x0A, entry))


def deep_tags(depth: int) -> bytes:
    """Return a DataRequest with a document one field of which is lists within lists."""
    entry = sized(0x0A, b"tags") + sized(0x12, nested(depth, (_NODE_LIST, _NODES)))
    document = sized(0x0A, entry)
    return jina3.write_data_request(a_question()) + sized(_DATA, sized(0x0A, sized(0x0A, document)))


def long_message(size: int) -> bytes:
    """Return a DataRequest with a document of so many bytes."""
    return jina3.write_data_request(a_question()) + sized(_DATA, sized(0x0A, bytes(size)))


def http_post(body: bytes, *headers: str) -> bytes:
    """Return a POST; its length is told unless the headers do."""
    lines = ["POST /default HTTP/1.1", "Host: x", "Content-Type: application/json", *headers]
    if not any(line.startswith(("Transfer-Encoding", "Content-Length")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def in_chunks(body: bytes, size: int = 2**20) -> bytes:
    """Return a body as chunks, without the last, empty one."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def websocket_bomb(size: int) -> bytes:
    """Return a WebSocket with one message of so many zeros, as permessage-deflate packs them."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = (packer.compress(bytes(size)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    offer = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    upgrade = UPGRADE.removesuffix(b"\r\n") + offer
    return upgrade + b"\xc2\xff" + len(packed).to_bytes(8, "big") + bytes(4) + packed


def websocket_message(message: bytes) -> bytes:
    """Return a WebSocket with one message that may be long."""
    return UPGRADE + b"\x82\xff" + len(message).to_bytes(8, "big") + bytes(4) + message


def break_off(address: str, data: bytes) -> None:
    """Send these bytes and vanish."""
    host, _, port = address.removeprefix("tcp:").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=_WITHIN_S) as sock:
        sock.sendall(data)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def ask_http(address: str, data: bytes) -> str:
    answer = _said_to(address, data)
    return answer.split(b" ", 2)[1].decode() if answer.startswith(b"HTTP/1.1 ") else CLOSED


def ask_websocket_raw(address: str, data: bytes) -> str:
    answer = _said_to(address, data).partition(b"\r\n\r\n")[2]
    # A frame that closes, with two bytes of code; it is short, as all that control.
    place = answer.find(b"\x88")
    if place < 0:
        return ANSWERED if answer else CLOSED
    return str(int.from_bytes(answer[place + 2 : place + 4], "big"))


def ask_websocket(address: str, message: bytes | str) -> str:
    protocol = Subprotocol("bytes" if isinstance(message, bytes) else "json")
    try:
        with connect(
            f"ws://{address}/", subprotocols=[protocol], compression=None, max_size=None
        ) as websocket:
            websocket.send(message)
            answer = websocket.recv(timeout=_WITHIN_S)
    except ConnectionClosed as error:
        return str(error.rcvd.code) if error.rcvd is not None else CLOSED
    except OSError:
        return CLOSED
    if isinstance(answer, bytes):
        status = jina3.read_data_response(answer).status
        return ANSWERED if status.ok else status.code.name
    status = json.loads(answer)["header"]["status"]
    return str(status["jina_status"]) if status["code"] else ANSWERED


def ask_grpc(address: str, message: bytes, compression: grpc.Compression | None = None) -> str:
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(address, options=options, compression=compression) as channel:
        try:
            answer = channel.unary_unary(SINGLE)(message, timeout=_WITHIN_S)
        except grpc.RpcError as error:
            return str(error.code().name)
    status = jina3.read_data_response(answer).status
    return ANSWERED if status.ok else status.code.name


def ask_native(address: str, data: bytes) -> str:
    reader = FrameReader(2**20)
    for frame in reader.feed(_said_to(address.removeprefix("tcp:"), data)):
        if isinstance(frame, Frame) and frame.kind is Kind.RESPONSE:
            status = decode_response(frame).status
            return ANSWERED if status.ok else status.code.name
    return CLOSED


def _said_to(address: str, data: bytes) -> bytes:
    """Return all that a server answers to these bytes and the end of them."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=_WITHIN_S) as sock:
        answer = b""
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has heard enough
        try:
            while piece := sock.recv(65_536):
                answer += piece
        except ConnectionError:
            pass
        return answer


def gzipped(size: int) -> bytes:
    """Return so many zeros, packed."""
    return gzip.compress(bytes(size), 6)
