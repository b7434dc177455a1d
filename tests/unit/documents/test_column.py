"""Columns: taking, cutting and joining any of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import (
    BytesColumn,
    Column,
    DocsColumn,
    NodesColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
    absent_like,
    column_of_arrays,
    concat_columns,
    is_absent,
    rows_of,
)
from jina_cli.documents.nodes import node_value
from jina_cli.documents.rows import to_rows
from tests.testing.documents import columns, plainly, some_texts


def compared(column: Column) -> list[object]:
    ids = [str(i) for i in range(len(column))]
    return [row.get("x") for row in plainly(DocumentBatch(ids, {"x": column}))]


@given(columns(4), st.lists(st.integers(0, 3), max_size=6))
def test_taking_gives_the_rows_at_the_places(column: Column, places: list[int]) -> None:
    taken = column.take(np.array(places, np.int64))

    rows = compared(column)
    assert type(taken) is type(column)
    assert compared(taken) == [rows[place] for place in places]


@given(columns(4), st.integers(0, 4), st.integers(0, 4))
def test_a_slice_is_what_taking_those_rows_gives(column: Column, start: int, length: int) -> None:
    end = min(4, start + length)

    assert compared(column.slice(start, end)) == compared(column)[start:end]


@given(columns(2), columns(3))
def test_columns_end_to_end_have_the_rows_of_both(first: Column, second: Column) -> None:
    joined = concat_columns([first, second])

    absent = any(is_absent(column) for column in (first, second))
    if not absent and not isinstance(joined, NodesColumn):
        assert compared(joined) == compared(first) + compared(second)
    assert len(joined) == 5


@given(columns(2), columns(3))
def test_columns_end_to_end_show_the_same_as_each_by_itself(first: Column, second: Column) -> None:
    joined = concat_columns([first, second])

    assert shown(joined) == shown(first) + shown(second)


def shown(column: Column) -> list[Any]:
    """Return what people see of each value; a list that nobody has is one of nothing."""
    rows = to_rows(DocumentBatch([str(i) for i in range(len(column))], {"x": column}))
    return [without_nulls(row.get("x")) or None for row in rows]


def without_nulls(value: Any) -> Any:
    """Return a value without the keys of objects whose value is null."""
    if isinstance(value, dict):
        return {key: without_nulls(v) for key, v in value.items() if v is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@given(columns(3))
def test_an_absent_column_is_of_the_same_kind_and_holds_nothing(column: Column) -> None:
    nothing = absent_like(column, 2)

    assert type(nothing) is type(column)
    assert len(nothing) == 2
    assert is_absent(nothing)
    assert len(concat_columns([column, nothing])) == 5


def test_tensors_of_two_shapes_end_to_end_are_ragged() -> None:
    joined = concat_columns([TensorColumn(np.zeros((1, 2))), TensorColumn(np.zeros((1, 3)))])

    assert isinstance(joined, RaggedColumn)
    assert [array.shape for array in joined.arrays if array is not None] == [(2,), (3,)]


def test_strings_among_values_are_values() -> None:
    joined = concat_columns([TextColumn(["a"]), ValuesColumn([1])])

    assert joined == ValuesColumn(["a", 1])


@pytest.mark.parametrize("nothing", [TextColumn([None, None]), ValuesColumn([None, None])])
def test_a_column_that_holds_nothing_takes_the_kind_of_the_other(nothing: Column) -> None:
    vectors = TensorColumn(np.ones((1, 2)))

    joined = concat_columns([nothing, vectors])

    assert isinstance(joined, TensorColumn)
    assert joined.present is not None
    assert joined.present.tolist() == [False, False, True]


def test_columns_of_kinds_that_do_not_mix_keep_each_value_as_it_is() -> None:
    parts = DocsColumn.of([some_texts(1)])
    joined = concat_columns(
        [
            TextColumn(["a", None]),
            BytesColumn([b"a"]),
            ValuesColumn([{"b": 1}]),
            TensorColumn(np.ones((2, 2)), np.array([True, False])),
            parts,
        ]
    )

    assert isinstance(joined, NodesColumn)
    values = [None if node is None else node_value(node) for node in joined.values]
    assert values[:4] == ["a", None, b"a", {"b": 1}]
    assert (values[4].tolist(), values[5]) == ([1, 1], None)
    assert values[6] == [{"id": "d0", "text": "text of d0"}]


def test_lists_of_documents_join_their_documents() -> None:
    left = DocsColumn.of([some_texts(2), some_texts(0)])
    right = DocsColumn.of([some_texts(1, prefix="e")])

    joined = concat_columns([left, right])

    assert isinstance(joined, DocsColumn)
    assert joined.offsets.tolist() == [0, 2, 2, 3]
    assert joined.docs.ids == ["d0", "d1", "e0"]
    assert [len(batch) for batch in rows_of(joined)] == [2, 0, 1]


def test_arrays_that_are_alike_are_dense_and_others_ragged() -> None:
    like = np.ones(2)

    assert isinstance(column_of_arrays([like, like]), TensorColumn)
    assert isinstance(column_of_arrays([like, np.ones(3)]), RaggedColumn)
    assert isinstance(column_of_arrays([None, None]), RaggedColumn)
    partly = column_of_arrays([None, like])
    assert isinstance(partly, TensorColumn)
    assert [row is None for row in rows_of(partly)] == [True, False]


def test_numbers_as_tensors_are_arrays_of_no_dimensions() -> None:
    rows = rows_of(TensorColumn(np.arange(2, dtype=np.uint8)))

    assert [(type(row), row.shape, row.dtype.str) for row in rows] == [
        (np.ndarray, (), "|u1"),
        (np.ndarray, (), "|u1"),
    ]


def test_nodes_join_as_they_are() -> None:
    assert concat_columns([NodesColumn([b"a"]), NodesColumn([None])]) == NodesColumn([b"a", None])
