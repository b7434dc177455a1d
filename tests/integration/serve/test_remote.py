"""External Pods against a small Jina Executor in the test's own event loop, over real gRPC."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from jina_cli.documents.rows import from_rows, to_rows
from jina_cli.plan.models import Route
from jina_cli.serve.external import ExternalPod
from jina_cli.serve.grpc_messages import write_endpoints
from jina_cli.serve.pods import CannotRoute
from jina_cli.serve.roots import trusted_roots
from jina_cli.wire import jina3
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.messages import (
    Body,
    EndpointInfo,
    Format,
    Request,
    Response,
    StatusCode,
)
from tests.testing.certificates import a_certificate

pytestmark = pytest.mark.anyio

ROWS = [{"id": "1", "text": "a", "price": 1}, {"id": "2", "text": "b", "price": 9}]
SINGLE = "/jina.JinaSingleDataRequestRPC/process_single_data"
LIST = "/jina.JinaDataRequestRPC/process_data"
STREAM = "/jina.JinaSingleDocumentRequestRPC/stream_doc"
DISCOVER = "/jina.JinaDiscoverEndpointsRPC/endpoint_discovery"


@dataclass
class JinaExecutor:
    """Serves Jina's methods, and remembers what it was sent.

    Attributes:
        calls: Method, message and metadata of each call.
        ended: Is set when a streamed answer ended, however.
    """

    generates: bool = False
    takes_lists: bool = True
    trailing: tuple[tuple[str, str], ...] = ()
    calls: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def service(self, details: Any) -> Any:
        handlers: dict[str, Callable[..., Any]] = {SINGLE: self.single, DISCOVER: self.discover}
        if self.takes_lists:
            handlers[LIST] = self.listed
        if details.method == STREAM:
            return grpc.unary_stream_rpc_method_handler(self.stream)
        found = handlers.get(details.method)
        return None if found is None else grpc.unary_unary_rpc_method_handler(found)

    def note(self, method: str, data: bytes, context: Any) -> None:
        self.calls.append((method, data, dict(context.invocation_metadata())))
        context.set_trailing_metadata(self.trailing)

    async def discover(self, data: bytes, context: Any) -> bytes:
        return write_endpoints({"/search": EndpointInfo(is_generator=self.generates)})

    async def single(self, data: bytes, context: Any) -> bytes:
        self.note(SINGLE, data, context)
        return data

    async def listed(self, data: bytes, context: Any) -> bytes:
        self.note(LIST, data, context)
        request = jina3.read_data_requests(data)
        return jina3.write_data_response(request, Response(body=request.bodies[-1]))

    async def stream(self, data: bytes, context: Any) -> AsyncIterator[bytes]:
        self.note(STREAM, data, context)
        try:
            for number in range(1000):
                row = {"id": str(number), "text": f"part {number}"}
                body = write_body(from_rows([row]), Format.PROTO)
                request = Request(endpoint="/search", request_id="7")
                (part,) = jina3.write_document_responses(request, Response(body=body))
                yield part
        finally:
            self.ended.set()


@asynccontextmanager
async def serving(
    executor: JinaExecutor, tls: tuple[Path, Path] | None = None
) -> AsyncIterator[str]:
    server = grpc.aio.server()

    class Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
        def service(self, handler_call_details: Any) -> Any:
            return executor.service(handler_call_details)

    server.add_generic_rpc_handlers((Handlers(),))
    if tls is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        certificate, key = (path.read_bytes() for path in tls)
        secrets = grpc.ssl_server_credentials([(key, certificate)])
        port = server.add_secure_port("127.0.0.1:0", secrets)
    await server.start()
    try:
        yield f"grpc{'s' if tls else ''}://127.0.0.1:{port}"
    finally:
        await server.stop(None)


@asynccontextmanager
async def a_pod(*addresses: str, **more: Any) -> AsyncIterator[ExternalPod]:
    route = Route(pod="far", needs=(), addresses=addresses, external=True, **more)
    pod = ExternalPod(route, max_pending=8, max_message_bytes=2**20, on_change=lambda: None)
    pod.start()
    try:
        await asyncio.wait_for(pod.connected(), 10)
        yield pod
    finally:
        await pod.close()


def a_question(*bodies: Body, **more: Any) -> Request:
    given = bodies or (a_body(),)
    return Request(endpoint="/search", bodies=given, request_id="7", **more)


def a_body(format: Format = Format.COLUMNS) -> Body:
    return write_body(from_rows(ROWS), format)


def rows_of(response: Response) -> list[dict[str, Any]]:
    return [dict(row) for row in to_rows(read_body(response.body))]


async def test_the_plans_metadata_and_the_requests_go_along() -> None:
    executor = JinaExecutor()
    async with serving(executor) as address, a_pod(address, metadata={"token": "x"}) as pod:
        await pod.request(a_question(metadata={"traceparent": "00-1"}))

    (call,) = executor.calls
    assert call[2].items() >= {"endpoint": "/search", "token": "x", "traceparent": "00-1"}.items()


async def test_only_documents_that_meet_the_condition_are_sent() -> None:
    executor = JinaExecutor()
    async with serving(executor) as address:
        async with a_pod(address, when={"price": {"$lt": 5}}) as pod:
            some = await pod.request(a_question())
        async with a_pod(address, when={"price": {"$gt": 50}}) as pod:
            none = await pod.request(a_question())

    assert [row["id"] for row in rows_of(some)] == ["1"]
    assert none.status.ok
    assert len(read_body(none.body)) == 0
    assert len(executor.calls) == 1


@pytest.mark.parametrize("takes_lists", [True, False])
async def test_answers_stay_apart_for_who_takes_them_so(takes_lists: bool) -> None:
    executor = JinaExecutor(takes_lists=takes_lists)
    one = write_body(from_rows([{"id": "1", "text": "a"}]), Format.COLUMNS)
    other = write_body(from_rows([{"id": "1", "price": 3}]), Format.COLUMNS)
    async with serving(executor) as address, a_pod(address, no_reduce=True) as pod:
        response = await pod.request(a_question(one, other))

    rows = [(row["id"], row.get("text"), row.get("price")) for row in rows_of(response)]
    assert [method for method, *_ in executor.calls] == [LIST if takes_lists else SINGLE]
    assert rows == ([("1", "a", None), ("1", None, 3)] if takes_lists else [("1", "a", 3)])


async def test_what_stands_beside_the_answer_is_heard() -> None:
    executor = JinaExecutor(trailing=(("total_shards", "3"), ("failed_shards", "1")))
    async with serving(executor) as address, a_pod(address) as pod:
        partial = await pod.request(a_question())
        executor.trailing = (("is-error", "true"),)
        failed = await pod.request(a_question())

    assert partial.marks == {"total_shards": "3", "failed_shards": "1"}
    assert (failed.status.code, failed.status.pod) == (StatusCode.EXECUTOR, "far")


async def test_a_generators_documents_come_one_by_one_and_closing_stops_it() -> None:
    executor = JinaExecutor(generates=True)
    found = []
    async with serving(executor) as address, a_pod(address) as pod:
        parts = pod.stream(a_question(streamed=True))
        async for part in parts:
            found += [row["text"] for row in rows_of(part)]
            if len(found) == 3:
                await parts.aclose()  # type: ignore[attr-defined]
        async with asyncio.timeout(1):
            await executor.ended.wait()

    assert found == ["part 0", "part 1", "part 2"]


async def test_a_generators_documents_come_together_where_they_are_asked_for_whole() -> None:
    executor = JinaExecutor(generates=True)
    one = write_body(from_rows(ROWS[:1]), Format.COLUMNS)
    async with serving(executor) as address, a_pod(address) as pod:
        response = await pod.request(a_question(one, wanted=Format.JSON))

    assert response.body.format is Format.JSON
    assert len(read_body(response.body)) == 1000


async def test_a_generator_gets_the_documents_of_all_branches_that_meet_the_condition() -> None:
    executor = JinaExecutor(generates=True)
    one, other = (write_body(from_rows([row]), Format.COLUMNS) for row in ROWS)
    async with serving(executor) as address:
        async with a_pod(address) as pod:
            both = await pod.request(a_question(one, other))
        async with a_pod(address, when={"price": {"$gt": 50}}) as pod:
            none = await pod.request(a_question(one, other))

    assert len(executor.calls) == 2
    assert len(read_body(both.body)) == 2000
    assert none.status.ok
    assert len(read_body(none.body)) == 0


async def test_a_search_goes_to_another_address_when_one_is_gone() -> None:
    first, second = JinaExecutor(), JinaExecutor()
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(serving(second))
        async with AsyncExitStack() as brief:
            here = await brief.enter_async_context(serving(first))
            pod = await stack.enter_async_context(a_pod(here, there))
            while not (first.calls and second.calls):
                assert (await pod.request(a_question())).status.ok
        answers = [await pod.request(a_question()) for _ in range(6)]

    assert all(answer.status.ok for answer in answers)


async def test_deadlines_end_calls_that_are_far_away() -> None:
    executor = JinaExecutor()

    async def hang(data: bytes, context: Any) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    executor.single = hang  # type: ignore[method-assign]
    async with serving(executor) as address, a_pod(address) as pod:
        response = await pod.request(a_question(deadline=time.monotonic() + 0.2))

    assert (response.status.code, response.status.pod) == (StatusCode.DEADLINE, "far")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    return a_certificate(tmp_path)


async def test_an_address_over_tls_is_asked_where_its_certificate_is_trusted(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    executor = JinaExecutor()

    async with serving(executor, certificate) as address, a_pod(address) as pod:
        response = await pod.request(a_question())

    assert address.startswith("grpcs://")
    assert response.status.ok


async def test_why_an_address_does_not_answer_is_said_once(
    certificate: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(JinaExecutor(), certificate) as address:
        pod = ExternalPod(
            Route(pod="far", needs=(), addresses=(address,), external=True),
            max_pending=8,
            max_message_bytes=2**20,
            on_change=lambda: None,
        )
        pod.start()
        connecting = asyncio.create_task(pod.connected())
        try:
            async with asyncio.timeout(20):
                while not caplog.messages:
                    await asyncio.sleep(0.05)
        finally:
            connecting.cancel()
            await pod.close()

    (message,) = caplog.messages
    assert message.startswith(f"{address} does not answer yet, and is waited for: ")
    assert "CERTIFICATE_VERIFY_FAILED" in message


def test_the_environment_says_whose_certificates_are_trusted(tmp_path: Path) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_bytes(b"mine")

    assert trusted_roots({"SSL_CERT_FILE": str(roots)}) == b"mine"
    assert trusted_roots({"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(roots)}) == b"mine"
    assert trusted_roots({}) != b"mine"


def test_certificates_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    route = Route(pod="far", needs=(), addresses=("grpcs://127.0.0.1:1",), external=True)

    with pytest.raises(CannotRoute, match=r"needs certificates to trust, and .*none\.pem"):
        ExternalPod(route, max_pending=8, max_message_bytes=2**20, on_change=lambda: None)
