"""Requests that a server works on, and what it answers where nobody else does."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType
from typing import Any

from jina_cli.wire.connection import Connection
from jina_cli.wire.frames import BadFrame
from jina_cli.wire.messages import Buffer, Request, Response, Status, StatusCode, failed
from jina_cli.wire.native import encode_response
from jina_cli.wire.parts import Window

log = logging.getLogger(__name__)


class Job:
    """A request that is worked on.

    Attributes:
        size: Bytes of room that it takes.
        window: Of the parts of its answer; None where that comes whole.
        task: Of the work.
        answering: What the task awaits, if it is a coroutine that was not begun.
    """

    __slots__ = (
        "answering",
        "connection",
        "id",
        "is_answered",
        "peer",
        "request",
        "size",
        "task",
        "window",
    )

    def __init__(
        self, peer: Peer, connection: Connection, id: int, request: Request, size: int
    ) -> None:
        self.peer = peer
        self.connection = connection
        self.id = id
        self.request = request
        self.size = size
        self.window: Window | None = None
        self.task: asyncio.Task[None] | None = None
        self.answering: CoroutineType[Any, Any, Response] | None = None
        self.is_answered = False

    def answer(self, response: Response) -> None:
        """Send what ends the answer; only the first does."""
        if not self.is_answered:
            self.is_answered = True
            answer(self.connection, self.id, response, is_alone=len(self.peer.jobs) == 1)

    def abandon(self) -> None:
        """Cancel the work, since nobody waits for the answer."""
        self.is_answered = True
        if self.task is not None:
            self.task.cancel()
        # A task that is cancelled before it begins awaits nothing, and Python would warn of that.
        if self.answering is not None and getcoroutinestate(self.answering) == CORO_CREATED:
            self.answering.close()


@dataclass(slots=True)
class Peer:
    """A connected client."""

    jobs: dict[int, Job] = field(default_factory=dict)
    knows_we_go: bool = False


def answer(connection: Connection, id: int, response: Response, *, is_alone: bool = False) -> None:
    """Send an answer, or why it cannot be written."""
    try:
        frame: list[Buffer] = encode_response(id, response)
    except BadFrame as error:
        log.error("an answer cannot be written: %s", error)
        status = Status(code=StatusCode.INTERNAL, description=f"BadFrame: {error}")
        frame = encode_response(id, Response(request_id=response.request_id, status=status))
    connection.send(id, frame, is_alone=is_alone)


def bug(request: Request, error: Exception) -> Response:
    """Return the answer to a request at which our own code failed."""
    log.error("a request to %s failed", request.endpoint, exc_info=error)
    return failed(request, StatusCode.INTERNAL, f"{type(error).__name__}: {error}")


def overdue(request: Request) -> Response:
    """Return the answer to a request whose deadline is over."""
    return failed(request, StatusCode.DEADLINE, "the deadline passed")
