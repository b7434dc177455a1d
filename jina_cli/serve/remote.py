"""One address of a Pod that somebody else runs: a Jina Executor or a Flow, over gRPC.

To the balance it is what a `Link` is to one of our own Peas.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio

from jina_cli.serve.convert import as_format, those_that, together
from jina_cli.serve.grpc_messages import read_endpoints
from jina_cli.serve.roots import trusted_roots
from jina_cli.vocabulary import DEFAULT_ENDPOINT
from jina_cli.wire import jina3
from jina_cli.wire.channel import LinkDown
from jina_cli.wire.messages import (
    EMPTY,
    GRPC_STATUS_KEY,
    BadMessage,
    Body,
    EndpointInfo,
    Format,
    Hello,
    Request,
    Response,
    Status,
    StatusCode,
    failed,
    status_of_grpc,
)
from jina_cli.wire.parts import closing
from jina_cli.wire.single import (
    documents_of,
    read_single_response,
    write_request_list,
    write_single_request,
)

log = logging.getLogger(__name__)

_SINGLE = "/jina.JinaSingleDataRequestRPC/process_single_data"
_LIST = "/jina.JinaDataRequestRPC/process_data"
_STREAM = "/jina.JinaSingleDocumentRequestRPC/stream_doc"
_DISCOVER = "/jina.JinaDiscoverEndpointsRPC/endpoint_discovery"
_ASK_AGAIN_S = 1.0
_DISCOVER_S = 2.0

_TLS = "grpcs://"
_IS_ERROR = "is-error"
_MARKS = frozenset({"total_shards", "failed_shards"})
_NEVER_SENT = "failed to connect"


class NotJina(ValueError):
    """An address speaks gRPC, but not Jina's."""


class Remote:
    """A connection to one address, kept up by gRPC.

    Args:
        address: `grpc://host:port`, or `grpcs://host:port` for TLS.
        metadata: To send with each call.
        when: Condition on documents; those that do not meet it leave the request.
        keeps_apart: Whether several bodies go out unmerged, where the address takes them so.
        max_message_bytes: The limit of one request or answer.
        on_change: Called when the address comes or goes.

    Raises:
        OSError: The certificates to trust cannot be read.
    """

    def __init__(
        self,
        address: str,
        *,
        metadata: Mapping[str, str],
        when: Mapping[str, Any] | None,
        keeps_apart: bool,
        max_message_bytes: int,
        on_change: Callable[[], None],
    ) -> None:
        self.address = address
        self._metadata = metadata
        self._when = when
        self._keeps_apart = keeps_apart
        self._on_change = on_change
        self._max_message_bytes = max_message_bytes
        self._roots = trusted_roots() if address.startswith(_TLS) else None
        self._channel: Any = None
        self._hello: Hello | None = None
        self._up = asyncio.Event()
        self._outstanding = 0
        self._is_lamented = False
        self._watching: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        return self._up.is_set()

    @property
    def outstanding(self) -> int:
        return self._outstanding

    @property
    def hello(self) -> Hello | None:
        return self._hello

    def start(self) -> None:
        """Begin to connect, and to stay connected."""
        # Not before: a channel belongs to the event loop in which it is made.
        self._channel = _channel(self.address, self._roots, self._max_message_bytes)
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def discover(self) -> Hello:
        """Return what the address serves; ask until it says so.

        Raises:
            NotJina: It answered with something else.
        """
        ask = self._channel.unary_unary(_DISCOVER)
        while self._hello is None:
            try:
                data = await ask(b"", timeout=_DISCOVER_S, wait_for_ready=True)
                self._hello = Hello(pea=self.address, endpoints=read_endpoints(data))
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                    served = {DEFAULT_ENDPOINT: EndpointInfo()}
                    self._hello = Hello(pea=self.address, endpoints=served)
                    break
                # Not there yet, or not yet in order: it is somebody else's to start.
                await self._lament(ask)
                await asyncio.sleep(_ASK_AGAIN_S)
            except BadMessage as error:
                raise NotJina(f"{self.address} answered with what {error}") from None
        return self._hello

    async def wait_up(self, timeout_s: float) -> Hello:
        """Return what it serves as soon as it is connected.

        Raises:
            TimeoutError: It was not in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._up.wait()
        except TimeoutError:
            raise TimeoutError(f"{self.address} is not up") from None
        return self._hello or Hello(pea=self.address)

    async def request(self, request: Request, *, is_patient: bool = True) -> Response:
        """Ask, and return the answer; see `Link.request`."""
        self._outstanding += 1
        try:
            if self._is_generator(request.endpoint):
                return await self._collected(request)
            return await self._whole(request)
        except grpc.aio.AioRpcError as error:
            return self._broken(request, error)
        except ValueError as error:
            return self._wrong(request, error)
        finally:
            self._outstanding -= 1

    async def stream(self, request: Request, *, is_patient: bool = True) -> AsyncIterator[Response]:
        """Ask, and yield the answer's parts as they come; see `Link.stream`."""
        if not self._is_generator(request.endpoint):
            yield await self.request(request)
            return
        self._outstanding += 1
        try:
            async with closing(self._parts(request)) as parts:
                async for part in parts:
                    yield part
                    if not part.status.ok:
                        return
        except grpc.aio.AioRpcError as error:
            yield self._broken(request, error)
        except ValueError as error:
            yield self._wrong(request, error)
        finally:
            self._outstanding -= 1

    async def close(self) -> None:
        """Close the connection."""
        if self._watching is not None:
            self._watching.cancel()
        if self._channel is not None:
            await self._channel.close()

    async def _watch(self) -> None:
        while True:
            state = self._channel.get_state(try_to_connect=True)
            is_up = state is grpc.ChannelConnectivity.READY
            if is_up != self.is_up:
                if is_up:
                    self._up.set()
                else:
                    self._up.clear()
                self._on_change()
            await self._channel.wait_for_state_change(state)

    async def _lament(self, ask: Any) -> None:
        """Say once why the address does not answer; a call that waits for it never learns."""
        if self._is_lamented:
            return
        self._is_lamented = True
        try:
            await ask(b"", timeout=_DISCOVER_S)
        except grpc.aio.AioRpcError as error:
            why = str(error.details() or error.code().name).rpartition("last error: ")[2]
            log.warning("%s does not answer yet, and is waited for: %s", self.address, why)

    def _is_generator(self, endpoint: str) -> bool:
        served = self._hello.endpoints if self._hello is not None else {}
        info = served.get(endpoint) or served.get(DEFAULT_ENDPOINT)
        return info is not None and info.is_generator

    async def _whole(self, request: Request) -> Response:
        bodies = await self._prepared(request)
        if _is_passed_by(request, bodies):
            return Response(request_id=request.request_id)
        if len(bodies) > 1:
            try:
                apart = [replace(request, bodies=(body,)) for body in bodies]
                return await self._call(_LIST, write_request_list(apart), request)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                    raise
                self._keeps_apart = False
                bodies = (await together(bodies, Format.PROTO),)
        data = bytes(jina3.write_data_request(replace(request, bodies=bodies)))
        return await self._call(_SINGLE, data, request)

    async def _prepared(self, request: Request) -> tuple[Body, ...]:
        """Return the documents as the address takes them.

        Raises:
            ValueError: They are malformed.
        """
        bodies: Sequence[Body] = request.bodies
        if self._when is not None:
            bodies = [await those_that(body, self._when) for body in bodies]
        if len(bodies) > 1 and self._keeps_apart:
            return tuple([await as_format(body, Format.PROTO) for body in bodies])
        return (await together(bodies, Format.PROTO),)

    async def _call(self, method: str, data: bytes, request: Request) -> Response:
        call = self._channel.unary_unary(method)(data, **self._options(request))
        response = jina3.read_data_response(await call)
        trailing = dict(await call.trailing_metadata() or ())
        return await self._readable(request, _told(response, trailing))

    async def _collected(self, request: Request) -> Response:
        """Return all parts of an answer together: lists of documents are joined as they are."""
        found: list[Response] = []
        async with closing(self._parts(replace(request, wanted=Format.PROTO))) as parts:
            async for part in parts:
                if not part.status.ok:
                    return part
                found.append(part)
        data = b"".join(bytes(part.body.data) for part in found)
        body = Body(Format.PROTO, data) if data else EMPTY
        last = found[-1] if found else Response(request_id=request.request_id)
        return await self._readable(request, replace(last, body=body))

    async def _parts(self, request: Request) -> AsyncIterator[Response]:
        bodies = await self._prepared(request)
        if _is_passed_by(request, bodies):
            return
        for document in documents_of(await together(bodies, Format.PROTO)) or [EMPTY]:
            data = write_single_request(replace(request, bodies=(document,)))
            call = self._channel.unary_stream(_STREAM)(data, **self._options(request))
            try:
                async for answer in call:
                    yield await self._readable(request, read_single_response(answer))
            finally:
                call.cancel()

    def _options(self, request: Request) -> dict[str, Any]:
        left = None if request.deadline is None else max(0.0, request.deadline - time.monotonic())
        own = {"endpoint": request.endpoint, **self._metadata, **request.metadata}
        return {"timeout": left, "metadata": tuple(own.items())}

    async def _readable(self, request: Request, response: Response) -> Response:
        """Return the answer as an edge can send it; our own Pods read every format."""
        if not response.status.ok or request.wanted is not Format.JSON:
            return response
        return replace(response, body=await as_format(response.body, Format.JSON))

    def _broken(self, request: Request, error: Any) -> Response:
        """Return how a call failed.

        Raises:
            LinkDown: There was nobody, or no longer.
        """
        details = error.details() or error.code().name
        trailing = error.trailing_metadata()
        is_ours = any(name == GRPC_STATUS_KEY for name, _ in trailing or ())
        if error.code() is grpc.StatusCode.UNAVAILABLE and not is_ours:
            raise LinkDown(_NEVER_SENT not in details, address=self.address, reason=details)
        code = status_of_grpc(error.code().value[0], trailing, details)
        return self._failed(request, code, details)

    def _wrong(self, request: Request, error: ValueError) -> Response:
        if isinstance(error, BadMessage):
            return self._failed(request, StatusCode.EXECUTOR, f"no Jina message came: {error}")
        return self._failed(request, StatusCode.INVALID, str(error))

    def _failed(self, request: Request, code: StatusCode, what: str) -> Response:
        return failed(request, code, f"{self.address}: {what}")


def _is_passed_by(request: Request, bodies: Sequence[Body]) -> bool:
    """Whether none of the documents meets the condition; a request without any is passed on."""
    had_docs = any(body.format is not Format.NONE for body in request.bodies)
    return had_docs and all(body is EMPTY for body in bodies)


def _told(response: Response, trailing: Mapping[str, Any]) -> Response:
    """Return the answer with what its trailing metadata says beside it."""
    marks = {name: str(value) for name, value in trailing.items() if name in _MARKS}
    if marks:
        response = replace(response, marks=marks)
    if response.status.ok and str(trailing.get(_IS_ERROR, "")).lower() == "true":
        status = Status(code=StatusCode.EXECUTOR, description="the Executor says that it failed")
        response = replace(response, status=status)
    return response


def _channel(address: str, roots: bytes | None, max_message_bytes: int) -> Any:
    place = address.partition("://")[2]
    options = [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        # Proxies of the environment are for the internet, not for a Flow's Pods.
        ("grpc.enable_http_proxy", 0),
    ]
    if address.startswith(_TLS):
        credentials = grpc.ssl_channel_credentials(roots)
        return grpc.aio.secure_channel(place, credentials, options)
    return grpc.aio.insecure_channel(place, options)
