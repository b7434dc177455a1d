"""What is wrong, and where: plain values, with no opinion on how they are shown."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.Enum):
    """How bad a problem is: an error stops the command, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one line of a source file.

    Lines and columns count from 1, as editors do; `end_column` is exclusive.
    """

    path: str
    line: int
    column: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem in one place.

    Attributes:
        code: Stable name of the kind of problem, `JNA101`. Tests and users' scripts match
            on this, never on the message. `jina explain CODE` tells more.
        message: One clause, no full stop, that names the offending value.
        span: Where it is.
        hint: What to do about it, if we know; one clause.
        path: The key it concerns, `executors[2].uses_with`; empty for the whole file.
        severity: Whether it stops the command.
    """

    code: str
    message: str
    span: Span
    hint: str | None = None
    path: str = ""
    severity: Severity = Severity.ERROR
