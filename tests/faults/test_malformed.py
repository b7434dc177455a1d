"""Fault: bytes that are no request, on each protocol. Nobody dies, nothing is kept, no 5xx.

FUZZ_EXAMPLES says how many there are on each protocol; a hundredth of what a night allows is
the default.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import grpc.aio
import pytest

from jina_cli.wire import jina3
from jina_cli.wire.messages import Format, StatusCode
from jina_cli.wire.native import encode_request
from tests.testing.askers import PROTOCOLS, SINGLE, Outcome, a_question, an_asker
from tests.testing.mangled import mangled
from tests.testing.processes import Jinas
from tests.testing.raw import UPGRADE, grpc_call, websocket_message
from tests.testing.serving import Serving, a_flow_on_all

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "500"))
AT_A_TIME = 32
ANSWER_WITHIN_S = 20.0
GROWTH = 1.05
SLACK = 2 * 2**20
"""Allocators keep a little, however small the process."""

ECHO = """
from docarray import BaseDoc, DocList
from docarray.typing import NdArray
from jina import Executor, requests

class Item(BaseDoc):
    text: str = ""
    tensor: NdArray | None = None

class Echo(Executor):
    @requests
    def echo(self, docs: DocList[Item], parameters, **kwargs) -> DocList[Item]:
        return DocList[Item]([Item(id=doc.id, text=doc.text, tensor=doc.tensor) for doc in docs])
"""

_BODY = b'{"data": [{"id": "1", "text": "a", "tensor": [1.5, 2]}], "parameters": {"x": 1}}'
_HTTP = (
    b"POST /default HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)
_IN_CHUNKS = (
    b"POST /default HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
    % (len(_BODY), _BODY)
)
_SILENCE = b"neither an answer nor an end"
_WRONG = re.compile(rb"HTTP/1\.1 5\d\d|" + _SILENCE)


def _http(chance: random.Random) -> bytes:
    if chance.random() < 0.6:
        return mangled(chance, chance.choice((_HTTP, _IN_CHUNKS)))
    # The envelope is good, what it holds is not: this reaches the Executor's door.
    body = mangled(chance, _BODY)
    head = _HTTP.removesuffix(_BODY)
    return head.replace(b"Length: %d" % len(_BODY), b"Length: %d" % len(body)) + body


def _websocket(chance: random.Random) -> bytes:
    question = jina3.write_data_request(a_question())
    if chance.random() < 0.2:
        return mangled(chance, UPGRADE)
    if chance.random() < 0.5:
        return UPGRADE + mangled(chance, websocket_message(question))
    return UPGRADE + websocket_message(mangled(chance, question))


def _grpc(chance: random.Random) -> bytes:
    question = jina3.write_data_request(a_question())
    whole = chance.random() < 0.5
    message = question if whole else mangled(chance, question)
    said = grpc_call(message)
    return mangled(chance, said) if whole else said


def _native(chance: random.Random) -> bytes:
    return mangled(chance, b"".join(encode_request(1, a_question(wanted=Format.COLUMNS))))


MAKERS: dict[str, Callable[[random.Random], bytes]] = {
    "http": _http,
    "websocket": _websocket,
    "grpc": _grpc,
    "native": _native,
}


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("malformed")
    with Jinas(folder) as jina:
        yield a_flow_on_all(jina, folder, ECHO, "Echo")


async def _said_to(address: str, data: bytes) -> bytes:
    """Return all that a server answers to these bytes and the end of them."""
    host, _, port = address.removeprefix("tcp:").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        writer.write_eof()
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await reader.read()
    except ConnectionError:
        return b""
    except TimeoutError:
        return _SILENCE
    finally:
        writer.close()


async def _say_all(address: str, make: Callable[[random.Random], bytes], count: int) -> list[bytes]:
    numbers, answers = iter(range(count)), []

    async def work() -> None:
        for number in numbers:
            data = make(random.Random(number))
            answers.append((data, await _said_to(address, data)))

    await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
    return [b"%r -> %r" % (data, said) for data, said in answers if _WRONG.match(said)]


async def _is_well(protocol: str, address: str) -> bool:
    async with an_asker(protocol, address) as ask:
        return await ask(ANSWER_WITHIN_S) is Outcome.ANSWERED


@pytest.mark.timeout(600)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_bytes_that_are_no_request_harm_nobody(serving: Serving, protocol: str) -> None:
    address = serving.addresses[protocol]
    make = MAKERS[protocol]
    asyncio.run(_say_all(address, make, EXAMPLES // 5))
    before = serving.rss()

    failed = asyncio.run(_say_all(address, make, EXAMPLES))

    assert not failed, failed[:3]
    assert asyncio.run(_is_well(protocol, address))
    after = serving.rss()
    assert after.keys() == before.keys(), f"a process was started again: {serving.process.stdout}"
    print(protocol, {pid: f"{size / before[pid] - 1:+.1%}" for pid, size in after.items()})
    for pid, size in after.items():
        assert size < GROWTH * before[pid] + SLACK, f"{pid} grew from {before[pid]} to {size}"
    assert "Traceback" not in serving.process.stdout + serving.process.stderr


@pytest.mark.timeout(600)
def test_messages_that_are_no_request_are_told_so_over_grpc(serving: Serving) -> None:
    async def said() -> list[object]:
        question = jina3.write_data_request(a_question())
        async with grpc.aio.insecure_channel(serving.addresses["grpc"]) as channel:
            ask = channel.unary_unary(SINGLE)
            odd: list[object] = []
            for number in range(EXAMPLES):
                message = mangled(random.Random(number), question)
                try:
                    status = jina3.read_data_response(await ask(message, timeout=5)).status
                except grpc.aio.AioRpcError as error:
                    if error.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN):
                        odd.append((message, error.code(), error.details()))
                else:
                    if status.code in (StatusCode.INTERNAL, StatusCode.EXECUTOR):
                        odd.append((message, status))
            return odd

    assert asyncio.run(said()) == []
