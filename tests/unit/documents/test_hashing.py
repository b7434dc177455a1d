"""The content hash: what is in it, and that it depends on nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TextColumn, ValuesColumn
from jina_cli.documents.convert import to_docs
from jina_cli.documents.document import Document
from jina_cli.documents.hashing import content_hash, content_hashes
from jina_cli.documents.rows import from_rows
from tests.testing.documents import batches, one_of_each


def hash_of(**fields: Any) -> str:
    return content_hashes(from_rows([{"id": "a", **fields}]))[0]


def test_a_hash_is_made_of_names_and_values_with_their_lengths() -> None:
    payload = b"".join(
        [
            (4).to_bytes(8, "little"), b"text",
            (3).to_bytes(8, "little"), b"tab",
        ]
    )  # fmt: skip

    assert hash_of(text="ab") == hashlib.blake2b(payload, digest_size=8).hexdigest()


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "b"},
        {"parent_id": "p"},
        {"ref_id": "q"},
        {"chunks": [{"text": "part"}]},
        {"matches": [{"text": "other"}]},
        {"score": 0.5},
        {"scores": {"bm25": 3}},
        {"granularity": 1},
        {"adjacency": 1},
        {"tags": {}},
        {"uri": None},
    ],
)
def test_what_is_no_content_does_not_count(fields: dict[str, Any]) -> None:
    assert hash_of(**{"text": "a", **fields}) == hash_of(text="a")


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "b"},
        {"uri": "a"},
        {"title": "b"},
        {"tags": {"a": 1}},
        {"tensor": [1.0, 2.0]},
        {"embedding": [1.0, 2.0]},
        {"blob": "AAAA"},
        {"mime_type": "text/plain"},
        {"text": None},
    ],
)
def test_content_counts(fields: dict[str, Any]) -> None:
    assert hash_of(**{"text": "a", **fields}) != hash_of(text="a")


def test_a_tensor_of_another_shape_or_type_is_other_content() -> None:
    tensors = [[1, 2], [[1, 2]], [1.0, 2.0], np.array([1, 2], np.uint8)]

    assert len({hash_of(tensor=tensor) for tensor in tensors}) == 4


def test_whole_numbers_are_the_same_however_they_came() -> None:
    assert hash_of(tags={"a": [1, {"b": 2}]}) == hash_of(tags={"a": [1.0, {"b": 2.0}]})
    assert hash_of(tags={"a": 1.5}) != hash_of(tags={"a": 1})


def test_the_order_of_keys_does_not_count() -> None:
    assert hash_of(tags={"a": 1, "b": 2}) == hash_of(tags={"b": 2, "a": 1})


def test_the_kind_of_a_column_does_not_count() -> None:
    text, values = TextColumn(["x"]), ValuesColumn(["x"])

    assert content_hashes(DocumentBatch(["a"], {"text": text})) == content_hashes(
        DocumentBatch(["b"], {"text": values})
    )


@given(batches())
def test_a_hash_does_not_depend_on_the_batch(batch: DocumentBatch) -> None:
    alone = [content_hashes(batch.take([place]))[0] for place in range(len(batch))]

    assert content_hashes(batch) == alone


def test_objects_have_the_hash_of_their_columns() -> None:
    batch = one_of_each().without("other")

    assert [content_hash(doc) for doc in to_docs(batch, Document)] == content_hashes(batch)


@given(st.lists(st.text(), min_size=2, max_size=2), st.lists(st.text(), min_size=2, max_size=2))
def test_other_texts_have_other_hashes(one: list[str], other: list[str]) -> None:
    some, others = (hash_of(text=texts[0], uri=texts[1]) for texts in (one, other))

    assert (some == others) is (one == other)
