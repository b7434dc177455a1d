"""What readers yield: rows, and what is wrong with those that are none."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

MAX_ROW_BYTES = 16 * 2**20
"""A longer row is refused; it is skipped without being held in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One document as it was read, before its fields are checked.

    Attributes:
        source: Where it stands, printable: a path, or `stdin`.
        line: Of its first character, from 1; 0 for a file that is one document. For arrays
            the row, from 1.
        fields: By name. Values are those of JSON, or numpy arrays.
        uri: Where the document can be found again; empty if nowhere.
        identity: What makes its id where it has none: equal identities get equal ids. None
            stands for its fields.
        raw: As it stood in the source, to be handed back if it is refused.
        columns: All names that its source has, those that are empty in this row too; empty
            where each row has names of its own.
    """

    source: str
    line: int
    fields: Mapping[str, Any]
    uri: str = ""
    identity: bytes | None = None
    raw: bytes = field(default=b"", repr=False)
    columns: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that is no document.

    Attributes:
        source: As in `Row`.
        line: As in `Row`.
        reason: One clause.
        raw: As it stood in the source; its beginning, if it was too long.
        hint: What to do about it, one clause; empty where we do not know.
    """

    source: str
    line: int
    reason: str
    raw: bytes = field(default=b"", repr=False)
    hint: str = field(default="", compare=False)

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line else self.source
        return f"{place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was passed by, since there is nothing in it to read.

    Attributes:
        source: As in `Row`.
        reason: Why, in a word or two.
    """

    source: str
    reason: Literal["not text", "empty"]


class Pause(enum.Enum):
    """Nothing more is there right now: what was read should not wait for it."""

    PAUSE = "pause"


Item = Row | RowError | Skipped | Pause
Items = Iterator[Item]


def printable(path: str) -> str:
    """Return a path whose bytes may be anything as text that can be shown and sent.

    What is not UTF-8, and control characters, are written as `%XX`, as in a URL.
    """
    data = os.fsencode(path).decode("utf-8", "surrogateescape")
    return "".join(_shown(c) for c in data)


def _shown(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"%{code - 0xDC00:02X}"
    if code < 0x20 or 0x7F <= code < 0xA0:
        return f"%{code:02X}"
    return character
