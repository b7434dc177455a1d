"""Windows that slide over a text, a fixed number of words or tokens at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from jina_cli.executors.segmenters.sentences import Span

_WORD = re.compile(
    r"[\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]"
    r"|[^\s\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003134f]+"
)


def words_of(text: str) -> list[Span]:
    """Return where the words of a text stand: what is between spaces.

    Of Chinese and Japanese, which have none, each character is a word.
    """
    return [match.span() for match in _WORD.finditer(text)]


def windows_over(units: Sequence[Span], *, size: int, stride: int) -> list[Span]:
    """Return stretches of `size` units, each `stride` units behind the one before.

    The last one ends with the last unit, and may be shorter; none lies inside another.
    """
    if not units:
        return []
    last = max(0, -(-(len(units) - size) // stride))
    firsts: Iterable[int] = (stride * place for place in range(last + 1))
    return [(units[first][0], units[min(first + size, len(units)) - 1][1]) for first in firsts]
