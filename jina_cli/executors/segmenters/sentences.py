"""Where sentences begin and end, by rules that hold for many languages at once.

A sign that ends sentences is looked at together with what stands around it, in the manner of
Unicode's Annex 29 (its rules SB6 to SB11), with what that leaves open decided by lists of
abbreviations. Nothing is learnt, and no language has to be named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from jina_cli.executors.segmenters.abbreviations import (
    BEFORE_MORE,
    EITHER,
    MONTHS,
    NUMBERED,
    STARTERS,
)

Span: TypeAlias = tuple[int, int]
"""First character, and the one behind the last."""

_ALONE = "。！？｡．।॥՞։።፧။។៕᙮᠃᠉꓿"
"""Ends a sentence whatever follows: scripts with no space between sentences, or no other use."""

_SPACED = ".!?…‼⁇⁈⁉؟۔\u037e"
"""Ends one if a space follows, or the end, or a script that has no spaces. The last is Greek."""

_CLOSERS = "\"')\\]}»›”’」』）】〉》〕］｝＂＇"
_OPENERS = "\"'([{«‹“‘„‚「『（【〈《〔［｛¿¡*_-–—•"
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"

_END = re.compile(
    rf"(?P<marks>[{re.escape(_ALONE + _SPACED)}]+)"
    rf"(?P<closers>(?:[\u00a0\u202f]»|[{_CLOSERS}])*)"
)
_BREAK = re.compile(r"\n[^\S\n]*(?:\n\s*|(?=(?:[-*•‣◦]|\d{1,3}[.)])\s))")
_WORD_BEFORE = re.compile(r"[^\W_][\w.'’&°º-]*$|§$")
_NEXT = re.compile(rf"\s*[{re.escape(_OPENERS)}\s]*(?P<word>[^\W_]+)")
_LOOK_BACK = 40
"""Characters before a full stop that are looked at for the word it belongs to."""


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around a full stop: the word before it, the one before that, the next."""

    before: str
    starts_line: bool
    is_after_name: bool
    next_word: str


def sentences_of(text: str, *, abbreviations: frozenset[str] = frozenset()) -> list[Span]:
    """Return where each sentence of a text stands, without the space around it, in order.

    Every character that is no space is in exactly one of them. A blank line, or a line that
    begins with a bullet or a number, ends a sentence too.

    Args:
        abbreviations: More words, in lower case, whose full stop ends no sentence.
    """
    never = BEFORE_MORE | abbreviations
    is_cased = any(character.isupper() for character in text)
    ends = {match.end() for match in _BREAK.finditer(text)}
    ends.update(
        match.end() for match in _END.finditer(text) if _is_end(text, match, is_cased, never)
    )
    return [span for span in _between(text, sorted(ends)) if span[0] < span[1]]


def _between(text: str, ends: Sequence[int]) -> Iterator[Span]:
    start = 0
    for end in [*ends, len(text)]:
        yield stripped(text, start, end)
        start = end


def stripped(text: str, start: int, end: int) -> Span:
    """Return the same stretch of a text without the space at its ends."""
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())


def _is_end(text: str, match: re.Match[str], is_cased: bool, never: frozenset[str]) -> bool:
    marks, end = match["marks"], match.end()
    following = text[end : end + 1]
    if any(mark in _ALONE for mark in marks):
        is_decimal = marks == "．" and following.isdigit()
        # In Japanese, と after a quotation goes on with who said it.
        return not is_decimal and not (match["closers"] and following in ("と", "っ"))
    is_apart = not following or following.isspace() or re.match(f"[{_WIDE}]", following)
    if not is_apart or (following and not following.isspace() and set(marks) <= {"…"}):
        return False
    after = _NEXT.match(text, end)
    word = after["word"] if after else ""
    if not word:
        return not following.strip()
    if is_cased and word[0].islower():
        return False
    if marks != ".":
        return True
    return _is_full_stop(_around(text, match.start(), word), is_cased, never)


def _around(text: str, stop: int, next_word: str) -> _Around:
    since = max(0, stop - _LOOK_BACK)
    window = text[since:stop]
    found = _WORD_BEFORE.search(window)
    before = found[0] if found else ""
    rest = window[: len(window) - len(before)]
    line = rest.rpartition("\n")[2]
    earlier = rest.split()[-1] if rest.split() else ""
    is_start = not line.strip(_OPENERS + " \t") and (since == 0 or "\n" in rest)
    if earlier.endswith(tuple(_SPACED)):
        is_start = is_start or earlier.rstrip(".").casefold() not in BEFORE_MORE | NUMBERED
    return _Around(
        before=before,
        starts_line=is_start,
        is_after_name=is_start or not earlier[:1].islower(),
        next_word=next_word,
    )


def _is_full_stop(around: _Around, is_cased: bool, never: frozenset[str]) -> bool:
    """Return whether a full stop with a space behind it ends a sentence."""
    before, following = around.before.casefold(), around.next_word.casefold()
    if not before:
        return True
    if before.isdigit():
        is_day = len(before) <= 2 and following in MONTHS
        return not (around.starts_line or is_day)
    if before in NUMBERED and following[0].isdigit():
        return False
    if before in never:
        return False
    if before in EITHER or _is_acronym(around.before):
        return is_cased and following in STARTERS
    if len(before) == 1 and before.isalpha():
        return _ends_with_letter(around, is_cased)
    return True


def _is_acronym(word: str) -> bool:
    """Return whether a word is letters with stops between them, as in `U.S` or `i.e`."""
    letters = word.split(".")
    return len(letters) > 1 and all(len(letter) == 1 for letter in letters)


def _ends_with_letter(around: _Around, is_cased: bool) -> bool:
    """Return whether one letter with a full stop is a last word, and not an initial."""
    is_start = is_cased and around.next_word.casefold() in STARTERS
    return is_start and not around.is_after_name
