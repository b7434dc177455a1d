"""Asks one server one kind of question for a while; a process of its own for each measurement.

    python tests/bench/load.py '{"rpc": "stream", "kind": "text", "size": 1, "window": 64, …}'

Prints one line of JSON: requests a second, latencies, the client's CPU. Every answer is looked
at: a server that fails quickly is not quick.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from on_the_wire import Kind, a_request, documents_of, is_answered, mark_of

SINGLE = "/jina.JinaSingleDataRequestRPC/process_single_data"
CALL = "/jina.JinaRPC/Call"
_DIFFERENT = 256
_NO_LIMIT = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One measurement.

    Attributes:
        rpc: `stream`, `unary`, `websocket` or `native`.
        kind: Of the documents.
        size: Documents of a request.
        window: Requests under way at a time, on one connection.
        address: `host:port`, or for `native` `unix:/path`.
        seconds: How long to measure, after a short run that warms up.
        endpoint: Of our own frames; over other protocols the questions name it.
        by_ids: Whether documents may come back with nothing but their ids.
        warm: How many of the questions are asked once before.
    """

    rpc: str
    kind: str
    size: int
    window: int
    address: str
    seconds: float = 1.5
    endpoint: str = "/"
    by_ids: bool = False
    warm: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a measurement gave; times in milliseconds, CPU in microseconds a request.

    Attributes:
        total: Requests of the whole process, warming up included.
    """

    requests_s: float
    documents_s: float
    p50_ms: float
    p99_ms: float
    client_us: float
    total: int


Run = Callable[[Case, Sequence[bytes], int], Awaitable[tuple[list[float], float]]]
"""Sends so many requests; returns the latencies, and the time of all together, in seconds."""


async def stream(case: Case, questions: Sequence[bytes], count: int) -> tuple[list[float], float]:
    """Ask on one stream; answers may come in any order, as Jina's do."""
    import grpc.aio

    async with grpc.aio.insecure_channel(case.address, options=_NO_LIMIT) as channel:
        call = channel.stream_stream(CALL)()
        for question in questions[: case.warm]:
            await call.write(question)
            await call.read()
        return await paired(call.write, call.read, case, questions, count)


async def websocket(
    case: Case, questions: Sequence[bytes], count: int
) -> tuple[list[float], float]:
    """Ask on one WebSocket, with its subprotocol `bytes`."""
    from websockets.asyncio.client import connect
    from websockets.typing import Subprotocol

    url = f"ws://{case.address}/"
    async with connect(
        url,
        subprotocols=[Subprotocol("bytes")],
        max_size=None,
        compression=None,
        ping_interval=None,
    ) as socket:
        for question in questions[: case.warm]:
            await socket.send(question)
            await socket.recv()
        return await paired(socket.send, lambda: socket.recv(decode=False), case, questions, count)


async def paired(
    write: Callable[[bytes], Awaitable[object]],
    read: Callable[[], Awaitable[bytes]],
    case: Case,
    questions: Sequence[bytes],
    count: int,
) -> tuple[list[float], float]:
    """Write and read on one stream; answers find their questions by the id of a document."""
    clock = time.perf_counter
    marks = [mark_of(question) for question in questions]
    by_mark = dict(zip(marks, questions, strict=True))
    sent: dict[bytes, deque[float]] = {mark: deque() for mark in marks}
    latencies: list[float] = []
    room = asyncio.Semaphore(case.window)

    async def ask() -> None:
        for place in range(count):
            await room.acquire()
            sent[marks[place % len(marks)]].append(clock())
            await write(questions[place % len(marks)])

    async def listen() -> None:
        for _ in range(count):
            answer = await read()
            mark = mark_of(answer)
            latencies.append(clock() - sent[mark].popleft())
            is_right = is_answered(by_mark[mark], answer, by_ids=case.by_ids)
            assert is_right, answer[-1500:]
            room.release()

    began = clock()
    await asyncio.gather(ask(), listen())
    return latencies, clock() - began


async def unary(case: Case, questions: Sequence[bytes], count: int) -> tuple[list[float], float]:
    """Ask with one call for each request, on one connection."""
    import grpc.aio

    async with grpc.aio.insecure_channel(case.address, options=_NO_LIMIT) as channel:
        ask = channel.unary_unary(SINGLE)

        async def answered(question: bytes) -> None:
            answer = await ask(question)
            assert is_answered(question, answer), answer[-1500:]

        return await by_workers(answered, case, questions, count)


async def native(case: Case, questions: Sequence[bytes], count: int) -> tuple[list[float], float]:
    """Ask over our own frames, with documents as columns, as our own client does."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from jina_cli.documents.standard import scan
    from jina_cli.wire.bodies import write_body
    from jina_cli.wire.channel import Link
    from jina_cli.wire.messages import Format, Request

    link = Link(case.address)
    link.start()
    await link.wait_up(10.0)
    bodies = [write_body(scan(documents_of(question)), Format.COLUMNS) for question in questions]
    by_question = dict(zip(questions, bodies, strict=True))

    async def answered(question: bytes) -> None:
        body = by_question[question]
        answer = await link.request(Request(endpoint=case.endpoint, bodies=(body,)))
        assert answer.status.ok, answer.status
        assert case.by_ids or len(answer.body.data) > 0.8 * len(body.data), answer

    try:
        return await by_workers(answered, case, questions, count)
    finally:
        await link.close()


async def by_workers(
    ask: Callable[[bytes], Awaitable[None]], case: Case, questions: Sequence[bytes], count: int
) -> tuple[list[float], float]:
    """Ask by so many tasks that each wait for their answer."""
    clock = time.perf_counter
    for question in questions[: case.warm]:
        await ask(question)
    latencies: list[float] = []
    left = iter(range(count))

    async def work() -> None:
        for place in left:
            began = clock()
            await ask(questions[place % len(questions)])
            latencies.append(clock() - began)

    began = clock()
    await asyncio.gather(*(work() for _ in range(case.window)))
    return latencies, clock() - began


RUNS: dict[str, Run] = {
    "stream": stream,
    "unary": unary,
    "websocket": websocket,
    "native": native,
}


async def measure(case: Case) -> Load:
    """Warm up, then ask for about as long as the case says."""
    random.seed(1)
    different = max(case.warm, _DIFFERENT // case.size)
    questions = [a_request(Kind(case.kind), case.size) for _ in range(different)]
    run = RUNS[case.rpc]
    pilot = max(2 * case.window, 20)
    _, took = await run(case, questions, pilot)
    # The first run is slow with connecting and caches: what it promises is too little.
    pilot_2 = max(pilot, round(0.2 * case.seconds * pilot / took))
    _, took = await run(case, questions, pilot_2)
    count = max(case.window, round(case.seconds * pilot_2 / took))
    cpu = time.process_time()
    latencies, took = await run(case, questions, count)
    cpu = time.process_time() - cpu
    latencies.sort()
    return Load(
        requests_s=count / took,
        documents_s=count * case.size / took,
        p50_ms=1e3 * latencies[len(latencies) // 2],
        p99_ms=1e3 * latencies[int(0.99 * (len(latencies) - 1))],
        client_us=1e6 * cpu / count,
        total=pilot + pilot_2 + count + 3 * min(case.warm, different),
    )


def main() -> None:
    import uvloop

    case = Case(**json.loads(sys.argv[1]))
    load = uvloop.run(measure(case))
    print(json.dumps(asdict(load)), flush=True)
    os._exit(0)  # gRPC's threads may take seconds to end


if __name__ == "__main__":
    main()
