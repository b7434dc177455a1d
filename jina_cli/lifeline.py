"""Both ends of what ties a child to its parent: how it is launched, and what it says.

A child is given a `Launch` (its plan's file and the numbers of the descriptors it inherited)
and reports on its **control pipe**, one JSON line an event. It holds the read end of the
**death pipe**; when that reads end-of-file the parent is gone, however it went. What it logs
goes to stderr, one record a line behind `LOG_MARK`, so that the parent can tell records from
what user code prints.

Light on imports: parent, spawner, Peas and Gateway all import it.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from jina_cli.memory import Tidy, trimmer

_TIDY_MS = 1000

HASTE = signal.SIGUSR2
"""Sent to a Gateway that is ready before SIGTERM: nobody routes to it, so it need not say that
it stops before it does."""

PEA_MARK = "JINA_PEA"
"""Variable in the environment of a Pea, with its name; inherited by whatever it starts."""

LOG_MARK = "\x1e"
"""Stands before a log record (a JSON object on one line) on a child's stderr."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What a child is started with.

    Attributes:
        plan_path: File with the JSON of its `PeaPlan`.
        control_fd: Write end of the control pipe.
        death_fd: Read end of the death pipe.
        listen_fds: Listening sockets by name: `native`; for the Gateway also `http:1`, the
            protocol and the place among its listeners, from 0.
        deregister_s: For the Gateway: how long after SIGTERM it still accepts connections
            while `/readyz` already says 503, so that load balancers notice first.
    """

    plan_path: str
    control_fd: int
    death_fd: int
    listen_fds: Mapping[str, int] = field(default_factory=dict)
    deregister_s: float = 0.0

    def to_argument(self) -> str:
        """Return this as one command-line argument, for `from_argument` in the child."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_argument(cls, text: str) -> Launch:
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadySaid:
    """The child has loaded its Executor and listens.

    Attributes:
        endpoints: What it serves.
        addresses: Where it listens, by protocol: `{"grpc": "127.0.0.1:54321"}`.
    """

    endpoints: Sequence[str] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseSaid:
    """What the child does before it is ready: `install`, `import`, `init`, `connect`."""

    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedSaid:
    """The child cannot go on; it ends with a non-zero code after saying so.

    Attributes:
        kind: `install`, `import`, `init`, `port-taken`, `permission`, `storage` or `bug`.
            `install`, `port-taken` and `permission` are not cured by a restart.
        cause: One clause, `ValueError: no such model`.
        place: `executor.py:12`, where it was raised; empty if unknown.
    """

    kind: str
    cause: str
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainSaid:
    """The child was asked to stop and finishes what it has.

    Attributes:
        pending: Requests that are still worked on.
    """

    pending: int


Said = ReadySaid | PhaseSaid | FailedSaid | DrainSaid
_EVENTS: Mapping[str, type[Said]] = {
    "ready": ReadySaid,
    "phase": PhaseSaid,
    "failed": FailedSaid,
    "drain": DrainSaid,
}
_NAMES = {model: name for name, model in _EVENTS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkOrder:
    """Parent to spawner: fork a Pea.

    What may be long stands in the plan: a message has to fit into the socket's buffer.

    Attributes:
        plan_path: As `Launch`; variables that the Pea gets on top of the spawner's are in it.
        descriptors: What the descriptors sent along are, in their order: `control`, `death`,
            `stdout`, `stderr`, all others names of listening sockets.
    """

    name: str
    attempt: int
    plan_path: str
    descriptors: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardOrder:
    """Parent to spawner: kill this group too if the parent is gone and it is not."""

    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmSaid:
    """Spawner to parent: everything is imported, orders are carried out at once from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkedSaid:
    """Spawner to parent: the Pea of an order runs; `pid` 0 if it could not, with the cause."""

    name: str
    attempt: int
    pid: int
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedSaid:
    """Spawner to parent: a Pea that it forked has ended; `status` below zero for a signal."""

    pid: int
    status: int


Order = ForkOrder | GuardOrder | WarmSaid | ForkedSaid | EndedSaid
_ORDERS: Mapping[str, type[Order]] = {
    model.__name__: model for model in (ForkOrder, GuardOrder, WarmSaid, ForkedSaid, EndedSaid)
}


def pack(order: Order) -> bytes:
    """Return one message between parent and spawner."""
    return json.dumps({"order": type(order).__name__, **asdict(order)}).encode()


def unpack(data: bytes) -> Order:
    """Return what `pack` was given."""
    fields = json.loads(data)
    return _ORDERS[fields.pop("order")](**fields)


def to_line(said: Said) -> bytes:
    """Return an event as one line for the control pipe."""
    return json.dumps({"event": _NAMES[type(said)], **asdict(said)}).encode() + b"\n"


def from_line(line: bytes) -> Said:
    """Return the event of a line.

    Raises:
        ValueError: The line is not one of ours.
    """
    data = json.loads(line)
    if not isinstance(data, dict) or data.get("event") not in _EVENTS:
        raise ValueError(f"not an event: {line[:80]!r}")
    return _EVENTS[data.pop("event")](**data)


def say(control_fd: int, said: Said) -> None:
    """Write an event to the control pipe; a parent that is gone is no error here."""
    try:
        os.write(control_fd, to_line(said))
    except OSError:
        pass


def failure_of(error: BaseException, kind: str) -> FailedSaid:
    """Return what to say of an exception: its class and text, and where user code raised it."""
    text = str(error).strip().partition("\n")[0]
    name = type(error).__name__
    return FailedSaid(kind=kind, cause=f"{name}: {text}" if text else name, place=place_of(error))


def place_of(error: BaseException) -> str:
    """Return `file.py:12` of the innermost line of user code; empty if none took part.

    Ours, Python's own and installed libraries are no user code; a library's line stands in
    where there is nothing else.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    ours = os.path.dirname(os.path.abspath(__file__)) + os.sep
    python = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
    library = ""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        place = f"{frame.filename}:{frame.lineno}"
        if frame.filename.startswith(ours) or not os.path.isabs(frame.filename):
            continue  # of compiled code, too, which names files that are not here
        if f"{os.sep}site-packages{os.sep}" in frame.filename:
            library = library or place
        elif not frame.filename.startswith(python):
            return place
    return library


def watch_death(death_fd: int, drain: Callable[[], None], grace_s: float = 2.0) -> None:
    """Call `drain` when the parent is gone, and kill the own process group `grace_s` later.

    Starts a thread that waits for the pipe. Once a second it gives memory back that is free,
    where the process has done something: no event loop has to stand still for that. The
    caller leads its process group.
    """
    give_back = trimmer()
    tidy = None if give_back is None else Tidy(give_back)

    def guard() -> None:
        ended = select.poll()
        ended.register(death_fd, select.POLLIN)
        while True:
            if not ended.poll(None if tidy is None else _TIDY_MS):
                assert tidy is not None, "without it there is no end to the waiting"
                tidy()
            elif not os.read(death_fd, 64):
                break
        drain()
        threading.Event().wait(grace_s)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=guard, name="death-pipe", daemon=True).start()


class MarkedFormatter(logging.Formatter):
    """Log records as one line of JSON behind `LOG_MARK`."""

    def format(self, record: logging.LogRecord) -> str:
        data: dict[str, Any] = {
            "level": record.levelname,
            "logger": record.name,
            "time": record.created,
            "message": record.getMessage(),
        }
        if record.exc_info:
            data["traceback"] = self.formatException(record.exc_info)
        return LOG_MARK + json.dumps(data, ensure_ascii=False, default=str)


def log_to_parent(level: str = "INFO") -> None:
    """Send what this process logs to its parent, by way of stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(MarkedFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
