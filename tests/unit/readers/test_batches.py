"""Rows to batches: fields, ids, sizes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from jina_cli.documents.readers.batches import ReadBatch, read_batches
from jina_cli.documents.readers.fields import Fields, fields_of
from jina_cli.documents.readers.row import Item, Pause, Row, RowError, Skipped


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
        ({"year": 1}, "no content: none of text, title, uri, tensor, embedding, blob"),
        ({"text": None}, "no content: none of text, title, uri, tensor, embedding, blob"),
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


def test_long_texts_make_small_batches_where_characters_are_limited() -> None:
    rows = [_row(number, text="x" * length) for number, length in enumerate((5, 6, 30, 1, 1))]

    batches = list(read_batches(iter(rows), size=64, most_chars=10))

    assert [len(batch.rows) for batch in batches] == [2, 1, 2]


def test_documents_without_a_field_have_none_in_its_column() -> None:
    [batch] = _batches([_row(text="a", year=1), _row(embedding=[1.0])])

    assert batch.docs.values("text") == ["a", None]
    assert batch.docs.values("tags") == [{"year": 1}, None]
    assert batch.docs.values("embedding")[0] is None


def test_a_title_is_content_and_stays_a_tag() -> None:
    found = fields_of(_row(title="bread", year=1999), {})

    assert isinstance(found, Fields)
    assert found.text is None
    assert found.tags == {"title": "bread", "year": 1999}


@pytest.mark.parametrize("title", ["", "  ", 5, None])
def test_a_title_that_says_nothing_is_no_content(title: object) -> None:
    assert isinstance(fields_of(_row(title=title), {}), RowError)


def test_a_row_without_content_is_told_which_column_might_be_the_text() -> None:
    columns = ("docno", "body", "empty")
    row = Row(source="f", line=2, fields={"docno": "1", "body": "some words"}, columns=columns)

    refused = fields_of(row, {})

    assert isinstance(refused, RowError)
    assert refused.hint == (
        "its columns are docno, body, empty; --field-map body=text takes one as text"
    )


@pytest.mark.parametrize("names", [{"body": "uri"}, {"docno": "text"}])
def test_nothing_is_proposed_where_the_file_has_content_elsewhere(names: dict[str, str]) -> None:
    columns = ("docno", "text", "body") if "body" in names else ("docno", "other")
    row = Row(source="f", line=2, fields={"other": "words"}, columns=columns)

    refused = fields_of(row, names)

    assert isinstance(refused, RowError)
    assert refused.hint == ""


def test_names_of_a_field_map_that_no_row_has_are_left_over() -> None:
    rows = [_row(body="a"), Row(source="f", line=2, fields={"text": "b"}, columns=("text", "no"))]
    unseen = {"body", "no", "never"}

    list(read_batches(iter(rows), size=8, field_map={"body": "text"}, unseen=unseen))

    assert unseen == {"never"}


def test_skipped_files_come_with_the_batch_or_alone() -> None:
    skipped = Skipped("report.pdf", "not text")

    [batch] = _batches([_row(text="a"), skipped])
    [alone] = _batches([skipped])

    assert (len(batch.docs), batch.skipped) == (1, [skipped])
    assert (len(alone.docs), alone.skipped) == (0, [skipped])
