"""An answer as Jina's users know it: `response.docs`, `.header.status.exception.name`, …"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jina_cli.client.errors import BadServer
from jina_cli.wire import messages
from jina_cli.wire.messages import StatusCode

if TYPE_CHECKING:
    from jina_cli.client.returned import ReturnType
    from jina_cli.documents.batch import DocumentBatch

SUCCESS, ERROR = 0, 1
"""Jina's numbers for how a request ended."""


@dataclass(frozen=True, slots=True)
class ExceptionView:
    """What an Executor raised.

    Attributes:
        stacks: Lines of the traceback.
        executor: Class of the Executor.
    """

    name: str
    args: tuple[str, ...]
    stacks: tuple[str, ...]
    executor: str


@dataclass(frozen=True, slots=True)
class StatusView:
    """How a request ended.

    Attributes:
        code: `SUCCESS` or `ERROR`.
        name: What exactly, `OVERLOADED`; see `wire.messages.StatusCode`.
        pod: Where; empty where the Flow does not say.
    """

    code: int
    name: str
    description: str
    exception: ExceptionView
    pod: str = ""


@dataclass(frozen=True, slots=True)
class HeaderView:
    """What was asked, and how it ended."""

    request_id: str
    status: StatusView
    exec_endpoint: str
    target_executor: str


class Moment(float):
    """A time, in seconds since the epoch; with the methods of protobuf's Timestamp."""

    @property
    def seconds(self) -> int:
        return int(self)

    @property
    def nanos(self) -> int:
        return round((self - int(self)) * 1e9)

    def ToMilliseconds(self) -> int:  # noqa: N802  # protobuf's name
        return int(self * 1000)

    def ToDatetime(self) -> datetime:  # noqa: N802  # protobuf's name
        """Return it as a time in UTC, without a zone, as protobuf does."""
        return datetime.fromtimestamp(self, UTC).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class RouteView:
    """One step of a request; the first is the Gateway, around all others."""

    executor: str
    start_time: Moment
    end_time: Moment


@dataclass(frozen=True, slots=True)
class DataView:
    """The documents, as Jina has them one level deeper."""

    docs: Any


class Response:
    """The answer to one request. Its documents are read when they are first asked for.

    Attributes:
        raw: The answer as it travelled.
    """

    def __init__(
        self, request: messages.Request, response: messages.Response, returns: ReturnType
    ) -> None:
        self._request = request
        self.raw = response
        self._returns = returns

    def __repr__(self) -> str:
        return f"Response({self.request_id}, {self.raw.status.code.name})"

    @cached_property
    def batch(self) -> DocumentBatch:
        """The documents as columns.

        Raises:
            BadServer: They are malformed.
        """
        from jina_cli.wire.bodies import BadBody, read_body

        try:
            return read_body(self.raw.body)
        except BadBody as error:
            raise self._bad(str(error)) from error

    @cached_property
    def docs(self) -> Any:
        """The documents, as the `DocList` that was asked for.

        Raises:
            BadServer: They do not fit into the class.
        """
        try:
            return self._returns.docs(self.batch)
        except ValueError as error:
            raise self._bad(f"the answer is not {self._returns}: {error}") from error

    @property
    def data(self) -> DataView:
        return DataView(self.docs)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """As they were sent; `__results__` holds what Executors returned that were dicts."""
        return self.raw.parameters

    @property
    def request_id(self) -> str:
        return self.raw.request_id or self._request.request_id

    @property
    def marks(self) -> Mapping[str, str]:
        """What there is to know of how complete it is, `failed_shards` among it."""
        return self.raw.marks

    @property
    def ok(self) -> bool:
        return self.raw.status.ok

    @cached_property
    def status(self) -> StatusView:
        status = self.raw.status
        name = status.exception or ("" if status.ok else status.code.name)
        raised = ExceptionView(name, status.arguments, status.stacks, status.executor)
        code = SUCCESS if status.ok else ERROR
        return StatusView(code, status.code.name, status.description, raised, status.pod)

    @property
    def header(self) -> HeaderView:
        asked = self._request
        return HeaderView(self.request_id, self.status, asked.endpoint, asked.target)

    @cached_property
    def routes(self) -> tuple[RouteView, ...]:
        """The steps that the request took, in the order in which they began."""
        steps = self.raw.routes
        return tuple(RouteView(s.pod, Moment(s.start), Moment(s.end)) for s in steps)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as values that JSON has."""
        from jina_cli.documents.rows import to_rows

        return {
            "header": {
                "request_id": self.request_id,
                "exec_endpoint": self._request.endpoint,
                "status": {"code": self.status.code, "description": self.status.description},
            },
            "parameters": dict(self.parameters),
            "routes": [{"executor": route.executor} for route in self.routes],
            "data": to_rows(self.batch),
        }

    def _bad(self, problem: str) -> BadServer:
        status = messages.Status(code=StatusCode.INTERNAL, description=problem)
        return BadServer(problem, status=status, request_id=self.request_id)
