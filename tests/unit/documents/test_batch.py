"""Batches: documents as columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch, MissingField
from jina_cli.documents.column import (
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
)
from tests.testing.documents import batches, plainly, some_texts, some_vectors


@given(batches(count=3), st.lists(st.integers(0, 2), max_size=5))
def test_taking_documents_takes_all_their_fields(batch: DocumentBatch, places: list[int]) -> None:
    rows = plainly(batch)

    assert plainly(batch.take(places)) == [rows[place] for place in places]


@given(batches(count=3), st.integers(-1, 4), st.integers(-1, 5))
def test_a_slice_is_cut_to_what_is_there(batch: DocumentBatch, start: int, end: int) -> None:
    start, end = sorted((start, end))

    assert plainly(batch.slice(start, end)) == plainly(batch)[max(0, start) : max(0, end)]


@pytest.mark.parametrize("place", [-1, 3])
def test_taking_a_document_that_is_not_there_is_refused(place: int) -> None:
    with pytest.raises(IndexError):
        some_texts(3).take([0, place])


@given(batches(count=2), batches(count=1), batches(count=0))
def test_batches_end_to_end_keep_order_and_lose_nothing(
    first: DocumentBatch, second: DocumentBatch, nothing: DocumentBatch
) -> None:
    joined = DocumentBatch.concat([nothing, first, second])

    assert list(joined.ids) == [*first.ids, *second.ids]
    assert set(joined.columns) == set(first.columns) | set(second.columns)


def test_a_field_that_one_batch_lacks_is_absent_in_its_documents() -> None:
    joined = DocumentBatch.concat([some_texts(1), some_vectors(2)])

    assert joined.values("text") == ["text of d0", None, None]
    with pytest.raises(MissingField, match="document 'd0' has no 'embedding'"):
        joined.tensor("embedding")


def test_nothing_end_to_end_is_nothing() -> None:
    assert DocumentBatch.concat([]) is EMPTY_BATCH
    assert DocumentBatch.concat([EMPTY_BATCH, EMPTY_BATCH]) is EMPTY_BATCH


def test_columns_are_added_replaced_and_dropped_without_touching_the_batch() -> None:
    batch = some_texts(2)

    changed = batch.with_texts(["x", "y"]).with_tensor(np.ones((2, 3)))

    assert changed.text() == ["x", "y"]
    assert changed.tensor("embedding").shape == (2, 3)
    assert set(changed.only("text").columns) == {"text"}
    assert set(changed.without("text", "none").columns) == {"embedding"}
    assert batch.text() == ["text of d0", "text of d1"]
    assert set(batch.columns) == {"text"}


def test_a_column_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="'text' has 1 entries for 2 documents"):
        some_texts(2).with_texts(["x"])


@pytest.mark.parametrize(
    "batch",
    [
        some_vectors(1),
        DocumentBatch(["d0"], {"text": TextColumn([None])}),
        DocumentBatch(["d0"], {"text": ValuesColumn([5])}),
    ],
)
def test_text_that_is_not_there_is_missed_by_name(batch: DocumentBatch) -> None:
    with pytest.raises(MissingField) as caught:
        batch.text()

    assert (caught.value.field, caught.value.ids) == ("text", ("d0",))


def test_tensors_of_one_shape_stack_and_others_are_refused() -> None:
    ones = DocumentBatch(["a", "b"], {"x": RaggedColumn([np.ones(2), np.ones(2)])})
    mixed = DocumentBatch(["a", "b"], {"x": RaggedColumn([np.ones(2), np.ones(3)])})

    assert ones.tensor("x").tolist() == [[1, 1], [1, 1]]
    with pytest.raises(ValueError, match=r"'x' has tensors of shapes \(2,\) and \(3,\)"):
        mixed.tensor("x")


def test_a_tensor_that_some_lack_is_missed_by_name() -> None:
    column = TensorColumn(np.zeros((3, 2)), np.array([True, False, True]))

    with pytest.raises(MissingField) as caught:
        DocumentBatch(["a", "b", "c"], {"x": column}).tensor("x")

    assert caught.value.ids == ("b",)


def test_no_documents_lack_nothing() -> None:
    assert EMPTY_BATCH.text() == ()
    assert len(EMPTY_BATCH.tensor()) == 0
    assert EMPTY_BATCH.values("x") == []
    assert EMPTY_BATCH.docs("chunks") is None


def test_new_documents_get_ids_of_their_own() -> None:
    batch = DocumentBatch.of(3)

    assert len(set(batch.ids)) == 3
    assert repr(batch) == "DocumentBatch(3 documents, {})"
