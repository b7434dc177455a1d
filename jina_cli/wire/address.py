"""Where a peer of our own protocol is, and what is said when it is not there."""

from __future__ import annotations


class LinkDown(ConnectionError):
    """There is no connection, or it broke while an answer was awaited.

    Attributes:
        was_sent: Whether the peer may have seen the request.
    """

    def __init__(self, was_sent: bool, *, address: str = "", reason: str = "") -> None:
        self.was_sent = was_sent
        self.address = address
        what = "broke" if was_sent else "is down"
        super().__init__(f"the connection to {address} {what}" + (f": {reason}" if reason else ""))


def parse_address(address: str) -> str | tuple[str, int]:
    """Return the path of `unix:/path`, or host and port of `tcp:host:port`.

    Raises:
        ValueError: It is neither.
    """
    kind, _, rest = address.partition(":")
    if kind == "unix" and rest:
        return rest
    host, _, port = rest.rpartition(":")
    if kind == "tcp" and host and port.isdecimal() and len(port) < 6 and int(port) < 65_536:
        return host.strip("[]"), int(port)
    raise ValueError(f"{address!r} is neither 'unix:/path' nor 'tcp:host:port'")
