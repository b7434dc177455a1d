"""What the Gateway shows of its state."""

from __future__ import annotations

import asyncio

from jina_cli.serve.board import Board


def test_it_is_ready_when_it_started_and_every_pod_is_up() -> None:
    up = {"encode": False, "index": True}
    board = Board({name: lambda name=name: up[name] for name in up})

    seen = [board.is_ready]
    board.start()
    seen.append(board.is_ready)
    down = board.down
    up["encode"] = True
    seen.append(board.is_ready)
    board.drain()
    seen.append(board.is_ready)

    assert seen == [False, False, True, False]
    assert down == ("encode",)


def test_every_change_wakes_all_who_wait() -> None:
    async def scenario() -> int:
        board = Board({})
        waiting = [asyncio.create_task(board.changed()) for _ in range(3)]
        await asyncio.sleep(0)
        board.start()
        await asyncio.wait_for(asyncio.gather(*waiting), 5)
        return sum(task.done() for task in waiting)

    assert asyncio.run(scenario()) == 3
