"""The WebSocket edge of a real Gateway."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets.asyncio.client as websockets
from websockets.exceptions import InvalidStatus

from jina_cli.documents.rows import from_rows, to_rows
from jina_cli.vocabulary import Protocol
from jina_cli.wire import jina3
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.messages import Format, Request, Response, Status, StatusCode
from tests.testing.gateways import (
    LOCAL,
    Answer,
    Hanging,
    RunningGateway,
    a_gateway,
    a_pea,
    a_route,
    echo,
    run,
)

END = b"\x01"
LIMIT = 50_000


@asynccontextmanager
async def served(
    folder: Path, answer: Answer = echo, endpoints: Sequence[str] = ("/default",), **more: Any
) -> AsyncIterator[RunningGateway]:
    async with (
        a_pea(folder / "pod", answer, endpoints) as pod,
        a_gateway(folder, [a_route("pod", pod)], (Protocol.WEBSOCKET,), **more) as gateway,
    ):
        yield gateway


def connected(gateway: RunningGateway, *names: str, path: str = "/", **more: Any) -> Any:
    """Open a WebSocket with these subprotocols."""
    url = f"ws://{gateway.addresses['websocket']}{path}"
    more.setdefault("subprotocols", names or None)
    return websockets.connect(url, proxy=None, max_size=None, **more)


def a_message(number: int = 0, text: str = "a", endpoint: str = "/search") -> bytes:
    body = write_body(from_rows([{"id": str(number), "text": text}]), Format.PROTO)
    return jina3.write_data_request(
        Request(endpoint=endpoint, bodies=(body,), request_id=str(number))
    )


async def closed_with(socket: Any) -> tuple[int, str]:
    """Return the code and the reason with which the server closes."""
    async with asyncio.timeout(10):
        await socket.wait_closed()
    return socket.close_code, socket.close_reason


def test_messages_in_bytes_are_answered_in_order_and_the_end_closes(folder: Path) -> None:
    async def slower_first(request: Request) -> Response:
        await asyncio.sleep(0.05 if request.request_id == "0" else 0)
        return await echo(request)

    async def scenario() -> None:
        async with served(folder, slower_first) as gateway, connected(gateway, "bytes") as socket:
            assert socket.subprotocol == "bytes"
            for number in range(100):
                await socket.send(a_message(number, f"t{number}"))
            await socket.send(END)
            answers = [jina3.read_data_response(await socket.recv()) for _ in range(100)]
            assert [answer.request_id for answer in answers] == [str(n) for n in range(100)]
            rows = [to_rows(read_body(answer.body))[0] for answer in answers]
            assert [row["text"] for row in rows] == [f"t{n}" for n in range(100)]
            assert await closed_with(socket) == (1000, "")

    run(scenario())


@pytest.mark.parametrize("names", [("json",), ()])
def test_messages_in_json_name_their_endpoint(folder: Path, names: tuple[str, ...]) -> None:
    async def scenario() -> None:
        async with (
            served(folder, endpoints=("/search",)) as gateway,
            connected(gateway, *names) as socket,
        ):
            request = {
                "data": [{"id": "1", "text": "ü"}],
                "exec_endpoint": "/search",
                "parameters": {"k": 1},
                "header": {"request_id": "r1"},
            }
            await socket.send(json.dumps(request))
            answer = json.loads(await socket.recv())
            assert answer["data"][0]["text"] == "ü"
            assert answer["parameters"] == {"k": 1}
            assert answer["header"] == {
                "request_id": "r1",
                "exec_endpoint": "/search",
                "target_executor": "",
            }
            await socket.send(json.dumps({**request, "exec_endpoint": "/serach"}))
            status = json.loads(await socket.recv())["header"]["status"]
            assert status["code"] == 1
            assert status["description"] == "no Executor serves /serach; did you mean /search?"
            assert status["exception"]["name"] == "NOT_FOUND"
            await socket.send("{}")
            assert await closed_with(socket) == (1000, "")

    run(scenario())


def test_what_fails_is_an_answer_and_the_next_request_is_served(folder: Path) -> None:
    async def scenario() -> None:
        async with (
            served(folder, plan={"max_message_bytes": LIMIT}) as gateway,
            connected(gateway, "bytes") as raw,
            connected(gateway, "json") as text,
        ):
            await raw.send(b"\xff\xff")
            status = jina3.read_data_response(await raw.recv()).status
            assert status.code is StatusCode.INVALID
            await raw.send(a_message())
            assert jina3.read_data_response(await raw.recv()).status.ok
            await text.send('{"dta": []}')
            answer = json.loads(await text.recv())
            described = answer["header"]["status"]["description"]
            assert described == "'dta' is no key of a request; did you mean 'data'?"

    run(scenario())


def test_an_answer_over_the_limit_is_told_as_such(folder: Path) -> None:
    async def much(request: Request) -> Response:
        body = write_body(from_rows([{"text": "x" * LIMIT}]), request.wanted)
        return Response(request_id=request.request_id, body=body)

    async def scenario() -> Status:
        async with (
            served(folder, much, plan={"max_message_bytes": LIMIT}) as gateway,
            connected(gateway, "bytes") as socket,
        ):
            await socket.send(a_message())
            return jina3.read_data_response(await socket.recv()).status

    assert run(scenario()).code is StatusCode.TOO_LARGE


def test_a_dry_run_is_told_once(folder: Path) -> None:
    async def scenario() -> None:
        async with (
            served(folder) as gateway,
            connected(gateway, "bytes", path="/dry_run") as socket,
        ):
            await socket.send(b"")
            assert await socket.recv() == b""
            assert await closed_with(socket) == (1000, "")

    run(scenario())


def test_pages_and_endpoints_are_served_on_the_same_port(folder: Path) -> None:
    async def scenario() -> None:
        async with served(folder) as gateway, httpx.AsyncClient(trust_env=False) as client:
            url = f"http://{gateway.addresses['websocket']}"
            for page in ("/", "/status", "/dry_run", "/readyz"):
                assert (await client.get(url + page)).status_code == 200, page

    run(scenario())


def masked(first: int, payload: bytes = b"", *, length: int | None = None) -> bytes:
    """Return one frame as a client writes it, perhaps with a length that is not its own."""
    size = len(payload) if length is None else length
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 2**16:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + bytes(4) + payload


WRONG: dict[str, tuple[str, bytes, int]] = {
    "an unknown opcode": ("bytes", masked(0x83, b"a"), 1002),
    "a frame without a mask": ("bytes", b"\x82\x01a", 1002),
    "bits that are reserved": ("bytes", masked(0xC2, b"a"), 1002),
    "a long ping": ("bytes", masked(0x89, b"a" * 126), 1002),
    "a continuation of nothing": ("bytes", masked(0x80, b"a"), 1002),
    "a message within a message": ("bytes", masked(0x02, b"a") + masked(0x82, b"b"), 1002),
    "text among bytes": ("bytes", masked(0x81, b"a"), 1003),
    "bytes among text": ("json", masked(0x82, b"a"), 1003),
    "text that is no UTF-8": ("json", masked(0x81, b"\xff\xfe"), 1007),
    "a length of 64 bits": ("bytes", masked(0x82, length=2**63 - 1), 1009),
    "a message over the limit": ("bytes", masked(0x82, length=LIMIT + 1), 1009),
    "fragments over the limit": (
        "bytes",
        masked(0x02, bytes(LIMIT)) + masked(0x80, bytes(2)),
        1009,
    ),
}


async def opened(
    gateway: RunningGateway, name: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Shake hands over a raw socket."""
    port = int(gateway.addresses["websocket"].rpartition(":")[2])
    reader, writer = await asyncio.open_connection(LOCAL, port)
    key = base64.b64encode(os.urandom(16)).decode()
    head = "GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    head += f"sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n"
    writer.write(f"{head}sec-websocket-protocol: {name}\r\n\r\n".encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101 "), answer
    return reader, writer


def test_frames_that_are_wrong_close_with_the_code_for_it_and_harm_nobody(folder: Path) -> None:
    async def scenario() -> dict[str, int]:
        found = {}
        async with (
            served(folder, plan={"max_message_bytes": LIMIT}) as gateway,
            connected(gateway, "bytes") as other,
        ):
            for name, (spoken, frames, _) in WRONG.items():
                reader, writer = await opened(gateway, spoken)
                writer.write(frames)
                said = await asyncio.wait_for(reader.read(), 5)
                assert said[0] == 0x88, name
                found[name] = int.from_bytes(said[2:4], "big")
                writer.close()
            await other.send(a_message())
            assert jina3.read_data_response(await other.recv()).status.ok
        return found

    assert run(scenario()) == {name: wrong[2] for name, wrong in WRONG.items()}


REFUSED: dict[str, tuple[dict[str, Any], int]] = {
    "an unknown subprotocol": ({"subprotocols": ["graphql-ws"]}, 400),
    "another path": ({"path": "/search"}, 404),
    "a page of another origin": ({"origin": "http://evil.example"}, 403),
}


def test_who_may_not_open_one_is_told_over_http(folder: Path) -> None:
    async def scenario() -> dict[str, int]:
        found = {}
        async with served(folder) as gateway:
            for name, (options, _) in REFUSED.items():
                with pytest.raises(InvalidStatus) as caught:
                    await connected(gateway, **options)
                found[name] = caught.value.response.status_code
        return found

    assert run(scenario()) == {name: refused[1] for name, refused in REFUSED.items()}


def test_a_page_of_an_allowed_origin_may_open_one(folder: Path) -> None:
    async def scenario() -> None:
        origins = ("https://shop.example",)
        async with (
            served(folder, cors_origins=origins) as gateway,
            connected(gateway, "json", origin="https://shop.example") as socket,
        ):
            await socket.send("{}")
            assert await closed_with(socket) == (1000, "")

    run(scenario())


def test_a_client_that_goes_away_takes_its_work_with_it(folder: Path) -> None:
    async def scenario() -> None:
        hanging = Hanging()
        async with served(folder, hanging.answer) as gateway:
            socket = await connected(gateway, "bytes")
            await socket.send(a_message())
            await asyncio.wait_for(hanging.asked.wait(), 5)
            socket.transport.abort()
            await asyncio.wait_for(hanging.cancelled.wait(), 1)

    run(scenario())


def test_a_client_that_only_sends_is_not_read_beyond_the_window(folder: Path) -> None:
    async def scenario() -> None:
        gate, under_way, most = asyncio.Event(), 0, 0

        async def wait(request: Request) -> Response:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await gate.wait()
            under_way -= 1
            return await echo(request)

        async with (
            served(folder, wait, prefetch=8) as gateway,
            connected(gateway, "bytes") as socket,
        ):
            count = 400

            async def send() -> None:
                for number in range(count):
                    await socket.send(a_message(number, "x" * 50_000))

            sending = asyncio.create_task(send())
            async with asyncio.timeout(10):
                while under_way < 8:
                    await asyncio.sleep(0.01)
            done, _ = await asyncio.wait({sending}, timeout=0.3)
            assert not done
            gate.set()
            for number in range(count):
                answer = jina3.read_data_response(await socket.recv())
                assert answer.request_id == str(number)
            await sending
            assert most == 8

    run(scenario())


def test_fragments_and_pings_between_them_make_one_message(folder: Path) -> None:
    async def scenario() -> None:
        async with served(folder) as gateway:
            reader, writer = await opened(gateway, "bytes")
            message = a_message(7, "in pieces")
            writer.write(masked(0x02, message[:5]) + masked(0x89, b"hi"))
            writer.write(masked(0x00, message[5:9]) + masked(0x00) + masked(0x80, message[9:]))
            assert await reader.readexactly(4) == b"\x8a\x02hi"
            head = await reader.readexactly(2)
            size = head[1] if head[1] < 126 else int.from_bytes(await reader.readexactly(2), "big")
            answer = jina3.read_data_response(await reader.readexactly(size))
            assert answer.request_id == "7"
            writer.close()

    run(scenario())


def test_a_drain_answers_what_was_asked_and_says_that_the_flow_goes_away(folder: Path) -> None:
    async def scenario() -> None:
        async def slowly(request: Request) -> Response:
            await asyncio.sleep(0.5)
            return await echo(request)

        async with (
            served(folder, slowly) as gateway,
            connected(gateway, "bytes") as busy,
            connected(gateway, "bytes") as idle,
        ):
            await busy.send(a_message(3))
            await busy.ping()
            gateway.terminate()
            assert jina3.read_data_response(await busy.recv()).request_id == "3"
            assert await closed_with(busy) == (1001, "the Flow is stopping")
            assert await closed_with(idle) == (1001, "the Flow is stopping")
            assert await gateway.ended() == 0

    run(scenario())
