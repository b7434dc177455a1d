"""Ports for servers that must be told one: real Jina, and YAML with fixed numbers."""

from __future__ import annotations

import random
import socket

# Below the range that systems hand out for outgoing connections (32768 and up on Linux).
PORTS = range(20_000, 32_000)
_TRIES = 100


def free_port() -> int:
    """Return a port nobody listens on. Somebody might a moment later; then the test fails.

    Raises:
        OSError: Of many ports none is free.
    """
    for port in random.sample(PORTS, _TRIES):
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            return port
    raise OSError(f"of {_TRIES} ports none is free")
