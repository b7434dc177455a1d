"""Joins of answers whose fields are of several kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import (
    BytesColumn,
    Column,
    DocsColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
)
from jina_cli.documents.merge import union
from jina_cli.documents.rows import to_rows
from tests.testing.documents import columns, some_texts


def of(column: Column, *ids: str) -> DocumentBatch:
    return DocumentBatch(list(ids), {"x": column})


@pytest.mark.parametrize(
    "other",
    [
        BytesColumn([b"b", None]),
        ValuesColumn([{"b": 1}, None]),
        TensorColumn(np.ones((2, 2)), np.array([True, False])),
        DocsColumn(np.array([0, 1, 1]), some_texts(1), np.array([True, False])),
    ],
)
def test_a_field_of_two_kinds_has_the_later_value_that_is_there(other: Column) -> None:
    first, second = of(TextColumn(["one", "two"]), "1", "2"), of(other, "1", "2")

    merged = union([first, second])

    assert to_rows(merged)[0] == to_rows(second)[0]
    assert to_rows(merged)[1] == {"id": "2", "x": "two"}


def test_a_document_that_nobody_gives_a_list_has_none() -> None:
    lists = DocsColumn(np.array([0, 0, 1]), some_texts(1), np.array([False, True]))

    merged = union([of(lists, "1", "2"), of(lists, "1", "3")])

    column = merged.docs("x")
    assert column is not None
    assert column.present is not None
    assert column.present.tolist() == [False, True, True]


@settings(max_examples=60)
@given(columns(2, levels=0), columns(2, levels=0), st.sampled_from(("ab", "ba", "bc", "cd")))
def test_each_value_of_a_join_is_one_that_was_given(
    first: Column, second: Column, ids: str
) -> None:
    merged = union([of(first, "a", "b"), of(second, *ids)])

    given_rows = [*to_rows(of(first, "a", "b")), *to_rows(of(second, *ids))]
    for row in to_rows(merged):
        values: list[Any] = [r.get("x") for r in given_rows if r["id"] == row["id"]]
        assert row.get("x") in values
