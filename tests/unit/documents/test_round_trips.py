"""Documents with chunks and matches to any depth, there and back by every way there is."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import orjson
import pytest
from docarray import DocList
from docarray.proto import DocListProto
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import (
    BytesColumn,
    Column,
    DocsColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
    column_of_arrays,
)
from jina_cli.documents.columns import decode, encode
from jina_cli.documents.convert import from_docs, to_docs
from jina_cli.documents.document import Document
from jina_cli.documents.hashing import content_hashes
from jina_cli.documents.jsonlines import from_lines, to_lines
from jina_cli.documents.parquet import kinds_of, read_parquet, write_parquet
from jina_cli.documents.relatives import with_relatives
from jina_cli.documents.rows import from_rows, to_numpy_rows
from jina_cli.documents.standard import scan, write
from tests.testing.documents import arrays, json_values, plainly, texts


def by_objects(batch: DocumentBatch) -> DocumentBatch:
    docs = to_docs(batch, Document)
    return from_docs([Document(**doc.__dict__) for doc in docs])


def by_columns(batch: DocumentBatch) -> DocumentBatch:
    return decode(b"".join(encode(batch)))


def by_protobuf(batch: DocumentBatch) -> DocumentBatch:
    return scan(write(batch))


def by_docarray(batch: DocumentBatch) -> DocumentBatch:
    docs = DocList[Document](list(to_docs(batch, Document)))
    ours = write(scan(docs.to_protobuf().SerializeToString()))
    return from_docs(DocList[Document].from_protobuf(DocListProto.FromString(ours)))


def by_json_lines(batch: DocumentBatch) -> DocumentBatch:
    return from_lines(to_lines(batch))


def by_parquet(batch: DocumentBatch) -> DocumentBatch:
    file = io.BytesIO()
    write_parquet(file, [batch], kinds_of(batch))
    return DocumentBatch.concat(read_parquet(file))


def by_json(batch: DocumentBatch) -> DocumentBatch:
    rows = orjson.dumps(to_numpy_rows(batch), option=orjson.OPT_SERIALIZE_NUMPY)
    return from_rows(orjson.loads(rows))


WAYS: Mapping[str, Callable[[DocumentBatch], DocumentBatch]] = {
    "objects": by_objects,
    "columns": by_columns,
    "protobuf": by_protobuf,
    "docarray": by_docarray,
    "JSON Lines": by_json_lines,
    "Parquet": by_parquet,
}

vectors = st.integers(1, 3).flatmap(
    lambda size: st.lists(st.floats(width=32, allow_nan=False), min_size=size, max_size=size)
)


@st.composite
def trees(draw: st.DrawFn, depth: int, *, plain: bool = False) -> DocumentBatch:
    """Draw documents with the fields that all know, `depth` levels of documents below them.

    Args:
        plain: Whether they hold nothing but what JSON has.
    """
    count = draw(st.integers(0, 2))

    def each(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(st.none() | values, min_size=count, max_size=count))

    finite = vectors.map(lambda row: [x if np.isfinite(x) else 0.0 for x in row])
    embeddings = (finite if plain else vectors).map(lambda row: np.array(row, np.float32))
    columns: dict[str, Column] = {
        "text": TextColumn(each(texts)),
        "tags": ValuesColumn(each(st.dictionaries(texts, json_values, max_size=2))),
        "blob": BytesColumn(each(st.binary(max_size=4))),
        "embedding": column_of_arrays(each(embeddings)),
        "score": ValuesColumn(each(st.floats(allow_nan=not plain, allow_infinity=not plain))),
        "granularity": ValuesColumn(each(st.integers(0, 3))),
    }
    if not plain:
        columns["tensor"] = column_of_arrays(each(arrays().filter(lambda a: a.size > 0)))
    names = draw(st.lists(st.sampled_from(sorted(columns)), max_size=3, unique=True))
    kept = {name: columns[name] for name in names}
    for field in ("chunks", "matches") if depth else ():
        if draw(st.booleans()):
            lists = [draw(trees(depth - 1, plain=plain)) for _ in range(count)]
            kept[field] = DocsColumn.of(lists)
    return DocumentBatch([f"{depth}-{place}" for place in range(count)], kept)


def said(value: Any) -> Any:
    """Return documents without fields that hold nothing: no way tells these from missing ones."""
    if isinstance(value, list):
        return [said(item) for item in value]
    if not isinstance(value, dict) or "id" not in value:
        return value
    fields = {name: said(item) for name, item in value.items()}
    return {name: item for name, item in fields.items() if item not in (None, [], {})}


@pytest.mark.parametrize("way", WAYS)
@settings(deadline=None, max_examples=25)
@given(batch=trees(3))
def test_documents_come_back_the_same_by(way: str, batch: DocumentBatch) -> None:
    back = WAYS[way](batch)

    assert said(plainly(back)) == said(plainly(batch))
    assert content_hashes(back) == content_hashes(batch)


@settings(deadline=None, max_examples=25)
@given(batch=trees(3, plain=True))
def test_documents_of_what_json_has_come_back_by_json(batch: DocumentBatch) -> None:
    assert said(plainly(by_json(batch))) == said(plainly(batch))


@pytest.mark.parametrize("way", WAYS)
def test_levels_come_back_from_below_by(way: str) -> None:
    batch = DocumentBatch(["leaf"], {"embedding": TensorColumn(np.ones((1, 2), np.float32))})
    for field in ("chunks", "matches") * 5:
        batch = DocumentBatch(["a", "b"], {field: DocsColumn(np.array([0, 0, len(batch)]), batch)})
    batch = with_relatives(batch)

    back = WAYS[way](batch)

    assert said(plainly(back)) == said(plainly(batch))
    row = plainly(back)[1]
    for field in ("matches", "chunks") * 5:
        row = row[field][-1]
    assert (row["id"], row["granularity"], row["adjacency"]) == ("leaf", 5, 5)
