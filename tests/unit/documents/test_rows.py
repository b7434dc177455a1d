"""Documents as JSON objects."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.column import (
    BytesColumn,
    DocsColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
)
from jina_cli.documents.limits import MAX_DEPTH, MAX_LEVELS
from jina_cli.documents.rows import BadRow, from_rows, to_rows
from tests.testing.documents import batches, json_values, one_of_each, texts


def test_each_field_becomes_the_column_its_values_ask_for() -> None:
    batch = from_rows(
        [
            {
                "text": "a",
                "title": "b",
                "price": 1.5,
                "tags": {"x": 1},
                "blob": "AAE=",
                "raw": b"\x01",
                "embedding": [1, 2],
                "tensor": [[1, 2], [3, 4]],
                "image": np.zeros((2, 2), np.uint8),
                "chunks": [{"text": "c"}],
                "matches": [],
            }
        ]
    )

    assert {name: type(column) for name, column in batch.columns.items()} == {
        "text": TextColumn,
        "title": TextColumn,
        "price": ValuesColumn,
        "tags": ValuesColumn,
        "blob": BytesColumn,
        "raw": BytesColumn,
        "embedding": TensorColumn,
        "tensor": TensorColumn,
        "image": TensorColumn,
        "chunks": DocsColumn,
        "matches": DocsColumn,
    }
    assert batch.tensor("embedding").dtype == np.float32
    assert batch.tensor("tensor").dtype == np.int64
    assert batch.values("blob") == [b"\x00\x01"]


def test_whole_and_broken_numbers_make_vectors_of_one_kind() -> None:
    batch = from_rows([{"tensor": [1, 2]}, {"tensor": [1.5, 2]}])

    assert batch.tensor().dtype == np.float32
    assert batch.tensor().tolist() == [[1, 2], [1.5, 2]]


def test_vectors_of_several_lengths_or_none_are_kept() -> None:
    batch = from_rows([{"embedding": [1, 2]}, {"embedding": [1.5]}, {}])

    assert isinstance(batch.columns["embedding"], RaggedColumn)
    assert [row.get("embedding") for row in to_rows(batch)] == [[1, 2], [1.5], None]


def test_ids_are_invented_and_numbers_become_text() -> None:
    batch = from_rows([{"id": "a"}, {"id": 7}, {"id": None}, {}, {"id": ""}])

    assert batch.ids[:2] == ["a", "7"]
    assert len(set(batch.ids)) == 5
    assert all(len(id_) == 32 for id_ in batch.ids[2:])


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{}, 5], "document 1: is a number, not an object"),
        ([{"id": ["a"]}], "document 0: 'id' is a list, not a string"),
        ([{"id": 1.5}], "document 0: 'id' is a number, not a string"),
        ([{}, {"blob": "???"}], "document 1: 'blob' is not base64"),
        ([{"blob": 5}], "document 0: 'blob' is a number, not base64"),
        (
            [{"embedding": [1]}, {"embedding": "ab"}],
            "document 1: 'embedding' is not a list of numbers, all rows of one length",
        ),
        (
            [{"embedding": "ab"}],
            "document 0: 'embedding' is not a list of numbers, all rows of one length",
        ),
        (
            [{"tensor": [[1], [1, 2]]}],
            "document 0: 'tensor' is not a list of numbers, all rows of one length",
        ),
        (
            [{"embedding": [None]}],
            "document 0: 'embedding' is not a list of numbers, all rows of one length",
        ),
        (
            [{"embedding": [10**400]}],
            "document 0: 'embedding' is not a list of numbers, all rows of one length",
        ),
        ([{"x": np.array(["a"])}], "document 0: 'x' has elements of type <U1, not numbers"),
        ([{"chunks": "abc"}], "document 0: 'chunks' is a string, not a list of objects"),
        ([{"chunks": {"a": 1}}], "document 0: 'chunks' is an object, not a list of objects"),
        ([{}, {"chunks": [{}, 3]}], "document 1: 'chunks[1]' is a number, not an object"),
        (
            [{"chunks": []}, {"chunks": [{"matches": [{}, {"blob": 1}]}]}],
            "document 1: 'chunks[0].matches[1].blob' is a number, not base64",
        ),
    ],
)
def test_a_row_that_is_wrong_is_named_with_its_place(rows: list[Any], problem: str) -> None:
    with pytest.raises(BadRow) as caught:
        from_rows(rows)

    assert str(caught.value) == problem


def test_what_is_nested_too_deep_is_refused() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    row: dict[str, Any] = {}
    for _ in range(MAX_LEVELS + 1):
        row = {"chunks": [row]}

    with pytest.raises(BadRow, match="'tags' is nested deeper than 128"):
        from_rows([{"tags": deep}])
    with pytest.raises(BadRow, match="is nested deeper than 32 documents"):
        from_rows([row])


@given(batches())
def test_rows_hold_nothing_but_what_json_has(batch: Any) -> None:
    rows = to_rows(batch)

    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_numbers_that_json_has_not_are_null() -> None:
    (first, *_) = to_rows(from_rows([{"embedding": [1.5, float("nan")], "x": [float("inf")]}]))

    assert first["embedding"] == [1.5, None]
    assert first["x"] == [None]


def test_a_document_has_no_key_for_what_it_lacks() -> None:
    assert to_rows(one_of_each())[1] == {"id": "b", "embedding": [0, 1, 0, 0]}


def test_rows_of_every_kind_of_column_are_as_expected() -> None:
    assert to_rows(one_of_each())[0] == {
        "id": "a",
        "text": "é",
        "tags": {"a": [1, None, "x"]},
        "score": 1.5,
        "blob": "AP8=",
        "tensor": [[0, 1], [2, 3]],
        "embedding": [1, 0, 0, 0],
        "ragged": [[0, 0, 0], [0, 0, 0]],
        "chunks": [{"id": "c0", "text": "text of c0"}, {"id": "c1", "text": "text of c1"}],
        "other": [1, "a"],
    }


@given(
    st.lists(
        st.fixed_dictionaries(
            {"id": texts.filter(bool)},
            optional={"text": texts, "price": st.integers(-9, 9), "tags": json_values},
        ),
        max_size=4,
    )
)
def test_rows_come_back_as_they_were(rows: list[dict[str, Any]]) -> None:
    given_rows = [{k: v for k, v in row.items() if v is not None} for row in rows]

    assert to_rows(from_rows(rows)) == given_rows


def test_documents_that_share_no_field_are_refused_before_they_fill_the_memory() -> None:
    rows = [{f"x{place}": 1} for place in range(5000)]

    with pytest.raises(BadRow, match="has too little in common with the other 4999"):
        from_rows(rows)


@pytest.mark.parametrize(
    "vectors", [[[1.0, 2.0], [1.0, 1e39]], [[1.0], [1e39, 2.0]]], ids=["dense", "ragged"]
)
def test_a_number_too_large_for_float32_is_refused_by_its_row(vectors: list[list[float]]) -> None:
    with pytest.raises(BadRow, match="document 1: 'embedding' has a number that is too large"):
        from_rows([{"embedding": vector} for vector in vectors])
