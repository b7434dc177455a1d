"""A stream of requests on an HTTP/2 connection in memory; `h2` is the client."""

from __future__ import annotations

import asyncio

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, StreamEnded
from h2.settings import SettingCodes

from jina_cli.serve.grpc_calls import Call, Desk, Reply
from jina_cli.serve.grpc_framing import CallHead, MessageReader, TooLong, interpret
from jina_cli.serve.grpc_windowed import StreamCall
from jina_cli.serve.http2.connection import Connection, Limits
from jina_cli.serve.http2.stream import Stream
from jina_cli.serve.slots import Slots
from jina_cli.wire.budget import Budget
from jina_cli.wire.messages import Buffer
from tests.testing.http2 import ASKED

WINDOW = 2**24
TURNS = 20


def a_connection(answer_bytes: int) -> Connection[CallHead]:
    """Return a connection whose calls answer each message of one byte by that byte, repeated."""
    limits = Limits()

    async def work(call: Call, data: Buffer | TooLong) -> Reply:
        assert not isinstance(data, TooLong)
        return Reply((bytes(data) * answer_bytes,))

    desk = Desk(
        loop=asyncio.get_running_loop(),
        limit=2**20,
        window=8,
        stream_window=limits.window,
        budget=Budget(2**26),
    )

    def accept(stream: Stream, head: CallHead, ended: bool) -> StreamCall:
        return StreamCall(desk, stream, head, work=work, slots=Slots(8, 2**30))

    return Connection(accept, interpret, lambda: None, limits)


async def answers_to(questions: bytes, answer_bytes: int) -> list[bytes]:
    """Return the answers to a stream of messages of one byte each."""
    ours = a_connection(answer_bytes)
    theirs = H2Connection(H2Configuration(client_side=True))
    events: list[Event] = []
    ours.start()
    theirs.initiate_connection()
    # A client whose windows are wide and whose frames are short, as many are.
    theirs.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: WINDOW})
    theirs.increment_flow_control_window(WINDOW)
    id = theirs.get_next_available_stream_id()
    theirs.send_headers(id, ASKED)
    for question in questions:
        theirs.send_data(id, b"\0\0\0\0\1" + bytes([question]))
    theirs.end_stream(id)
    for _ in range(TURNS):
        ours.receive(theirs.data_to_send())
        events += theirs.receive_data(b"".join(ours.out))
        ours.out = []
        await asyncio.sleep(0)
    assert any(isinstance(event, StreamEnded) for event in events)
    body = b"".join(event.data for event in events if isinstance(event, DataReceived))
    found = MessageReader(2**20).feed(body)
    assert all(isinstance(message, bytearray) for message in found)
    return [bytes(message) for message in found if isinstance(message, bytearray)]


@pytest.mark.parametrize("size", [1, 10_000, 16_384, 30_000, 200_000])
def test_answers_of_every_length_come_once_and_in_order(size: int) -> None:
    assert asyncio.run(answers_to(b"abc", size)) == [b"a" * size, b"b" * size, b"c" * size]
