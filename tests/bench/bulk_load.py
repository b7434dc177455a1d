"""Sends many text documents once; a process of its own for each measurement.

    python tests/bench/bulk_load.py '{"rpc": "stream", "address": "127.0.0.1:12345", …}'

Prints one line of JSON: seconds from the first question to the last answer, and the client's CPU.
Questions are written before the clock starts, and each answer is looked at.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from load import Case, native, stream
from on_the_wire import request_of

WORDS = ("bread", "copper", "river", "winter", "engine", "garden", "letter", "harbour", "silver")
ENDPOINT = "/index"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to send.

    Attributes:
        rpc: `stream`, `native`, or `http` for txtai.
        address: As of `load.Case`, or `host:port`.
        size: Documents of a request.
        window: Requests under way at a time; over `http` one.
    """

    rpc: str
    address: str
    size: int
    window: int
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What it took."""

    seconds: float
    client_s: float


def texts(count: int) -> list[str]:
    """Return texts that differ, of about 40 characters."""
    words = [[WORDS[place // 9**digit % 9] for digit in range(3)] for place in range(count)]
    return [f"note {place:05d}: of {a}, {b} and {c}" for place, (a, b, c) in enumerate(words)]


def parted(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield items `size` at a time."""
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]


def main() -> None:
    job = Job(**json.loads(sys.argv[1]))
    random.seed(1)  # the ids
    if job.rpc == "http":
        sent = _by_txtai(job)
    else:
        import uvloop

        sent = uvloop.run(_by_requests(job))
    print(json.dumps(asdict(sent)), flush=True)
    os._exit(0)  # gRPC's threads may take seconds to end


async def _by_requests(job: Job) -> Sent:
    questions = [request_of(part, ENDPOINT) for part in parted(texts(job.documents), job.size)]
    case = Case(
        rpc=job.rpc,
        kind="text",
        size=job.size,
        window=job.window,
        address=job.address,
        endpoint=ENDPOINT,
        by_ids=True,
        warm=0,
    )
    cpu = time.process_time()
    run = native if job.rpc == "native" else stream
    _, seconds = await run(case, questions, len(questions))
    return Sent(seconds=seconds, client_s=time.process_time() - cpu)


def _by_txtai(job: Job) -> Sent:
    """Add documents in parts, and then have them indexed: so its API is used."""
    rows = [{"id": str(place), "text": text} for place, text in enumerate(texts(job.documents))]
    parts = [json.dumps(part).encode() for part in parted(rows, job.size)]
    connection = http.client.HTTPConnection(job.address, timeout=60)
    began, cpu = time.perf_counter(), time.process_time()
    for part in parts:
        _ask(connection, "POST", "/add", part)
    _ask(connection, "GET", "/index")
    sent = Sent(seconds=time.perf_counter() - began, client_s=time.process_time() - cpu)
    assert json.loads(_ask(connection, "GET", "/count")) == job.documents
    return sent


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
) -> bytes:
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    data = answer.read()
    assert answer.status == http.client.OK, data[-1500:]
    return data


if __name__ == "__main__":
    main()
