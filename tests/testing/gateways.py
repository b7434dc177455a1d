"""A real Gateway process over small Peas that live in the test's own event loop.

async def scenario(tmp_path: Path) -> None:
    async with a_pea(tmp_path / "echo.sock") as echo:
        async with a_gateway(tmp_path, [a_route("echo", echo)]) as gateway:
            gateway.addresses["http"]
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jina_cli.lifeline import DrainSaid, FailedSaid, Launch, ReadySaid, Said, from_line
from jina_cli.plan.codec import to_json
from jina_cli.plan.models import GatewayPlan, Listener, PeaPlan, Route
from jina_cli.vocabulary import PeaRole, Protocol
from jina_cli.wire.channel import Link, Server
from jina_cli.wire.messages import Body, EndpointInfo, Format, Hello, Request, Response

Answer = Callable[[Request], Awaitable[Response]]
Run = Callable[[Coroutine[Any, Any, Any]], Any]

LOCAL = "127.0.0.1"


def run(scenario: Coroutine[Any, Any, Any], timeout_s: float = 60.0) -> Any:
    """Run a test's coroutine to its end, within a bound."""
    return asyncio.run(asyncio.wait_for(scenario, timeout_s))


def a_folder() -> Path:
    """Return a new folder whose path is short enough for unix sockets."""
    return Path(tempfile.mkdtemp(prefix="jn-"))


async def echo(request: Request) -> Response:
    """Answer with the documents as they came; converts between formats like a Pea."""
    from jina_cli.wire.bodies import read_body, write_body

    body = request.bodies[0]
    if body.format not in (request.wanted, Format.NONE):
        body = write_body(read_body(body), request.wanted)
    return Response(request_id=request.request_id, body=body, parameters=request.parameters)


class Hanging:
    """A Pod that never answers.

    Attributes:
        asked: Set once a request has come.
        cancelled: Set once its work was given up.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def answer(self, request: Request) -> Response:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        raise AssertionError


@asynccontextmanager
async def a_pea(
    path: Path,
    answer: Answer = echo,
    endpoints: Sequence[str] = ("/default",),
    *,
    max_queue: int = 1024,
) -> AsyncIterator[str]:
    """Serve `answer` on a unix socket, and give its address."""
    served = dict.fromkeys(endpoints, EndpointInfo())
    server = Server(
        answer,
        lambda: Hello(pea=path.stem, executor="Echo", endpoints=served),
        max_queue=max_queue,
        max_message_bytes=64 * 2**20,
    )
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        await server.start(sock)
        try:
            yield f"unix:{path}"
        finally:
            await server.close()


def a_route(pod: str, *addresses: str, needs: Sequence[str] = (), **more: Any) -> Route:
    return Route(pod=pod, needs=tuple(needs), addresses=addresses, **more)


@dataclass(slots=True)
class RunningGateway:
    """One Gateway process.

    Attributes:
        said: What it said on its control pipe, in order.
        addresses: Of its listeners, by protocol; with `native`.
    """

    process: subprocess.Popen[bytes]
    control: asyncio.StreamReader
    native: str
    death_fd: int
    sockets: Sequence[socket.socket] = ()
    said: list[Said] = field(default_factory=list)
    addresses: Mapping[str, str] = field(default_factory=dict)

    async def hear(self, kind: type[Said], timeout_s: float = 20.0) -> Said:
        """Return the next thing of this kind that it says.

        Raises:
            AssertionError: It ended, failed, or was silent.
        """
        async with asyncio.timeout(timeout_s):
            while line := await self.control.readline():
                said = from_line(line)
                self.said.append(said)
                if isinstance(said, kind):
                    return said
                if isinstance(said, FailedSaid):
                    raise AssertionError(f"the Gateway failed: {said}")
        raise AssertionError(f"the Gateway ended; it said {self.said}")

    def terminate(self) -> None:
        """Have it stop for good: as the parent does, nobody else keeps its sockets then."""
        self._hang_up()
        self.process.send_signal(signal.SIGTERM)

    async def ended(self, timeout_s: float = 20.0) -> int:
        """Return its exit code."""
        return await asyncio.to_thread(self.process.wait, timeout_s)

    def let_parent_die(self) -> None:
        """Close the death pipe and the sockets, as the end of the parent would."""
        self._hang_up()
        os.close(self.death_fd)
        self.death_fd = -1

    def _hang_up(self) -> None:
        for sock in self.sockets:
            sock.close()


@asynccontextmanager
async def a_gateway(
    folder: Path,
    routes: Sequence[Route],
    protocols: Sequence[Protocol] = (Protocol.GRPC, Protocol.HTTP),
    *,
    wait_ready: bool = True,
    deregister_s: float = 0.0,
    plan: Mapping[str, Any] | None = None,
    ports: Mapping[Protocol, int] | None = None,
    **gateway: Any,
) -> AsyncIterator[RunningGateway]:
    """Start a Gateway as the parent does, and kill it at the end.

    Args:
        folder: For its plan and its socket; short.
        plan: More of its `PeaPlan`.
        gateway: More of its `GatewayPlan`.
    """
    native = f"unix:{folder / 'gateway.sock'}"
    listeners = tuple(
        Listener(protocol=protocol, host=LOCAL, port=(ports or {}).get(protocol, 0))
        for protocol in protocols
    )
    written = PeaPlan(
        name="gateway",
        pod="gateway",
        role=PeaRole.GATEWAY,
        address=native,
        workspace=str(folder),
        gateway=GatewayPlan(
            flow="test",
            listeners=listeners,
            native_address=native,
            routes=tuple(routes),
            **gateway,
        ),
        **(plan or {}),
    )
    plan_path = folder / "gateway.json"
    plan_path.write_text(json.dumps(to_json(written)))
    async with AsyncExitStack() as stack:
        running = await _spawn(stack, plan_path, native, listeners, deregister_s)
        if wait_ready:
            ready = await running.hear(ReadySaid)
            assert isinstance(ready, ReadySaid)
            running.addresses = ready.addresses
        yield running


@contextmanager
def a_gateway_aside(*arguments: Any, **more: Any) -> Iterator[tuple[RunningGateway, Run]]:
    """Run `a_gateway` in an event loop of its own, for tests that have none.

    Gives what runs a coroutine there, too.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run_there(coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

    gateway = a_gateway(*arguments, **more)
    try:
        yield run_there(gateway.__aenter__()), run_there
        run_there(gateway.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _spawn(
    stack: AsyncExitStack,
    plan_path: Path,
    native: str,
    listeners: Sequence[Listener],
    deregister_s: float,
) -> RunningGateway:
    sockets = {"native": _unix(native)}
    for place, listener in enumerate(listeners):
        if not listener.port:  # one that a test chose, the Gateway is to bind
            sockets[f"{listener.protocol.value}:{place}"] = _tcp(listener)
    control_read, control_write = os.pipe()
    death_read, death_write = os.pipe()
    fds = {name: sock.fileno() for name, sock in sockets.items()}
    launch = Launch(
        plan_path=str(plan_path),
        control_fd=control_write,
        death_fd=death_read,
        listen_fds=fds,
        deregister_s=deregister_s,
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "jina_cli.serve", launch.to_argument()],
        pass_fds=(control_write, death_read, *fds.values()),
        start_new_session=True,
        stdin=subprocess.DEVNULL,
    )
    for fd in (control_write, death_read):
        os.close(fd)
    # As the parent does: the sockets stay open here, too, until it is told to end.
    stack.callback(lambda: [sock.close() for sock in sockets.values()])
    control = await _reader(control_read)
    running = RunningGateway(process, control, native, death_write, tuple(sockets.values()))
    stack.callback(_kill, running)
    return running


def _kill(running: RunningGateway) -> None:
    if running.process.poll() is None:
        os.killpg(running.process.pid, signal.SIGKILL)
    running.process.wait(10)
    if running.death_fd >= 0:
        os.close(running.death_fd)


async def _reader(fd: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(fd, "rb", 0))
    return reader


def _unix(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    path = Path(address.removeprefix("unix:"))
    path.unlink(missing_ok=True)
    sock.bind(str(path))
    sock.listen(128)
    return sock


def _tcp(listener: Listener) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((listener.host, listener.port))
    sock.listen(1024)
    return sock


@asynccontextmanager
async def a_link(gateway: RunningGateway) -> AsyncIterator[Link]:
    """Connect to the Gateway's native socket."""
    link = Link(gateway.native, max_pending=4096)
    link.start()
    try:
        await link.wait_up(10.0)
        yield link
    finally:
        await link.close()


def json_body(*documents: Mapping[str, Any]) -> Body:
    return Body(Format.JSON, json.dumps(list(documents)).encode())


__all__ = ["DrainSaid", "FailedSaid", "ReadySaid", "RunningGateway"]
