"""Diagnostics as text: for people, one line each, JSON Lines, or annotations of a CI run."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jina_cli.diagnostics import Diagnostic, Severity, Span
from jina_cli.errors import Exit

Sources = Mapping[str, Sequence[str]]
"""Lines of each file, by path, without line ends; nothing of files that cannot be read."""

MAX_WIDTH = 120
"""Columns of a source line that are shown."""

_RED, _YELLOW, _BLUE, _BOLD, _OFF = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[1m", "\x1b[0m"


def render(
    diagnostics: Sequence[Diagnostic], style: str, sources: Sources, *, color: bool = False
) -> str:
    """Return all diagnostics in a style of `RENDERERS`, without the last line end.

    Raises:
        KeyError: There is no such style.
    """
    return RENDERERS[style](diagnostics, sources, color)


def read_sources(diagnostics: Sequence[Diagnostic]) -> Sources:
    """Return the lines of each file that a problem is in; none of one that cannot be read."""
    from jina_cli.spec.reading import read_start
    from jina_cli.spec.source import lines_of

    lines: dict[str, Sequence[str]] = {}
    for path in {each.span.path for each in diagnostics}:
        try:
            text = read_start(Path(path)).decode("utf-8-sig", "replace")
        except OSError:
            text = ""
        lines[path] = lines_of(text)
    return lines


def render_human(diagnostics: Sequence[Diagnostic], sources: Sources, color: bool) -> str:
    """Return each problem with the line it is about, and how many there are."""
    blocks = [render_one(each, sources, color=color) for each in diagnostics]
    return "\n\n".join([*blocks, count_line(diagnostics)])


def render_one(diagnostic: Diagnostic, sources: Sources, *, color: bool = False) -> str:
    """Return one problem: where and what, the line with a caret under it, what to do."""
    span = diagnostic.span
    paint = _RED if diagnostic.severity is Severity.ERROR else _YELLOW
    lines = [_head(diagnostic, paint if color else "")]
    gutter = " " * len(str(span.line))
    source = sources.get(span.path, ())
    if 0 < span.line <= len(source) and source[span.line - 1].strip():
        text, before, width = _excerpt(source[span.line - 1], span)
        bar = f"{_BLUE}|{_OFF}" if color else "|"
        caret = f"{paint}{'^' * width}{_OFF}" if color else "^" * width
        lines += [f"{gutter} {bar}", f"{span.line} {bar} {text}", f"{gutter} {bar} {before}{caret}"]
    if diagnostic.hint is not None:
        lines.append(f"{gutter} = help: {_visible(diagnostic.hint)}")
    return "\n".join(lines)


def render_concise(diagnostics: Sequence[Diagnostic], sources: Sources, color: bool) -> str:
    """Return one line for each problem, hint included."""
    return "\n".join(_concise(each) for each in diagnostics)


def render_json(diagnostics: Sequence[Diagnostic], sources: Sources, color: bool) -> str:
    """Return one JSON object for each problem, one to a line."""
    return "\n".join(json.dumps(_record(each), ensure_ascii=False) for each in diagnostics)


def render_github(diagnostics: Sequence[Diagnostic], sources: Sources, color: bool) -> str:
    """Return annotations as GitHub's runner reads them, and after them the text for people."""
    annotations = [_annotation(each) for each in diagnostics]
    return "\n".join([*annotations, render_human(diagnostics, sources, color)])


RENDERERS: Mapping[str, Callable[[Sequence[Diagnostic], Sources, bool], str]] = {
    "human": render_human,
    "concise": render_concise,
    "json": render_json,
    "github": render_github,
}


def count_line(diagnostics: Sequence[Diagnostic]) -> str:
    """Return how many problems there are: `2 errors, 1 warning`."""
    errors = sum(each.severity is Severity.ERROR for each in diagnostics)
    counts = [(errors, "error"), (len(diagnostics) - errors, "warning")]
    said = [f"{n} {word}" if n == 1 else f"{n} {word}s" for n, word in counts if n]
    return ", ".join(said) or "no problems"


def _head(diagnostic: Diagnostic, paint: str) -> str:
    word = f"{diagnostic.severity.value}[{diagnostic.code}]"
    message = _visible(diagnostic.message)
    where = _where(diagnostic.span)
    if not paint:
        return f"{where}: {word}: {message}"
    return f"{where}: {_BOLD}{paint}{word}{_OFF}{_BOLD}: {message}{_OFF}"


def _where(span: Span) -> str:
    # What stands on the command line has no line and column worth telling.
    return span.path if span.path.startswith("--") else _visible(str(span))


def _concise(diagnostic: Diagnostic) -> str:
    hint = f" ({_visible(diagnostic.hint)})" if diagnostic.hint else ""
    return f"{_head(diagnostic, '')}{hint}"


def _record(diagnostic: Diagnostic) -> dict[str, object]:
    span = diagnostic.span
    return {
        "schema": "jina.error/1",
        "code": diagnostic.code,
        "exit": int(Exit.BAD_SPEC),
        "severity": diagnostic.severity.value,
        "file": span.path,
        "line": span.line,
        "column": span.column,
        "path": diagnostic.path or None,
        "message": diagnostic.message,
        "suggestion": diagnostic.hint,
    }


def _annotation(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    kind = "error" if diagnostic.severity is Severity.ERROR else "warning"
    hint = f" ({diagnostic.hint})" if diagnostic.hint else ""
    place = f"file={_escaped(span.path, ':,')},line={span.line},col={span.column}"
    message = _escaped(f"{diagnostic.message}{hint}", "")
    return f"::{kind} {place},title={diagnostic.code}::{message}"


def _escaped(text: str, more: str) -> str:
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _excerpt(line: str, span: Span) -> tuple[str, str, int]:
    """Return the part of a line that is shown, what stands before the caret, and its width.

    The caret lines up on a terminal where some characters take two cells.
    """
    start = max(0, span.column - 1 - MAX_WIDTH // 2) if len(line) > MAX_WIDTH else 0
    text = _visible(line[start : start + MAX_WIDTH].rstrip())
    if start:
        text = f"…{text[1:]}"
    first = span.column - 1 - start
    marked = text[first : max(first + 1, span.end_column - 1 - start)]
    return text, " " * _cells(text[:first].ljust(first)), max(1, _cells(marked))


def _visible(text: str) -> str:
    """Return `text` with whatever a terminal would act on replaced."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c == "\t" else "\ufffd" for c in text)


def _cells(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide
