"""Queries, and what is found for each."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from jina_cli.client.client import Answer, Question
from jina_cli.client.searching import Found, found_in, numbered, rows_of_texts, search
from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import DocsColumn, TensorColumn, TextColumn, ValuesColumn
from jina_cli.documents.readers import ReadBatch, Row, RowError, read_batches
from jina_cli.errors import RequestFailed


def _answer(ids: list[str]) -> DocumentBatch:
    """Each query has found one document, named after it."""
    found = DocumentBatch(
        [f"of-{id_}" for id_ in ids],
        {
            "score": ValuesColumn([1.5] * len(ids)),
            "embedding": TensorColumn(np.ones((len(ids), 2), np.float32)),
            "text": TextColumn(["t"] * len(ids)),
        },
    )
    return DocumentBatch(ids, {"matches": DocsColumn(np.arange(len(ids) + 1), found)})


class Echo:
    async def ask(self, question: Question) -> Answer:
        assert question.docs is not None
        return Answer(docs=_answer(list(question.docs.ids)), parameters={}, seconds=0.0)


def test_queries_without_id_are_numbered() -> None:
    rows = [
        Row(source="f", line=1, fields={"text": "a"}),
        RowError("f", 2, "x"),
        Row(source="f", line=3, fields={"id": "mine", "text": "b"}),
        Row(source="f", line=4, fields={"text": "a"}),
    ]

    ids = [i.fields["id"] for i in numbered(iter(rows)) if isinstance(i, Row)]

    assert ids == ["1", "mine", "3"]


def test_results_are_in_the_order_of_queries_and_errors_stay_among_them() -> None:
    batches = [
        *read_batches(numbered(rows_of_texts(["a", "b"])), size=1),
        ReadBatch(EMPTY_BATCH, (), (RowError("f", 3, "bad"),)),
    ]

    async def run() -> list[str]:
        question = Question(endpoint="/search")
        found = search(Echo(), batches, question=question, window=4)
        return [r.id if isinstance(r, Found) else r.reason async for r in found]

    assert asyncio.run(run()) == ["1", "2", "bad"]


def test_what_is_found_belongs_to_its_query_whatever_the_order_of_the_answer() -> None:
    queries = DocumentBatch(["1", "2", "3"], {"text": TextColumn(["a", "b", "c"])})

    found = list(found_in(queries, _answer(["2", "1"])))

    assert [(f.id, [m["id"] for m in f.matches]) for f in found] == [
        ("1", ["of-1"]),
        ("2", ["of-2"]),
        ("3", []),
    ]


def test_a_query_says_what_classifiers_and_evaluators_said_of_it() -> None:
    queries = DocumentBatch(
        ["1", "2"], {"text": TextColumn(["a", "b"]), "tags": ValuesColumn([{"x": 1}, {"x": 2}])}
    )
    answer = _answer(["1"]).with_columns(
        tags=ValuesColumn([{"x": 1, "label": "cat"}]), evaluations=ValuesColumn([{"Recall": 0.5}])
    )

    first, second = found_in(queries, answer)

    tags = {"x": 1, "label": "cat"}
    assert first.query == {"id": "1", "text": "a", "tags": tags, "evaluations": {"Recall": 0.5}}
    assert second.query == {"id": "2", "text": "b", "tags": {"x": 2}}


def test_a_match_begins_with_id_and_score_and_has_no_arrays() -> None:
    queries = DocumentBatch(["1"], {"text": TextColumn(["a"])})

    [found] = found_in(queries, _answer(["1"]))

    assert list(found.matches[0].items()) == [("id", "of-1"), ("score", 1.5), ("text", "t")]


def test_an_argument_of_any_bytes_is_a_query() -> None:
    [row] = rows_of_texts(["a\udcff"])

    assert row.fields == {"text": "a\ufffd"}


class Picky(Echo):
    """Refuses requests in which a query has the id of one of `bad`."""

    def __init__(self, *bad: str) -> None:
        self._bad = set(bad)

    async def ask(self, question: Question) -> Answer:
        assert question.docs is not None
        found = self._bad.intersection(question.docs.ids)
        if found:
            raise RequestFailed(f"no {min(found)}", status="INVALID")
        return await super().ask(question)


def _asked(client: Echo, texts: list[str], size: int) -> list[str]:
    batches = read_batches(numbered(rows_of_texts(texts)), size=size)

    async def run() -> list[str]:
        found = search(client, batches, question=Question(endpoint="/search"), window=4)
        return [r.id if isinstance(r, Found) else r.reason async for r in found]

    return asyncio.run(run())


def test_a_query_that_is_refused_costs_only_itself() -> None:
    texts = ["a", "b", "c", "d", "e"]

    assert _asked(Picky("2", "5"), texts, size=5) == ["1", "no 2", "3", "4", "no 5"]
    assert _asked(Picky("2", "5"), texts, size=1) == ["1", "no 2", "3", "4", "no 5"]


def test_a_flow_that_answers_nothing_is_broken() -> None:
    with pytest.raises(RequestFailed, match="no 1"):
        _asked(Picky("1", "2"), ["a", "b"], size=2)
