"""Ports that are free."""

from __future__ import annotations

import socket
from contextlib import ExitStack


def free_ports(count: int, host: str) -> list[int]:
    """Return so many different TCP ports that nothing on this machine listens on.

    They are free now and may be taken before they are used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(family)) for _ in range(count)]
        for each in sockets:
            each.bind((host, 0))
        return [each.getsockname()[1] for each in sockets]


def random_port() -> int:
    """Return a TCP port that is free now; see `free_ports`."""
    return free_ports(1, "0.0.0.0")[0]
