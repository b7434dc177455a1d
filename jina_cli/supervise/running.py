"""What is known of a process that was asked for, and who is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jina_cli.lifeline import Said
    from jina_cli.supervise.pipes import ChildPipes


class Child(Protocol):
    """A process that was started from nothing."""

    pid: int

    def poll(self) -> int | None:
        """Return its exit status once it has ended, below zero for a signal."""

    def kill(self) -> None:
        """Kill it, unless it has ended."""

    def wait(self) -> int | None:
        """Wait for its end."""


class Watcher(Protocol):
    """Is told what processes do, from the event loop."""

    def started(self, name: str, attempt: int, pid: int) -> None:
        """It has a process id."""

    def heard(self, name: str, attempt: int, said: Said) -> None:
        """It wrote to its control pipe."""

    def printed(self, name: str, stream: str, data: bytes) -> None:
        """It wrote to `stdout` or `stderr`."""

    def ended(self, name: str, attempt: int, status: int, cause: str) -> None:
        """Its group is empty. `cause` says why it could not be started; empty if it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How the Peas of a Flow are started.

    Attributes:
        preload: Modules that the spawner imports before it forks.
        entry: `module:function` that a forked Pea runs.
        install_module: Becomes `pea_module` after pip installed what the Executor asks for.
        deregister_s: Handed to the Gateway, see `Launch`.
    """

    preload: tuple[str, ...] = ("jina_cli.runtime.pea",)
    entry: str = "jina_cli.runtime.pea:run"
    pea_module: str = "jina_cli.runtime"
    install_module: str = "jina_cli.runtime.install"
    gateway_module: str = "jina_cli.serve"
    spawner_module: str = "jina_cli.runtime.spawner"
    deregister_s: float = 0.0


@dataclass(slots=True, kw_only=True, eq=False)
class Running:
    """A process that was asked for; it may not be there yet.

    Attributes:
        pid: 0 until it is known.
        owed: A signal that came before the pid.
        status: Exit status once its leader is gone.
        swept_by: When what is left of its group is waited for no longer.
    """

    name: str
    attempt: int
    pid: int = 0
    start: int = 0
    popen: Child | None = None
    owed: int = 0
    status: int | None = None
    cause: str = ""
    pipes: ChildPipes
    swept_by: float = 0.0
    is_swept: bool = False
