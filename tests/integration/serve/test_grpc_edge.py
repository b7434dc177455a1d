"""The gRPC edge over sockets, asked by grpcio's client and by bytes of our own."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import pytest

from jina_cli.documents.rows import from_rows
from jina_cli.documents.varint import sized
from jina_cli.serve.board import Board
from jina_cli.serve.grpc_messages import read_endpoints
from jina_cli.serve.grpc_server import GrpcEdge, GrpcSettings
from jina_cli.serve.grpc_services import Side
from jina_cli.serve.http2 import frames
from jina_cli.serve.http2.blocks import write_block
from jina_cli.serve.slots import Slots
from jina_cli.wire import jina3
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.budget import Budget
from jina_cli.wire.messages import (
    Answering,
    Body,
    EndpointInfo,
    Format,
    Request,
    Response,
    Status,
    StatusCode,
)
from tests.testing.gateways import LOCAL, run

SINGLE = "/jina.JinaSingleDataRequestRPC/process_single_data"
SEVERAL = "/jina.JinaDataRequestRPC/process_data"
STREAM_DOC = "/jina.JinaSingleDocumentRequestRPC/stream_doc"
CALL = "/jina.JinaRPC/Call"
MIB = 2**20
NO_LIMIT = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
CHECK = "/grpc.health.v1.Health/Check"


async def echo(request: Request) -> Response:
    body = request.bodies[0]
    return Response(request_id=request.request_id, body=body, parameters=request.parameters)


@dataclass(slots=True)
class FakeFlow:
    """A Flow of one function; keeps what it was asked."""

    work: Callable[[Request], Any] = echo
    parts: Callable[[Request], AsyncIterator[Response]] | None = None
    asked: list[Request] = field(default_factory=list)
    cancelled: int = 0

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        try:
            found: Response = await self.work(request)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return found

    async def stream(self, request: Request) -> AsyncIterator[Response]:
        assert self.parts is not None
        self.asked.append(request)
        try:
            async for part in self.parts(request):
                yield part
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise


@dataclass(slots=True)
class Served:
    edge: GrpcEdge
    channel: grpc.aio.Channel
    address: tuple[str, int]
    budget: Budget

    async def idle(self) -> None:
        """Return when nothing is under way, and all memory is given back."""
        async with asyncio.timeout(5):
            while self.edge.calls or self.budget.held:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def served(
    flow: FakeFlow, *, budget: int = 256 * MIB, slots: int = 128, **more: Any
) -> AsyncIterator[Served]:
    """Serve `flow` in this event loop, with a channel to it."""
    settings = {"max_message_bytes": 64 * MIB, "window": 1000, "max_calls": 2048} | more
    room = Budget(budget)
    board = Board({})
    board.start()
    side = Side(board=board, endpoints=lambda: {"/x": EndpointInfo(input={"title": "Doc"})})
    answering = Answering(answer=flow.answer, stream=flow.stream)
    edge = GrpcEdge(answering, GrpcSettings(**settings), side, room, Slots(slots, 2**30))
    with socket.create_server((LOCAL, 0)) as sock:
        address = sock.getsockname()
        await edge.start(sock.dup())
    options = [*NO_LIMIT, ("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"{LOCAL}:{address[1]}", options) as channel:
        try:
            yield Served(edge, channel, address, room)
        finally:
            await edge.drain(0.0)


def a_body(size: int) -> Body:
    return write_body(from_rows([{"id": "1", "text": "x" * size}]), Format.PROTO)


def a_message(request_id: str = "1", size: int = 10, **more: Any) -> bytes:
    request = Request(endpoint="/x", request_id=request_id, bodies=(a_body(size),), **more)
    return jina3.write_data_request(request)


async def messages(*given: bytes) -> AsyncIterator[bytes]:
    for one in given:
        yield one


@pytest.mark.parametrize("method", [SINGLE, CALL])
def test_sixty_mib_go_in_and_come_back(method: str) -> None:
    async def scenario() -> None:
        async with served(FakeFlow()) as at:
            message = a_message("big", 60 * MIB)
            if method == SINGLE:
                answers = [await at.channel.unary_unary(SINGLE)(message)]
            else:
                call = at.channel.stream_stream(CALL)(messages(message, a_message("small")))
                answers = [data async for data in call]
            found = [jina3.read_data_response(data) for data in answers]
            assert [one.request_id for one in found] == ["big", "small"][: len(found)]
            assert bytes(found[0].body.data) == a_body(60 * MIB).data
            await at.idle()

    run(scenario())


def test_a_thousand_calls_at_once_are_answered_each_with_its_own() -> None:
    gate = asyncio.Event()

    async def together(request: Request) -> Response:
        if len(flow.asked) == 1000:
            gate.set()
        await gate.wait()
        return await echo(request)

    flow = FakeFlow(together)

    async def scenario() -> None:
        async with served(flow) as at:
            ask = at.channel.unary_unary(SINGLE)
            answers = await asyncio.gather(*(ask(a_message(str(n))) for n in range(1000)))
            ids = [jina3.read_data_response(data).request_id for data in answers]
            assert ids == [str(n) for n in range(1000)]
            await at.idle()

    run(scenario())


def test_a_thousand_streams_at_once_are_answered() -> None:
    async def scenario() -> None:
        async with served(FakeFlow(), slots=8) as at:

            async def one(number: int) -> list[str]:
                asked = messages(a_message(f"{number}a"), a_message(f"{number}b"))
                call = at.channel.stream_stream(CALL)(asked)
                return [jina3.read_data_response(data).request_id async for data in call]

            answers = await asyncio.gather(*(one(number) for number in range(1000)))
            assert answers == [[f"{n}a", f"{n}b"] for n in range(1000)]
            await at.idle()

    run(scenario())


@pytest.mark.parametrize("how", [grpc.Compression.Gzip, grpc.Compression.Deflate])
@pytest.mark.parametrize("answered", ["", "gzip", "deflate"])
def test_compression_is_understood_and_spoken(how: grpc.Compression, answered: str) -> None:
    async def scenario() -> None:
        async with served(FakeFlow(), compression=answered) as at:
            message = a_message("1", 500_000)
            answer = await at.channel.unary_unary(SINGLE)(message, compression=how)
            assert jina3.read_data_response(answer).body.data == a_body(500_000).data
            call = at.channel.stream_stream(CALL)(messages(message), compression=how)
            assert [len(data) async for data in call] == [len(answer)]
            await at.idle()

    run(scenario())


@pytest.mark.parametrize("method", [SINGLE, CALL])
def test_a_bomb_is_too_large_and_nothing_is_left_of_it(method: str) -> None:
    async def scenario() -> None:
        async with served(FakeFlow(), max_message_bytes=MIB) as at:
            bomb = a_message("1", 20 * MIB)
            how = grpc.Compression.Gzip
            if method == SINGLE:
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await at.channel.unary_unary(SINGLE)(bomb, compression=how)
                assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
                assert "over the limit of 1048576 bytes" in caught.value.details()
            else:
                call = at.channel.stream_stream(CALL)(messages(bomb, a_message()), compression=how)
                codes = [jina3.read_data_response(data).status.code async for data in call]
                assert codes == [StatusCode.TOO_LARGE, StatusCode.OK]
            await at.idle()

    run(scenario())


def test_a_message_over_the_limit_is_refused_before_it_is_here() -> None:
    async def scenario() -> None:
        async with served(FakeFlow(), max_message_bytes=MIB) as at:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await at.channel.unary_unary(SINGLE)(a_message("1", 30 * MIB))
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            call = at.channel.stream_stream(CALL)(messages(a_message("1", 30 * MIB), a_message()))
            codes = [jina3.read_data_response(data).status.code async for data in call]
            assert codes == [StatusCode.TOO_LARGE, StatusCode.OK]
            await at.idle()

    run(scenario())


def test_metadata_travels_and_the_rest_does_no_harm() -> None:
    flow = FakeFlow()

    async def scenario() -> None:
        async with served(flow) as at:
            metadata = (("traceparent", "00-a-b-01"), ("x-bin", b"\0\xff"), ("y", "z" * 5000))
            ask = at.channel.unary_unary(SINGLE)
            for _ in range(3):
                await ask(a_message(), metadata=metadata)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await ask(a_message(), metadata=(("y", "z" * 40_000),))
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            await ask(a_message())

    run(scenario())

    assert [request.metadata for request in flow.asked] == [{"traceparent": "00-a-b-01"}] * 3 + [{}]


def test_the_sooner_of_the_two_deadlines_counts() -> None:
    flow = FakeFlow()

    async def scenario() -> float:
        async with served(flow) as at:
            header = sized(0x0A, b"\x1a\x02/x\x28\x05")  # a HeaderProto with timeout 5
            ask = at.channel.unary_unary(SINGLE)
            await ask(header)
            await ask(header, timeout=100)
            await ask(header, timeout=2)
            return asyncio.get_running_loop().time()

    now = run(scenario())

    left = [round((request.deadline or 0.0) - now) for request in flow.asked]
    assert left == [5, 5, 2]


@pytest.mark.parametrize("method", [SINGLE, CALL, STREAM_DOC])
def test_work_ends_at_the_deadline_and_with_the_client(method: str) -> None:
    async def hang(request: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def never(request: Request) -> AsyncIterator[Response]:
        yield await hang(request)

    flow = FakeFlow(hang, never)

    async def scenario() -> None:
        async with served(flow) as at:

            def ask(**more: Any) -> Any:
                if method == CALL:
                    return at.channel.stream_unary(CALL)(messages(a_message()), **more)
                return at.channel.unary_unary(method)(a_message(), **more)

            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await ask(timeout=0.1)
            assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            await at.idle()
            call = ask()
            asking = asyncio.ensure_future(_settled(call))
            while len(flow.asked) < 2:
                await asyncio.sleep(0.01)
            call.cancel()
            await asking
            await at.idle()

    run(scenario())

    assert flow.cancelled == 2


async def _settled(call: Any) -> None:
    try:
        await call
    except (grpc.aio.AioRpcError, asyncio.CancelledError):
        pass


def test_several_requests_are_answered_as_one_with_the_documents_of_all() -> None:
    async def scenario() -> Response:
        async with served(FakeFlow()) as at:
            rows = [[{"id": "a"}, {"id": "b"}], [{"id": "c"}]]
            bodies = [write_body(from_rows(row), Format.PROTO) for row in rows]
            requests = [
                Request(endpoint="/x", request_id=str(place), bodies=(body,))
                for place, body in enumerate(bodies)
            ]
            data = b"".join(sized(0x0A, jina3.write_data_request(one)) for one in requests)
            answer = jina3.read_data_response(await at.channel.unary_unary(SEVERAL)(data))
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await at.channel.unary_unary(SEVERAL)(b"")
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            return answer

    answer = run(scenario())

    assert answer.request_id == "0"
    assert list(read_body(answer.body).ids) == ["a", "b", "c"]


def a_document(**header: bytes) -> bytes:
    """Return a SingleDocumentRequestProto with a document whose bytes are `one`."""
    return sized(0x0A, sized(0x0A, b"r1") + sized(0x1A, b"/x")) + sized(0x22, b"one")


def documents_of(data: bytes) -> bytes:
    place = data.rfind(b"\x22")
    return data[place + 2 :]


def test_a_document_is_answered_by_documents_as_they_come() -> None:
    gate = asyncio.Event()

    async def two_then_one(request: Request) -> AsyncIterator[Response]:
        assert request.streamed
        assert bytes(request.bodies[0].data) == sized(0x0A, b"one")
        docs = sized(0x0A, b"first") + sized(0x0A, b"second")
        yield Response(request_id=request.request_id, body=Body(Format.PROTO, docs))
        await gate.wait()
        yield Response(body=Body(Format.PROTO, sized(0x0A, b"third")))

    async def scenario() -> list[bytes]:
        async with served(FakeFlow(parts=two_then_one)) as at:
            call = at.channel.unary_stream(STREAM_DOC)(a_document())
            found = [await call.read(), await call.read()]
            gate.set()
            found.append(await call.read())
            assert await call.read() is grpc.aio.EOF
            await at.idle()
            return found

    found = run(scenario())

    assert [documents_of(data) for data in found] == [b"first", b"second", b"third"]
    assert all(jina3.read_document_request(data).request_id == "r1" for data in found)


def test_a_failure_between_documents_is_the_last_message_and_the_first_may_end_the_call() -> None:
    status = Status(code=StatusCode.EXECUTOR, description="no", exception="ValueError")

    async def fails(request: Request) -> AsyncIterator[Response]:
        yield Response(body=Body(Format.PROTO, sized(0x0A, b"first")))
        yield Response(status=status)

    async def refuses(request: Request) -> AsyncIterator[Response]:
        yield Response(status=Status(code=StatusCode.OVERLOADED, description="full"))

    async def scenario() -> None:
        async with served(FakeFlow(parts=fails)) as at:
            call = at.channel.unary_stream(STREAM_DOC)(a_document())
            _, last = [data async for data in call]
            assert jina3.read_data_response(last).status == status
            assert dict(await call.trailing_metadata())["is-error"] == "true"
        async with served(FakeFlow(parts=refuses)) as at:
            call = at.channel.unary_stream(STREAM_DOC)(a_document())
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call.read()
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert caught.value.details() == "full"

    run(scenario())


def test_a_slow_reader_of_documents_holds_up_the_work() -> None:
    made = 0

    async def endless(request: Request) -> AsyncIterator[Response]:
        nonlocal made
        while True:
            made += 1
            yield Response(body=Body(Format.PROTO, sized(0x0A, b"x" * MIB)))

    async def scenario() -> None:
        async with served(FakeFlow(parts=endless)) as at:
            call = at.channel.unary_stream(STREAM_DOC)(a_document())
            await call.read()
            before = -1
            while made != before:
                before = made
                await asyncio.sleep(0.1)
            assert made < 50
            call.cancel()
            await at.idle()

    run(scenario())


def test_an_executors_failure_and_what_is_incomplete_are_in_the_trailing_metadata() -> None:
    async def answer(request: Request) -> Response:
        failed = Status(code=StatusCode.EXECUTOR, description="no", exception="E")
        if request.request_id == "bad":
            return Response(request_id="bad", status=failed)
        return Response(marks={"total_shards": "3", "failed_shards": "1"})

    async def scenario() -> None:
        async with served(FakeFlow(answer)) as at:
            calls = [at.channel.unary_unary(SINGLE)(a_message(id)) for id in ("bad", "ok")]
            told = []
            for call in calls:
                await call
                told.append(dict(await call.trailing_metadata()))
            assert told == [{"is-error": "true"}, {"total_shards": "3", "failed_shards": "1"}]

    run(scenario())


def test_endpoints_are_told_with_their_schemas() -> None:
    async def scenario() -> None:
        async with served(FakeFlow()) as at:
            path = "/jina.JinaDiscoverEndpointsRPC/endpoint_discovery"
            found = read_endpoints(await at.channel.unary_unary(path)(b""))
            assert found == {"/x": EndpointInfo(input={"title": "Doc"})}
            assert b"python" in await at.channel.unary_unary("/jina.JinaInfoRPC/_status")(b"")

    run(scenario())


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_is_served_in_both_versions(version: str) -> None:
    from grpc_reflection.v1alpha import reflection_pb2 as messages_of

    path = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    questions = [
        messages_of.ServerReflectionRequest(list_services="*"),
        messages_of.ServerReflectionRequest(file_by_filename="jina.proto"),
        messages_of.ServerReflectionRequest(file_containing_symbol="jina.JinaRPC.Call"),
        messages_of.ServerReflectionRequest(file_containing_symbol="nothing"),
        messages_of.ServerReflectionRequest(all_extension_numbers_of_type="jina.StatusProto"),
        messages_of.ServerReflectionRequest(host="h"),
    ]

    async def scenario() -> list[Any]:
        async with served(FakeFlow()) as at:
            asked = messages(*(question.SerializeToString() for question in questions))
            call = at.channel.stream_stream(path)(asked)
            parse = messages_of.ServerReflectionResponse.FromString
            return [parse(data) async for data in call]

    listed, by_name, by_symbol, unknown, extensions, nothing = run(scenario())

    assert "jina.JinaRPC" in [one.name for one in listed.list_services_response.service]
    assert listed.original_request == questions[0]
    assert len(by_name.file_descriptor_response.file_descriptor_proto) == 5
    assert by_symbol.file_descriptor_response == by_name.file_descriptor_response
    assert unknown.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert extensions.all_extension_numbers_response.base_type_name == "jina.StatusProto"
    assert nothing.error_response.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]


def test_streams_wait_for_memory_and_calls_that_find_none_are_refused() -> None:
    release = asyncio.Event()

    async def held(request: Request) -> Response:
        await release.wait()
        return await echo(request)

    async def scenario() -> None:
        async with served(FakeFlow(held), budget=8 * MIB) as at:
            first = asyncio.ensure_future(_ask(at, a_message("first", 7 * MIB)))
            while not at.budget.held >= 7 * MIB:
                await asyncio.sleep(0.01)
            call = at.channel.stream_stream(CALL)(messages(a_message("second", 3 * MIB)))
            second = asyncio.ensure_future(call.read())
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await _ask(at, a_message("third", 3 * MIB))
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            release.set()
            assert jina3.read_data_response(await first).request_id == "first"
            assert jina3.read_data_response(await second).request_id == "second"
            call.cancel()
            await at.idle()

    run(scenario())


async def _ask(at: Served, message: bytes) -> bytes:
    answer: bytes = await at.channel.unary_unary(SINGLE)(message)
    return answer


BLOCK = write_block(
    [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", SINGLE.encode()),
        (b"content-type", b"application/grpc"),
    ]
)
GREETING = frames.PREFACE + frames.settings({})
ASKED = frames.frame(frames.HEADERS, frames.END_HEADERS, 1, BLOCK)

NONSENSE = {
    "nothing": b"",
    "another protocol": b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50),
    "half a preface": frames.PREFACE[:10],
    "no frame": GREETING + b"\xff" * 100,
    "no message": GREETING + ASKED + frames.frame(0, 1, 1, b"\x07abcdef"),
    "an end without a message": GREETING + ASKED + frames.frame(0, 1, 1, b""),
    "half a message": GREETING + ASKED + frames.frame(0, 1, 1, b"\0\0\0\1\0abc"),
    "two messages": GREETING + ASKED + frames.frame(0, 1, 1, b"\0\0\0\0\0" * 2),
    "a message that goes on": GREETING + ASKED + frames.frame(0, 0, 1, b"\0\1\0\0\0abc"),
    "a flood": GREETING + frames.ping(b"12345678", ack=False) * 9000,
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_leaves_nothing_behind_and_no_word_in_the_log(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with served(FakeFlow()) as at:
            reader, writer = await asyncio.open_connection(*at.address)
            writer.write(NONSENSE[what])
            try:
                async with asyncio.timeout(0.1):
                    await reader.read()
            except (TimeoutError, ConnectionError):
                pass
            writer.close()
            assert await at.channel.unary_unary(CHECK)(b"") == b"\x08\x01"
            await at.idle()

    with caplog.at_level(logging.WARNING):
        run(scenario())

    assert [record for record in caplog.records if record.name.startswith("jina")] == []


def test_a_client_that_asks_and_never_reads_fills_no_memory() -> None:
    flow = FakeFlow()

    async def scenario() -> None:
        async with served(flow) as at:
            _, writer = await asyncio.open_connection(*at.address, limit=1)
            writer.write(GREETING + frames.settings({4: 2**31 - 1}))
            writer.write(frames.window_update(0, 2**31 - 65_536))
            message = a_message("1", 15_000)
            body = b"\0" + len(message).to_bytes(4, "big") + message
            for id in range(1, 200_001, 2):
                writer.write(frames.frame(frames.HEADERS, frames.END_HEADERS, id, BLOCK))
                writer.write(frames.frame(frames.DATA, frames.END_STREAM, id, body))
                try:
                    async with asyncio.timeout(0.3):
                        await writer.drain()
                except TimeoutError:
                    break
            else:
                pytest.fail("all of it was read")
            # What was asked fits into the buffers of both sockets and our bound.
            assert len(flow.asked) * 15_000 < 200 * MIB
            assert await at.channel.unary_unary(CHECK)(b"") == b"\x08\x01"
            writer.transport.abort()
            await at.idle()

    run(scenario())
