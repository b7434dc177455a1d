"""How many requests a second go through a Gateway and one Pea that echoes.

    python tests/bench/gateway.py [--seconds 2] [--passes 3] [--hops 1] [--json]

Each case runs against our Gateway and, for gRPC, against a bare grpc.aio server that gives
back the bytes it got; both alternate, and the ratios are of their medians. The client is
grpc.aio with identity codecs on uvloop for gRPC, wrk for HTTP, our own link for native. Only
ratios of one run mean anything: the machine and its other work are in all figures alike.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from jina_cli.documents.rows import from_rows
from jina_cli.vocabulary import Protocol
from jina_cli.wire import jina3
from jina_cli.wire.bodies import write_body
from jina_cli.wire.channel import Link
from jina_cli.wire.messages import Format, Request
from tests.testing.gateways import a_gateway, a_route
from tests.testing.peas import Peas

SINGLE = "/jina.JinaSingleDataRequestRPC/process_single_data"
CALL = "/jina.JinaRPC/Call"
DOCUMENT = {"id": "5ae1f3c2d4b60718293a4b5c6d7e8f90", "text": "a tiny document"}
ECHO = """
from jina_cli.documents.batch import DocumentBatch
from jina_cli.executors.executor import Executor
from jina_cli.executors.endpoints import requests

class Echo(Executor):
    @requests
    def echo(self, docs: DocumentBatch, **kwargs):
        return None
"""
WRK_SCRIPT = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = '%s'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the systems under test listen."""

    ours: str
    bare: str
    http: str
    native: str


Case = Callable[[Places, float], Awaitable[float]]


def a_message() -> bytes:
    """Return one request with one tiny document, as a Jina client sends it."""
    body = write_body(from_rows([DOCUMENT]), Format.PROTO)
    request = Request(endpoint="/search", bodies=(body,), request_id="0" * 32, wanted=Format.PROTO)
    return jina3.write_data_request(request)


def unary(window: int, which: str) -> Case:
    async def case(places: Places, seconds: float) -> float:
        async with grpc.aio.insecure_channel(getattr(places, which)) as channel:
            call, message = channel.unary_unary(SINGLE), a_message()
            return await _for_a_while(lambda: call(message), window, seconds)

    return case


def stream(window: int, which: str) -> Case:
    async def case(places: Places, seconds: float) -> float:
        room, message = asyncio.Semaphore(window), a_message()
        end = time.perf_counter() + seconds

        async def messages() -> AsyncIterator[bytes]:
            while time.perf_counter() < end:
                await room.acquire()
                yield message

        async with grpc.aio.insecure_channel(getattr(places, which)) as channel:
            start, count = time.perf_counter(), 0
            async for _ in channel.stream_stream(CALL)(messages()):
                room.release()
                count += 1
            return count / (time.perf_counter() - start)

    return case


def native(window: int) -> Case:
    async def case(places: Places, seconds: float) -> float:
        link = Link(places.native, max_pending=window)
        link.start()
        await link.wait_up(10)
        body = write_body(from_rows([DOCUMENT]), Format.COLUMNS)
        request = Request(endpoint="/search", bodies=(body,), request_id="0" * 32)
        try:
            return await _for_a_while(lambda: link.request(request), window, seconds)
        finally:
            await link.close()

    return case


def http(connections: int) -> Case:
    async def case(places: Places, seconds: float) -> float:
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write(WRK_SCRIPT % json.dumps({"data": [DOCUMENT]}))
            script.flush()
            command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
            command += ["-s", script.name, f"http://{places.http}/search"]
            done = await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, check=True
            )
        if "Non-2xx" in done.stdout:
            raise RuntimeError(f"not all answers were good:\n{done.stdout}")
        found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
        assert found is not None, done.stdout
        return float(found.group(1))

    return case


async def _for_a_while(ask: Callable[[], Awaitable[Any]], window: int, seconds: float) -> float:
    """Return calls a second, `window` at a time."""
    start, count = time.perf_counter(), 0
    end = start + seconds

    async def worker() -> None:
        nonlocal count
        while time.perf_counter() < end:
            await ask()
            count += 1

    await asyncio.gather(*(worker() for _ in range(window)))
    return count / (time.perf_counter() - start)


CASES: Mapping[str, Case] = {
    "grpc unary w1": unary(1, "ours"),
    "bare unary w1": unary(1, "bare"),
    "grpc unary w64": unary(64, "ours"),
    "bare unary w64": unary(64, "bare"),
    "grpc stream w1": stream(1, "ours"),
    "bare stream w1": stream(1, "bare"),
    "grpc stream w64": stream(64, "ours"),
    "bare stream w64": stream(64, "bare"),
    "native w1": native(1),
    "native w64": native(64),
    "http c1": http(1),
    "http c16": http(16),
}
RATIOS = [
    ("grpc unary w1", "bare unary w1"),
    ("grpc unary w64", "bare unary w64"),
    ("grpc stream w1", "bare stream w1"),
    ("grpc stream w64", "bare stream w64"),
    ("native w64", "bare stream w64"),
]


async def measure(
    cases: Sequence[str], *, seconds: float, passes: int, hops: int
) -> dict[str, float]:
    """Return the median requests a second of each case."""
    found: dict[str, list[float]] = {name: [] for name in cases}
    with tempfile.TemporaryDirectory(prefix="jb") as folder, Peas(Path(folder)) as peas:
        source = peas.write("echo.py", ECHO)
        names = [f"pod{hop}" for hop in range(hops)]
        plans = [peas.worker(f"{source}:Echo", name=f"{name}/rep-0") for name in names]
        for plan in plans:
            peas.start(plan)
        routes = [
            a_route(plan.pod, plan.address, needs=names[max(0, place - 1) : place])
            for place, plan in enumerate(plans)
        ]
        async with AsyncExitStack() as stack:
            protocols = (Protocol.GRPC, Protocol.HTTP)
            gateway = await stack.enter_async_context(a_gateway(Path(folder), routes, protocols))
            bare = subprocess.Popen(
                [sys.executable, __file__, "--bare"], stdout=subprocess.PIPE, text=True
            )
            stack.callback(bare.kill)
            assert bare.stdout is not None
            places = Places(
                ours=gateway.addresses["grpc"],
                bare=bare.stdout.readline().strip(),
                http=gateway.addresses["http"],
                native=gateway.native,
            )
            for name in cases:
                await CASES[name](places, 0.3)
            for _ in range(passes):
                for name in cases:
                    found[name].append(await CASES[name](places, seconds))
    return {name: statistics.median(rates) for name, rates in found.items()}


async def bare_echo() -> None:
    """Serve Jina's two data methods with nothing behind them, and print the address."""

    async def single(data: bytes, context: Any) -> bytes:
        return data

    async def call(requests: Any, context: Any) -> AsyncIterator[bytes]:
        async for data in requests:
            yield data

    handlers = {
        SINGLE: grpc.unary_unary_rpc_method_handler(single),
        CALL: grpc.stream_stream_rpc_method_handler(call),
    }

    class Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, details: Any) -> Any:
            return handlers.get(details.method)

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Handlers(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="of each case and pass")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--hops", type=int, default=1, help="Pods one after another")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        uvloop.run(bare_echo())
        return
    cases = [name for name in CASES if options.only in name]
    if shutil.which("wrk") is None:
        print("wrk is not installed: no HTTP figures (apt-get install wrk)", file=sys.stderr)
        cases = [name for name in cases if not name.startswith("http")]
    rates = uvloop.run(
        measure(cases, seconds=options.seconds, passes=options.passes, hops=options.hops)
    )
    ratios = {
        f"{ours} / {bare}": rates[ours] / rates[bare]
        for ours, bare in RATIOS
        if ours in rates and bare in rates
    }
    if options.json:
        print(json.dumps({"schema": "jina.bench/1", "rps": rates, "ratios": ratios}))
        return
    for name, rate in rates.items():
        print(f"{name:<18} {rate:>9.0f} /s")
    for name, ratio in ratios.items():
        print(f"{name:<34} {ratio:>6.2f}")


if __name__ == "__main__":
    main()
