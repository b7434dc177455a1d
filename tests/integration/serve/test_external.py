"""Pods that somebody else runs: here another Gateway of ours, asked over gRPC."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest

from jina_cli.documents.rows import from_rows, to_rows
from jina_cli.lifeline import FailedSaid
from jina_cli.vocabulary import Protocol
from jina_cli.wire.bodies import read_body, write_body
from jina_cli.wire.messages import STATUSES, Format, Request, Response, Status, StatusCode
from tests.testing.gateways import Answer, a_folder, a_gateway, a_link, a_pea, a_route, echo, run

GRPC, HTTP = (Protocol.GRPC,), (Protocol.HTTP,)
FORMAT = Format.PROTO
ROWS = [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}]


async def shout(request: Request) -> Response:
    """Answer with the texts in capitals."""
    rows = to_rows(read_body(request.bodies[0]))
    loud = from_rows([{**row, "text": row["text"].upper()} for row in rows])
    return Response(request_id=request.request_id, body=write_body(loud, request.wanted))


async def fail(request: Request) -> Response:
    status = Status(
        code=StatusCode.EXECUTOR, description="ValueError('no')", executor="Far", pod="pod"
    )
    return Response(request_id=request.request_id, status=status)


def asked_through_a_far_flow(
    folder: Path, answer: Answer, *, near_first: bool
) -> tuple[httpx.Response, Response]:
    """Return the answers, by HTTP and natively, of a Flow whose one Pod is far away."""

    async def scenario() -> tuple[httpx.Response, Response]:
        far_folder = a_folder()
        async with (
            a_pea(far_folder / "pod", answer) as pod,
            a_gateway(far_folder, [a_route("pod", pod)], GRPC) as far,
            a_pea(folder / "near", echo) as near,
        ):
            address = f"grpc://{far.addresses['grpc']}"
            routes = [a_route("near", near)] if near_first else []
            needs = ["near"] if near_first else []
            routes.append(a_route("far", address, needs=needs, external=True))
            async with (
                a_gateway(folder, routes, HTTP) as gateway,
                a_link(gateway) as link,
                httpx.AsyncClient(trust_env=False) as client,
            ):
                url = f"http://{gateway.addresses['http']}/search"
                by_http = await client.post(url, json={"data": ROWS})
                body = write_body(from_rows(ROWS), Format.COLUMNS)
                request = Request(endpoint="/search", bodies=(body,), request_id="7")
                natively = await link.request(request)
        shutil.rmtree(far_folder)
        return by_http, natively

    answers: tuple[httpx.Response, Response] = run(scenario())
    return answers


def test_the_first_pod_may_be_far_away_whatever_the_client_speaks(folder: Path) -> None:
    by_http, natively = asked_through_a_far_flow(folder, shout, near_first=False)

    assert [document["text"] for document in by_http.json()["data"]] == ["A", "B"]
    assert [row["text"] for row in to_rows(read_body(natively.body))] == ["A", "B"]
    assert natively.request_id == "7"


def test_a_far_pod_gets_what_a_near_one_answered(folder: Path) -> None:
    by_http, natively = asked_through_a_far_flow(folder, shout, near_first=True)

    assert [document["text"] for document in by_http.json()["data"]] == ["A", "B"]
    assert [step.pod for step in natively.routes] == ["gateway", "near", "far"]


def test_what_fails_far_away_is_told_with_the_pod_here_and_the_executor_there(
    folder: Path,
) -> None:
    by_http, natively = asked_through_a_far_flow(folder, fail, near_first=False)

    assert by_http.status_code == 500
    assert natively.status.description == "ValueError('no')"
    assert (natively.status.pod, natively.status.executor) == ("far", "Far")


def test_a_far_pod_that_is_gone_is_unavailable_within_the_deadline(folder: Path) -> None:
    async def scenario() -> Response:
        far_folder = a_folder()
        async with a_pea(far_folder / "pod") as pod:
            far = a_gateway(far_folder, [a_route("pod", pod)], GRPC)
            running = await far.__aenter__()
            route = a_route("far", f"grpc://{running.addresses['grpc']}", external=True)
            async with a_gateway(folder, [route], HTTP, deadline_s=1.0) as gateway:
                await far.__aexit__(None, None, None)
                async with a_link(gateway) as link, httpx.AsyncClient(trust_env=False) as client:
                    url = f"http://{gateway.addresses['http']}/readyz"
                    async with asyncio.timeout(5):
                        while (await client.get(url)).status_code == 200:
                            await asyncio.sleep(0.01)
                    response = await link.request(Request(endpoint="/search"))
        shutil.rmtree(far_folder)
        return response

    status = run(scenario()).status

    assert status.code in (StatusCode.UNAVAILABLE, StatusCode.DEADLINE)
    assert status.pod == "far"


def test_a_far_pod_joins_what_near_ones_answered(folder: Path) -> None:
    async def quiet(request: Request) -> Response:
        rows = to_rows(read_body(request.bodies[0]))
        body = write_body(from_rows([{"id": row["id"], "price": 1} for row in rows]), FORMAT)
        return Response(request_id=request.request_id, body=body)

    async def scenario() -> Response:
        far_folder = a_folder()
        async with (
            a_pea(far_folder / "pod") as pod,
            a_gateway(far_folder, [a_route("pod", pod)], GRPC) as far,
            a_pea(folder / "a", shout) as a,
            a_pea(folder / "b", quiet) as b,
        ):
            address = f"grpc://{far.addresses['grpc']}"
            routes = [
                a_route("a", a),
                a_route("b", b),
                a_route("far", address, needs=["a", "b"], external=True),
            ]
            async with a_gateway(folder, routes, HTTP) as gateway, a_link(gateway) as link:
                body = write_body(from_rows(ROWS), Format.COLUMNS)
                response = await link.request(Request(endpoint="/search", bodies=(body,)))
        shutil.rmtree(far_folder)
        return response

    found = to_rows(read_body(run(scenario()).body))

    assert [(row["id"], row["text"], row["price"]) for row in found] == [
        ("1", "A", 1),
        ("2", "B", 1),
    ]


@pytest.mark.parametrize(
    "code", [StatusCode.STORAGE, StatusCode.OVERLOADED, StatusCode.TOO_LARGE, StatusCode.DEADLINE]
)
def test_what_ends_a_call_far_away_is_told_here_as_what_it_was(
    folder: Path, code: StatusCode
) -> None:
    async def refuse(request: Request) -> Response:
        return Response(request_id=request.request_id, status=Status(code=code, description="no"))

    by_http, natively = asked_through_a_far_flow(folder, refuse, near_first=False)

    assert by_http.status_code == STATUSES[code][1]
    assert (natively.status.code, natively.status.pod) == (code, "far")


async def a_garbage_server() -> tuple[grpc.aio.Server, str]:
    """Start a gRPC server that answers every method with bytes of no message."""

    class Garbage(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
        def service(self, handler_call_details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(self.answer)

        async def answer(self, data: bytes, context: Any) -> bytes:
            return b"\xff\xff\xff\xff"

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Garbage(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, f"grpc://127.0.0.1:{port}"


def test_an_external_pod_that_is_no_jina_is_refused_by_its_name(folder: Path) -> None:
    async def scenario() -> tuple[FailedSaid, int]:
        server, address = await a_garbage_server()
        routes = [
            a_route("near", f"unix:{folder / 'nobody'}"),
            a_route("far", address, needs=["near"], external=True),
        ]
        async with a_gateway(folder, routes, HTTP, wait_ready=False) as gateway:
            said = await gateway.hear(FailedSaid)
            assert isinstance(said, FailedSaid)
            code = await gateway.ended(5)
        await server.stop(None)
        return said, code

    said, code = run(scenario())

    assert said.kind == "init"
    assert said.cause.startswith("the external Pod far is no Jina Executor or Flow: grpc://127")
    assert code == 1
