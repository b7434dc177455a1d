"""The HTTP edge of a real Gateway."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from jina_cli.serve.http_message import HttpRequest, Page
from jina_cli.serve.http_server import HttpServer
from jina_cli.serve.limits import HEADER_BYTES
from jina_cli.vocabulary import Protocol
from jina_cli.wire.budget import Budget
from jina_cli.wire.messages import Request, Response, Status, StatusCode
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

HTTP = (Protocol.HTTP,)
DOCUMENTS = [{"id": "1", "text": "a"}, {"id": "2", "text": "ü"}]


@asynccontextmanager
async def served(
    folder: Path, answer: Answer = echo, endpoints: Sequence[str] = ("/search",), **more: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, RunningGateway]]:
    """Serve one Pod by HTTP, with a client for it."""
    async with (
        a_pea(folder / "pod", answer, endpoints) as pod,
        a_gateway(folder, [a_route("pod", pod)], HTTP, **more) as gateway,
        httpx.AsyncClient(
            base_url=f"http://{gateway.addresses['http']}", trust_env=False, timeout=20
        ) as client,
    ):
        yield client, gateway


def test_documents_come_back_with_parameters_and_the_request_id(folder: Path) -> None:
    async def scenario() -> httpx.Response:
        async with served(folder) as (client, _):
            return await client.post(
                "/search",
                json={"data": DOCUMENTS, "parameters": {"k": 1}, "header": {"request_id": "r1"}},
            )

    response = run(scenario())

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"] == "r1"
    answer = response.json()
    assert [document["text"] for document in answer["data"]] == ["a", "ü"]
    assert answer["header"]["request_id"] == "r1"
    assert answer["parameters"] == {"k": 1}


def test_the_request_id_of_a_header_is_echoed(folder: Path) -> None:
    async def scenario() -> httpx.Response:
        async with served(folder) as (client, _):
            return await client.post(
                "/search", json={"data": DOCUMENTS}, headers={"x-request-id": "from-a-proxy"}
            )

    assert run(scenario()).headers["x-request-id"] == "from-a-proxy"


def test_64_clients_get_thousands_of_answers(folder: Path) -> None:
    async def scenario() -> None:
        async with served(folder) as (client, _):

            async def ask(number: int) -> bool:
                document = {"id": str(number), "text": f"t{number}"}
                response = await client.post("/search", json={"data": [document]})
                found = response.json()["data"][0]
                return response.status_code == 200 and found["text"] == f"t{number}"

            async def ask_many(first: int) -> bool:
                return all([await ask(first + step) for step in range(25)])

            answers = await asyncio.gather(*(ask_many(25 * place) for place in range(64)))
            assert all(answers)

    run(scenario())


def failing(code: StatusCode) -> Answer:
    async def answer(request: Request) -> Response:
        status = Status(code=code, description="ValueError('no')", executor="Mine", pod="pod")
        return Response(request_id=request.request_id, status=status)

    return answer


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (StatusCode.EXECUTOR, 500),
        (StatusCode.INVALID, 422),
        (StatusCode.OVERLOADED, 429),
        (StatusCode.UNAVAILABLE, 503),
        (StatusCode.DEADLINE, 504),
        (StatusCode.STORAGE, 507),
    ],
)
def test_a_failure_has_its_status(folder: Path, code: StatusCode, status: int) -> None:
    async def scenario() -> httpx.Response:
        async with served(folder, failing(code)) as (client, _):
            return await client.post("/search", json={"data": []})

    response = run(scenario())

    assert response.status_code == status
    detail = response.json()["detail"]
    if status == 422:
        (detail,) = (problem["msg"] for problem in detail)
    assert detail == "ValueError('no')"
    assert ("retry-after" in response.headers) == (status in (429, 503))


REFUSALS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "an unknown endpoint": ("POST", "/serach", {"json": {"data": []}}, 404),
    "an unknown page": ("GET", "/nothing", {}, 404),
    "a page that is posted to": ("POST", "/livez", {"content": b"{}"}, 405),
    "an endpoint that is got": ("GET", "/search", {}, 405),
    "no JSON": ("POST", "/search", {"content": b"{"}, 422),
    "another thing than an object": ("POST", "/search", {"content": b"[]"}, 422),
    "a body over the limit": ("POST", "/search", {"content": b" " * 2001}, 413),
    "a compressed body": (
        "POST",
        "/search",
        {"content": b"x", "headers": {"content-encoding": "gzip"}},
        415,
    ),
    "a form of a foreign page": (
        "POST",
        "/search",
        {
            "content": b"{}",
            "headers": {"origin": "http://evil.example", "content-type": "text/plain"},
        },
        415,
    ),
}


def test_what_is_wrong_is_refused_and_the_connection_lives_on(folder: Path) -> None:
    async def scenario() -> dict[str, int]:
        async with served(folder, plan={"max_message_bytes": 2000}) as (client, _):
            found = {}
            for name, (method, path, more, _status) in REFUSALS.items():
                response = await client.request(method, path, **more)
                found[name] = response.status_code
                assert response.json()["detail"], name
            assert (await client.post("/search", json={"data": []})).status_code == 200
            return found

    assert run(scenario()) == {name: refusal[3] for name, refusal in REFUSALS.items()}


def test_a_misspelt_endpoint_is_answered_with_the_nearest(folder: Path) -> None:
    async def scenario() -> httpx.Response:
        async with served(folder) as (client, _):
            return await client.post("/serach", json={"data": []})

    detail = run(scenario()).json()["detail"]

    assert detail == "no Executor serves /serach; did you mean /search?"


def test_a_body_that_grows_over_the_limit_is_refused_before_its_end(folder: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b" " * 10_000

    async def scenario() -> httpx.Response:
        async with served(folder, plan={"max_message_bytes": 50_000}) as (client, _):
            return await client.post("/search", content=endless())

    assert run(scenario()).status_code == 413


def test_the_pages_are_there(folder: Path) -> None:
    async def scenario() -> None:
        more = {"title": "Shop", "description": "Finds things."}
        async with served(folder, endpoints=("/search", "/index"), **more) as (client, _):
            assert (await client.get("/")).status_code == 200
            assert (await client.get("/livez")).json() == {"alive": True}
            ready = await client.get("/readyz")
            assert (ready.status_code, ready.json()) == (
                200,
                {"ready": True, "starting": False, "draining": False, "down": []},
            )
            docs = await client.get("/docs")
            assert docs.headers["content-type"] == "text/html; charset=utf-8"
            assert "https://" not in docs.text
            api = (await client.get("/openapi.json")).json()
            posted = [path for path, told in api["paths"].items() if "post" in told]
            assert posted == ["/index", "/search"]
            assert api["info"]["title"] == "Shop"
            dry = (await client.get("/dry_run")).json()
            assert dry == {"code": 0, "description": "", "exception": None}
            assert "python" in (await client.get("/status")).json()["jina"]
            head = await client.head("/livez")
            assert (head.status_code, head.content) == (200, b"")

    run(scenario())


def test_a_pods_own_status_endpoint_is_not_hidden_by_the_page(folder: Path) -> None:
    async def scenario() -> tuple[int, int]:
        async with served(folder, endpoints=("/status",)) as (client, _):
            posted = await client.post("/status", json={"data": []})
            got = await client.get("/status")
            return posted.status_code, got.status_code

    assert run(scenario()) == (200, 200)


def test_readyz_names_the_pods_that_are_down(folder: Path) -> None:
    async def scenario() -> None:
        pod = a_pea(folder / "gone")
        address = await pod.__aenter__()
        async with (
            a_gateway(folder, [a_route("gone", address)], HTTP) as gateway,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            url = f"http://{gateway.addresses['http']}"
            await pod.__aexit__(None, None, None)
            async with asyncio.timeout(5):
                while (response := await client.get(url + "/readyz")).status_code == 200:
                    await asyncio.sleep(0.01)
            assert response.json()["down"] == ["gone"]
            assert (await client.get(url + "/livez")).status_code == 200

    run(scenario())


def test_a_client_that_goes_away_takes_its_work_with_it(folder: Path) -> None:
    async def scenario() -> None:
        hanging = Hanging()
        async with served(folder, hanging.answer) as (client, _):
            asking = asyncio.create_task(client.post("/search", json={"data": []}))
            await asyncio.wait_for(hanging.asked.wait(), 5)
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asking
            await asyncio.wait_for(hanging.cancelled.wait(), 1)

    run(scenario())


async def raw(gateway: RunningGateway, data: bytes) -> bytes:
    """Send bytes, and return all that comes until the server closes."""
    async with asyncio.timeout(15):
        return await said_to(int(gateway.addresses["http"].rpartition(":")[2]), data)


async def said_to(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(LOCAL, port)
    with contextlib.suppress(ConnectionError):
        writer.write(data)
        await writer.drain()
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


MALFORMED: dict[str, bytes] = {
    "no request": b"hello\r\n\r\n",
    "very many headers": b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
    "two lengths": b"POST /search HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n"
    b"content-length: 2\r\n\r\nab",
    "length and chunks": b"POST /search HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n"
    b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_requests_are_refused_and_others_served(folder: Path, name: str) -> None:
    async def scenario() -> bytes:
        async with served(folder) as (client, gateway):
            answer = await raw(gateway, MALFORMED[name])
            assert (await client.post("/search", json={"data": []})).status_code == 200
            return answer

    assert run(scenario()).partition(b"\r\n")[0][:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "beginning", [b"", b"GET / HTTP", b"GET / HTTP/1.1\r\nx: " + b"a" * (HEADER_BYTES // 2)]
)
def test_headers_that_do_not_end_in_time_end_their_connection(beginning: bytes) -> None:
    class Never:
        async def answer(self, request: HttpRequest) -> Page:
            raise AssertionError("no request was whole")

        upgrade = answer

    async def scenario() -> bytes:
        budget = Budget(1000)
        server = HttpServer(Never(), max_body_bytes=1000, budget=budget, header_s=0.1)
        sock = socket.create_server((LOCAL, 0))
        port = sock.getsockname()[1]
        await server.start(sock)
        try:
            async with asyncio.timeout(5):
                return await said_to(port, beginning)
        finally:
            await server.stop_accepting()
            await server.finish(0.0)

    assert run(scenario()) == b""


def test_cors_is_there_only_when_asked_for(folder: Path) -> None:
    async def scenario(cors: bool) -> tuple[int, str | None]:
        async with served(folder, cors=cors) as (client, _):
            preflight = await client.options("/search", headers={"origin": "http://a.example"})
            return preflight.status_code, preflight.headers.get("access-control-allow-origin")

    assert run(scenario(cors=True)) == (204, "*")
    assert run(scenario(cors=False)) == (405, None)


async def keep_asking(
    client: httpx.AsyncClient, failures: list[str], stop: asyncio.Event, counts: dict[str, int]
) -> None:
    """Ask one request after another on kept connections until connections are refused."""
    while not stop.is_set():
        try:
            response = await client.post("/search", json={"data": DOCUMENTS})
        except httpx.ConnectError:
            stop.set()
            return
        except httpx.HTTPError as error:
            failures.append(repr(error))
            return
        counts["answered"] += 1
        if response.status_code != 200:
            failures.append(response.text)
            return


@pytest.mark.parametrize("keeps_alive", [True, False])
def test_no_accepted_request_fails_in_a_drain_under_load(folder: Path, keeps_alive: bool) -> None:
    failures: list[str] = []
    counts = {"answered": 0, "reached": 0}

    async def slowly(request: Request) -> Response:
        counts["reached"] += 1
        await asyncio.sleep(0.005)
        return await echo(request)

    async def scenario() -> int:
        stop = asyncio.Event()
        limits = httpx.Limits(max_keepalive_connections=16 if keeps_alive else 0)
        async with (
            served(folder, slowly, deregister_s=0.5) as (_, gateway),
            httpx.AsyncClient(
                base_url=f"http://{gateway.addresses['http']}",
                trust_env=False,
                limits=limits,
                timeout=20,
            ) as client,
        ):
            asking = [
                asyncio.create_task(keep_asking(client, failures, stop, counts)) for _ in range(16)
            ]
            while counts["answered"] < 100:
                await asyncio.sleep(0.01)
            gateway.terminate()
            await asyncio.gather(*asking)
            return await gateway.ended()

    code = run(scenario())

    # The system may take a connection just when it is told to take no more, and break it again.
    unread = {"ReadError('')"} if not keeps_alive else set()
    assert set(failures) <= unread
    assert len(failures) <= 1
    assert counts["reached"] == counts["answered"] >= 100 + 16, "all 16 that were under way"
    assert code == 0


def test_a_drain_is_seen_at_once_and_connections_are_told_to_close(folder: Path) -> None:
    async def scenario() -> None:
        async with served(folder, deregister_s=20.0) as (client, gateway):
            gateway.terminate()
            async with asyncio.timeout(5):
                while (response := await client.get("/readyz")).status_code == 200:
                    await asyncio.sleep(0.01)
            assert json.loads(response.content)["draining"] is True
            answer = await client.post("/search", json={"data": []})
            assert (answer.status_code, answer.headers["connection"]) == (200, "close")
            gateway.terminate()
            assert await gateway.ended(5) == 0

    run(scenario())
