"""Search by words: a question in anybody's words becomes a query that FTS5 cannot misread."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jina_cli.store.records import Found

_MAX_WORDS = 1024
"""Words of a question that are looked up; those after them are passed over."""


def words_of(question: str) -> list[str]:
    """Return the words of `question` in order; one that stands twice counts twice.

    Letters, marks and digits make words, as in FTS5's `unicode61`; all else parts them.
    """
    cleaned = "".join(
        ch if ch.isalnum() or unicodedata.category(ch)[0] == "M" else " " for ch in question.lower()
    )
    return cleaned.split()[:_MAX_WORDS]


def match_expression(question: str) -> str:
    """Return the FTS5 query for any of the words of `question`; empty if it has none.

    Each word is quoted, so none is taken for an operator of FTS5's query language.
    """
    return " OR ".join(f'"{word}"' for word in words_of(question))


def search_text(
    connection: sqlite3.Connection,
    questions: Sequence[str],
    top_k: int,
    allowed: NDArray[np.bool_] | None = None,
) -> Found:
    """Return the documents that fit each question best by BM25, at most `top_k`."""
    found = [_search_one(connection, question, top_k) for question in questions]
    return Found([ids for ids, _ in found], [scores for _, scores in found])


def _search_one(
    connection: sqlite3.Connection, question: str, top_k: int
) -> tuple[list[str], NDArray[np.float64]]:
    expression = match_expression(question)
    rows = _ranked(connection, expression, top_k) if expression else []
    best = sorted(((-rank, id_) for id_, rank in rows), key=lambda s: (-s[0], s[1]))
    kept = best[:top_k]
    return [id_ for _, id_ in kept], np.array([score for score, _ in kept], np.float64)


def _ranked(connection: sqlite3.Connection, expression: str, top_k: int) -> list[tuple[str, float]]:
    """Return the ids and ranks of the best `top_k`, and all that rank with the last of them.

    FTS5 orders equal ranks by row, we by id: so we ask for more until no tie is cut.
    """
    limit = top_k + 1
    while True:
        rows = connection.execute(
            "SELECT documents.id, best.rank FROM ("
            " SELECT rowid, rank FROM terms WHERE terms MATCH ? ORDER BY rank LIMIT ?"
            ") AS best JOIN documents ON documents.rowid = best.rowid ORDER BY best.rank",
            (expression, limit),
        ).fetchall()
        if len(rows) < limit or rows[-1][1] > rows[top_k - 1][1]:
            return rows
        limit *= 2
