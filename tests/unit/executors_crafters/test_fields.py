"""Fields under other names."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.column import DocsColumn, TensorColumn, TextColumn, ValuesColumn
from jina_cli.drivers.base import Done
from jina_cli.executors.crafters.fields import FieldMapper


def mapped(docs: DocumentBatch, **options: Any) -> DocumentBatch:
    mapper = FieldMapper(**options)

    async def run() -> Done:
        (driver,) = mapper.default_drivers()["/index"]
        return await driver(mapper, docs, {})

    return asyncio.run(run()).docs


def two() -> DocumentBatch:
    tags = [{"title": "T", "meta": {"lang": "en"}}, {"body": "B"}]
    columns = {"text": TextColumn(["one", None]), "tags": ValuesColumn(tags)}
    return DocumentBatch(["a", "b"], columns)


def test_what_is_moved_is_no_longer_where_it_was() -> None:
    made = mapped(two(), move={"tags.body": "text", "tags.meta.lang": "tags.lang"})

    assert made.values("text") == ["one", "B"]
    assert made.values("tags") == [{"title": "T", "meta": {}, "lang": "en"}, {}]


def test_what_is_copied_is_in_both_places() -> None:
    made = mapped(two(), copy={"text": "tags.a.b", "id": "tags.key"})

    assert made.values("text") == ["one", None]
    assert made.values("tags") == [
        {"title": "T", "meta": {"lang": "en"}, "a": {"b": "one"}, "key": "a"},
        {"body": "B", "key": "b"},
    ]


def test_what_is_dropped_is_gone() -> None:
    made = mapped(two(), drop=["text", "tags.meta", "tags.none", "blob"])

    assert "text" not in made.columns
    assert made.values("tags") == [{"title": "T"}, {"body": "B"}]


def test_documents_given_are_not_written_into() -> None:
    docs = two()
    mapped(docs, move={"tags.meta.lang": "tags.meta.language"}, drop=["tags.title"])

    assert docs.values("tags") == two().values("tags")


def test_tensors_and_chunks_move_as_they_are() -> None:
    array = np.arange(4.0).reshape(2, 2)
    chunks = DocsColumn(np.array([0, 1, 1]), DocumentBatch(["c"]))
    docs = DocumentBatch(["a", "b"], {"tensor": TensorColumn(array), "chunks": chunks})

    made = mapped(docs, move={"tensor": "embedding", "chunks": "matches"})

    assert set(made.columns) == {"embedding", "matches"}
    assert made.tensor("embedding").tolist() == array.tolist()
    assert made.docs("matches") is chunks


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"copy": {"tensor": "tags.x"}}, "ndarray cannot be kept at 'tags.x'"),
        ({"copy": {"chunks": "tags.x"}}, "documents cannot be kept at 'tags.x'"),
        ({"copy": {"tags.part": "tensor"}}, "'tensor' would be of several kinds"),
    ],
)
def test_what_cannot_be_kept_in_a_place_is_refused(options: dict[str, Any], said: str) -> None:
    columns = {
        "tensor": TensorColumn(np.ones((2, 2))),
        "chunks": DocsColumn(np.array([0, 1, 1]), DocumentBatch(["c"])),
        "tags": ValuesColumn([{"part": "text"}, None]),
    }

    with pytest.raises(BadField, match=said):
        mapped(DocumentBatch(["a", "b"], columns), **options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"move": {"tags.": "text"}}, "'tags.' is no path"),
        ({"drop": ["text.title"]}, "'text.title' is no path"),
        ({"move": {"tags.docno": "id"}}, "the id of documents stays"),
        ({"drop": ["id"]}, "the id of documents stays"),
    ],
)
def test_paths_that_lead_nowhere_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FieldMapper(**options)
