"""Stretches of a text brought to a length that is worth an embedding."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from jina_cli.executors.segmenters.sentences import Span, stripped

_PAUSE = re.compile(r"[,;:、，；：،؛]\s*|\s[-–—]\s+")
_SPACE = re.compile(r"\s+")


def fitted(text: str, spans: Sequence[Span], *, least: int, most: int) -> list[Span]:
    """Return stretches that hold what `spans` hold, none longer than `most` characters.

    One shorter than `least` grows by those that follow, or, at the end, joins the one before,
    as long as that is not over `most`. One that is longer is cut at a pause, else at a space,
    else anywhere.

    Args:
        spans: In order, apart from each other.
        least: 0 leaves short ones alone.
        most: 0 for no bound.
    """
    pieces = [piece for span in spans for piece in _cut(text, span, most)]
    made: list[Span] = []
    for start, end in pieces:
        if made and made[-1][1] - made[-1][0] < least and _fits(made[-1][0], end, most):
            made[-1] = (made[-1][0], end)
        else:
            made.append((start, end))
    if (
        len(made) > 1
        and made[-1][1] - made[-1][0] < least
        and _fits(made[-2][0], made[-1][1], most)
    ):
        _, end = made.pop()
        made[-1] = (made[-1][0], end)
    return made


def _fits(start: int, end: int, most: int) -> bool:
    return not most or end - start <= most


def _cut(text: str, span: Span, most: int) -> Iterator[Span]:
    start, end = span
    while most and end - start > most:
        place = _place_to_cut(text, start, most)
        yield stripped(text, start, place)
        start, _ = stripped(text, place, end)
    yield start, end


def _place_to_cut(text: str, start: int, most: int) -> int:
    """Return where to cut within `most` characters: in their second half, if that can be."""
    half = start + most // 2
    for pattern in (_PAUSE, _SPACE):
        places = [match.end() for match in pattern.finditer(text, half, start + most + 1)]
        fitting = [place for place in places if start < place <= start + most]
        if fitting:
            return fitting[-1]
    place = start + most
    while place > half + 1 and unicodedata.combining(text[place]):
        place -= 1
    return place
