"""The gRPC edge of a real Gateway, asked with a plain grpc.aio client."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.rows import from_rows
from jina_cli.lifeline import FailedSaid
from jina_cli.serve.grpc_messages import read_endpoints
from jina_cli.serve.grpc_services import SERVICES
from jina_cli.vocabulary import Protocol
from jina_cli.wire import jina3
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.messages import Body, Format, Request, Response, Status, StatusCode
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

GRPC = (Protocol.GRPC,)
SINGLE = "/jina.JinaSingleDataRequestRPC/process_single_data"
CALL = "/jina.JinaRPC/Call"
CHECK = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"
NO_LIMIT = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@asynccontextmanager
async def served(
    folder: Path, answer: Answer = echo, endpoints: Sequence[str] = ("/search",), **more: Any
) -> AsyncIterator[tuple[grpc.aio.Channel, RunningGateway]]:
    """Serve one Pod by gRPC, with a channel to it."""
    async with (
        a_pea(folder / "pod", answer, endpoints) as pod,
        a_gateway(folder, [a_route("pod", pod)], GRPC, **more) as gateway,
        grpc.aio.insecure_channel(gateway.addresses["grpc"], NO_LIMIT) as channel,
    ):
        yield channel, gateway


def a_batch(count: int) -> DocumentBatch:
    return from_rows([{"id": f"d{place}", "text": f"text {place}"} for place in range(count)])


def a_message(number: int = 0, endpoint: str = "/search", **more: Any) -> bytes:
    request = Request(
        endpoint=endpoint,
        bodies=(write_body(a_batch(2), Format.PROTO),),
        request_id=str(number),
        wanted=Format.PROTO,
        **more,
    )
    return jina3.write_data_request(request)


def failing(code: StatusCode) -> Answer:
    async def answer(request: Request) -> Response:
        status = Status(code=code, description="ValueError('no')", executor="Mine", pod="pod")
        return Response(request_id=request.request_id, status=status)

    return answer


async def ask(channel: grpc.aio.Channel, message: bytes, **more: Any) -> Response:
    return jina3.read_data_response(await channel.unary_unary(SINGLE)(message, **more))


def test_documents_come_back_with_the_steps_they_took(folder: Path) -> None:
    async def scenario() -> Response:
        async with served(folder) as (channel, _):
            return await ask(channel, a_message(7, parameters={"k": 1}))

    response = run(scenario())

    assert (response.request_id, response.status.ok) == ("7", True)
    assert read_body(response.body).ids == a_batch(2).ids
    assert [step.pod for step in response.routes] == ["gateway", "pod"]
    assert response.parameters == {"k": 1}


def test_thousands_of_unary_calls_64_at_a_time_get_their_own_answers(folder: Path) -> None:
    async def scenario() -> None:
        async with served(folder) as (channel, _):
            slots = asyncio.Semaphore(64)

            async def one(number: int) -> bool:
                async with slots:
                    return (await ask(channel, a_message(number))).request_id == str(number)

            assert all(await asyncio.gather(*(one(number) for number in range(2000))))

    run(scenario())


def test_a_stream_is_answered_in_order_though_the_work_is_not(folder: Path) -> None:
    async def unevenly(request: Request) -> Response:
        await asyncio.sleep(0.002 * (int(request.request_id) % 5))
        return await echo(request)

    async def scenario() -> list[str]:
        async with served(folder, unevenly) as (channel, _):

            async def messages() -> AsyncIterator[bytes]:
                for number in range(1500):
                    yield a_message(number)

            call = channel.stream_stream(CALL)(messages())
            return [jina3.read_data_response(data).request_id async for data in call]

    assert run(scenario()) == [str(number) for number in range(1500)]


def test_a_stream_works_on_no_more_than_its_window(folder: Path) -> None:
    async def scenario() -> int:
        working, most = 0, 0

        async def counted(request: Request) -> Response:
            nonlocal working, most
            working += 1
            most = max(most, working)
            await asyncio.sleep(0.001)
            working -= 1
            return await echo(request)

        async with served(folder, counted, prefetch=4) as (channel, _):

            async def messages() -> AsyncIterator[bytes]:
                for number in range(100):
                    yield a_message(number)

            call = channel.stream_stream(CALL)(messages())
            assert len([data async for data in call]) == 100
            return most

    assert run(scenario()) == 4


def test_many_streams_together_do_not_overload_a_pod(folder: Path) -> None:
    async def scenario() -> list[bool]:
        async with served(folder, plan={"max_queue": 8}) as (channel, _):

            async def messages() -> AsyncIterator[bytes]:
                for number in range(50):
                    yield a_message(number)

            async def stream() -> list[bool]:
                call = channel.stream_stream(CALL)(messages())
                return [jina3.read_data_response(data).status.ok async for data in call]

            found = await asyncio.gather(*(stream() for _ in range(8)))
            return [ok for answers in found for ok in answers]

    answers = run(scenario())

    assert len(answers) == 400
    assert all(answers)


@pytest.mark.parametrize("code", [StatusCode.EXECUTOR, StatusCode.INVALID])
def test_a_failure_of_the_work_is_in_the_header_and_the_call_ends_well(
    folder: Path, code: StatusCode
) -> None:
    async def scenario() -> Response:
        async with served(folder, failing(code)) as (channel, _):
            return await ask(channel, a_message())

    status = run(scenario()).status

    assert not status.ok
    assert status.description == "ValueError('no')"
    assert status.executor == "Mine"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (StatusCode.OVERLOADED, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE),
        (StatusCode.DEADLINE, grpc.StatusCode.DEADLINE_EXCEEDED),
        (StatusCode.STORAGE, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_a_failure_to_work_ends_a_unary_call(
    folder: Path, code: StatusCode, expected: grpc.StatusCode
) -> None:
    async def scenario() -> grpc.aio.AioRpcError:
        async with served(folder, failing(code)) as (channel, _):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await ask(channel, a_message())
            return caught.value

    error = run(scenario())

    assert (error.code(), error.details()) == (expected, "ValueError('no')")


def test_on_a_stream_every_failure_is_in_the_header_and_the_rest_goes_on(folder: Path) -> None:
    async def sometimes(request: Request) -> Response:
        if request.request_id == "1":
            return await failing(StatusCode.OVERLOADED)(request)
        return await echo(request)

    async def scenario() -> list[bool]:
        async with served(folder, sometimes) as (channel, _):

            async def messages() -> AsyncIterator[bytes]:
                yield a_message(0)
                yield a_message(1)
                yield b"\xff\xff\xff"
                yield a_message(3)

            call = channel.stream_stream(CALL)(messages())
            return [jina3.read_data_response(data).status.ok async for data in call]

    assert run(scenario()) == [True, False, False, True]


def test_garbage_is_an_invalid_argument(folder: Path) -> None:
    async def scenario() -> grpc.StatusCode:
        async with served(folder) as (channel, _):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await ask(channel, b"\xff\xff\xff\xff")
            assert (await ask(channel, a_message())).status.ok
            code: grpc.StatusCode = caught.value.code()
            return code

    assert run(scenario()) is grpc.StatusCode.INVALID_ARGUMENT


def test_a_message_over_the_limit_is_refused_with_the_limit(folder: Path) -> None:
    async def scenario() -> grpc.aio.AioRpcError:
        async with served(folder, plan={"max_message_bytes": 1000}) as (channel, _):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await ask(channel, a_message(parameters={"x": "y" * 2000}))
            assert (await ask(channel, a_message())).status.ok
            return caught.value

    error = run(scenario())

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.details() == (
        "the message is over the limit of 1000 bytes: send fewer documents at a time, "
        "or raise 'max_message_bytes' of the gateway"
    )


def test_the_clients_deadline_reaches_the_pod(folder: Path) -> None:
    async def scenario() -> None:
        hanging = Hanging()
        async with served(folder, hanging.answer) as (channel, _):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await ask(channel, a_message(), timeout=0.3)
            await asyncio.wait_for(hanging.cancelled.wait(), 2)
            assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED

    run(scenario())


def test_a_client_that_cancels_takes_its_work_with_it(folder: Path) -> None:
    async def scenario() -> None:
        hanging = Hanging()

        async def endless() -> AsyncIterator[bytes]:
            yield a_message()
            await asyncio.Event().wait()

        async with served(folder, hanging.answer) as (channel, _):
            call = channel.stream_stream(CALL)(endless())
            reading = asyncio.ensure_future(call.read())
            await asyncio.wait_for(hanging.asked.wait(), 5)
            call.cancel()
            await asyncio.wait_for(hanging.cancelled.wait(), 1)
            reading.cancel()

    run(scenario())


async def health(channel: grpc.aio.Channel, service: str = "") -> int:
    check = channel.unary_unary(
        CHECK,
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    return int((await check(health_pb2.HealthCheckRequest(service=service))).status)


def test_health_is_told_for_all_and_for_each_service(folder: Path) -> None:
    async def scenario() -> list[int]:
        async with served(folder) as (channel, _):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await health(channel, "nothing")
            assert caught.value.code() is grpc.StatusCode.NOT_FOUND
            return [await health(channel, service) for service in ("", *SERVICES)]

    assert set(run(scenario())) == {health_pb2.HealthCheckResponse.SERVING}


def test_a_watcher_of_health_hears_of_a_pod_that_goes_and_comes_and_of_a_drain(
    folder: Path,
) -> None:
    async def scenario() -> list[int]:
        pod = a_pea(folder / "pod")
        address = await pod.__aenter__()
        seen: list[int] = []
        async with (
            a_gateway(folder, [a_route("pod", address)], GRPC, deregister_s=20.0) as gateway,
            grpc.aio.insecure_channel(gateway.addresses["grpc"]) as channel,
        ):
            watch = channel.unary_stream(
                WATCH, response_deserializer=health_pb2.HealthCheckResponse.FromString
            )(b"")
            seen.append((await watch.read()).status)
            await pod.__aexit__(None, None, None)
            seen.append((await watch.read()).status)
            async with a_pea(folder / "pod"):
                seen.append((await watch.read()).status)
                gateway.terminate()
                seen.append((await watch.read()).status)
            watch.cancel()
            gateway.terminate()
            await gateway.ended(5)
        return seen

    assert run(scenario()) == [1, 2, 1, 2]


def test_reflection_lists_the_services_and_describes_the_messages(folder: Path) -> None:
    async def scenario() -> None:
        async with served(folder) as (channel, _):
            reflect = channel.stream_stream(
                "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
                response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
            )

            async def questions() -> AsyncIterator[Any]:
                yield reflection_pb2.ServerReflectionRequest(list_services="")
                yield reflection_pb2.ServerReflectionRequest(file_containing_symbol="jina.JinaRPC")

            listed, described = [answer async for answer in reflect(questions())]
            names = [service.name for service in listed.list_services_response.service]
            assert names == sorted(SERVICES)
            assert len(described.file_descriptor_response.file_descriptor_proto) >= 2

    run(scenario())


def test_a_dry_run_says_whether_all_pods_answer(folder: Path) -> None:
    async def scenario() -> None:
        async with served(folder) as (channel, _):
            status = await channel.unary_unary("/jina.JinaGatewayDryRunRPC/dry_run")(b"")
            assert status == b""  # a StatusProto of SUCCESS has no bytes

    run(scenario())


def test_endpoints_are_told(folder: Path) -> None:
    async def scenario() -> list[str]:
        async with served(folder, endpoints=("/search", "/index")) as (channel, _):
            discover = channel.unary_unary("/jina.JinaDiscoverEndpointsRPC/endpoint_discovery")
            return sorted(read_endpoints(await discover(b"")))

    assert run(scenario()) == ["/index", "/search"]


def test_an_unknown_method_is_unimplemented(folder: Path) -> None:
    async def scenario() -> grpc.StatusCode:
        async with served(folder) as (channel, _):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary("/jina.JinaRPC/Nothing")(b"")
            code: grpc.StatusCode = caught.value.code()
            return code

    assert run(scenario()) is grpc.StatusCode.UNIMPLEMENTED


def test_a_port_that_is_taken_is_said_and_nothing_is_started(folder: Path) -> None:
    async def scenario() -> tuple[FailedSaid, int]:
        with socket.create_server((LOCAL, 0)) as taken:
            port = taken.getsockname()[1]
            async with (
                a_pea(folder / "pod") as pod,
                a_gateway(
                    folder,
                    [a_route("pod", pod)],
                    GRPC,
                    wait_ready=False,
                    ports={Protocol.GRPC: port},
                ) as gateway,
            ):
                said = await gateway.hear(FailedSaid)
                assert isinstance(said, FailedSaid)
                assert str(port) in said.cause
                return said, await gateway.ended(5)

    said, code = run(scenario())

    assert said.kind == "port-taken"
    assert code == 69


async def keep_calling(
    channel: grpc.aio.Channel, stop: asyncio.Event, counts: dict[str, int]
) -> None:
    """Call until new calls are refused."""
    while not stop.is_set():
        try:
            assert (await ask(channel, a_message())).status.ok
        except grpc.aio.AioRpcError as error:
            # The only refusal there may be is of a call that was not taken.
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            stop.set()
            return
        counts["answered"] += 1


def test_calls_and_streams_under_way_are_finished_in_a_drain(folder: Path) -> None:
    async def slowly(request: Request) -> Response:
        worked.add(request.request_id)
        await asyncio.sleep(0.02)
        return await echo(request)

    async def scenario() -> tuple[int, int, int]:
        async with served(folder, slowly, deregister_s=0.2) as (channel, gateway):
            counts, stop = {"answered": 0}, asyncio.Event()

            async def messages() -> AsyncIterator[bytes]:
                for number in range(60):
                    yield a_message(1000 + number)
                    await asyncio.sleep(0.01)

            async def stream() -> int:
                call = channel.stream_stream(CALL)(messages())
                return len([data async for data in call])

            calling = [asyncio.create_task(keep_calling(channel, stop, counts)) for _ in range(8)]
            streaming = asyncio.create_task(stream())
            while counts["answered"] < 20:
                await asyncio.sleep(0.01)
            gateway.terminate()
            await asyncio.gather(*calling)
            return await streaming, counts["answered"], await gateway.ended()

    worked: set[str] = set()
    streamed, answered, code = run(scenario())

    assert streamed == 60
    assert answered >= 20
    assert code == 0


def test_an_idle_stream_does_not_hold_up_a_drain(folder: Path) -> None:
    async def scenario() -> tuple[grpc.StatusCode, int]:
        async def endless() -> AsyncIterator[bytes]:
            yield a_message()
            await asyncio.Event().wait()

        async with served(folder) as (channel, gateway):
            call = channel.stream_stream(CALL)(endless())
            assert jina3.read_data_response(await call.read()).status.ok
            gateway.terminate()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call.read()
            code: grpc.StatusCode = caught.value.code()
            return code, await gateway.ended(5)

    assert run(scenario()) == (grpc.StatusCode.UNAVAILABLE, 0)


def test_the_body_passes_untouched(folder: Path) -> None:
    seen: list[Body] = []

    async def looked_at(request: Request) -> Response:
        seen.extend(request.bodies)
        return await echo(request)

    async def scenario() -> Response:
        async with served(folder, looked_at) as (channel, _):
            return await ask(channel, a_message())

    response = run(scenario())

    assert bytes(seen[0].data) == bytes(response.body.data)
    assert seen[0].format is Format.PROTO


def test_streams_wait_where_their_requests_would_fill_the_memory(folder: Path) -> None:
    async def slowly(request: Request) -> Response:
        await asyncio.sleep(0.001)
        return Response(request_id=request.request_id)

    async def scenario() -> list[bool]:
        async with served(folder, slowly, plan={"max_message_bytes": 2000}) as (channel, _):

            async def messages() -> AsyncIterator[bytes]:
                for number in range(40):
                    yield a_message(number, target="pod|" + "x" * 200)

            async def stream() -> list[bool]:
                call = channel.stream_stream(CALL)(messages())
                return [jina3.read_data_response(data).status.ok async for data in call]

            answers = await asyncio.gather(*(stream() for _ in range(4)))
            return [ok for each in answers for ok in each]

    assert run(scenario()) == [True] * 160


def test_calls_beyond_the_bound_are_refused_and_later_ones_answered(folder: Path) -> None:
    async def scenario() -> tuple[grpc.StatusCode, int]:
        async with served(folder, plan={"max_queue": 1}) as (channel, _):
            watches = [channel.unary_stream(WATCH)(b"") for _ in range(64)]
            for watch in watches:
                await watch.read()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await health(channel)
            for watch in watches:
                watch.cancel()
            async with asyncio.timeout(5):
                while (found := await _health_or_none(channel)) is None:
                    pass
            return caught.value.code(), found

    assert run(scenario()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, 1)


async def _health_or_none(channel: grpc.aio.Channel) -> int | None:
    try:
        return await health(channel)
    except grpc.aio.AioRpcError:
        return None
