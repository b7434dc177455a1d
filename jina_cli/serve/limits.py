"""The bounds that all edges share, and what is said when one is passed."""

from __future__ import annotations

HEADER_BYTES = 32 * 1024
"""All headers of one HTTP request, names and values."""

HEADER_S = 10.0
"""From the first byte of an HTTP request, or the connection's beginning, to its last header."""

BODY_IDLE_S = 30.0
"""Between two pieces of a body."""

KEEP_ALIVE_S = 60.0
"""How long an HTTP connection may be open without a request."""

UNREAD_S = 60.0
"""How long a client may leave an answer lie without reading on."""

LINGER_S = 10.0
"""How long a client that was refused may go on sending, unread, before it is cut off."""

CONNECTIONS = 1024
"""HTTP and WebSocket connections at a time of one Gateway."""

RETRY_AFTER_S = 1
"""What a client that came at a bad moment is told to wait."""


def too_large(limit: int) -> str:
    """Return what to say of a message over the limit."""
    what = f"the message is over the limit of {limit} bytes"
    return f"{what}: send fewer documents at a time, or raise 'max_message_bytes' of the gateway"
