"""How fast requests go over a unix socket between two processes, an echo behind them.

    python tests/bench/channel.py [--seconds 1.0] [--asyncio]

The bare frames of the same shape reached, on a machine with 2 cores: 100 bytes
27.7 k requests/s at window 1 and 106 k at window 64; 1 MB 1,767 and 1,128 MB/s.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from jina_cli.wire.channel import Link, Server
from jina_cli.wire.messages import Body, Format, Hello, Request, Response

REFERENCE = {(100, 1): 27_700, (100, 64): 106_000, (1 << 20, 1): 1767, (1 << 20, 64): 1128}
LIMIT = 64 * 1024 * 1024


async def serve(fd: int) -> None:
    async def echo(request: Request) -> Response:
        return Response(request_id=request.request_id, body=request.bodies[0])

    server = Server(echo, lambda: Hello(pea="echo"), max_queue=256, max_message_bytes=LIMIT)
    await server.start(socket.socket(fileno=fd))
    await asyncio.Event().wait()


async def measure(link: Link, size: int, window: int, seconds: float) -> tuple[float, float]:
    """Return requests a second, and microseconds of our own CPU for each."""
    request = Request(endpoint="/x", bodies=(Body(Format.COLUMNS, bytes(size)),))
    count = 0
    begin, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    end = begin + seconds

    async def ask() -> None:
        nonlocal count
        while time.perf_counter() < end:
            await link.request(request)
            count += 1

    await asyncio.gather(*(ask() for _ in range(window)))
    now = resource.getrusage(resource.RUSAGE_SELF)
    used = now.ru_utime + now.ru_stime - cpu.ru_utime - cpu.ru_stime
    return count / (time.perf_counter() - begin), used / count * 1e6


async def bench(path: Path, seconds: float) -> None:
    link = Link(f"unix:{path}")
    link.start()
    await link.wait_up(10)
    print("   bytes  window  requests/s      MB/s  us/request here  reference")
    for (size, window), reference in REFERENCE.items():
        await measure(link, size, window, seconds / 10)
        rate, cpu = await measure(link, size, window, seconds)
        ratio = rate / reference
        megabytes = rate * size / 1e6
        print(f"{size:8} {window:7} {rate:11,.0f} {megabytes:9,.0f} {cpu:16.1f} {ratio:9.2f} x")
    await link.close()


@contextlib.contextmanager
def a_server(path: Path, *flags: str) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        sock.listen()
        fd = sock.fileno()
        command = [sys.executable, __file__, *flags, "--serve", str(fd)]
        process = subprocess.Popen(command, pass_fds=[fd], start_new_session=True)
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--asyncio", action="store_true")
    parser.add_argument("--serve", type=int)
    options = parser.parse_args()
    factory = asyncio.new_event_loop if options.asyncio else uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        if options.serve is not None:
            runner.run(serve(options.serve))
        flags = ["--asyncio"] if options.asyncio else []
        with tempfile.TemporaryDirectory() as folder, a_server(Path(folder) / "s", *flags):
            runner.run(bench(Path(folder) / "s", options.seconds))


if __name__ == "__main__":
    main()
