"""The end of listening: who waits to be accepted by then is served all the same."""

from __future__ import annotations

import asyncio
import socket

import pytest

from jina_cli.serve.listening import Listening


class Greets(asyncio.Protocol):
    """Says hello and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello")
        transport.close()


def test_clients_in_the_backlog_are_served_and_later_ones_refused() -> None:
    async def scenario() -> list[bytes]:
        listening = Listening(Greets)
        sock = socket.create_server(("127.0.0.1", 0))
        address = sock.getsockname()
        await listening.add(sock)
        # The loop has no turn between these and the end: they are in the backlog.
        clients = [socket.create_connection(address) for _ in range(3)]
        await listening.end()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        answers = []
        for client in clients:
            reader, writer = await asyncio.open_connection(sock=client)
            answers.append(await asyncio.wait_for(reader.read(), 5))
            writer.close()
        return answers

    assert asyncio.run(scenario()) == [b"hello"] * 3
