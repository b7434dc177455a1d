"""The query language: docarray's own filter is the judge wherever it has an answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from docarray import BaseDoc, DocList
from docarray.utils.filter import filter_docs
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import Indices
from jina_cli.documents.convert import from_docs
from jina_cli.documents.query import MAX_PATTERN, BadQuery, Query
from jina_cli.documents.rows import from_rows
from tests.testing.documents import json_values, one_of_each, texts


def matching(batch: DocumentBatch, query: Any) -> Indices:
    """Return the places of the documents that match."""
    return Query.of(query).matching(batch)


class Item(BaseDoc):
    text: str | None = None
    price: float | None = None
    count: int = 0
    names: list[Any] | None = None
    tags: dict[str, Any] = Field(default_factory=dict)


KEYS = ("a", "b", "c")
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.sampled_from("abc")
tags = st.recursive(
    st.dictionaries(st.sampled_from(KEYS), scalars, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner | scalars, max_size=3),
    max_leaves=4,
)
items = st.builds(
    Item,
    text=st.none() | st.sampled_from(("", "a", "ab", "abc")),
    price=st.none() | st.floats(-3, 3),
    count=st.integers(-2, 2),
    names=st.none() | st.lists(scalars, max_size=2),
    tags=tags,
)
item_lists = st.lists(items, max_size=6).map(lambda docs: DocList[Item](docs))

fields = st.sampled_from(("text", "price", "count", "names", "tags__a", "tags__b__c", "nothing"))
keys_only = st.sampled_from(("tags__a", "tags__b", "tags__c__a"))
leaves = st.one_of(
    st.tuples(
        fields.filter(lambda name: name != "nothing"),
        st.sampled_from(("$eq", "$neq")),
        scalars,
    ),
    st.tuples(fields, st.sampled_from(("$gt", "$gte", "$lt", "$lte")), scalars),
    st.tuples(
        fields.filter(lambda name: name != "nothing"),
        st.sampled_from(("$in", "$nin")),
        st.lists(scalars, max_size=3),
    ),
    st.tuples(st.just("text"), st.just("$regex"), st.sampled_from(("^a", "b$", "[^a]", "abc|^$"))),
    st.tuples(st.sampled_from(("text", "names", "tags")), st.just("$size"), st.integers(0, 2)),
    st.tuples(keys_only, st.just("$exists"), st.booleans()),
).map(lambda leaf: {leaf[0]: {leaf[1]: leaf[2]}})
queries = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda name, parts: {name: parts},
        st.sampled_from(("$and", "$or", "$not")),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(item_lists, queries)
def test_the_documents_that_match_are_those_of_docarray(
    docs: DocList[Item], query: dict[str, Any]
) -> None:
    try:
        expected = [doc.id for doc in filter_docs(docs, query)]
    except (TypeError, ValueError, IndexError):  # docarray cannot tell
        expected = None

    found = matching(from_docs(docs), query)

    assert found.dtype == np.int64
    if expected is not None:
        assert [docs[place].id for place in found] == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(texts, json_values, max_size=3), max_size=3), queries)
def test_documents_of_any_kind_match_or_do_not_but_never_fail(
    rows: list[dict[str, Any]], query: dict[str, Any]
) -> None:
    batch = from_rows([{"id": str(i), "tags": row, "text": row} for i, row in enumerate(rows)])

    found = matching(batch, query).tolist()

    alone = [len(matching(batch.take([i]), query)) for i in range(len(batch))]
    assert found == [i for i, matches in enumerate(alone) if matches]


ROWS = from_rows(
    [
        {"id": "1", "text": "en", "price": 1, "tags": {"lang": "en", "n": {"x": [1, {"y": 2}]}}},
        {"id": "2", "text": "de", "price": 5, "tags": {"lang": None}},
        {"id": "3", "price": "7", "chunks": [{"id": "c", "text": "part"}]},
    ]
)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (None, "123"),
        ({}, "123"),
        ("", "123"),
        ('{"price": {"$lt": 5}}', "1"),
        ({"price": {"$gte": 1, "$lte": 4}}, "1"),
        ({"price": {"$not": {"$lt": 5}}}, "23"),
        ({"price": {"$or": [{"$eq": 5}, {"$eq": "7"}]}}, "23"),
        ({"price": {"$gt": 0}, "text": {"$eq": "de"}}, "2"),
        ({"$or": [{"text": {"$eq": "de"}}, {"text": {"$eq": "en"}}], "price": {"$lt": 3}}, "1"),
        ([{"price": {"$gt": 0}}, {"text": {"$eq": "de"}}], "2"),
        ({"id": {"$in": ["3", "1", 5, None]}}, "13"),
        ({"text": {"$exists": True}}, "12"),
        ({"text": {"$neq": "en"}}, "23"),
        ({"text": {"$eq": None}}, "3"),
        ({"text": {"$nin": ["en"]}}, "23"),
        ({"text": {"$eq": "{tags__lang}"}}, "1"),
        ({"tags__lang": {"$exists": False}}, "3"),
        ({"tags__lang": {"$neq": "en"}}, "2"),
        ({"tags__other": {"$neq": "en"}}, ""),
        ({"tags__n__x__0": {"$eq": 1}}, "1"),
        ({"tags__n__x__1__y": {"$eq": 2}}, "1"),
        ({"tags__n__x__7": {"$exists": False}}, "123"),
        ({"chunks__0__text": {"$regex": "^pa"}}, "3"),
        ({"chunks": {"$size": 1}}, "3"),
        ({"nothing": {"$eq": 1}}, ""),
        ({"nothing": {"$exists": False}}, "123"),
    ],
)
def test_a_query_matches(query: Any, ids: str) -> None:
    assert "".join(ROWS.ids[place] for place in matching(ROWS, query)) == ids


def test_columns_of_every_kind_can_be_asked_for() -> None:
    batch = one_of_each()

    for name in batch.columns:
        assert matching(batch, {name: {"$exists": True}}).tolist() in ([0, 2], [0, 1, 2])
        assert matching(batch, {name: {"$gt": "x", "$regex": "x"}}).tolist() == []
    assert matching(batch, {"embedding": {"$size": 4}}).tolist() == [0, 1, 2]
    assert matching(batch, {"tensor": {"$eq": 1}}).tolist() == []
    assert matching(EMPTY_BATCH, {"x": {"$exists": True}}).tolist() == []


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        (5, "5 is neither an object nor a list of objects"),
        ("{", "a query is not JSON: "),
        ({"price": 5}, "price: 5 is no operator with a value, as {'$eq': 1}"),
        ({"price": {}}, "price: {} is no operator with a value, as {'$eq': 1}"),
        ({"price": {"$ge": 5}}, "price.$ge: there is no such operator; there are $eq, $neq, $gt"),
        ({"price": {"x": 5}}, "price.x: there is no such operator; there are $eq, $neq, $gt"),
        ({"$gt": 5}, "$gt: there is no such operator here; it goes behind a field"),
        ({"$xor": []}, "$xor: there is no such operator here; there are $and, $or, $not"),
        ({"$or": [{"a": {"$eq": 1}}, {"b": {"$in": 5}}]}, "$or[1].b.$in: 5 is not a list"),
        ({"a": {"$not": {"$size": -1}}}, "a.$not.$size: -1 is not a whole number from 0"),
        ({"a": {"$exists": 1}}, "a.$exists: 1 is neither true nor false"),
        ({"a": {"$regex": "("}}, "a.$regex: '(' missing ), unterminated subpattern at position 0"),
        ({"a": {"$regex": 5}}, "a.$regex: 5 is not a regular expression"),
        ({"a": {"$regex": "x" * (MAX_PATTERN + 1)}}, "a.$regex: '"),
        ({"a____b": {"$eq": 5}}, "a____b: the path has an empty part"),
        ({5: {"$eq": 5}}, "5 is no name of a field"),
    ],
)
def test_a_query_that_means_nothing_is_refused_with_its_place(query: Any, problem: str) -> None:
    with pytest.raises(BadQuery) as caught:
        Query.of(query)

    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize("key", ["$not", "$and"])
def test_a_query_nested_too_deep_is_refused(key: str) -> None:
    query: dict[str, Any] = {"a": {"$eq": 1}}
    for _ in range(100):
        query = {key: query}

    with pytest.raises(BadQuery, match="is nested deeper than 32"):
        Query.of(query)
