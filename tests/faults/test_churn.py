"""Fault: clients that come and go, or die in the middle. Nothing of them stays.

CHURN says how many connections there are on each protocol.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jina_cli.client.grpc_transport import STREAM_DOC
from jina_cli.documents.varint import sized
from jina_cli.wire import jina3
from jina_cli.wire.messages import EMPTY, Format
from jina_cli.wire.native import encode_request
from tests.testing.askers import PROTOCOLS, a_question
from tests.testing.faulty import post
from tests.testing.processes import Jinas, wait_until
from tests.testing.raw import UPGRADE, grpc_call, websocket_message
from tests.testing.serving import Serving, a_flow_on_all

CONNECTIONS = int(os.environ.get("CHURN", "300"))
KILLED = max(50, CONNECTIONS // 10)
AT_ONCE = 50
"""Fewer than a Pod is sent before it answered one."""

SLACK = 8 * 2**20

SLEEPER = """
import asyncio
from docarray.documents import TextDoc
from jina import Executor, requests

class Sleeper(Executor):
    under_way = 0

    @requests
    async def sleep(self, docs, **kwargs):
        Sleeper.under_way += 1
        try:
            await asyncio.sleep(600)
        finally:
            Sleeper.under_way -= 1

    @requests(on="/each")
    async def each(self, doc: TextDoc, **kwargs) -> TextDoc:
        Sleeper.under_way += 1
        try:
            doc.text = "part of it"
            yield doc
            await asyncio.sleep(600)
        finally:
            Sleeper.under_way -= 1

    @requests(on="/do")
    async def tell(self, docs, **kwargs):
        for doc in docs:
            doc.text = str(Sleeper.under_way)
"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("churn")
    with Jinas(folder) as jina:
        yield a_flow_on_all(jina, folder, SLEEPER, "Sleeper")


def _question(protocol: str, endpoint: str = "/default") -> bytes:
    """Return the bytes of a whole question that takes ten minutes to answer."""
    message = jina3.write_data_request(a_question(endpoint))
    match protocol:
        case "http":
            body = b'{"data": [{"text": "a"}]}'
            head = f"POST {endpoint} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
            return head.encode() + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        case "websocket":
            return UPGRADE + websocket_message(message)
        case "native":
            return b"".join(encode_request(1, a_question(wanted=Format.COLUMNS)))
        case _:
            return grpc_call(message)


def _connected(address: str) -> socket.socket:
    host, _, port = address.removeprefix("tcp:").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def _break(sock: socket.socket) -> None:
    """Close as a killed process does whose data was not read: with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def _under_way(serving: Serving) -> int:
    answer = post(f"http://{serving.addresses['http']}")
    return int(answer["data"][0]["text"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_connections_that_come_and_go_leave_nothing(serving: Serving, protocol: str) -> None:
    address = serving.addresses[protocol]
    for _ in range(CONNECTIONS // 5):
        _connected(address).close()
    _under_way(serving)
    descriptors, memory = serving.descriptors(), serving.rss()

    for number in range(CONNECTIONS):
        sock = _connected(address)
        if number % 3 == 0:
            sock.sendall(_question(protocol)[: number % 40])
        (_break if number % 2 else socket.socket.close)(sock)

    wait_until(lambda: _all_at_most(serving.descriptors(), descriptors, 0), 5, "descriptors")
    assert _all_at_most(serving.rss(), memory, SLACK)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_work_of_a_client_that_dies_ends_within_a_second(serving: Serving, protocol: str) -> None:
    _die_in_the_middle(serving, protocol, _question(protocol), told_first=False)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("protocol", ["grpc", "http", "native"])
def test_a_stream_of_answers_ends_within_a_second_of_its_client(
    serving: Serving, protocol: str
) -> None:
    match protocol:
        case "grpc":
            question = grpc_call(_one_document(), STREAM_DOC)
        case "native":
            question = b"".join(
                encode_request(1, replace(a_question("/each", Format.COLUMNS), streamed=True))
            )
        case _:
            question = _question(protocol, "/each")
    _die_in_the_middle(serving, protocol, question, told_first=True)


def _die_in_the_middle(
    serving: Serving, protocol: str, question: bytes, *, told_first: bool
) -> None:
    """Let clients ask and die, some at a time; those `told_first` have had a part of an answer."""
    assert wait_until(lambda: _under_way(serving) == 0, 5)
    descriptors, memory = serving.descriptors(), serving.rss()
    for _ in range(0, KILLED, AT_ONCE):
        sockets = [_connected(serving.addresses[protocol]) for _ in range(AT_ONCE)]
        for sock in sockets:
            sock.sendall(question)
        wait_until(lambda: _under_way(serving) == AT_ONCE, 10, "all to be worked on")
        for sock in sockets if told_first else ():
            assert _hears(sock, b"part of it"), "there was no part of the answer"

        for sock in sockets:
            _break(sock)

        wait_until(lambda: _under_way(serving) == 0, 1.0, "the work to be cancelled")
    wait_until(lambda: _all_at_most(serving.descriptors(), descriptors, 2), 5, "descriptors")
    after = serving.rss()
    print({pid: f"{(after[pid] - size) / 2**20:+.1f} MB" for pid, size in memory.items()})
    assert _all_at_most(after, memory, SLACK)


def _one_document() -> bytes:
    """Return a question with a document alone, as `stream_doc` takes it."""
    empty = replace(a_question("/each"), bodies=(EMPTY,))
    return jina3.write_data_request(empty) + sized(0x22, b"")


def _hears(sock: socket.socket, text: bytes) -> bool:
    heard = b""
    while text not in heard:
        piece = sock.recv(65_536)
        if not piece:
            return False
        heard += piece
    return True


def _all_at_most(now: dict[int, int], before: dict[int, int], more: int) -> bool:
    assert now.keys() == before.keys(), "a process was started again"
    return all(value <= before[pid] + more for pid, value in now.items())
