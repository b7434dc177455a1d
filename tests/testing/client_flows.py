"""A Flow for tests of clients: one Pea in the test's own loop, a real Gateway, all protocols.

async with a_flow(folder) as flow:
    flow.urls["grpc"], flow.pea.cancelled
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from jina_cli.vocabulary import Protocol
from jina_cli.wire.channel import Server
from jina_cli.wire.messages import (
    EndpointInfo,
    Hello,
    Request,
    Response,
    Status,
    StatusCode,
)
from tests.testing.gateways import a_gateway, a_route, echo

PROTOCOLS = ("native", "grpc", "http", "ws")
FAILURE = Status(
    code=StatusCode.EXECUTOR,
    description="echo (Mine): ValueError: no",
    exception="ValueError",
    arguments=("no",),
    stacks=("Traceback …", "ValueError: no"),
    executor="Mine",
    pod="echo",
)
HALF = {"total_shards": "2", "failed_shards": "1"}


@dataclass
class Pea:
    """Echoes; but fails, answers by halves, hangs, is full or counts where the endpoint says so.

    Attributes:
        asked: Requests that came.
        most: The most that were worked on at a time.
        cancelled: Set when work was cancelled.
        gate: What `/gated` waits for.
        seconds_left: Of the deadline of each request that came; None without one.
    """

    asked: int = 0
    working: int = 0
    most: int = 0
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    seconds_left: list[float | None] = field(default_factory=list)
    metadata: list[Mapping[str, str]] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        self.asked += 1
        self.working += 1
        self.most = max(self.most, self.working)
        self.metadata.append(request.metadata)
        left = request.deadline
        self.seconds_left.append(None if left is None else left - asyncio.get_running_loop().time())
        try:
            return await self._work(request)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            self.working -= 1

    async def _work(self, request: Request) -> Response:
        match request.endpoint:
            case "/fail":
                return Response(request_id=request.request_id, status=FAILURE)
            case "/half":
                return replace(await echo(request), marks=HALF)
            case "/gated":
                await self.gate.wait()
            case "/hang":
                await asyncio.Event().wait()
        return await echo(request)

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        """Yield the documents of the request again and again; then fail, if it is `/break`."""
        whole = await echo(request)
        count = int(request.parameters.get("count", 3))
        try:
            for _ in range(count):
                yield whole
                await asyncio.sleep(0)
            if request.endpoint == "/break":
                yield Response(request_id=request.request_id, status=FAILURE)
        except (GeneratorExit, asyncio.CancelledError):
            self.cancelled.set()
            raise


@dataclass(frozen=True)
class Flow:
    """A running Flow: its addresses by protocol."""

    pea: Pea
    urls: Mapping[str, str]


@asynccontextmanager
async def a_flow(folder: Path, *, tls: tuple[Path, Path] | None = None) -> AsyncIterator[Flow]:
    """Start a Flow of one Pod that ends with the block.

    Args:
        tls: Files of a certificate and its key.
    """
    secured = "s" if tls else ""
    files = {"ssl_certfile": str(tls[0]), "ssl_keyfile": str(tls[1])} if tls else {}
    pea = Pea()
    path = folder / "echo.sock"
    info = EndpointInfo(is_generator=True)
    endpoints = {"/default": EndpointInfo(), "/count": info, "/break": info}
    server = Server(
        pea.answer,
        lambda: Hello(pea="echo", executor="Mine", endpoints=endpoints),
        max_queue=1024,
        max_message_bytes=64 * 2**20,
        stream=pea.stream,
    )
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        await server.start(sock)
        protocols = (Protocol.GRPC, Protocol.HTTP, Protocol.WEBSOCKET)
        try:
            route = a_route("echo", f"unix:{path}")
            async with a_gateway(folder, [route], protocols, **files) as gateway:
                told = gateway.addresses
                urls = {name: f"{name}{secured}://{told[name]}" for name in ("grpc", "http")}
                urls |= {"ws": f"ws{secured}://{told['websocket']}", "native": gateway.native}
                yield Flow(pea, urls)
        finally:
            await server.close()
