"""What fails in the Gateway itself, as an answer: it costs one request, and nobody else's."""

from __future__ import annotations

import logging

from jina_cli.wire.messages import Answer, Request, Response, Status, StatusCode

log = logging.getLogger(__name__)


async def guarded(answer: Answer, request: Request) -> Response:
    """Return the answer to a request; where there is none for a bug of ours, that."""
    try:
        return await answer(request)
    except Exception as error:
        return broken(request, error)


def broken(request: Request, error: Exception) -> Response:
    """Log what went wrong, and return what the client is told of it."""
    log.error("request %s failed in the Gateway", request.request_id, exc_info=error)
    status = Status(code=StatusCode.INTERNAL, description=told_of(error), pod="gateway")
    return Response(request_id=request.request_id, status=status)


def told_of(error: Exception) -> str:
    """Return what a client is told of an error that is none of its own."""
    return f"{type(error).__name__} in the Gateway; its log says more"
