"""Connections as they are made, broken, refused and mistaken."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import websockets.asyncio.server as ws_server
from websockets.typing import Subprotocol

from jina_cli import AsyncClient
from jina_cli.client.address import target_of
from jina_cli.client.errors import (
    AnswerLate,
    BadClient,
    BadServer,
    ConnectionFailed,
    FlowUnavailable,
    WrongAddress,
)
from jina_cli.client.probe import Role, probe_all
from jina_cli.client.transport import Settings
from jina_cli.client.ws_transport import WebsocketTransport
from jina_cli.errors import TimedOut, UsageError
from jina_cli.wire import jina3
from jina_cli.wire.messages import Request, Response, Status, StatusCode
from tests.testing.certificates import a_certificate
from tests.testing.client_flows import PROTOCOLS, a_flow
from tests.testing.gateways import a_folder, run

DOCS = [{"id": "1", "text": "a"}]
OVER_TCP = ["grpc", "http", "ws"]


@pytest.fixture
def folder() -> Iterator[Path]:
    path = a_folder()
    yield path
    shutil.rmtree(path, ignore_errors=True)


async def texts(client: AsyncClient, **options: Any) -> list[str]:
    return [doc.text async for docs in client.post("/x", DOCS, **options) for doc in docs]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_tls_is_spoken_to_who_has_a_certificate_that_is_trusted(folder: Path) -> None:
    files = a_certificate(folder)

    async def scenario() -> None:
        async with a_flow(folder, tls=files) as flow:
            for protocol in OVER_TCP:
                url = flow.urls[protocol]
                async with AsyncClient(url, ca_file=str(files[0])) as client:
                    assert await texts(client) == ["a"]
                    assert await client.is_flow_ready()
                with pytest.raises(ConnectionFailed):
                    async with AsyncClient(url, connect_timeout_s=2):
                        pass

    run(scenario())


def test_certificates_that_are_not_there_are_named(folder: Path) -> None:
    async def scenario() -> None:
        for url in ("grpcs://127.0.0.1:1", "https://127.0.0.1:1", "wss://127.0.0.1:1"):
            with pytest.raises(UsageError, match=r"cannot read the certificates of /none\.pem"):
                async with AsyncClient(url, ca_file="/none.pem"):
                    pass

    run(scenario())


@pytest.mark.parametrize("compression", ["Gzip", "Deflate"])
def test_what_is_sent_may_be_compressed(folder: Path, compression: str) -> None:
    async def scenario() -> None:
        async with a_flow(folder) as flow:
            for protocol in PROTOCOLS:
                async with AsyncClient(flow.urls[protocol], compression=compression) as client:
                    assert await texts(client) == ["a"]

    run(scenario())


def test_an_unknown_compression_is_refused() -> None:
    async def scenario() -> None:
        with pytest.raises(UsageError, match="'zip' is no compression of gRPC"):
            async with AsyncClient("grpc://127.0.0.1:1", compression="zip"):
                pass

    run(scenario())


@asynccontextmanager
async def a_websocket(
    serve: Callable[[ws_server.ServerConnection], Awaitable[None]],
) -> AsyncIterator[str]:
    """Stand in for a Gateway of Jina that does what a test needs and cannot make it do."""
    async with ws_server.serve(
        serve, "127.0.0.1", 0, subprotocols=[Subprotocol("bytes")]
    ) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        (1001, FlowUnavailable, "UNAVAILABLE"),
        (1002, BadServer, "INVALID"),
        (1008, BadServer, "INVALID"),
        (1009, BadServer, "TOO_LARGE"),
        (1011, FlowUnavailable, "UNAVAILABLE"),
    ],
)
def test_the_code_with_which_a_websocket_is_closed_says_why(
    code: int, kind: type[BadServer], status: str
) -> None:
    async def serve(connection: ws_server.ServerConnection) -> None:
        await connection.recv()
        await connection.close(code, "the reason")

    async def scenario() -> None:
        async with a_websocket(serve) as url, AsyncClient(url) as client:
            with pytest.raises(kind, match="the reason") as caught:
                await texts(client)
            assert caught.value.status == status

    run(scenario())


def test_a_full_gateway_that_closes_is_asked_again() -> None:
    came = 0

    async def serve(connection: ws_server.ServerConnection) -> None:
        nonlocal came
        async for message in connection:
            assert isinstance(message, bytes)
            came += 1
            if came == 1:
                await connection.close(1013, "try again later")
                return
            if len(message) > 1:
                request = jina3.read_data_request(message)
                await connection.send(
                    jina3.write_data_response(request, Response(body=request.bodies[0]))
                )

    async def scenario() -> None:
        async with a_websocket(serve) as url, AsyncClient(url) as client:
            assert await texts(client) == ["a"]

    run(scenario())


def test_the_end_is_said_on_a_websocket_before_it_is_closed() -> None:
    said: list[bytes | str] = []

    async def serve(connection: ws_server.ServerConnection) -> None:
        said.extend([message async for message in connection])

    async def scenario() -> None:
        async with a_websocket(serve) as url, AsyncClient(url):
            pass

    run(scenario())

    assert said == [b"\x00"]


def test_a_websocket_of_jina_says_that_it_has_no_answers_in_parts() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"detail":"Not Found"}'
        writer.write(b"HTTP/1.1 404 \r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        await reader.read()
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport = WebsocketTransport(target_of(f"ws://127.0.0.1:{port}"), Settings())
        async with server:
            with pytest.raises(BadClient, match="no answers in parts: use grpc:// or http://"):
                await anext(aiter(transport.stream(Request(endpoint="/x", streamed=True))))

    run(scenario())


class Calls(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Serves `JinaRPC/Call`, whose first stream breaks as soon as something is asked."""

    def __init__(self) -> None:
        self.streams = 0

    def service(self, details: Any) -> Any:
        if details.method != "/jina.JinaRPC/Call":
            return None
        return grpc.stream_stream_rpc_method_handler(self._call)

    async def _call(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        self.streams += 1
        async for data in requests:
            if self.streams == 1:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "the Gateway goes away")
            request = jina3.read_data_request(data)
            yield jina3.write_data_response(request, Response(body=request.bodies[0]))


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_stream_that_broke_is_made_anew_for_what_may_be_sent_twice(idempotent: bool) -> None:
    async def scenario() -> int:
        calls, server = Calls(), grpc.aio.server()
        server.add_generic_rpc_handlers((calls,))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        options = {"max_attempts": 3, "initial_backoff": 0.01, "idempotent": idempotent}
        client = AsyncClient(f"grpc://127.0.0.1:{port}")
        try:
            if idempotent:
                assert await texts(client, **options) == ["a"]
            else:
                with pytest.raises(ConnectionFailed, match="broke: the Gateway goes away"):
                    await texts(client, **options)
        finally:
            await client.close()
            await server.stop(0)
        return calls.streams

    assert run(scenario()) == (2 if idempotent else 1)


def test_an_empty_answer_before_the_end_with_an_error_is_that_error() -> None:
    class Gone(grpc.GenericRpcHandler):  # type: ignore[misc]
        """What Jina's Gateway does where an Executor is gone."""

        def service(self, details: Any) -> Any:
            is_call = details.method == "/jina.JinaRPC/Call"
            return grpc.stream_stream_rpc_method_handler(self._call) if is_call else None

        async def _call(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            async for data in requests:
                request = jina3.read_data_request(data)
                yield jina3.write_data_response(request, Response())
                await context.abort(grpc.StatusCode.UNAVAILABLE, "|Gateway: it may be down")

    async def scenario() -> None:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((Gone(),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with AsyncClient(f"grpc://127.0.0.1:{port}") as client:
                with pytest.raises(FlowUnavailable, match="it may be down"):
                    await texts(client)
        finally:
            await server.stop(0)

    run(scenario())


@pytest.mark.parametrize("role", Role)
def test_several_attempts_say_how_long_answers_take(folder: Path, role: Role) -> None:
    async def scenario() -> None:
        async with a_flow(folder) as flow:
            for url in flow.urls.values():
                found = await probe_all(target_of(url), role, attempts=3, timeout_s=5)
                assert (len(found.seconds), found.error, found.is_wrong) == (3, None, False)
                assert all(0 < seconds < 5 for seconds in found.seconds)

    run(scenario())


@pytest.mark.parametrize(
    ("asked", "there"),
    [("grpc", "http"), ("ws", "grpc"), ("http", "grpc"), ("grpcs", "grpc"), ("https", "http")],
)
def test_who_speaks_another_protocol_is_no_flow_that_will_come(
    folder: Path, asked: str, there: str
) -> None:
    async def scenario() -> None:
        async with a_flow(folder) as flow:
            authority = flow.urls[there].partition("://")[2]
            target = target_of(f"{asked}://{authority}")
            found = await probe_all(target, Role.FLOW, attempts=1, timeout_s=5)
            assert isinstance(found.error, WrongAddress), found.error
            assert found.is_wrong

    run(scenario())


def test_who_asks_an_http_port_by_grpc_is_told_the_address_to_take(folder: Path) -> None:
    async def scenario() -> None:
        async with a_flow(folder) as flow:
            authority = flow.urls["http"].partition("://")[2]
            with pytest.raises(ConnectionFailed, match=f"speaks HTTP: try http://{authority}"):
                async with AsyncClient(host=f"grpc://{authority}") as client:
                    await texts(client)

    run(scenario())


@pytest.mark.parametrize("scheme", ["grpc", "http", "ws"])
def test_nobody_yet_and_nobody_who_answers_are_told_apart(scheme: str) -> None:
    async def scenario() -> None:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            target = target_of(f"{scheme}://127.0.0.1:{sock.getsockname()[1]}")
            nobody = await probe_all(target, Role.FLOW, attempts=1, timeout_s=2)
            assert isinstance(nobody.error, ConnectionFailed)
            assert not nobody.is_wrong
            sock.listen()
            silent = await probe_all(target, Role.FLOW, attempts=1, timeout_s=0.3)
            assert isinstance(silent.error, TimedOut | AnswerLate)

    run(scenario())


def test_a_status_is_raised_under_the_names_that_jinas_users_catch() -> None:
    from jina_cli.client.errors import error_of

    kinds = {
        StatusCode.UNAVAILABLE: (BadServer, ConnectionError),
        StatusCode.DEADLINE: (TimedOut, TimeoutError, ConnectionError),
        StatusCode.OVERLOADED: (TimedOut, ConnectionError),
        StatusCode.EXECUTOR: (BadServer,),
    }
    for code, expected in kinds.items():
        for timeout_s in (None, 1.0):
            error = error_of(Status(code=code, description="why"), "/x", timeout_s)
            assert all(isinstance(error, kind) for kind in expected), code
    assert error_of(Status(), "/x", 1.0) is None


def test_an_event_loop_that_is_over_leaves_nothing_behind(folder: Path) -> None:
    async def scenario() -> None:
        async with a_flow(folder) as flow:
            client = AsyncClient(flow.urls["native"])
            await asyncio.to_thread(asyncio.run, texts(client))
            await asyncio.to_thread(asyncio.run, client.close())

    run(scenario())
