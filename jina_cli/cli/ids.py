"""Ids of documents on the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

from jina_cli.errors import NothingMatched


def ids_of(given: Sequence[str]) -> list[str]:
    """Return ids, each once, in order; `-` stands for the lines of stdin.

    Raises:
        NothingMatched: There are none.
    """
    ids = list(dict.fromkeys(_each(given)))
    if not ids:
        raise NothingMatched("no id was given")
    return ids


def _each(given: Iterable[str]) -> Iterator[str]:
    for id_ in given:
        if id_ == "-":
            lines = (line.rstrip("\r\n") for line in sys.stdin or ())
            yield from (line for line in lines if line)
        else:
            yield id_
