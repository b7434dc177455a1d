"""A client of HTTP/2 beside our connection, in memory: the `h2` library is the judge.

peer = Peer(receivers.append_new)
stream_id = peer.ask(b"body")
peer.events
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection

from jina_cli.serve.http2.blocks import Fields
from jina_cli.serve.http2.connection import Connection, Limits
from jina_cli.serve.http2.stream import Receiver, Stream

ASKED = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/a/b"),
    (":authority", "x"),
    ("content-type", "application/grpc"),
]


@dataclass(slots=True)
class Heard:
    """Takes in one stream, and writes down what it is told."""

    stream: Stream
    fields: Fields
    data: bytearray = field(default_factory=bytearray)
    is_ended: bool = False
    is_lost: bool = False
    was_writable: int = 0
    consumes: bool = True
    when_writable: Callable[[], None] | None = None

    def received(self, data: bytes, ended: bool) -> None:
        self.data += data
        self.is_ended = ended
        if self.consumes:
            self.stream.consume(len(data))

    def lost(self) -> None:
        self.is_lost = True

    def writable(self) -> None:
        self.was_writable += 1
        when, self.when_writable = self.when_writable, None
        if when is not None:
            when()


class Peer:
    """Both ends of a connection.

    Args:
        chunk: Bytes that are given to ours at a time; None for all at once.
        consumes: Whether what takes in a body lets more of it come.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        chunk: int | None = None,
        consumes: bool = True,
        accept: Callable[[Heard], None] = lambda heard: None,
    ) -> None:
        self.heard: list[Heard] = []
        self.events: list[Any] = []
        self.raw = bytearray()
        self._chunk = chunk
        self._consumes = consumes
        self._on_accept = accept
        self.ours: Connection[Fields] = Connection(
            self._accept, lambda fields: fields, lambda: None, limits or Limits()
        )
        self.theirs = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.ours.start()
        self.theirs.initiate_connection()

    def ask(self, body: bytes | None = None, fields: Iterable[tuple[str, str]] = ASKED) -> int:
        """Open a stream, with a whole body or none; returns its id."""
        id: int = self.theirs.get_next_available_stream_id()
        self.theirs.send_headers(id, list(fields), end_stream=body is None)
        if body is not None:
            self.theirs.send_data(id, body, end_stream=True)
        self.exchange()
        return id

    def give(self, data: bytes) -> bytes:
        """Give bytes to ours as they are; returns what it answers, and gives them to nobody."""
        self.ours.receive(data)
        return self.taken()

    def exchange(self) -> None:
        """Let both say what they have to, until neither has more."""
        while True:
            data = self.theirs.data_to_send()
            size = self._chunk or len(data) or 1
            for place in range(0, len(data), size):
                self.ours.receive(data[place : place + size])
            answer = self.taken()
            if answer:
                self.events += self.theirs.receive_data(answer)
            elif not data:
                return

    def taken(self) -> bytes:
        out, self.ours.out = self.ours.out, []
        data = b"".join(out)
        self.raw += data
        return data

    def of(self, kind: type[Any]) -> Sequence[Any]:
        """Return the events of a kind that the client had."""
        return [event for event in self.events if isinstance(event, kind)]

    def _accept(self, stream: Stream, fields: Fields, ended: bool) -> Receiver:
        heard = Heard(stream, fields, is_ended=ended, consumes=self._consumes)
        self.heard.append(heard)
        self._on_accept(heard)
        return heard


def body_of(peer: Peer) -> bytes:
    """Return the bytes of all DATA that the client had."""
    from h2.events import DataReceived

    return b"".join(event.data for event in peer.of(DataReceived))
