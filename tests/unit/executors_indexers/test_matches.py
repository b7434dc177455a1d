"""Matches hold what was asked for of the documents that were found."""

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

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
)
from jina_cli.documents.rows import to_rows
from jina_cli.errors import StorageFailed
from jina_cli.executors.indexers.bodies import records_of
from jina_cli.executors.indexers.matches import matches_of
from jina_cli.store.records import Found, Records
from jina_cli.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def keep(store: Store, columns: dict[str, Column], *ids: str) -> None:
    store.upsert(records_of(DocumentBatch(ids, columns)))


def found(*ids: str) -> Found:
    return Found([list(ids)], [-np.arange(len(ids), dtype=np.float64)])


def test_matches_are_text_and_values_unless_fields_are_named(store: Store) -> None:
    columns: dict[str, Column] = {
        "text": TextColumn(["a", None]),
        "tags": ValuesColumn([{"n": 1}, None]),
        "blob": BytesColumn([b"\0\xff", None]),
        "tensor": TensorColumn(np.arange(4).reshape(2, 2)),
        "odd": NodesColumn([b"node", None]),
    }
    keep(store, columns, "x", "y")
    scores = [np.array([2.0, 1.0]), np.array([]), np.array([0.5])]
    result = Found([["y", "x"], [], ["x"]], scores)

    plain = matches_of(store, result)
    named = matches_of(store, result, fields=["tensor", "nothing"])
    bare = matches_of(store, result, fields=[])

    assert sorted(plain.docs.columns) == ["odd", "score", "tags", "text"]
    assert plain.offsets.tolist() == [0, 2, 2, 3]
    assert list(plain.docs.ids) == ["y", "x", "x"]
    assert list(plain.docs.values("score")) == [2.0, 1.0, 0.5]
    assert list(plain.docs.values("text")) == [None, "a", "a"]
    assert list(plain.docs.values("odd")) == [None, b"node", b"node"]
    assert sorted(named.docs.columns) == ["score", "tensor"]
    assert named.docs.tensor().tolist() == [[2, 3], [0, 1], [0, 1]]
    assert sorted(bare.docs.columns) == ["score"]
    assert list(bare.docs.ids) == ["y", "x", "x"]


def test_numbers_that_json_lacks_are_among_the_values(store: Store) -> None:
    keep(store, {"price": ValuesColumn([math.inf, 1.0, None])}, "a", "b", "c")
    keep(store, {"price": ValuesColumn([2.0])}, "d")

    prices = matches_of(store, found("a", "b", "c", "d")).docs.values("price")

    assert list(prices) == [math.inf, 1.0, None, 2.0]


def test_a_vector_is_returned_with_plain_fields_beside_it(store: Store) -> None:
    docs = DocumentBatch(["a", "b"], {"text": TextColumn(["x", "y"])})
    vectors = np.array([[3, 4], [5, 6]], np.float32)
    store.upsert(records_of(docs, vectors=vectors))

    matches = matches_of(store, found("b", "a"), fields=["text", "v"], vector_field="v").docs

    assert matches.tensor("v").tolist() == [[5, 6], [3, 4]]
    assert list(matches.values("text")) == ["y", "x"]


def test_a_document_deleted_since_it_was_found_is_left_out(store: Store) -> None:
    store.upsert(Records(ids=["x"], bodies=[b""]))

    matches = matches_of(store, found("gone", "x"))

    assert (list(matches.docs.ids), matches.offsets.tolist()) == (["x"], [0, 1])


def test_only_deleted_documents_give_no_matches(store: Store) -> None:
    matches = matches_of(store, found("gone"), fields=["text"])

    assert (list(matches.docs.ids), matches.offsets.tolist()) == ([], [0, 0])


def test_text_and_values_under_one_name_are_values(store: Store) -> None:
    keep(store, {"size": TextColumn(["large"])}, "a")
    keep(store, {"size": ValuesColumn([42])}, "b")

    assert matches_of(store, found("a", "b")).docs.columns["size"] == ValuesColumn(["large", 42])


def test_tensors_of_different_shapes_under_one_name_are_kept(store: Store) -> None:
    keep(store, {"tensor": TensorColumn(np.ones((1, 2)))}, "a")
    keep(store, {"tensor": TensorColumn(np.ones((1, 3)))}, "b")
    keep(store, {"text": TextColumn(["no tensor"])}, "c")

    column = matches_of(store, found("a", "b", "c"), fields=["tensor"]).docs.columns["tensor"]

    assert isinstance(column, RaggedColumn)
    assert [a if a is None else a.shape for a in column.arrays] == [(2,), (3,), None]


def test_what_fits_no_column_together_is_kept_as_it_is(store: Store) -> None:
    inner = DocumentBatch(["i"], {"text": TextColumn(["deep"])})
    kinds: dict[str, Column] = {
        "text": TextColumn(["word"]),
        "tensor": TensorColumn(np.array([[1.5, 2.0]])),
        "blob": BytesColumn([b"abc"]),
        "docs": DocsColumn(np.array([0, 1]), inner),
    }
    for id_, column in kinds.items():
        keep(store, {"field": column}, id_)
    keep(store, {}, "without")

    matches = matches_of(store, found(*kinds, "without"), fields=["field"]).docs

    assert [row.get("field") for row in to_rows(matches)] == [
        "word",
        [1.5, 2.0],
        "YWJj",
        [{"id": "i", "text": "deep"}],
        None,
    ]


def test_scores_show_no_more_digits_than_they_have(store: Store) -> None:
    keep(store, {}, "a", "b", "c")
    scores = np.array([0.9, -0.1, 1.0], np.float32)

    matches = matches_of(store, Found([["a", "b", "c"]], [scores]))

    assert list(matches.docs.values("score")) == [0.9, -0.1, 1.0]
    assert np.array_equal(np.array(matches.docs.values("score"), np.float32), scores)


def test_scores_too_large_for_float32_stay_infinite(store: Store) -> None:
    keep(store, {}, "a", "b")
    scores = np.array([np.inf, 0.5], np.float32)

    matches = matches_of(store, Found([["a", "b"]], [scores]), fields=[])

    assert list(matches.docs.values("score")) == [math.inf, 0.5]


def test_what_is_not_asked_for_is_not_read(store: Store) -> None:
    tensors = TensorColumn(np.ones((1, 2)))
    keep(store, {"tags": ValuesColumn([{"n": 1}]), "tensor": tensors}, "a")

    damage(store, "DELETE FROM rests")

    assert list(matches_of(store, found("a")).docs.values("tags")) == [{"n": 1}]
    assert list(matches_of(store, found("a"), fields=["tags"]).docs.values("tags")) == [{"n": 1}]
    with pytest.raises(StorageFailed, match="document 'a' is not what was written"):
        matches_of(store, found("a"), fields=["tensor"])

    damage(store, "UPDATE documents SET body = x'00'")

    assert list(matches_of(store, found("a"), fields=[]).docs.ids) == ["a"]
    with pytest.raises(StorageFailed, match="document 'a' is not what was written"):
        matches_of(store, found("a"))


def damage(store: Store, statement: str) -> None:
    connection = sqlite3.connect(store.path, isolation_level=None)
    connection.execute(statement)
    connection.close()
