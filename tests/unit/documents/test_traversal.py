"""Traversal paths: reading them, and putting results back where they came from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, TextColumn
from jina_cli.documents.traversal import (
    BadPath,
    Path,
    documents_at,
    parse_paths,
    put_at,
)

PATHS = {
    "@r": ((),),
    "r": ((),),
    "@c": (("chunks",),),
    "@m": (("matches",),),
    "@cc": (("chunks", "chunks"),),
    "@cm": (("chunks", "matches"),),
    "@r,c": ((), ("chunks",)),
    "@rc": (("chunks",),),
    " @r , mc": ((), ("matches", "chunks")),
}


@pytest.mark.parametrize("text", PATHS)
def test_a_path_is_read_letter_by_letter(text: str) -> None:
    assert parse_paths(text.strip()) == PATHS[text]


def test_a_list_of_paths_is_several_paths() -> None:
    assert parse_paths(["c", "@m"]) == (("chunks",), ("matches",))


@pytest.mark.parametrize("text", ["", "@", "@x", "@c,", "@cr", "chunks"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(BadPath, match="is no traversal path"):
        parse_paths(text)


def test_no_path_at_all_is_refused() -> None:
    with pytest.raises(BadPath):
        parse_paths([])


@st.composite
def trees(draw: st.DrawFn, depth: int = 2) -> DocumentBatch:
    """Batches with chunks and matches, `depth` deep."""
    count = draw(st.integers(0, 4))
    ids = [f"{depth}-{i}-{draw(st.integers(0, 99))}" for i in range(count)]
    docs = DocumentBatch(ids, {"text": TextColumn([id_.upper() for id_ in ids])})
    if depth == 0 or count == 0:
        return docs
    for field in ("chunks", "matches"):
        if not draw(st.booleans()):
            continue
        inner = draw(trees(depth - 1))
        cuts = sorted(
            draw(st.lists(st.integers(0, len(inner)), min_size=count - 1, max_size=count - 1))
        )
        offsets = np.array([0, *cuts, len(inner)], np.int64)
        docs = docs.with_columns(**{field: DocsColumn(offsets, inner)})
    return docs


paths = st.lists(st.sampled_from(["chunks", "matches"]), max_size=2).map(tuple)


def shape(docs: DocumentBatch) -> object:
    """Everything that the documents hold, as plain values."""
    return [
        (
            docs.ids[i],
            {
                name: shape(docs.values(name)[i])
                if isinstance(column, DocsColumn)
                else docs.values(name)[i]
                for name, column in docs.columns.items()
            },
        )
        for i in range(len(docs))
    ]


@given(trees(), paths)
def test_putting_back_what_was_taken_changes_nothing(docs: DocumentBatch, path: Path) -> None:
    assert shape(put_at(docs, path, documents_at(docs, path))) == shape(docs)


@given(trees(), paths)
def test_what_is_put_at_a_path_changes_the_documents_there_and_no_others(
    docs: DocumentBatch, path: Path
) -> None:
    found = documents_at(docs, path)

    after = put_at(docs, path, found.with_texts([id_ + "!" for id_ in found.ids]))

    assert list(documents_at(after, path).values("text")) == [id_ + "!" for id_ in found.ids]
    assert after.ids == docs.ids
    for other in {(), ("chunks",), ("matches",)} - {path}:
        before = documents_at(docs, other).values("text")
        assert list(documents_at(after, other).values("text")) == list(before)


def test_where_there_are_no_documents_nothing_is_put() -> None:
    docs = DocumentBatch(["a"])

    assert put_at(docs, ("chunks",), DocumentBatch([])) is docs


def test_documents_may_not_get_fewer_where_they_are_put_back() -> None:
    docs = DocumentBatch(["a", "b"])

    with pytest.raises(ValueError, match="1 documents cannot take the place of 2"):
        put_at(docs, (), docs.slice(0, 1))
