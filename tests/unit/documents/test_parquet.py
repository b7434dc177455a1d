"""Documents as Parquet: what is written is read back the same, and others can read it."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, TensorColumn, TextColumn, ValuesColumn
from jina_cli.documents.parquet import (
    METADATA,
    BadTable,
    Kinds,
    from_table,
    kinds_of,
    kinds_of_both,
    read_parquet,
    to_table,
    write_parquet,
)
from jina_cli.documents.rows import to_rows
from tests.testing.documents import batches, one_of_each, plainly
from tests.unit.documents.test_jsonlines import known_batches


def written(*parts: DocumentBatch) -> io.BytesIO:
    """Return a file of several batches."""
    kinds: Kinds = {}
    for part in parts:
        kinds = kinds_of_both(kinds, kinds_of(part))
    file = io.BytesIO()
    write_parquet(file, parts, kinds)
    return file


def back(*parts: DocumentBatch, rows: int = 1024) -> list[dict[str, Any]]:
    return [row for part in read_parquet(written(*parts), rows) for row in plainly(part)]


@settings(deadline=None, max_examples=50)
@given(batches() | known_batches())
def test_documents_of_any_kind_come_back_the_same(batch: DocumentBatch) -> None:
    assert back(batch) == plainly(batch)


@settings(deadline=None, max_examples=50)
@given(batches() | known_batches(), batches() | known_batches())
def test_batches_of_different_kinds_are_one_file(one: DocumentBatch, other: DocumentBatch) -> None:
    # One by one: documents of one batch that differ in the kind of a field have nodes there.
    assert back(one, other, rows=1) == [*plainly(one), *plainly(other)]


def test_documents_in_documents_come_back_to_any_depth() -> None:
    batch = one_of_each()
    for _ in range(4):
        column = DocsColumn(np.array([0, 1, len(batch)], np.int64), batch)
        batch = DocumentBatch(["x", "y"], {"chunks": column, "matches": column, "mine": column})

    assert back(batch) == plainly(batch)


def test_other_tools_see_plain_columns(tmp_path: Path) -> None:
    batch = DocumentBatch(
        ["a", "b"],
        {
            "text": TextColumn(["x", None]),
            "score": ValuesColumn([0.5, float("nan")]),
            "embedding": TensorColumn(np.array([[1, 2], [3, 4]], np.float32)),
            "tags": ValuesColumn([{"lang": "en"}, None]),
        },
    )
    path = tmp_path / "docs.parquet"
    path.write_bytes(written(batch).getvalue())

    table = pq.read_table(path)

    assert table.schema.field("embedding").type == pa.list_(pa.float32())
    assert table.column("embedding").to_pylist() == [[1, 2], [3, 4]]
    assert table.column("text").to_pylist() == ["x", None]
    assert orjson.loads(table.column("tags")[0].as_py()) == {"lang": "en"}


def test_tables_of_others_are_read_as_rows() -> None:
    day = datetime.date(2026, 11, 21)
    table = pa.table(
        {"id": [1, 2], "text": ["a", None], "day": [day, day], "embedding": [[1.5], None]}
    )

    batch = from_table(table)

    assert to_rows(batch) == [
        {"id": "1", "text": "a", "day": "2026-11-21", "embedding": [1.5]},
        {"id": "2", "day": "2026-11-21"},
    ]
    column = batch.columns["embedding"]
    assert isinstance(column, TensorColumn)
    assert column.array.dtype == np.float32


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(BadTable, match="is no Parquet file that can be read: "):
        list(read_parquet(io.BytesIO(b"PAR1 and so on")))


@pytest.mark.parametrize(
    "told", [b"{", b"[]", b'{"version": 9}', b'{"version": 1, "columns": {"x": "text"}}']
)
def test_a_table_that_says_what_it_is_not_is_refused(told: bytes) -> None:
    table = to_table(DocumentBatch(["a"], {"text": TextColumn(["x"])}))

    with pytest.raises(BadTable):
        from_table(table.replace_schema_metadata({METADATA: told}))
