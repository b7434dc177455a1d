"""Documents as bodies, in every format."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import TensorColumn, ValuesColumn
from jina_cli.documents.rows import to_rows
from jina_cli.wire.bodies import BadBody, read_body, write_body
from jina_cli.wire.messages import EMPTY, Body, Format
from tests.testing.documents import batches, one_of_each, some_texts

FORMATS = [Format.COLUMNS, Format.PROTO, Format.JSON]


@pytest.mark.parametrize("format", FORMATS)
def test_documents_say_the_same_in_every_format(format: Format) -> None:
    batch = one_of_each().without("score")
    expected = to_rows(batch)

    back = read_body(write_body(batch, format))

    assert to_rows(back) == expected


@pytest.mark.parametrize("format", FORMATS)
def test_no_documents_come_back_as_none(format: Format) -> None:
    assert len(read_body(write_body(EMPTY_BATCH, format))) == 0


def test_a_body_without_a_format_has_no_documents() -> None:
    assert read_body(EMPTY) is EMPTY_BATCH
    assert write_body(some_texts(2), Format.NONE) is EMPTY


@given(batches())
def test_json_is_what_rows_say(batch: Any) -> None:
    written = json.loads(bytes(write_body(batch, Format.JSON).data))

    assert [list(row) for row in written] == [list(row) for row in to_rows(batch)]


def test_numbers_that_json_has_not_are_null() -> None:
    columns = {
        "score": ValuesColumn([float("nan")]),
        "embedding": TensorColumn(np.array([[np.inf, 1]], np.float32)),
        "complex": TensorColumn(np.array([[1 + 2j]])),
        "one": TensorColumn(np.array([2.5])),
        "none": TensorColumn(np.array([np.inf])),
        "half": TensorColumn(np.array([[0.5]], np.float16)),
    }

    (row,) = json.loads(bytes(write_body(DocumentBatch(["a"], columns), Format.JSON).data))

    assert row == {
        "id": "a",
        "embedding": [None, 1],
        "complex": [[1, 2]],
        "one": 2.5,
        "half": [0.5],
    }


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (Body(Format.JSON, b"{"), "the documents are not JSON: "),
        (Body(Format.JSON, b"{}"), "the documents are not JSON: not an array"),
        (Body(Format.JSON, b'[{"blob":1}]'), "document 0: 'blob' is a number, not base64"),
        (Body(Format.JSON, b"[" * 100_000), "the documents are not JSON: "),
        (Body(Format.COLUMNS, b"x"), "the documents are not COLUMNS: 1 bytes are too few"),
        (Body(Format.PROTO, b"\xff"), "the documents are not PROTO: is no list of documents"),
    ],
)
def test_a_body_that_is_malformed_is_refused(body: Body, problem: str) -> None:
    with pytest.raises(BadBody) as caught:
        read_body(body)

    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize("format", [Format.COLUMNS, Format.PROTO])
def test_a_field_that_cannot_be_written_is_named(format: Format) -> None:
    batch = DocumentBatch(["a"], {"x": TensorColumn(np.array([object()]))})

    with pytest.raises(BadBody, match=f"cannot write {format.name}: 'x'"):
        write_body(batch, format)
