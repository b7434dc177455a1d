"""Chunks and matches: levels and parents, to any depth, of columns and of objects alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import DocsColumn, TextColumn
from jina_cli.documents.convert import from_docs, to_docs
from jina_cli.documents.document import Document
from jina_cli.documents.relatives import (
    add_chunks,
    add_matches,
    as_chunks,
    as_matches,
    count_chunks,
    with_relatives,
)
from jina_cli.documents.rows import from_rows, to_rows

LEVELS = ("granularity", "adjacency", "parent_id", "ref_id", "mime_type")


def told(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a document says of its place among others."""
    return {name: row[name] for name in LEVELS if row.get(name) is not None}


def lists(*ids: list[str]) -> DocsColumn:
    return DocsColumn.of([DocumentBatch(one) for one in ids])


def test_a_chunk_is_one_finer_and_knows_its_document() -> None:
    docs = from_rows([{"id": "a", "mime_type": "text/plain"}, {"id": "b", "granularity": 2}])

    chunks = as_chunks(docs, lists(["x", "y"], ["z"]))

    assert [told(row) for row in to_rows(chunks.docs)] == [
        {"granularity": 1, "parent_id": "a", "mime_type": "text/plain"},
        {"granularity": 1, "parent_id": "a", "mime_type": "text/plain"},
        {"granularity": 3, "parent_id": "b"},
    ]


def test_a_chunk_keeps_a_type_of_its_own_and_the_adjacency_of_its_document() -> None:
    docs = from_rows([{"id": "a", "mime_type": "text/html", "adjacency": 1}])
    chunks = DocsColumn.of([from_rows([{"id": "x", "mime_type": "image/png", "adjacency": 7}])])

    assert told(to_rows(as_chunks(docs, chunks).docs)[0]) == {
        "granularity": 1,
        "adjacency": 1,
        "parent_id": "a",
        "mime_type": "image/png",
    }


def test_a_match_is_one_farther_away_and_keeps_the_document_it_is_a_chunk_of() -> None:
    docs = from_rows([{"id": "q", "granularity": 1}])
    found = DocsColumn.of([from_rows([{"id": "x", "parent_id": "p", "granularity": 5}])])

    assert told(to_rows(as_matches(docs, found).docs)[0]) == {
        "granularity": 1,
        "adjacency": 1,
        "parent_id": "p",
        "ref_id": "q",
    }


def test_levels_are_right_below_what_is_added() -> None:
    docs = from_rows([{"id": "q"}])
    found = from_rows([{"id": "m", "chunks": [{"id": "c", "matches": [{"id": "n"}]}]}])

    rows = to_rows(as_matches(docs, DocsColumn.of([found])).docs)

    chunk = rows[0]["chunks"][0]
    assert told(rows[0]) == {"adjacency": 1, "ref_id": "q"}
    assert told(chunk) == {"adjacency": 1, "granularity": 1, "parent_id": "m"}
    assert told(chunk["matches"][0]) == {"adjacency": 2, "granularity": 1, "ref_id": "c"}


def test_no_chunks_stay_no_chunks() -> None:
    docs = DocumentBatch(["a", "b"])
    none = DocsColumn(np.zeros(3, np.int64), EMPTY_BATCH)

    assert as_chunks(docs, none) is none
    assert with_relatives(docs) is docs


def test_another_number_of_lists_is_refused() -> None:
    with pytest.raises(ValueError, match="1 lists of chunks for 2 documents"):
        as_chunks(DocumentBatch(["a", "b"]), lists(["x"]))


def test_documents_nested_too_deep_are_refused() -> None:
    docs = DocumentBatch(["a"])
    for _ in range(33):
        docs = DocumentBatch(["a"], {"chunks": DocsColumn(np.array([0, 1]), docs)})

    with pytest.raises(ValueError, match="nested deeper than 32"):
        with_relatives(docs)


rows = st.recursive(
    st.fixed_dictionaries(
        {"id": st.sampled_from("abcdef")},
        optional={
            "mime_type": st.sampled_from(["text/plain", "image/png"]),
            "granularity": st.integers(0, 3),
            "adjacency": st.integers(0, 3),
        },
    ),
    lambda inner: st.builds(
        lambda row, **fields: {**row, **fields},
        st.fixed_dictionaries({"id": st.sampled_from("abcdef")}),
        chunks=st.lists(inner, max_size=2),
        matches=st.lists(inner, max_size=2),
    ),
    max_leaves=6,
)


def relate(row: dict[str, Any]) -> dict[str, Any]:
    """The rules as they are told, for one document after another."""
    result = dict(row)
    for field, rises, stays, owner in (
        ("chunks", "granularity", "adjacency", "parent_id"),
        ("matches", "adjacency", "granularity", "ref_id"),
    ):
        if field in row:
            result[field] = []
        for other in row.get(field, ()):
            changed = {name: value for name, value in other.items() if name != stays}
            changed |= {owner: row["id"], rises: (row.get(rises) or 0) + 1}
            if row.get(stays) is not None:
                changed[stays] = row[stays]
            if field == "chunks" and row.get("mime_type"):
                changed.setdefault("mime_type", row["mime_type"])
            result[field].append(relate(changed))
    return result


@given(st.lists(rows, max_size=3))
def test_columns_follow_the_rules_to_any_depth(given_rows: list[dict[str, Any]]) -> None:
    assert to_rows(with_relatives(from_rows(given_rows))) == [relate(row) for row in given_rows]


@given(rows, rows)
def test_objects_follow_the_rules_as_columns_do(
    parent: dict[str, Any], other: dict[str, Any]
) -> None:
    parent = {"id": "p", **told(parent)}
    docs = from_rows([parent])
    (doc,) = to_docs(docs, Document)
    (chunk,) = to_docs(from_rows([other]), Document)
    (match,) = to_docs(from_rows([other]), Document)

    add_chunks(doc, [chunk])
    add_matches(doc, [match])

    expected = relate({**parent, "chunks": [other], "matches": [other]})
    assert _without_nothing(to_rows(from_docs([doc]))[0]) == _without_nothing(expected)


def _without_nothing(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if value not in (None, [], {})}
    for field in ("chunks", "matches"):
        if field in kept:
            kept[field] = [_without_nothing(one) for one in kept[field]]
    return kept


def test_what_is_shared_is_not_copied() -> None:
    texts = TextColumn(["one", "two"])
    chunks = DocsColumn(np.array([0, 2]), DocumentBatch(["x", "y"], {"text": texts}))

    assert as_chunks(DocumentBatch(["a"]), chunks).docs.columns["text"] is texts


def test_chunks_of_chunks_are_counted() -> None:
    inner = DocsColumn(np.array([0, 2, 3]), DocumentBatch(["x", "y", "z"]))
    chunks = DocsColumn(np.array([0, 2]), DocumentBatch(["a", "b"], {"chunks": inner}))

    assert count_chunks(DocumentBatch(["d"], {"chunks": chunks})) == 5
