"""The Gateway's process: what it says, how it ends, and what it answers over its own protocol."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import grpc
import grpc.aio
import httpx
import pytest

from jina_cli.lifeline import DrainSaid, PhaseSaid, ReadySaid
from jina_cli.vocabulary import Protocol
from jina_cli.wire import jina3
from jina_cli.wire.messages import Body, Format, Request, Response, Status, StatusCode
from tests.testing.gateways import a_gateway, a_link, a_pea, a_route, echo, run

NATIVE = (Protocol.NATIVE,)


def a_question(data: bytes = b"opaque", **more: object) -> Request:
    body = Body(Format.COLUMNS, data)
    return Request(**{"endpoint": "/search", "bodies": (body,), **more})  # type: ignore[arg-type]


def test_it_says_its_phases_and_then_where_it_listens(folder: Path) -> None:
    async def scenario() -> None:
        async with (
            a_pea(folder / "e", endpoints=("/search", "/index")) as echo_pea,
            a_gateway(folder, [a_route("echo", echo_pea)], NATIVE) as gateway,
        ):
            assert [type(said) for said in gateway.said] == [PhaseSaid, PhaseSaid, ReadySaid]
            ready = gateway.said[-1]
            assert isinstance(ready, ReadySaid)
            assert tuple(ready.endpoints) == ("/search", "/index")

    run(scenario())


def test_it_is_not_ready_before_every_pod_said_hello(folder: Path) -> None:
    async def scenario() -> None:
        late = folder / "late"
        async with (
            a_pea(folder / "e") as early,
            a_gateway(
                folder,
                [a_route("early", early), a_route("late", f"unix:{late}", needs=["early"])],
                NATIVE,
                wait_ready=False,
            ) as gateway,
        ):
            await gateway.hear(PhaseSaid)
            await gateway.hear(PhaseSaid)
            async with a_pea(late):
                await gateway.hear(ReadySaid)

    run(scenario())


def test_thousands_of_requests_64_at_a_time_get_their_own_answers(folder: Path) -> None:
    async def scenario() -> None:
        async with (
            a_pea(folder / "a") as a,
            a_pea(folder / "b") as b,
            a_gateway(folder, [a_route("a", a), a_route("b", b, needs=["a"])], NATIVE) as gateway,
            a_link(gateway) as link,
        ):
            slots = asyncio.Semaphore(64)

            async def ask(number: int) -> bool:
                async with slots:
                    data = b"%d" % number
                    answer = await link.request(a_question(data, request_id=str(number)))
                    return answer.request_id == str(number) and bytes(answer.body.data) == data

            answers = await asyncio.gather(*(ask(number) for number in range(3000)))

            assert all(answers)

    run(scenario())


def test_an_executors_failure_comes_with_its_pod_and_class(folder: Path) -> None:
    async def fail(request: Request) -> Response:
        status = Status(
            code=StatusCode.EXECUTOR, description="ValueError('no')", executor="Mine", pod="b"
        )
        return Response(request_id=request.request_id, status=status)

    async def scenario() -> Response:
        async with (
            a_pea(folder / "a") as a,
            a_pea(folder / "b", fail) as b,
            a_gateway(folder, [a_route("a", a), a_route("b", b, needs=["a"])], NATIVE) as gateway,
            a_link(gateway) as link,
        ):
            return await link.request(a_question())

    response = run(scenario())

    assert response.status == Status(
        code=StatusCode.EXECUTOR, description="ValueError('no')", executor="Mine", pod="b"
    )
    assert [step.pod for step in response.routes] == ["gateway", "a", "b"]


def test_a_deadline_ends_a_request_and_cancels_its_work(folder: Path) -> None:
    async def scenario() -> None:
        cancelled = asyncio.Event()

        async def hang(request: Request) -> Response:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            raise AssertionError

        async with (
            a_pea(folder / "a", hang) as a,
            a_gateway(folder, [a_route("a", a)], NATIVE) as gateway,
            a_link(gateway) as link,
        ):
            start = time.monotonic()
            response = await link.request(a_question(deadline=start + 0.2))
            await asyncio.wait_for(cancelled.wait(), 5)

            assert response.status.code is StatusCode.DEADLINE
            assert time.monotonic() - start < 2

    run(scenario())


def test_a_step_over_its_bound_is_told_by_the_name_of_its_pod(folder: Path) -> None:
    async def hang(request: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def scenario() -> Response:
        async with (
            a_pea(folder / "slow", hang) as slow,
            a_gateway(folder, [a_route("slow", slow, timeout_s=0.1)], NATIVE) as gateway,
            a_link(gateway) as link,
        ):
            return await link.request(a_question())

    assert run(scenario()).status == Status(
        code=StatusCode.DEADLINE, description="slow: the deadline passed", pod="slow"
    )


def test_over_the_bound_of_a_pod_requests_are_refused_and_the_others_answered(
    folder: Path,
) -> None:
    async def scenario() -> list[StatusCode]:
        gate = asyncio.Event()

        async def wait(request: Request) -> Response:
            await gate.wait()
            return await echo(request)

        async with (
            a_pea(folder / "a", wait) as a,
            a_gateway(folder, [a_route("a", a)], NATIVE, plan={"max_queue": 4}) as gateway,
            a_link(gateway) as link,
        ):
            asking = [asyncio.create_task(link.request(a_question())) for _ in range(10)]
            refused, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            while len(refused) < 6:
                refused, _ = await asyncio.wait(asking, timeout=0.05)
            gate.set()
            return [(await one).status.code for one in asking]

    codes = run(scenario())

    assert codes.count(StatusCode.OK) == 4
    assert codes.count(StatusCode.OVERLOADED) == 6


def test_a_pod_that_goes_and_comes_back_loses_no_search(folder: Path) -> None:
    async def scenario() -> None:
        path = folder / "a"
        async with a_pea(folder / "b") as b:
            async with a_pea(path) as a:
                gateway_of = a_gateway(
                    folder, [a_route("a", a), a_route("b", b, needs=["a"])], NATIVE
                )
                gateway = await gateway_of.__aenter__()
                async with a_link(gateway) as link:
                    assert (await link.request(a_question())).status.ok
            async with a_link(gateway) as link:
                waiting = asyncio.create_task(link.request(a_question()))
                await asyncio.sleep(0)  # it is sent
                await link.ping(5)  # and has arrived before this
                assert not waiting.done()
                async with a_pea(path):
                    assert (await asyncio.wait_for(waiting, 10)).status.ok
            await gateway_of.__aexit__(None, None, None)

    run(scenario())


def test_a_write_in_flight_on_a_connection_that_breaks_is_not_repeated(folder: Path) -> None:
    async def scenario() -> Response:
        asked = asyncio.Event()

        async def hang(request: Request) -> Response:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

        pea = a_pea(folder / "a", hang)
        address = await pea.__aenter__()
        async with (
            a_gateway(folder, [a_route("a", address)], NATIVE) as gateway,
            a_link(gateway) as link,
        ):
            asking = asyncio.create_task(link.request(a_question(endpoint="/index")))
            await asked.wait()
            await pea.__aexit__(None, None, None)
            return await asking

    response = run(scenario())

    assert response.status.code is StatusCode.UNAVAILABLE
    assert response.status.pod == "a"


def test_sigterm_finishes_what_is_under_way_and_ends_with_0(folder: Path) -> None:
    async def scenario() -> None:
        gate, asked = asyncio.Event(), asyncio.Event()

        async def wait(request: Request) -> Response:
            asked.set()
            await gate.wait()
            return await echo(request)

        async with (
            a_pea(folder / "a", wait) as a,
            a_gateway(folder, [a_route("a", a)], NATIVE) as gateway,
            a_link(gateway) as link,
        ):
            asking = asyncio.create_task(link.request(a_question()))
            await asked.wait()
            gateway.terminate()
            said = await gateway.hear(DrainSaid)
            gate.set()

            assert said == DrainSaid(pending=1)
            assert (await asking).status.ok
            assert await gateway.ended() == 0

    run(scenario())


def test_what_cannot_be_finished_in_the_grace_is_cut_off_and_told_by_the_exit_code(
    folder: Path,
) -> None:
    async def hang(request: Request) -> Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def scenario() -> int:
        async with (
            a_pea(folder / "a", hang) as a,
            a_gateway(folder, [a_route("a", a)], NATIVE, plan={"stop_within_s": 0.5}) as gateway,
            a_link(gateway) as link,
        ):
            asking = asyncio.create_task(link.request(a_question()))
            await asked.wait()
            gateway.terminate()
            code = await gateway.ended()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            return code

    asked = asyncio.Event()
    assert run(scenario()) == 1


def test_sigterm_before_it_is_ready_ends_it_at_once(folder: Path) -> None:
    async def scenario() -> int:
        nobody = f"unix:{folder / 'nobody'}"
        async with a_gateway(
            folder, [a_route("a", nobody)], NATIVE, wait_ready=False, deregister_s=30.0
        ) as gateway:
            await gateway.hear(PhaseSaid)
            await gateway.hear(PhaseSaid)
            gateway.terminate()
            return await gateway.ended(5)

    assert run(scenario()) == 0


def test_it_ends_by_itself_when_its_parent_is_gone(folder: Path) -> None:
    async def scenario() -> float:
        async with (
            a_pea(folder / "a") as a,
            a_gateway(folder, [a_route("a", a)], NATIVE, deregister_s=30.0) as gateway,
        ):
            start = time.monotonic()
            gateway.let_parent_die()
            await gateway.ended(5)
            return time.monotonic() - start

    assert run(scenario()) < 2.5


def test_requests_of_all_protocols_share_one_bound_on_their_bytes(folder: Path) -> None:
    async def scenario() -> tuple[list[StatusCode], httpx.Response, grpc.aio.AioRpcError, bool]:
        gate, asked = asyncio.Event(), asyncio.Semaphore(0)

        async def wait(request: Request) -> Response:
            asked.release()
            await gate.wait()
            return Response(request_id=request.request_id)

        async with (
            a_pea(folder / "a", wait) as a,
            a_gateway(folder, [a_route("a", a)], plan={"max_message_bytes": 2000}) as gateway,
            a_link(gateway) as link,
            httpx.AsyncClient(trust_env=False) as client,
            grpc.aio.insecure_channel(gateway.addresses["grpc"]) as channel,
        ):
            asking = [asyncio.create_task(link.request(a_question(b"x" * 1800))) for _ in range(4)]
            for _ in asking:
                await asked.acquire()
            refused = [(await link.request(a_question(b"x" * 1800))).status.code]
            url = f"http://{gateway.addresses['http']}/search"
            by_http = await client.post(url, content=b" " * 900 + b"{}")
            call = channel.unary_unary("/jina.JinaSingleDataRequestRPC/process_single_data")
            message = jina3.write_data_request(Request(endpoint="/search", target="x" * 900))
            with pytest.raises(grpc.aio.AioRpcError) as by_grpc:
                await call(message)
            gate.set()
            await asyncio.gather(*asking)
            again = await client.post(url, json={"data": []})
            return refused, by_http, by_grpc.value, again.status_code == 200

    refused, by_http, by_grpc, is_over = run(scenario())

    assert refused == [StatusCode.OVERLOADED]
    assert (by_http.status_code, by_http.headers["retry-after"]) == (429, "1")
    assert by_grpc.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert dict(tuple(by_grpc.trailing_metadata()))["retry-after"] == "1"
    assert is_over
