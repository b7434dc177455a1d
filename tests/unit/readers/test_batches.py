"""Rows to batches: fields, ids, sizes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from jina_cli.documents.readers.batches import ReadBatch, read_batches
from jina_cli.documents.readers.fields import Fields, fields_of
from jina_cli.documents.readers.row import Item, Pause, Row, RowError


def _row(line: int = 1, **fields: Any) -> Row:
    return Row(source="f", line=line, fields=fields, raw=b"raw")


def _batches(items: list[Item], size: int = 64, **names: str) -> list[ReadBatch]:
    return list(read_batches(iter(items), size=size, field_map=names))


def test_known_fields_are_taken_and_all_else_goes_to_tags() -> None:
    row = _row(id="1", text="a", uri="u", year=1999, tags={"kind": "x"}, none=None)

    found = fields_of(row, {})

    assert isinstance(found, Fields)
    assert (found.id, found.text, found.uri) == ("1", "a", "u")
    assert found.tags == {"kind": "x", "year": 1999, "none": None}


def test_names_are_mapped_before_they_are_looked_at() -> None:
    found = fields_of(_row(docno=7, body="a"), {"docno": "id", "body": "text"})

    assert isinstance(found, Fields)
    assert (found.id, found.text, found.tags) == ("7", "a", {})


def test_arrays_and_blobs_are_read() -> None:
    blob = base64.b64encode(b"\0\1").decode()

    found = fields_of(_row(embedding=[1, 2.5], tensor="[[1, 2]]", blob=blob), {})

    assert isinstance(found, Fields)
    assert found.blob == b"\0\1"
    assert found.embedding is not None
    assert found.embedding.dtype == np.float32
    assert found.embedding.tolist() == [1.0, 2.5]
    assert found.tensor is not None
    assert found.tensor.shape == (1, 2)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": 5}, "'text' is a number, not a string"),
        ({"text": ["a"]}, "'text' is a list, not a string"),
        ({"id": True, "text": "a"}, "'id' is true or false, not a string"),
        ({"id": {}, "text": "a"}, "'id' is an object, not a string"),
        ({"year": 1}, "no content: none of text, uri, tensor, embedding, blob"),
        ({"text": None}, "no content: none of text, uri, tensor, embedding, blob"),
        ({"blob": "*"}, "'blob' is not base64"),
        ({"blob": 1}, "'blob' is a number, not a string in base64"),
        ({"embedding": "x"}, "'embedding' is a string, not a list of numbers"),
        ({"embedding": {}}, "'embedding' is an object, not a list of numbers"),
        ({"embedding": []}, "'embedding' is not a list of numbers"),
        ({"embedding": [1, "a"]}, "'embedding' is not a list of numbers"),
        ({"embedding": [[1], [1, 2]]}, "'embedding' has rows of different lengths"),
        ({"embedding": [1e300]}, "'embedding' has a number that is not finite"),
        ({"text": "a", "tags": 1}, "'tags' is a number, not an object"),
    ],
)
def test_a_row_that_is_no_document_says_why(fields: dict[str, Any], reason: str) -> None:
    assert fields_of(_row(3, **fields), {}) == RowError("f", 3, reason, b"raw")


def test_the_same_content_has_the_same_id_wherever_it_stands() -> None:
    first, second = _row(1, text="a", year=1), _row(9, year=1, text="a")

    ids = {found.id for row in (first, second) if isinstance(found := fields_of(row, {}), Fields)}

    assert len(ids) == 1


def test_other_content_has_another_id() -> None:
    [batch] = _batches([_row(text="a"), _row(text="b"), _row(text="a", year=1)])

    assert len(set(batch.docs.ids)) == 3


def test_batches_are_full_but_for_the_last() -> None:
    batches = _batches([_row(i, text=str(i)) for i in range(1, 6)], size=2)

    assert [batch.docs.text() for batch in batches] == [["1", "2"], ["3", "4"], ["5"]]
    assert [[row.line for row in batch.rows] for batch in batches] == [[1, 2], [3, 4], [5]]


def test_errors_come_with_the_batch_they_were_met_in() -> None:
    batches = _batches([_row(text="a"), RowError("f", 2, "x"), _row(3, text=1)])

    assert [len(batch.docs) for batch in batches] == [1]
    assert [error.line for error in batches[0].errors] == [2, 3]


def test_a_pause_hands_on_what_there_is() -> None:
    batches = _batches([Pause.PAUSE, _row(text="a"), Pause.PAUSE, Pause.PAUSE, _row(text="b")])

    assert [batch.docs.text() for batch in batches] == [["a"], ["b"]]


def test_large_documents_make_small_batches() -> None:
    large = "x" * (5 * 2**20)

    assert [len(batch.docs) for batch in _batches([_row(text=large)] * 4)] == [2, 2]


def test_endless_rows_are_read_one_batch_at_a_time() -> None:
    taken: list[int] = []

    def endless() -> Iterator[Item]:
        number = 0
        while True:
            number += 1
            taken.append(number)
            yield _row(number, text=str(number))

    batches = read_batches(endless(), size=3)

    assert next(batches).docs.text() == ["1", "2", "3"]
    assert taken == [1, 2, 3]


def test_documents_without_a_field_have_none_in_its_column() -> None:
    [batch] = _batches([_row(text="a", year=1), _row(embedding=[1.0])])

    assert batch.docs.values("text") == ["a", None]
    assert batch.docs.values("tags") == [{"year": 1}, None]
    assert batch.docs.values("embedding")[0] is None
