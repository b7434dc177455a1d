"""Judgements and runs, read from the files of TREC or what `jina search --json` prints."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from jina_cli.errors import BadInput
from jina_cli.evaluate.evaluation import Qrels, Run

_BEIR = ("query-id", "corpus-id", "score")
"""Head of the tables of judgements of the BEIR benchmark."""


@dataclass(frozen=True, slots=True)
class _Line:
    file: str
    number: int
    text: str

    def wrong(self, problem: str) -> BadInput:
        return BadInput(f"{self.file}:{self.number}: {problem}")


def read_qrels(lines: Iterable[str], file: str) -> Qrels:
    """Return judgements, queries in the order in which they first stand.

    Args:
        lines: `query 0 document grade` each, or a table with BEIR's head.
        file: Their name, for errors.

    Raises:
        BadInput: A line is none, or judges a document again; the message begins with
            `file:line`. Or there is none at all.
    """
    qrels: dict[str, dict[str, int]] = {}
    first: dict[tuple[str, str], int] = {}
    is_beir = False
    for line in _lines(lines, file):
        columns = line.text.split()
        if not first and tuple(columns) == _BEIR:
            is_beir = True
            continue
        query, document, grade = _judgement(line, columns, is_beir=is_beir)
        before = first.setdefault((query, document), line.number)
        if before != line.number:
            raise line.wrong(
                f"document {document!r} is judged for query {query!r} on line {before} already"
            )
        qrels.setdefault(query, {})[document] = grade
    if not qrels:
        raise BadInput(f"{file} holds no judgement", hint="a line is: query 0 document grade")
    return qrels


def read_run(lines: Iterable[str], file: str) -> Run:
    """Return what was found for each query.

    The place of a line and its rank mean nothing: the score does.

    Args:
        lines: `query Q0 document rank score tag` each, or objects of `jina.search/1`.
        file: Their name, for errors.

    Raises:
        BadInput: A line is neither, has no finite score, or names a document again; the
            message begins with `file:line`.
    """
    run: dict[str, dict[str, float]] = {}
    for line in _lines(lines, file):
        if line.text.startswith("{"):
            query, found = _result(line)
        else:
            query, found = _found(line)
        known = run.setdefault(query, {})
        for document, score in found:
            if document in known:
                raise line.wrong(f"document {document!r} is found for query {query!r} twice")
            known[document] = score
    return run


def _lines(lines: Iterable[str], file: str) -> Iterator[_Line]:
    for number, text in enumerate(lines, 1):
        stripped = text.strip("\ufeff \t\r\n")
        if stripped:
            yield _Line(file, number, stripped)


def _judgement(line: _Line, columns: list[str], *, is_beir: bool) -> tuple[str, str, int]:
    if len(columns) != (3 if is_beir else 4):
        form = "query document grade" if is_beir else "query 0 document grade"
        raise line.wrong(f"a judgement is '{form}', and this has {len(columns)} columns")
    try:
        grade = int(columns[-1])
    except ValueError:
        raise line.wrong(f"the grade {columns[-1]!r} is no whole number") from None
    return columns[0], columns[-2], grade


def _found(line: _Line) -> tuple[str, list[tuple[str, float]]]:
    columns = line.text.split()
    if len(columns) != 6:
        raise line.wrong(
            f"a line is 'query Q0 document rank score tag', and this has {len(columns)} columns"
        )
    try:
        score = float(columns[4])
    except ValueError:
        raise line.wrong(f"the score {columns[4]!r} is no number") from None
    return columns[0], [(columns[2], _finite(line, score))]


def _result(line: _Line) -> tuple[str, list[tuple[str, float]]]:
    try:
        data: Any = orjson.loads(line.text)
    except orjson.JSONDecodeError as error:
        raise line.wrong(f"this is no JSON: {error}") from None
    query = data.get("query")
    matches = data.get("matches")
    if not isinstance(query, Mapping) or "id" not in query or not isinstance(matches, list):
        raise line.wrong("this is no result of jina search --json: it has no query and matches")
    return str(query["id"]), [_match(line, match) for match in matches]


def _match(line: _Line, match: Any) -> tuple[str, float]:
    score = match.get("score") if isinstance(match, Mapping) else None
    if not isinstance(score, int | float) or isinstance(score, bool) or "id" not in match:
        raise line.wrong("a match has no id or no score")
    return str(match["id"]), _finite(line, float(score))


def _finite(line: _Line, score: float) -> float:
    if not math.isfinite(score):
        raise line.wrong(f"the score {score} is not finite")
    return score
