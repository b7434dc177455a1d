"""Every error that is raised on purpose, and the exit code each one ends a command with.

* `JinaError`: the root. Anything else that reaches the command line is a bug of ours.
    * `UsageError`: the command line is wrong (2).
    * `NothingMatched`: no input matched (5).
    * `BadInput`: data over the permitted number of errors (65).
    * `InputMissing`: an input file is not there (66).
    * `Unreachable`: no Flow answers, or a port is taken (69).
    * `CannotWrite`: an output cannot be created (73).
    * `StorageFailed`: the disk or the index failed (74).
    * `TimedOut`: it took too long; trying again may help (75).
    * `NotPermitted`: the system or the Flow refuses (77).
    * `SpecInvalid`: YAML with problems; carries all of them (78).
    * `PodFailed`: a process ended, or was never ready (1).
    * `RequestFailed`: a request was answered with an error (1).
    * `MissingExtra`: an optional dependency is not installed (1).
    * `Bug`: something that cannot happen did (70).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import ClassVar

from jina_cli.diagnostics import Diagnostic


class Exit(enum.IntEnum):
    """The exit codes of every command; sysexits where one exists."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOTHING = 5
    BAD_DATA = 65
    NO_INPUT = 66
    UNAVAILABLE = 69
    BUG = 70
    CANNOT_CREATE = 73
    IO_ERROR = 74
    TIMED_OUT = 75
    NO_PERMISSION = 77
    BAD_SPEC = 78
    SIGINT = 130
    SIGTERM = 143


class JinaError(Exception):
    """The root of our errors. `str()` is one line: what, where, what to do.

    Attributes:
        exit_code: What a command that ends with this error exits with.
        code: Stable name of the kind of failure, for `--json` and `jina explain`.
        hint: What to do about it, one clause; empty where we do not know.
    """

    exit_code: ClassVar[Exit] = Exit.FAILED
    code: ClassVar[str] = "JNA900"

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message}: {hint}" if hint else message)


class UsageError(JinaError):
    """The command line is wrong."""

    exit_code = Exit.USAGE
    code = "JNA901"


class NothingMatched(JinaError):
    """No input matched what was asked for."""

    exit_code = Exit.NOTHING
    code = "JNA902"


class BadInput(JinaError):
    """Input data is bad, over the permitted number of errors. Good rows were kept."""

    exit_code = Exit.BAD_DATA
    code = "JNA903"


class InputMissing(JinaError):
    """An input file is not there."""

    exit_code = Exit.NO_INPUT
    code = "JNA904"


class Unreachable(JinaError):
    """No Flow answers at an address, or an address is taken by somebody else."""

    exit_code = Exit.UNAVAILABLE
    code = "JNA905"


class CannotWrite(JinaError):
    """An output file or directory cannot be created."""

    exit_code = Exit.CANNOT_CREATE
    code = "JNA906"


class StorageFailed(JinaError):
    """The disk or an index on it failed. Nothing that was acknowledged is lost."""

    exit_code = Exit.IO_ERROR
    code = "JNA907"


class TimedOut(JinaError):
    """Something took longer than it was given; trying again may help."""

    exit_code = Exit.TIMED_OUT
    code = "JNA908"


class NotPermitted(JinaError):
    """The system, or the Flow, does not allow it."""

    exit_code = Exit.NO_PERMISSION
    code = "JNA909"


class SpecInvalid(JinaError):
    """YAML with problems.

    Attributes:
        diagnostics: All of them, sorted by place; at least one is an error.
    """

    exit_code = Exit.BAD_SPEC
    code = "JNA100"

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        first = self.diagnostics[0]
        super().__init__(f"{first.span}: {first.message}", hint=first.hint or "")


class PodFailed(JinaError):
    """A Pea ended, or was never ready.

    Attributes:
        pea: Its name, `index/shard-1`.
        cause: One clause: the exception with its place, the signal, or the exit code.
        tail: Its last lines of output, oldest first.
    """

    code = "JNA910"

    def __init__(self, pea: str, cause: str, tail: Sequence[str] = ()) -> None:
        self.pea = pea
        self.cause = cause
        self.tail = tuple(tail)
        super().__init__(f"{pea}: {cause}")


class RequestFailed(JinaError):
    """A request was answered with an error.

    Attributes:
        status: Name of the status, `UNAVAILABLE`; see `wire.messages.StatusCode`.
        executor: Name of the Executor that failed; empty where none did.
    """

    code = "JNA911"

    def __init__(self, message: str, *, status: str, executor: str = "") -> None:
        self.status = status
        self.executor = executor
        super().__init__(message)


class MissingExtra(JinaError):
    """An optional dependency is not installed.

    Attributes:
        extra: Name of the extra that brings it.
    """

    code = "JNA912"

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs the extra {extra!r}", hint=f"pip install 'jina[{extra}]'")


class Bug(JinaError):
    """A bug of ours: something happened that no code expects."""

    exit_code = Exit.BUG
    code = "JNA999"
