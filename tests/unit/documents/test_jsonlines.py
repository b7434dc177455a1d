"""JSON Lines that say everything: what is written is read back the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.column import (
    Column,
    DocsColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
)
from jina_cli.documents.jsonlines import from_lines, to_lines
from jina_cli.documents.rows import BadRow, from_rows
from tests.testing.documents import batches, columns, one_of_each, plainly, some_vectors

KNOWN = ("text", "uri", "blob", "tensor", "embedding", "tags", "chunks", "matches", "score")


@st.composite
def known_batches(draw: st.DrawFn) -> DocumentBatch:
    """Draw documents with any kind of column under the names that have a meaning."""
    names = draw(st.lists(st.sampled_from(KNOWN), max_size=4, unique=True))
    made: dict[str, Column] = {name: draw(columns(2)) for name in names}
    return DocumentBatch(["a", "b"], made)


@settings(deadline=None)
@given(batches() | known_batches())
def test_documents_of_any_kind_come_back_the_same(batch: DocumentBatch) -> None:
    assert plainly(from_lines(to_lines(batch))) == plainly(batch)


@given(batches())
def test_a_line_does_not_depend_on_the_batch(batch: DocumentBatch) -> None:
    lines = [line for place in range(len(batch)) for line in to_lines(batch.take([place]))]

    assert to_lines(batch) == lines


def test_documents_in_documents_come_back_to_any_depth() -> None:
    batch = one_of_each()
    for _ in range(4):
        column = DocsColumn(np.array([0, 1, len(batch)], np.int64), batch)
        batch = DocumentBatch(["x", "y"], {"chunks": column, "matches": column, "mine": column})

    assert plainly(from_lines(to_lines(batch))) == plainly(batch)


float32 = st.floats(width=32, allow_nan=True)


@given(st.lists(float32, min_size=1))
def test_vectors_come_back_bit_by_bit(numbers: list[float]) -> None:
    vector = np.array([numbers], np.float32)
    batch = DocumentBatch(["a"], {"embedding": TensorColumn(vector)})

    back = from_lines(to_lines(batch)).tensor("embedding")

    assert back.dtype == np.float32
    assert back.tobytes() == vector.tobytes()


@pytest.mark.parametrize("dtype", ["<f8", "<f2", "|u1", "|i1", "<i8", "|b1", "<c8", ">f4"])
def test_tensors_of_every_type_come_back(dtype: str) -> None:
    array = np.array([[1, 0]]).astype(dtype)

    back = from_lines(to_lines(DocumentBatch(["a"], {"tensor": TensorColumn(array)})))

    assert back.tensor().dtype == array.dtype.newbyteorder("<")
    assert back.tensor().tolist() == array.tolist()


def test_what_people_know_is_written_as_they_would_write_it() -> None:
    row = {
        "id": "a",
        "text": "é",
        "blob": "AP8=",
        "embedding": [1.0, 0.1],
        "tags": {"a": [1, None, 1.5]},
        "chunks": [{"id": "c", "embedding": [2.0]}],
    }

    (line,) = to_lines(from_rows([row]))

    assert orjson.loads(line) == row
    assert line.endswith(b"\n")


@pytest.mark.parametrize(
    ("column", "written"),
    [
        (ValuesColumn([float("nan")]), {"$float": "nan"}),
        (ValuesColumn([{"a": float("-inf")}]), {"a": {"$float": "-inf"}}),
        (ValuesColumn([{"$a": 1}]), {"$object": {"$a": 1}}),
        (RaggedColumn([np.array([1], np.uint8)]), {"$array": ["|u1", [1], "AQ=="]}),
    ],
)
def test_what_json_has_not_is_marked(column: Column, written: Any) -> None:
    (line,) = to_lines(DocumentBatch(["a"], {"x": column}))

    assert orjson.loads(line) == {"id": "a", "x": written}


def test_lines_of_people_are_read_as_rows_are() -> None:
    lines = [b'{"text": "a", "embedding": [1, 2]}', b'{"id": 5, "chunks": [{"text": "c"}]}']

    batch = from_lines(lines)

    assert batch.ids[1] == "5"
    assert batch.take([0]).tensor("embedding").dtype == np.float32


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "document 1: is not JSON: "),
        (b"\xd3\xff", "document 1: is not UTF-8 text"),
        (b"[1]", "document 1: is a list, not an object"),
        (b'{"x": {"$array": ["<f4", [2], "AAAA"]}}', "document 1: 'x' is marked and cannot be"),
        (b'{"x": {"$array": ["O", [1], ""]}}', "document 1: 'x' is marked and cannot be read: "),
        (b'{"x": {"$float": "one"}}', "document 1: 'x' is marked and cannot be read: 'one'"),
        (b'{"x": {"$bytes": "*"}}', "document 1: 'x' is marked and cannot be read: "),
        (b'{"x": {"$docs": [1]}}', "document 1: 'x[0]' is a number, not an object"),
        (b'{"chunks": [1]}', "document 1: 'chunks[0]' is a number, not an object"),
        (b'{"blob": "*"}', "document 1: 'blob' is not base64"),
    ],
)
def test_a_line_that_is_no_document_is_refused_with_its_place(line: bytes, problem: str) -> None:
    with pytest.raises(BadRow) as caught:
        from_lines([b'{"id": "first"}', line])

    assert str(caught.value).startswith(problem)


def test_what_no_json_can_hold_is_refused() -> None:
    for value in (2**70, "\ud800"):
        with pytest.raises(BadField, match="document 'a' cannot be written as JSON"):
            to_lines(DocumentBatch(["a"], {"x": ValuesColumn([value])}))


def test_a_field_may_be_of_another_kind_in_each_document() -> None:
    parts = [
        DocumentBatch(["a"], {"x": TextColumn(["t"])}),
        some_vectors(1).with_columns(x=TensorColumn(np.zeros((1, 2), np.uint8))),
    ]
    lines = [line for part in parts for line in to_lines(part)]

    assert plainly(from_lines(lines)) == plainly(DocumentBatch.concat(parts))
