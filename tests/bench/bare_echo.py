"""A grpc.aio server that gives back the bytes it got: the limit of gRPC in Python.

python tests/bench/bare_echo.py PORT
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

LISTENING = "listening"


@contextmanager
def a_bare_echo() -> Iterator[tuple[psutil.Process, str]]:
    """Run the server in a process of its own; gives it and its `host:port`."""
    child = subprocess.Popen(
        [sys.executable, __file__], stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    try:
        assert child.stdout is not None
        word, port = child.stdout.readline().split()
        assert word == LISTENING, word
        yield psutil.Process(child.pid), f"127.0.0.1:{port}"
    finally:
        child.kill()
        child.wait()


async def serve() -> None:
    """Serve until killed; prints the port."""
    import grpc
    import grpc.aio

    async def stream(messages: AsyncIterator[bytes], _: Any) -> AsyncIterator[bytes]:
        async for message in messages:
            yield message

    async def single(message: bytes, _: Any) -> bytes:
        return message

    no_limit = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))
    server = grpc.aio.server(options=no_limit)
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                "jina.JinaRPC", {"Call": grpc.stream_stream_rpc_method_handler(stream)}
            ),
            grpc.method_handlers_generic_handler(
                "jina.JinaSingleDataRequestRPC",
                {"process_single_data": grpc.unary_unary_rpc_method_handler(single)},
            ),
        )
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(LISTENING, port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve())
