"""How much a request holds, without making documents of it."""

from __future__ import annotations

from jina_cli.wire.messages import Request


def size_of(request: Request) -> int:
    """Return the bytes of all documents of a request, as they are written."""
    return sum(len(body.data) for body in request.bodies)
