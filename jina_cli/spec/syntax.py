"""What libyaml says about broken YAML, in words that help whoever wrote it."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from jina_cli.diagnostics import Diagnostic, Span

_WORDS: Sequence[tuple[str, str, str | None]] = (
    (
        "mapping values are not allowed",
        "a ':' stands where no key can be",
        "quote the value if ': ' is part of it, or check the indentation",
    ),
    ("expected ',' or ']'", "a list in brackets is not closed", "add ']'"),
    ("expected ',' or '}'", "a mapping in braces is not closed", "add '}'"),
    ("unexpected end of stream", "a quoted value is not closed", "add the closing quote"),
    ("expected '-' indicator", "a list has to go on with '- ' here", "check the indentation"),
    (
        "did not find expected key",
        "a key was expected here",
        "check the indentation, and the quotes of the lines above",
    ),
    (
        "could not find expected ':'",
        "a ':' is missing after a key",
        "write 'key: value', with a space after ':'",
    ),
    (
        "unknown escape character",
        "an escape in double quotes is unknown",
        "use single quotes, or write '\\\\' for a backslash",
    ),
    ("expected node content", "a value was expected here", None),
)
"""Part of libyaml's message → ours, and what to do."""


def syntax_problem(error: yaml.YAMLError, path: str, lines: Sequence[str]) -> Diagnostic:
    """Return `error` as a diagnostic at the line where the text breaks."""
    problem = str(getattr(error, "problem", None) or error)
    line, column = _place(getattr(error, "problem_mark", None), lines)
    message, hint = _explained(problem, lines[line - 1][column - 1 : column])
    opened = getattr(error, "context_mark", None)
    if opened and opened.line + 1 != line and "not closed" in message:
        message += f"; it begins at line {opened.line + 1}"
    span = Span(path, line, column, column + 1)
    return Diagnostic(code="JNA401", message=message, span=span, hint=hint)


def _place(mark: object, lines: Sequence[str]) -> tuple[int, int]:
    line, column = getattr(mark, "line", 0) + 1, getattr(mark, "column", 0) + 1
    # libyaml may report the end of the text, past the last line that a reader sees.
    while line > 1 and (line > len(lines) or not lines[line - 1].strip()):
        line -= 1
        column = len(lines[line - 1].rstrip()) + 1
    return line, column


def _explained(problem: str, character: str) -> tuple[str, str | None]:
    if "cannot start any token" in problem:
        if character == "\t":
            return "a tab cannot indent YAML", "use spaces"
        return f"a value cannot begin with '{character}'", "put the value in quotes"
    for part, message, hint in _WORDS:
        if part in problem:
            return message, hint
    return problem, None
