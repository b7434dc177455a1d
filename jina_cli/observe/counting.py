"""How much a request holds, without making documents of it."""

from __future__ import annotations

from jina_cli.wire.messages import Body, Format, Request


def size_of(request: Request) -> int:
    """Return the bytes of all documents of a request, as they are written."""
    return sum(len(body.data) for body in request.bodies)


def documents_in(request: Request) -> int:
    """Return how many documents the bodies of a request hold together; 0 where one is broken."""
    try:
        return sum(_count(body) for body in request.bodies)
    except ValueError:
        return 0


def _count(body: Body) -> int:
    if body.format is Format.NONE:
        return 0
    from jina_cli.wire.bodies import read_body

    return len(read_body(body))
