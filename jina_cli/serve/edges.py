"""All listeners of a Gateway: which library each needs, its socket, its start and its end.

What a protocol needs is imported here, and only where a listener speaks it.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, assert_never

from jina_cli.plan.models import GatewayPlan, Listener, PeaPlan
from jina_cli.serve.board import Board
from jina_cli.serve.slots import Slots
from jina_cli.vocabulary import DRY_RUN_ENDPOINT, Compression, Protocol
from jina_cli.wire.budget import Budget
from jina_cli.wire.channel import Server as NativeServer
from jina_cli.wire.messages import Answering, EndpointInfo, Hello

if TYPE_CHECKING:
    from ssl import SSLContext

    from jina_cli.serve.grpc_server import GrpcEdge
    from jina_cli.serve.http_server import HttpServer
    from jina_cli.serve.ws_app import WebSockets

Endpoints = Callable[[], Mapping[str, EndpointInfo]]

_NATIVE = "native"

_MESSAGES_IN_MEMORY = 4
"""Of the largest size, in requests of all listeners together."""

_STREAMED_BYTES = 16 * 2**20
"""Of requests of all streams that are worked on, before the next has to wait for one of them."""

_COMPRESSIONS = {Compression.NONE: "", Compression.DEFLATE: "deflate", Compression.GZIP: "gzip"}
"""What gRPC calls them."""

_LEAST_CALLS = 64
"""Calls over gRPC that are possible also with a short queue: health checks are some of them."""


class CannotListen(Exception):
    """An address cannot be served.

    Attributes:
        kind: As in `lifeline.FailedSaid`.
    """

    def __init__(self, kind: str, cause: str) -> None:
        self.kind = kind
        super().__init__(cause)


class Edges:
    """The listeners of one Gateway.

    Args:
        plan: Of this process; bounds.
        gateway: Its listeners.
        flow: Carries requests through the Flow.
        board: State of the Gateway.
        endpoints: Returns what the Pods serve now.
    """

    def __init__(
        self,
        plan: PeaPlan,
        gateway: GatewayPlan,
        flow: Answering,
        board: Board,
        endpoints: Endpoints,
    ) -> None:
        self._plan = plan
        self._gateway = gateway
        self._flow = flow
        self._board = board
        self._endpoints = endpoints
        self._budget = Budget(_MESSAGES_IN_MEMORY * plan.max_message_bytes)
        # Half of what a Pod takes is left to requests that come one by one.
        self._slots = Slots(max(1, plan.max_queue // 2), _STREAMED_BYTES)
        self._native: list[NativeServer] = []
        self._grpc: GrpcEdge | None = None
        self._http: HttpServer | None = None

    async def start(self, fds: Mapping[str, int]) -> dict[str, str]:
        """Listen everywhere; returns the real addresses by protocol.

        A second listener of a protocol is named with its place among the listeners: `http:2`.

        Args:
            fds: Inherited listening sockets by name, as in `lifeline.Launch`. A listener
                without one binds its own.

        Raises:
            CannotListen: An address is taken, may not be bound, or is of a protocol that
                is not served.
        """
        addresses: dict[str, str] = {}
        if _NATIVE in fds:
            await self._start_native(socket.socket(fileno=fds[_NATIVE]))
            addresses[_NATIVE] = self._gateway.native_address
        for place, listener in enumerate(self._gateway.listeners):
            name = listener.protocol.value
            address = await self._listen(listener, fds.get(f"{name}:{place}"))
            addresses[f"{name}:{place}" if name in addresses else name] = address
        return addresses

    async def drain(self, timeout_s: float) -> int:
        """Take nothing new and finish what is under way; returns how much was cut off."""
        if self._http is not None:
            await self._http.stop_accepting()
        left = await asyncio.gather(
            *(server.drain(timeout_s) for server in self._native),
            *([self._http.finish(timeout_s)] if self._http is not None else []),
            *([self._grpc.drain(timeout_s)] if self._grpc is not None else []),
        )
        return sum(left)

    async def close(self) -> None:
        """Cut off what is left."""
        for server in self._native:
            await server.close()
        if self._http is not None:
            await self._http.stop_accepting()
            await self._http.finish(0.0)
        if self._grpc is not None:
            await self._grpc.drain(0.0)

    async def _listen(self, listener: Listener, fd: int | None) -> str:
        match listener.protocol:
            case Protocol.GRPC:
                sock = _socket_of(listener, fd)
                address = _shown(listener.host, sock.getsockname()[1])
                tls = self._tls_context()
                if tls is not None:
                    tls.set_alpn_protocols(["h2"])
                await self._grpc_edge().start(sock, tls)
                return address
            case Protocol.HTTP | Protocol.WEBSOCKET:
                sock = _socket_of(listener, fd)
                address = _shown(listener.host, sock.getsockname()[1])
                await self._http_server().start(sock)
                return address
            case Protocol.NATIVE:
                sock = _socket_of(listener, fd)
                address = _shown(listener.host, sock.getsockname()[1])
                await self._start_native(sock)
                return address
            case _:
                assert_never(listener.protocol)

    async def _start_native(self, sock: socket.socket) -> None:
        server = NativeServer(
            self._flow.answer,
            lambda: Hello(pea=self._plan.name, endpoints=self._endpoints()),
            max_queue=self._plan.max_queue,
            max_message_bytes=self._plan.max_message_bytes,
            budget=self._budget,
            stream=self._flow.stream,
        )
        self._native.append(server)
        await server.start(sock)

    def _grpc_edge(self) -> GrpcEdge:
        from jina_cli.serve.grpc_server import GrpcEdge, GrpcSettings
        from jina_cli.serve.grpc_services import Side

        if self._grpc is None:
            settings = GrpcSettings(
                max_message_bytes=self._plan.max_message_bytes,
                window=max(1, self._gateway.prefetch),
                max_calls=max(_LEAST_CALLS, 2 * self._plan.max_queue),
                compression=_COMPRESSIONS[self._gateway.compression],
            )
            side = Side(board=self._board, endpoints=self._endpoints)
            self._grpc = GrpcEdge(self._flow, settings, side, self._budget, self._slots)
        return self._grpc

    def _http_server(self) -> HttpServer:
        from jina_cli.serve.http_app import HttpApp, HttpSettings
        from jina_cli.serve.http_pages import Pages, Title
        from jina_cli.serve.http_server import HttpServer

        if self._http is None:
            gateway, paths = self._gateway, paths_of(self._gateway.expose_endpoints)
            title = Title(title=gateway.title, description=gateway.description, paths=paths)
            pages = Pages(self._flow.answer, self._board, self._endpoints, title)
            limit = self._plan.max_message_bytes
            settings = HttpSettings(
                cors=gateway.cors,
                cors_origins=gateway.cors_origins,
                max_message_bytes=limit,
                deadline_s=gateway.deadline_s,
                # Clients ask it where the time of a request goes, by any protocol.
                paths={**paths, f"/{DRY_RUN_ENDPOINT}": DRY_RUN_ENDPOINT},
            )
            self._http = HttpServer(
                HttpApp(self._flow, pages, settings, self._websockets()),
                max_body_bytes=limit,
                budget=self._budget,
                is_draining=lambda: self._board.draining,
                tls=self._tls_context(),
            )
        return self._http

    def _websockets(self) -> WebSockets:
        from jina_cli.serve.ws_app import WebSockets
        from jina_cli.serve.ws_session import SessionSettings

        settings = SessionSettings(
            window=max(1, self._gateway.prefetch),
            max_message_bytes=self._plan.max_message_bytes,
            deadline_s=self._gateway.deadline_s,
        )
        return WebSockets(self._flow.answer, settings, slots=self._slots, budget=self._budget)

    def _tls_context(self) -> SSLContext | None:
        certificate, key = self._gateway.ssl_certfile, self._gateway.ssl_keyfile
        if not certificate:
            return None
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(certificate, key or None)
        except OSError as error:
            what = f"cannot use the certificate {certificate} with the key {key or certificate}"
            raise CannotListen("init", f"{what}: {error.strerror or error}") from error
        return context


def paths_of(exposed: Mapping[str, Any]) -> dict[str, str]:
    """Return HTTP path → endpoint of `expose_endpoints`, which has it the other way round."""
    paths: dict[str, str] = {}
    for endpoint, settings in exposed.items():
        path = settings.get("http_path") if isinstance(settings, Mapping) else None
        if path:
            paths["/" + str(path).strip("/")] = endpoint
    return paths


def _socket_of(listener: Listener, fd: int | None) -> socket.socket:
    if fd is not None:
        return socket.socket(fileno=fd)
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((listener.host, listener.port))
    except OSError as error:
        sock.close()
        taken = error.errno == errno.EADDRINUSE
        address = _shown(listener.host, listener.port)
        kind = "permission" if error.errno in (errno.EACCES, errno.EPERM) else "port-taken"
        what = "is taken" if taken else f"cannot be bound: {error.strerror}"
        raise CannotListen(kind, f"{address} {what}") from error
    return sock


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
