"""Search by words: a question in anybody's words becomes a query that FTS5 cannot misread.

The score is BM25 as FTS5 has it (k1 = 1.2, b = 0.75), with the weight of a word that Robertson and
Spärck Jones gave it, ln((N - n + 0.5) / (n + 0.5)), where n of N texts have the word. FTS5 has
1e-6 where that is not above zero. Two things follow:

* A word that more than half of the texts have says next to nothing, but takes the longest to look
  up. It is only looked up where the other words find too little.
* In a small collection half of the texts are a few, and nearly every word has that weight. There
  a word weighs ln(1 + (N - n + 0.5) / (n + 0.5)), as in Lucene, which is always above zero.
"""

from __future__ import annotations

import json
import math
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from jina_cli.store.records import Found

_MAX_WORDS = 1024
"""Words of a question that are looked up; those after them are passed over."""

_SMALL = 1000
"""Texts of a collection up to which words weigh as in Lucene; above, that costs more than it gives.

On the 1,400 texts of Cranfield, half of which is no small number, it makes nothing better."""

_FTS5_LEAST_WEIGHT = 1e-6

_BEST = (
    "SELECT documents.id, best.score FROM ({}) AS best"
    " JOIN documents ON documents.rowid = best.row ORDER BY best.score"
)
_BY_EXPRESSION = _BEST.format(
    "SELECT rowid AS row, rank AS score FROM terms WHERE terms MATCH ?{}{} LIMIT ?"
)
_BY_WORDS = _BEST.format(
    "SELECT terms.rowid AS row, sum(json_extract(words.value, '$[1]') * terms.rank) AS score"
    " FROM json_each(?) AS words CROSS JOIN terms"
    " WHERE terms MATCH json_extract(words.value, '$[0]'){}"
    " GROUP BY terms.rowid ORDER BY score LIMIT ?"
)
_ALLOWED = " AND is_allowed(terms.rowid)"
_BY_RANK = " ORDER BY rank"
_BY_RANK_OF_FEW = " ORDER BY rank + 0"
"""FTS5 sorts by rank before it filters; this it leaves to SQLite, and ranks what is allowed."""


def words_of(question: str) -> list[str]:
    """Return the words of `question` in order; one that stands twice counts twice.

    Letters, marks and digits make words, as in FTS5's `unicode61`; all else parts them.
    """
    cleaned = "".join(
        ch if ch.isalnum() or unicodedata.category(ch)[0] == "M" else " " for ch in question.lower()
    )
    return cleaned.split()[:_MAX_WORDS]


def search_text(
    connection: sqlite3.Connection,
    questions: Sequence[str],
    top_k: int,
    allowed: NDArray[np.bool_] | None = None,
) -> Found:
    """Return the documents that fit each question best, at most `top_k`.

    Args:
        connection: Inside a transaction.
        allowed: By row, the documents that may be found; None is all.
    """
    search = _Search(connection, top_k, allowed)
    found = [search.one(question) for question in questions]
    return Found([ids for ids, _ in found], [scores for _, scores in found])


class _Search:
    """What is the same for several questions at once."""

    def __init__(
        self, connection: sqlite3.Connection, top_k: int, allowed: NDArray[np.bool_] | None
    ) -> None:
        self._connection = connection
        self._top_k = top_k
        self._counts: dict[str, int] = {}
        (self._texts,) = connection.execute("SELECT count(*) FROM terms_docsize").fetchone()
        which, order = ("", _BY_RANK) if allowed is None else (_ALLOWED, _BY_RANK_OF_FEW)
        self._by_expression = _BY_EXPRESSION.format(which, order)
        self._by_words = _BY_WORDS.format(which)
        if allowed is not None:
            # A method of bytes costs a fraction of what a function in Python would.
            is_allowed = allowed.astype(np.uint8).tobytes().__getitem__
            connection.create_function("is_allowed", 1, is_allowed)

    def one(self, question: str) -> tuple[list[str], NDArray[np.float64]]:
        """Return the ids and scores for one question."""
        best = sorted(((-score, id_) for id_, score in self._rows(words_of(question))), key=_order)
        kept = best[: self._top_k]
        return [id_ for _, id_ in kept], np.array([score for score, _ in kept], np.float64)

    def _rows(self, words: Sequence[str]) -> list[tuple[str, float]]:
        self._count(words)
        known = [word for word in words if self._counts[word]]
        if not known:
            return []
        if self._texts <= _SMALL:
            weighed = [
                [_quoted(word), times * self._factor(self._counts[word])]
                for word, times in Counter(known).items()
            ]
            return self._ranked(self._by_words, json.dumps(weighed))
        telling = [word for word in known if 2 * self._counts[word] <= self._texts]
        if telling and len(telling) < len(known):
            rows = self._ranked(self._by_expression, _any_of(telling))
            if len(rows) >= self._top_k:
                return rows
        return self._ranked(self._by_expression, _any_of(known))

    def _count(self, words: Iterable[str]) -> None:
        """Find out how many texts have each word."""
        for word in words:
            if word not in self._counts:
                (self._counts[word],) = self._connection.execute(
                    "SELECT count(*) FROM terms WHERE terms MATCH ?", (_quoted(word),)
                ).fetchone()

    def _factor(self, count: int) -> float:
        """Return Lucene's weight of a word that so many texts have, as a multiple of FTS5's."""
        odds = (self._texts - count + 0.5) / (count + 0.5)
        fts5 = math.log(odds)
        return math.log1p(odds) / (fts5 if fts5 > 0 else _FTS5_LEAST_WEIGHT)

    def _ranked(self, statement: str, given: str) -> list[tuple[str, float]]:
        """Return the ids and ranks of the best `top_k`, and all that rank with the last of them.

        SQL orders equal ranks by row, we by id: so we ask for more until no tie is cut.
        """
        limit = self._top_k + 1
        while True:
            rows = self._connection.execute(statement, (given, limit)).fetchall()
            if len(rows) < limit or rows[-1][1] > rows[self._top_k - 1][1]:
                return rows
            limit *= 2


def _order(scored: tuple[float, str]) -> tuple[float, str]:
    return -scored[0], scored[1]


def _any_of(words: Iterable[str]) -> str:
    return " OR ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """Return the FTS5 query for a word, which is taken for no operator of its language."""
    return f'"{word}"'
