"""What a client raises, under the names that Jina's users catch.

* `BadServer`: the Flow answered with an error; a `RequestFailed`.
    * `FlowUnavailable`: a Pod of it is gone; also a `ConnectionError`.
* `ConnectionFailed`: nobody answers, or the connection broke; also a `ConnectionError`.
    * `WrongAddress`: somebody else answers there.
* `AnswerLate`: the time was over; also a `TimeoutError`.
* `BadClient`: the client was not used as it can be.
    * `BadClientInput`: what it was given are no documents.
    * `BadClientCallback`: a callback raised.
"""

from __future__ import annotations

from jina_cli.errors import (
    JinaError,
    RequestFailed,
    StorageFailed,
    TimedOut,
    Unreachable,
    UsageError,
)
from jina_cli.wire.messages import Status, StatusCode


class BadServer(RequestFailed):
    """A request was answered with an error.

    Attributes:
        pod: Where it happened; empty where the Flow does not say.
        exception: Name of the class of what was raised there, `ValueError`.
        arguments: Of that exception, as text.
        stacks: Lines of its traceback.
        request_id: Of the request.
    """

    def __init__(self, message: str, *, status: Status, request_id: str = "") -> None:
        super().__init__(message, status=status.code.name, executor=status.executor)
        self.pod = status.pod
        self.exception = status.exception
        self.arguments = status.arguments
        self.stacks = status.stacks
        self.request_id = request_id


class ConnectionFailed(Unreachable, ConnectionError):
    """Nobody answers at an address, or the connection broke.

    Attributes:
        was_sent: Whether the other side may have seen the request.
    """

    def __init__(self, message: str, *, hint: str = "", was_sent: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.was_sent = was_sent


class WrongAddress(ConnectionFailed):
    """Somebody answers at an address, who is not what was looked for: waiting does not help."""


class AnswerLate(TimedOut, TimeoutError, ConnectionError):
    """There was no answer within the time. Jina has a `ConnectionError` for this too."""


class FlowUnavailable(BadServer, ConnectionError):
    """The Gateway answers, and a Pod that is needed does not."""


class BadClient(UsageError):
    """A client was not used as it can be."""


class BadClientInput(BadClient, TypeError, ValueError):
    """What was given are no documents, or a field of one does not hold what it should."""


class BadClientCallback(BadClient):
    """A callback raised; what it raised is the cause of this error."""


def error_of(
    status: Status, endpoint: str, timeout_s: float | None, request_id: str = ""
) -> JinaError | None:
    """Return what a status is to a caller; None for success."""
    text = status.description or status.code.name.lower().replace("_", " ")
    match status.code:
        case StatusCode.OK:
            return None
        case StatusCode.DEADLINE if timeout_s is not None:
            late = f"{endpoint} took longer than {timeout_s:g} s"
            return AnswerLate(late, hint="a longer timeout lets it end")
        case StatusCode.DEADLINE:
            return AnswerLate(f"{endpoint} took too long: {text}")
        case StatusCode.OVERLOADED if timeout_s is not None:
            return AnswerLate(f"the Flow was too busy for {timeout_s:g} s")
        case StatusCode.OVERLOADED:
            return AnswerLate(f"the Flow was too busy: {text}")
        case StatusCode.STORAGE:
            return StorageFailed(text)
        case StatusCode.UNAVAILABLE:
            return FlowUnavailable(text, status=status, request_id=request_id)
        case _:
            return BadServer(text, status=status, request_id=request_id)
