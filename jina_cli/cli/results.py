"""Search results as people and programs want them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Literal, Protocol

import orjson

from jina_cli.cli.render import BOLD, DIM, GREEN, YELLOW, Output
from jina_cli.client.searching import Found

Format = Literal["table", "json", "jsonl", "trec"]

_RUN = "jina"
_PLAIN_WIDTH = 160
_RANKINGS = (("words", "lexical"), ("vectors", "vector"))
_ENDINGS = re.compile(r"(?:ies|ing|ed|es|s|y)$")


class Writer(Protocol):
    """Writes results, one query after another."""

    def write(self, found: Found) -> None: ...

    def end(self) -> None: ...


def writer_for(format_: Format, output: Output) -> Writer:
    """Return what writes results in a format."""
    match format_:
        case "table":
            return Table(output)
        case "json":
            return JsonArray(output)
        case "jsonl":
            return JsonLines(output)
        case "trec":
            return Trec(output)


def as_json(found: Found) -> dict[str, Any]:
    """Return the results of a query as one object, `jina.search/1`."""
    return {"schema": "jina.search/1", "query": found.query, "matches": found.matches}


class JsonLines:
    """One object a line and query."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, found: Found) -> None:
        self._output.json(as_json(found))

    def end(self) -> None:
        return None


class JsonArray:
    """One array of all queries, indented."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._held = ""

    def write(self, found: Found) -> None:
        self._output.result(f"{self._held}," if self._held else "[")
        text = orjson.dumps(as_json(found), option=orjson.OPT_INDENT_2).decode()
        self._held = "\n".join("  " + line for line in text.split("\n"))

    def end(self) -> None:
        self._output.result(f"{self._held}\n]" if self._held else "[]")


class Trec:
    """The run format of TREC: `qid Q0 docid rank score tag`, one line a match."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, found: Found) -> None:
        query = _one_word(found.id)
        lines = [
            f"{query} Q0 {_one_word(str(match['id']))} {rank} {_score(match):.10g} {_RUN}"
            for rank, match in enumerate(found.matches, 1)
        ]
        if lines:
            self._output.result("\n".join(lines))

    def end(self) -> None:
        return None


class Table:
    """For people: rank, score, what it is, and the words around what was asked for."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._width = output.width or _PLAIN_WIDTH
        self._count = 0

    def write(self, found: Found) -> None:
        if self._count:
            self._output.result("")
        self._count += 1
        text = str(found.query.get("text") or found.query.get("uri") or found.id)
        noun = "match" if len(found.matches) == 1 else "matches"
        paint = self._output.paint
        asked = clipped(one_line(text), self._width - 20)
        self._output.result(f"{paint(asked, BOLD)}  {paint(f'{len(found.matches)} {noun}', DIM)}")
        pattern = pattern_of(text)
        for rank, match in enumerate(found.matches, 1):
            self._output.result(self._row(rank, match, pattern))

    def _row(self, rank: int, match: Mapping[str, Any], pattern: re.Pattern[str] | None) -> str:
        paint = self._output.paint
        title, text = _title(match), one_line(_passage(match))
        head = f"{paint(f'{rank:>3}', DIM)}  {paint(f'{_score(match):>9.4g}', GREEN)}  "
        lines = [head + paint(clipped(title, self._width - 16), BOLD)]
        if text and text != title:
            excerpt = excerpt_of(text, pattern, self._width - 17)
            if pattern is not None:
                excerpt = pattern.sub(lambda m: paint(m[0], f"{BOLD};{YELLOW}"), excerpt)
            lines.append(" " * 16 + excerpt)
        if isinstance(reasons := match.get("explain"), Mapping):
            lines.append(" " * 16 + paint(one_line(explained(reasons)), DIM))
        return "\n".join(lines)

    def end(self) -> None:
        return None


def explained(reasons: Mapping[str, Any]) -> str:
    """Return why a document was found: `words #3 (7.12) · vectors #1 (0.713), chunk a#2`."""
    said = [_reason(name, reasons.get(key)) for name, key in _RANKINGS]
    return " · ".join(part for part in said if part)


def _reason(name: str, place: Any) -> str:
    if not isinstance(place, Mapping):
        return f"{name} –"
    chunk = place.get("chunk")
    named = f", chunk {chunk['id']}" if isinstance(chunk, Mapping) and chunk.get("id") else ""
    return f"{name} #{place.get('rank')} ({_score(place):.4g}){named}"


def _passage(match: Mapping[str, Any]) -> str:
    """Return the part of a match that is worth showing: its best chunk, or all of it."""
    text = str(match.get("text") or "")
    chunks = match.get("chunks")
    best = chunks[0] if isinstance(chunks, list) and chunks else None
    if not isinstance(best, Mapping):
        return text
    match best.get("location"):
        # The chunk itself may begin with the title of the document.
        case [int(start), int(end)] if text[start:end]:
            return text[start:end]
    return str(best.get("text") or text)


def one_line(text: str) -> str:
    """Return a text on one line, with nothing in it that a terminal would obey."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def pattern_of(query: str) -> re.Pattern[str] | None:
    """Return what matches the words of a query in other forms of them too; None for none."""
    words = {_ENDINGS.sub("", word) or word for word in re.findall(r"\w\w+", query.casefold())}
    stems = sorted((word for word in words if len(word) > 1), key=len, reverse=True)
    if not stems:
        return None
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, stems))})\w*", re.IGNORECASE)


def excerpt_of(text: str, pattern: re.Pattern[str] | None, width: int) -> str:
    """Return about `width` columns of a text, where the first hit is."""
    hit = pattern.search(text) if pattern else None
    start = 0
    if hit is not None and hit.end() > width * 2 // 3:
        start = max(0, hit.start() - width // 3)
        start = text.rfind(" ", 0, start) + 1
    return ("… " if start else "") + clipped(text[start:], width - (2 if start else 0))


def clipped(text: str, width: int) -> str:
    """Return a text cut to so many columns of a terminal; wide characters take two."""
    used = 0
    for place, character in enumerate(text):
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > width:
            return text[: max(0, place - 1)] + "…"
    return text


def _title(match: Mapping[str, Any]) -> str:
    tags = match.get("tags")
    named = tags.get("title") if isinstance(tags, dict) else None
    return one_line(str(match.get("uri") or named or match["id"]))


def _score(match: Mapping[str, Any]) -> float:
    score = match.get("score")
    return float(score) if isinstance(score, int | float) else 0.0


def _one_word(text: str) -> str:
    return "_".join(text.split()) or "_"
