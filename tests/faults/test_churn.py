"""Fault: clients that come and go, or die in the middle. Nothing of them stays.

CHURN says how many connections there are on each protocol.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from jina_cli.wire import jina3
from jina_cli.wire.messages import Format
from jina_cli.wire.native import encode_request
from tests.testing.askers import PROTOCOLS, a_question
from tests.testing.faulty import post
from tests.testing.processes import Jinas, wait_until
from tests.testing.raw import UPGRADE, grpc_call, websocket_message
from tests.testing.serving import Serving, a_flow_on_all

CONNECTIONS = int(os.environ.get("CHURN", "300"))
KILLED = max(20, CONNECTIONS // 10)
SLACK = 8 * 2**20

SLEEPER = """
import asyncio
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

    @requests(on="/do")
    async def tell(self, docs, **kwargs):
        for doc in docs:
            doc.text = str(Sleeper.under_way)
"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("churn")
    with Jinas(folder) as jina:
        yield a_flow_on_all(jina, folder, SLEEPER, "Sleeper", max_queue=512)


def _question(protocol: str) -> bytes:
    """Return the bytes of a whole question that takes ten minutes to answer."""
    message = jina3.write_data_request(a_question())
    match protocol:
        case "http":
            body = b'{"data": [{"text": "a"}]}'
            return b"POST /default HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
                len(body),
                body,
            )
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


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_work_of_a_client_that_dies_ends_within_a_second(serving: Serving, protocol: str) -> None:
    assert wait_until(lambda: _under_way(serving) == 0, 5)
    descriptors = serving.descriptors()
    sockets = [_connected(serving.addresses[protocol]) for _ in range(KILLED)]
    for sock in sockets:
        sock.sendall(_question(protocol))
    wait_until(lambda: _under_way(serving) == KILLED, 10, "all to be worked on")

    for sock in sockets:
        _break(sock)

    wait_until(lambda: _under_way(serving) == 0, 1.0, "the work to be cancelled")
    wait_until(lambda: _all_at_most(serving.descriptors(), descriptors, 2), 5, "descriptors")


def _all_at_most(now: dict[int, int], before: dict[int, int], more: int) -> bool:
    assert now.keys() == before.keys(), "a process was started again"
    return all(value <= before[pid] + more for pid, value in now.items())
