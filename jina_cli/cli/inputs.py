"""Inputs of commands, with what the command line has to say about them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jina_cli.documents.readers import Format, Source, find_sources
from jina_cli.errors import NothingMatched, UsageError


def found(inputs: Sequence[str], format_: Format, *, allow_empty: bool) -> Sequence[Source]:
    """Return what to read.

    Raises:
        UsageError: stdin is a terminal that nobody asked to read from.
        InputMissing: A file is not there.
        NothingMatched: Nothing is there, and that is not allowed.
    """
    if "-" in inputs and sys.stdin is None:
        # Descriptor 0 may be anything by now: it must not be read.
        raise NothingMatched("stdin is closed")
    try:
        return find_sources(inputs, format_=format_)
    except NothingMatched:
        if allow_empty:
            return ()
        raise


def check_terminal(named: bool, what: str) -> None:
    """Refuse to wait for a terminal that the user did not mean.

    Raises:
        UsageError: Nothing was named, and stdin is a terminal.
    """
    if not named and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError(f"nothing to {what}", hint="name it, or - for what you type")
