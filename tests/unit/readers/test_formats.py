"""Each format's way from bytes to rows."""

from __future__ import annotations

import datetime
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import ValuesColumn
from jina_cli.documents.parquet import kinds_of, write_parquet
from jina_cli.documents.readers import Source, formats, read_batches, read_sources
from jina_cli.documents.readers.row import Item, Pause, Row, RowError
from tests.testing.documents import plainly, some_vectors


def _shown(items: object) -> list[tuple[int, object]]:
    """Each row as its line and fields, each error as its line and reason."""
    assert hasattr(items, "__iter__")
    shown: list[tuple[int, object]] = []
    for item in items:
        assert isinstance(item, Row | RowError)
        shown.append((item.line, item.fields if isinstance(item, Row) else item.reason))
    return shown


def _read(read: formats.Read, data: bytes, uri: str = "") -> list[tuple[int, object]]:
    return _shown(read(iter([data]), "f", uri))


def test_json_lines_go_on_after_bad_ones() -> None:
    data = b'{"id":"1","text":"a"}\n\nnope\n[1]\n{"text":"\xff"}\n{"text":NaN}\n{"text":"b"}'

    assert _read(formats.read_jsonl, data) == [
        (1, {"id": "1", "text": "a"}),
        (3, "not JSON: invalid literal, expected 'null'"),
        (4, "not a JSON object"),
        (5, "not UTF-8"),
        (6, "not JSON: unexpected character, expected a JSON value"),
        (7, {"text": "b"}),
    ]


def test_a_bad_row_is_handed_back_as_it_was() -> None:
    [error] = formats.read_jsonl(iter([b"{broken\n"]), "f", "")

    assert isinstance(error, RowError)
    assert error.raw == b"{broken"
    assert str(error).startswith("f:1: not JSON")


def test_a_json_array_has_its_places_as_lines() -> None:
    assert _read(formats.read_json, b'[{"text":"a"}, 5, {"text":"b"}]') == [
        (1, {"text": "a"}),
        (2, "not a JSON object"),
        (3, {"text": "b"}),
    ]


def test_a_json_file_of_one_object_or_of_lines_is_read_too() -> None:
    assert _read(formats.read_json, b'{\n"text":"a"\n}') == [(1, {"text": "a"})]
    assert _read(formats.read_json, b'{"text":"a"}\n{"text":"b"}\n') == [
        (1, {"text": "a"}),
        (2, {"text": "b"}),
    ]


def test_lines_are_texts_and_say_where_they_stand() -> None:
    rows = list(formats.read_lines(iter([b"one\n \n\xff\ntwo\n"]), "f", "notes.txt"))

    assert _shown(rows) == [(1, {"text": "one"}), (3, "not UTF-8"), (4, {"text": "two"})]
    assert [row.uri for row in rows if isinstance(row, Row)] == ["notes.txt:1", "notes.txt:4"]


def test_a_text_file_is_one_document_known_by_its_path() -> None:
    [row] = formats.read_text(iter([b"a\n", b"b\n"]), "f", "dir/f.txt")

    assert isinstance(row, Row)
    assert (row.line, row.fields, row.uri) == (0, {"text": "a\nb\n"}, "dir/f.txt")
    assert row.identity is not None
    assert row.identity.endswith(b"/dir/f.txt")


def test_csv_has_its_names_in_the_first_record() -> None:
    data = b'id,text,year\n1,"a, ""b""\nc",1999\n2,d,\n'

    assert _read(formats.read_csv, data) == [
        (2, {"id": "1", "text": 'a, "b"\nc', "year": "1999"}),
        (4, {"id": "2", "text": "d"}),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_separators_are_told_from_the_header(separator: str) -> None:
    data = f"id{separator}text\n1{separator}a\n".encode()

    assert _read(formats.read_csv, data) == [(2, {"id": "1", "text": "a"})]


def test_csv_goes_on_after_bad_records() -> None:
    data = b'id,text\n1,a,b\n2,\xff\n3,c\n4,"x"y\n5,d\n'

    assert _read(formats.read_csv, data) == [
        (2, "3 fields where the header has 2"),
        (3, "not UTF-8"),
        (4, {"id": "3", "text": "c"}),
        (5, "not CSV: ',' expected after '\"'"),
        (6, {"id": "5", "text": "d"}),
    ]


def test_a_quote_that_is_never_closed_is_one_bad_record() -> None:
    assert _read(formats.read_csv, b'id,text\n1,"a\nb\n') == [
        (2, "not CSV: unexpected end of data")
    ]


def test_an_array_is_one_tensor_a_row_and_rows_that_are_not_finite_are_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "v.npy"
    np.save(path, np.array([[1.0, 2.0], [np.nan, 0.0], [3.0, 4.0]]))

    first, bad, last = formats.read_npy(str(path))

    assert isinstance(first, Row)
    assert isinstance(last, Row)
    assert first.fields["tensor"].dtype == np.float32
    assert last.fields["tensor"].tolist() == [3.0, 4.0]
    assert last.uri == f"{path}:3"
    assert bad == RowError(str(path), 2, "a number is NaN or infinite")


def test_an_array_of_objects_is_not_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "v.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)

    [error] = formats.read_npy(str(path))

    assert isinstance(error, RowError)
    assert error.reason.startswith("not a .npy array: ")


@pytest.mark.parametrize(
    ("beginning", "name"),
    [(b'  {"text"', "read_jsonl"), (b"hello", "read_lines"), (b"\xef\xbb\xbf{", "read_jsonl")],
)
def test_a_stream_of_objects_is_json_lines_and_any_other_is_lines(
    beginning: bytes, name: str
) -> None:
    assert formats.sniff_stream(beginning) is getattr(formats, name)


def test_a_file_with_zero_bytes_or_another_encoding_is_not_text() -> None:
    assert formats.sniff(b"a\0b") is None
    assert formats.sniff(b"\xff\xfe a long text in latin-1") is None
    assert formats.sniff("für".encode()[:2]) is formats.read_text


@given(st.lists(st.binary(max_size=60), max_size=5))
@pytest.mark.parametrize("name", ["jsonl", "json", "csv", "lines", "text"])
def test_no_bytes_break_a_reader(name: str, chunks: list[bytes]) -> None:
    items: list[Item] = list(formats.BY_NAME[name](iter(chunks), "f", ""))

    assert all(isinstance(item, Row | RowError | Pause) for item in items)


def test_only_npy_needs_a_file() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((1, 2)))

    assert formats.format_of("x.npy") == "npy"
    assert "npy" not in formats.BY_NAME


def _table(path: Path, docs: DocumentBatch | None = None) -> str:
    if docs is None:
        day = datetime.date(2026, 11, 21)
        rows = [{"title": "a", "day": day, "blob": b"\x00", "v": [1.5]}, {"text": "b", "price": 3}]
        pq.write_table(pa.Table.from_pylist(rows, schema=_FOREIGN), path)
    else:
        with path.open("wb") as file:
            write_parquet(file, [docs], kinds_of(docs))
    return str(path)


_FOREIGN = pa.schema(
    [
        *(("title", pa.string()), ("text", pa.string()), ("day", pa.date32())),
        *(("blob", pa.binary()), ("v", pa.list_(pa.float32())), ("price", pa.int64())),
    ]
)


def test_rows_of_a_parquet_table_are_read(tmp_path: Path) -> None:
    path = _table(tmp_path / "a.parquet")

    items = list(formats.read_parquet(path))

    assert _shown(items) == [
        (1, {"title": "a", "day": "2026-11-21", "blob": "AA==", "v": [1.5]}),
        (2, {"text": "b", "price": 3}),
    ]
    assert [item.uri for item in items if isinstance(item, Row)] == [f"{path}:1", f"{path}:2"]


def test_documents_that_were_dumped_as_a_table_are_read_as_they_were(tmp_path: Path) -> None:
    docs = some_vectors(2).with_columns(tags=ValuesColumn([{"n": 1}, None]))

    items = list(read_sources([Source(_table(tmp_path / "a.parquet", docs))]))

    (batch,) = read_batches(iter(items), size=10)
    assert plainly(batch.docs.without("uri")) == plainly(docs)


def test_a_file_that_is_no_parquet_table_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"nothing")

    (item,) = formats.read_parquet(str(tmp_path / "a.parquet"))

    assert isinstance(item, RowError)
    assert item.reason.startswith("cannot be read: is no Parquet file that can be read: ")
