"""Files of whole documents: what is written batch by batch is read the same."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import TextColumn
from jina_cli.documents.dumps import (
    DumpFormat,
    format_of,
    have_vectors,
    read_dumps,
    without_vectors,
    writer_of,
)
from jina_cli.documents.readers.batches import ReadBatch
from jina_cli.documents.readers.inputs import Source
from jina_cli.documents.rows import from_rows, to_rows
from tests.testing.documents import one_of_each, plainly, some_texts, some_vectors

FORMATS: tuple[DumpFormat, ...] = ("jsonl", "parquet")


def write(path: Path, format_: DumpFormat, *batches: DocumentBatch) -> Source:
    with path.open("wb") as file:
        writer = writer_of(format_, file, str(path.parent))
        for batch in batches:
            writer.write(batch)
        writer.end()
        writer.close()
    return Source(str(path))


def read(*sources: Source, size: int = 2, format_: DumpFormat | None = None) -> list[ReadBatch]:
    return list(read_dumps(sources, format_=format_, size=size))


def rows(batches: list[ReadBatch]) -> list[dict[str, Any]]:
    return [row for batch in batches for row in plainly(batch.docs)]


@pytest.mark.parametrize("format_", FORMATS)
def test_batches_of_several_kinds_come_back(format_: DumpFormat, tmp_path: Path) -> None:
    parts = [one_of_each(), some_vectors(5), some_texts(2)]

    source = write(tmp_path / f"docs.{format_}", format_, *parts)

    assert rows(read(source, size=1)) == [row for part in parts for row in plainly(part)]
    assert os.listdir(tmp_path) == [f"docs.{format_}"]


@pytest.mark.parametrize("format_", FORMATS)
def test_no_document_is_a_file_too(format_: DumpFormat, tmp_path: Path) -> None:
    assert rows(read(write(tmp_path / f"docs.{format_}", format_))) == []


@pytest.mark.parametrize("format_", FORMATS)
def test_documents_have_the_place_they_stand_at(format_: DumpFormat, tmp_path: Path) -> None:
    source = write(tmp_path / f"docs.{format_}", format_, some_texts(3))

    batches = read(source)

    assert [len(batch.docs) for batch in batches] == [2, 1]
    places = [(row.source, row.line) for batch in batches for row in batch.rows]
    assert places == [(source.path, 1), (source.path, 2), (source.path, 3)]


def test_a_format_that_is_named_wins(tmp_path: Path) -> None:
    source = write(tmp_path / "docs.dump", "parquet", some_texts(1))

    assert format_of(source.path) == "jsonl"
    assert rows(read(source, format_="parquet")) == plainly(some_texts(1))
    assert [format_of(name) for name in ("a.parquet", "A.PQ", "a.jsonl", "-")] == [
        *("parquet", "parquet", "jsonl", "jsonl")
    ]


def test_a_bad_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_bytes(b'{"id": "a"}\n\n[]\n{"id": "b", "x": {"$array": []}}\n{"id": "c"}')

    (batch,) = read(Source(str(path)), size=10)

    assert list(batch.docs.ids) == ["a", "c"]
    assert [row.line for row in batch.rows] == [1, 5]
    assert [str(error).partition(": _")[0] for error in batch.errors] == [
        f"{path}:3: is a list, not an object",
        f"{path}:4: 'x' is marked and cannot be read",
    ]
    assert batch.errors[0].raw == b"[]"


@pytest.mark.parametrize("name", ["none.jsonl", "none.parquet"])
def test_a_file_that_cannot_be_read_is_told(name: str, tmp_path: Path) -> None:
    (batch,) = read(Source(str(tmp_path / name)))

    assert str(batch.errors[0]) == f"{tmp_path / name}: cannot be read: No such file or directory"


def test_a_file_that_is_no_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"no table")

    (batch,) = read(Source(str(tmp_path / "x.parquet")))

    assert "is no Parquet file that can be read: " in str(batch.errors[0])


def test_a_table_comes_through_a_pipe(tmp_path: Path) -> None:
    data = io.BytesIO()
    writer = writer_of("parquet", data)
    writer.write(some_texts(3))
    writer.end()
    writer.close()
    reading, writing = os.pipe()
    with open(writing, "wb") as pipe:
        pipe.write(data.getvalue())
    try:
        source = Source(f"/dev/fd/{reading}", stream=True)
        assert rows(read(source, format_="parquet")) == plainly(some_texts(3))
    finally:
        os.close(reading)


NESTED = from_rows(
    [
        {"id": "a", "embedding": [1.0]},
        {"id": "b", "tensor": [1.0], "chunks": [{"id": "c", "embedding": [1.0], "text": "t"}]},
        {"id": "d", "chunks": [{"id": "e", "chunks": [{"id": "f", "embedding": [2.0]}]}]},
        {"id": "g", "tensor": [1.0], "chunks": [{"id": "h", "text": "t"}]},
        {"id": "i"},
    ]
)


def test_a_vector_is_the_documents_own_or_of_a_chunk_and_no_tensor() -> None:
    assert have_vectors(NESTED).tolist() == [True, True, True, False, False]


def test_documents_go_without_vectors() -> None:
    assert to_rows(without_vectors(NESTED)) == [
        {"id": "a"},
        {"id": "b", "tensor": [1.0], "chunks": [{"id": "c", "text": "t"}]},
        {"id": "d", "chunks": [{"id": "e", "chunks": [{"id": "f"}]}]},
        {"id": "g", "tensor": [1.0], "chunks": [{"id": "h", "text": "t"}]},
        {"id": "i"},
    ]
    assert not have_vectors(without_vectors(NESTED)).any()


def test_documents_without_vectors_stay_as_they_are() -> None:
    batch = DocumentBatch(["a"], {"text": TextColumn(["t"])})

    assert without_vectors(batch) is batch
