"""Orders to the spawner, over a real socket."""

from __future__ import annotations

import asyncio
import os
import socket

from jina_cli.lifeline import ForkedSaid, ForkOrder, Order, WarmSaid, pack, unpack
from jina_cli.supervise.forks import SpawnerClient


def test_an_order_that_cannot_be_sent_is_refused_and_those_behind_it_go() -> None:
    heard: list[Order] = []

    async def work() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        told = asyncio.Event()

        def hear(order: Order) -> None:
            heard.append(order)
            if isinstance(order, ForkedSaid):
                told.set()

        client = SpawnerClient(ours, hear)
        read_end, write_end = os.pipe()
        client.order(ForkOrder(name="a", attempt=1, plan_path="/" * 2**22), [write_end])
        client.order(ForkOrder(name="b", attempt=1, plan_path="/b"), [])
        theirs.send(pack(WarmSaid()))
        async with asyncio.timeout(10):
            await told.wait()

        arrived = unpack(theirs.recv(2**17))
        assert isinstance(arrived, ForkOrder)
        assert arrived.name == "b"
        assert os.read(read_end, 1) == b""  # nobody has the descriptor any more
        os.close(read_end)
        client.close()
        theirs.close()

    asyncio.run(work())

    refused = heard[-1]
    assert refused == ForkedSaid(
        name="a", attempt=1, pid=0, cause="cannot be started: Message too long"
    )
