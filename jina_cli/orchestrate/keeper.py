"""The process that keeps the Flow of a Python program: `python -m jina_cli.orchestrate.keeper FD`.

It is apart from the program so that signals, forks and crashes of one are none of the other's.
When the program is gone, however it went, the Flow is stopped at once.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from jina_cli.supervise.running import Recipe
from jina_cli.supervise.spawn import Warming, warm_up

if TYPE_CHECKING:
    from jina_cli.orchestrate.keeping import Keeping


def main(arguments: Sequence[str]) -> int:
    """Keep the Flow that the program orders, and return 0."""
    channel = socket.socket(fileno=int(arguments[0]))
    channel.set_inheritable(False)
    with channel.makefile("rb") as lines:
        keeping = _take_order(channel, lines)
    if keeping is None:
        return 0
    import asyncio

    from jina_cli.orchestrate.keeping import keep

    asyncio.run(keep(keeping))
    return 0


def _take_order(channel: socket.socket, lines: BinaryIO) -> Keeping | None:
    """Return what to keep, its spawner started; None if the program is gone already."""
    # Before anything else is imported: the spawner has the longest way to go.
    import json

    head = lines.readline()
    if not head.endswith(b"\n"):
        return None
    said: dict[str, Any] = json.loads(head)
    warming = _warmed(said["peas"]) if said["forkable"] else None
    body = lines.readline()
    from jina_cli.orchestrate.keeping import Keeping
    from jina_cli.plan.codec import from_json
    from jina_cli.plan.models import Plan

    if not body.endswith(b"\n"):
        return None  # the spawner sees that we end
    return Keeping(
        plan=from_json(Plan, json.loads(body)),
        channel=channel,
        parent=said["parent"],
        is_quiet=said["quiet"],
        warming=warming,
    )


def _warmed(peas: int) -> Warming | None:
    if sys.platform != "linux":
        return None
    try:
        return warm_up(Recipe(), peas, os.environ)[1]
    except OSError:
        return None  # the supervisor will try again, and say what is wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
