"""What travels between a client, the Gateway and the Peas, whatever the protocol.

Documents are opaque here: a `Body` is bytes in a known format, and only who wants to look
inside decodes it. This module imports neither numpy nor docarray nor grpc.
"""

from __future__ import annotations

import enum
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jina_cli.vocabulary import DEFAULT_ENDPOINT, DRY_RUN_ENDPOINT

Buffer = bytes | bytearray | memoryview


class BadMessage(ValueError):
    """What a client or a peer sent is not a message of its protocol; says where it is wrong."""


class Format(enum.IntEnum):
    """How the documents of a body are written. The numbers are on the wire."""

    NONE = 0  # no documents
    COLUMNS = 1  # our columnar frames, see `documents.columns`
    PROTO = 2  # serialised docarray.DocListProto
    JSON = 3  # a UTF-8 JSON array of objects
    HELD = 255  # as they are, from Pod to Pod of one process; never on a wire


class StatusCode(enum.Enum):
    """How a request ended. Each has one gRPC status and one HTTP status, see `STATUSES`."""

    OK = "OK"
    INVALID = "INVALID"  # the request is wrong; the same again fails again
    NOT_FOUND = "NOT_FOUND"  # no Executor serves the endpoint
    TOO_LARGE = "TOO_LARGE"  # over the body limit
    OVERLOADED = "OVERLOADED"  # a bounded queue is full; later it may work
    DEADLINE = "DEADLINE"  # took longer than the deadline
    CANCELLED = "CANCELLED"  # the client went away
    UNAVAILABLE = "UNAVAILABLE"  # a Pea is gone and nobody can take its place
    EXECUTOR = "EXECUTOR"  # the Executor raised
    STORAGE = "STORAGE"  # the disk is full or failed
    INTERNAL = "INTERNAL"  # a bug of ours


STATUSES: Mapping[StatusCode, tuple[int, int]] = {
    StatusCode.OK: (0, 200),
    StatusCode.INVALID: (3, 422),
    StatusCode.NOT_FOUND: (5, 404),
    StatusCode.TOO_LARGE: (8, 413),
    StatusCode.OVERLOADED: (8, 429),
    StatusCode.DEADLINE: (4, 504),
    StatusCode.CANCELLED: (1, 499),
    StatusCode.UNAVAILABLE: (14, 503),
    StatusCode.EXECUTOR: (2, 500),
    StatusCode.STORAGE: (8, 507),
    StatusCode.INTERNAL: (13, 500),
}
"""Each status as a gRPC status number and an HTTP status."""

GRPC_STATUS_KEY = "jina-status"
"""Trailing metadata of a gRPC call that failed: the name of our status, finer than gRPC's."""

_OF_GRPC: Mapping[int, StatusCode] = {
    **{number: code for code, (number, _) in STATUSES.items()},
    8: StatusCode.OVERLOADED,  # RESOURCE_EXHAUSTED: of what it may mean, the one that passes
    12: StatusCode.NOT_FOUND,  # UNIMPLEMENTED: nobody has the method
    6: StatusCode.INVALID,  # ALREADY_EXISTS, and others that the same request meets again
    7: StatusCode.INVALID,
    9: StatusCode.INVALID,
    11: StatusCode.INVALID,
    16: StatusCode.INVALID,
}


def status_of_grpc(
    number: int, trailing: Iterable[tuple[str, str | bytes]] | None, details: str = ""
) -> StatusCode:
    """Return how a gRPC call failed.

    What our own Gateway says in the trailing metadata counts; else it is what gRPC's status
    most likely means, and EXECUTOR where that says nothing.

    Args:
        number: gRPC's status; not 0.
        details: Of the status; gRPC's own refusal of a message is known by them alone.
    """
    told = dict(trailing or ()).get(GRPC_STATUS_KEY)
    if isinstance(told, str) and told in StatusCode.__members__ and told != StatusCode.OK.name:
        return StatusCode[told]
    code = _OF_GRPC.get(number, StatusCode.EXECUTOR)
    # gRPC's own refusal of a message, on either side, has the status of a full queue.
    is_size = code is StatusCode.OVERLOADED and "larger than" in details
    return StatusCode.TOO_LARGE if is_size else code


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a request, or one step of it, ended.

    Attributes:
        description: One line for people: what failed and where; empty when OK.
        exception: Name of the exception's class, `ValueError`.
        arguments: Its arguments, as text.
        stacks: Lines of its traceback.
        executor: Class of the Executor that raised.
        pod: Pod in which it happened.
    """

    code: StatusCode = StatusCode.OK
    description: str = ""
    exception: str = ""
    arguments: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    executor: str = ""
    pod: str = ""

    @property
    def ok(self) -> bool:
        return self.code is StatusCode.OK


OK = Status()


@dataclass(frozen=True, slots=True)
class Body:
    """Documents, as bytes in `format`."""

    format: Format = Format.NONE
    data: Buffer = b""


EMPTY = Body()


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteStep:
    """One step a request took: times are seconds since the epoch."""

    pod: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question to a Flow or to one Pea.

    Attributes:
        endpoint: `/search`; always with its slash, except `_jina_dry_run_`.
        bodies: One, or several where a Pea merges the answers of its needs.
        request_id: Chosen by the client, else by `new_request_id`.
        target: Regular expression of Pod names; others are passed by. Empty for all.
        parameters: JSON values by name.
        wanted: The format the answer's body shall have.
        deadline: On this process's monotonic clock (`time.monotonic`); None for none. On
            the wire it is the time that is left.
        metadata: Lower-case names of headers to pass on, `traceparent` among them.
        streamed: Whether the answer may come in parts, as an Executor's generator gives them.
    """

    endpoint: str
    bodies: tuple[Body, ...] = (EMPTY,)
    request_id: str = ""
    target: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    wanted: Format = Format.COLUMNS
    deadline: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    streamed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The answer to one `Request`.

    Attributes:
        body: The documents; those of the request where it failed before any step.
        parameters: As the request had them; `__results__` holds what Executors returned
            that were dicts, by Pea name.
        routes: The steps it took, first to last.
        marks: What a client should know of how complete the answer is, as lower-case names
            and text: `total_shards` and `failed_shards` where shards were left out.
        taken: How many documents were read for it in this process; not sent to others.
    """

    request_id: str = ""
    status: Status = OK
    body: Body = EMPTY
    parameters: Mapping[str, Any] = field(default_factory=dict)
    routes: tuple[RouteStep, ...] = ()
    marks: Mapping[str, str] = field(default_factory=dict)
    taken: int = field(default=0, compare=False)


Answer = Callable[[Request], Awaitable[Response]]
"""Answers a request; what goes wrong is in the status."""

Respond = Callable[[Request], Response | Awaitable[Response]]
"""The same, but that what takes no time worth a task may be answered at once.

An awaitable that it returns is to be awaited in a task.
"""

Stream = Callable[[Request], AsyncIterator[Response]]
"""Answers a request in parts, in order. A part whose status is not OK is the last one.

Closing the iterator (`aclose`) cancels what is still worked on.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What answers requests, whole or in parts: a Flow as its edges see it, or one Executor."""

    answer: Answer
    stream: Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointInfo:
    """What an Executor says of one endpoint: JSON schemas of input and output documents.

    Attributes:
        parameters: Schema of the parameters; None where any are taken.
        is_generator: Whether the answer comes in parts.
        is_singleton: Whether it takes one document at a time.
        writes: Whether it changes what is kept, which of several replicas the first one does.
        top_k: Matches of each document where a request does not say; 0 if that is not known.
    """

    input: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] | None = None
    is_generator: bool = False
    is_singleton: bool = False
    writes: bool = False
    top_k: int = 0

    def then(self, last: EndpointInfo) -> EndpointInfo:
        """Return what the same endpoint is of two Executors, `last` behind this one."""
        return EndpointInfo(
            input=self.input,
            output=last.output or self.output,
            parameters=self.parameters or last.parameters,
            is_generator=self.is_generator or last.is_generator,
            is_singleton=self.is_singleton,
            writes=self.writes or last.writes,
            top_k=last.top_k or self.top_k,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first thing a Pea says on a connection.

    Attributes:
        pea: Its name.
        executor: Class name of its Executor; empty for a head.
        endpoints: What it serves. `/default` serves all that are not named.
        pods: What each Pod serves, where several run in this process; else empty.
        window: Requests it takes before it answered one; 0 leaves it to who asks.
        is_ready: Whether all that it needs is there; requests may be sent either way.
    """

    pea: str
    executor: str = ""
    endpoints: Mapping[str, EndpointInfo] = field(default_factory=dict)
    pods: Mapping[str, Mapping[str, EndpointInfo]] = field(default_factory=dict)
    window: int = 0
    is_ready: bool = True

    def writes(self, endpoint: str) -> bool:
        """Say whether a request to `endpoint` changes what is kept."""
        info = self.endpoints.get(endpoint) or self.endpoints.get(DEFAULT_ENDPOINT)
        return info is not None and info.writes


def failed(request: Request | None, code: StatusCode, problem: str) -> Response:
    """Return the answer to a request that goes no further; None is one that was not read."""
    status = Status(code=code, description=problem)
    return Response(request_id=request.request_id if request else "", status=status)


def with_slash(endpoint: str) -> str:
    """Return the name of an endpoint as we know it: `index` is `/index`."""
    if endpoint.startswith("/") or endpoint == DRY_RUN_ENDPOINT:
        return endpoint
    return f"/{endpoint}"


_CHANCE = random.Random()
"""Of our own: a program that seeds the common one would have the same ids in each run."""

os.register_at_fork(after_in_child=_CHANCE.seed)


def new_request_id() -> str:
    """Return 32 hexadecimal digits that nobody has used; asks the system for nothing."""
    return f"{_CHANCE.getrandbits(128):032x}"
