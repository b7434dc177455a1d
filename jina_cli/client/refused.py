"""Rows that did not become documents: counted, told, and kept for the user to mend."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO

import orjson

from jina_cli.documents.readers.row import RowError
from jina_cli.errors import BadInput, CannotWrite, StorageFailed

_MAX_RAW_BYTES = 1024 * 1024


class Refused:
    """Takes bad rows; used as a context manager.

    Args:
        path: File for them, one JSON object a line with `source`, `line`, `reason` and
            `row`; empty for none. It is replaced.
        most: How many are tolerated.
        stops: Whether one more than that ends the run at once, not at its end.
        tell: Called with each of the first few.

    Raises:
        CannotWrite: `path` cannot be created.
    """

    TOLD = 10

    def __init__(
        self, path: str, *, most: int, stops: bool, tell: Callable[[RowError], None]
    ) -> None:
        self.count = 0
        self._files = 0
        self._hint = ""
        self._most = most
        self._stops = stops
        self._tell = tell
        self._path = path
        self._file: BinaryIO | None = None
        if path:
            try:
                self._file = open(path, "wb", buffering=0)  # noqa: SIM115
            except OSError as error:
                raise CannotWrite(f"cannot create {path}: {error.strerror}") from error

    def __enter__(self) -> Refused:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, error: RowError) -> None:
        """Take one row.

        Raises:
            BadInput: It is one too many, and the run shall stop.
            StorageFailed: It cannot be written.
        """
        self.count += 1
        self._files += not error.line
        self._hint = self._hint or error.hint
        if self._file is not None:
            try:
                self._file.write(_line(error))
            except OSError as failure:
                raise StorageFailed(f"cannot write {self._path}: {failure.strerror}") from failure
        if self.count <= self.TOLD:
            self._tell(error)
        if self._stops:
            self.check()

    def check(self) -> None:
        """Raise `BadInput` if there are more than are tolerated."""
        if self.count > self._most:
            kept = f"see {self._path}" if self._path else "--errors-to FILE keeps them"
            text = f"{self._counted()} refused, more than --max-errors {self._most}"
            raise BadInput(text, hint=self._hint or kept)

    def _counted(self) -> str:
        kinds = ((self.count - self._files, "row"), (self._files, "file"))
        counts = [f"{n:,} {noun}{'s' * (n != 1)}" for n, noun in kinds if n]
        return f"{' and '.join(counts)} {'was' if self.count == 1 else 'were'}"


def _line(error: RowError) -> bytes:
    data = {
        "source": error.source,
        "line": error.line or None,
        "reason": error.reason,
        "row": error.raw[:_MAX_RAW_BYTES].decode("utf-8", "replace") if error.raw else None,
    }
    return orjson.dumps(data, option=orjson.OPT_APPEND_NEWLINE)
