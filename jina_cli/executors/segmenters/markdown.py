"""Where the sections of a Markdown text stand, and under which headings.

Headings are those of CommonMark 0.31: lines that begin with one to six `#`, and lines
underlined by `=` or `-`; not in code between fences, nor in the block of data on top.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ATX = re.compile(r" {0,3}(?P<marks>#{1,6})(?:[ \t]+(?P<title>.*?))?(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(?P<mark>=+|-+)[ \t]*")
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>.*)")
_NO_TITLE = re.compile(
    r" {4,}|\t| {0,3}(?:>|[-*+][ \t]|\d{1,9}[.)][ \t]|([-*_])[ \t]*(?:\1[ \t]*){2,}$)"
)
_LINE = re.compile(r"(?P<line>[^\r\n]*)(?:\r\n|\r|\n|\Z)")
_FRONT = ("---", "...")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A stretch of a text under one heading.

    Attributes:
        headings: Titles of the headings it stands under, the outermost first, its own last.
        level: Of its heading, 1 to 6; 0 for what stands before the first.
        start: Its first character, that of its heading.
        body: The first character behind its heading.
        end: The character behind its last.
    """

    headings: tuple[str, ...]
    level: int
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    title: str
    start: int
    body: int


def sections_of(text: str, *, max_level: int = 6) -> list[Section]:
    """Return the sections of a Markdown text, in order; together they are all of it.

    Args:
        max_level: Headings below this level begin no section.
    """
    headings = [h for h in _headings(_lines(text)) if h.level <= max_level]
    starts = [heading.start for heading in headings]
    first = starts[0] if starts else len(text)
    found = [Section(headings=(), level=0, start=0, body=0, end=first)] if first else []
    path: list[_Heading] = []
    for heading, end in zip(headings, [*starts, len(text)][1:], strict=True):
        path = [*(above for above in path if above.level < heading.level), heading]
        section = Section(
            headings=tuple(above.title for above in path),
            level=heading.level,
            start=heading.start,
            body=heading.body,
            end=end,
        )
        found.append(section)
    return found


def _lines(text: str) -> list[_Line]:
    return [
        _Line(match.start(), match.end(), match["line"])
        for match in _LINE.finditer(text)
        if match.end() > match.start()
    ]


def _headings(lines: Sequence[_Line]) -> Iterator[_Heading]:
    fence = ""
    paragraph: list[_Line] = []
    for line in lines[_front_matter(lines) :]:
        if fence:
            fence = "" if _closes(line.text, fence) else fence
            continue
        opened, atx = _FENCE.fullmatch(line.text), _ATX.fullmatch(line.text)
        underline = _UNDERLINE.fullmatch(line.text)
        if opened and not (opened["fence"][0] == "`" and "`" in opened["info"]):
            fence = opened["fence"]
        elif atx:
            title = atx["title"] or ""
            yield _Heading(len(atx["marks"]), title.strip(), line.start, line.end)
        elif underline and paragraph:
            title = " ".join(each.text.strip() for each in paragraph)
            level = 1 if underline["mark"][0] == "=" else 2
            yield _Heading(level, title, paragraph[0].start, line.end)
        elif line.text.strip() and (paragraph or not _NO_TITLE.match(line.text)):
            paragraph.append(line)
            continue
        paragraph = []


def _closes(line: str, fence: str) -> bool:
    found = _FENCE.fullmatch(line)
    if found is None or found["info"].strip():
        return False
    return found["fence"][0] == fence[0] and len(found["fence"]) >= len(fence)


def _front_matter(lines: Sequence[_Line]) -> int:
    """Return how many lines a block of YAML between `---` takes on top of the text."""
    if not lines or lines[0].text.rstrip() != "---":
        return 0
    for place, line in enumerate(lines[1:], 1):
        if line.text.rstrip() in _FRONT:
            return place + 1
    return 0
