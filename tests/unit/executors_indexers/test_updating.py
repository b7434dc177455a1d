"""What `/update` leaves of documents."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jina_cli.documents.batch import DocumentBatch, MissingField
from jina_cli.documents.column import TextColumn
from jina_cli.documents.rows import to_rows
from jina_cli.executors.indexers.hybrid import HybridIndexer
from jina_cli.executors.indexers.key_value import KeyValueIndexer
from jina_cli.executors.indexers.text import TextIndexer
from jina_cli.executors.indexers.updating import updated
from jina_cli.executors.indexers.vector import VectorIndexer
from tests.unit.executors_indexers.making import (
    Shelf,
    index,
    rows,
    tagged,
    texts,
    update,
    vectors,
    with_chunks,
)


def test_fields_that_are_not_given_stay() -> None:
    kept = rows({"id": "a", "text": "old", "uri": "u"}, {"id": "b", "text": "other"})

    left = updated(kept, rows({"id": "a", "text": "new"}, {"id": "c", "text": "fresh"}))

    assert list(left.ids) == ["a", "c"]
    assert list(left.values("text")) == ["new", "fresh"]
    assert list(left.values("uri")) == ["u", None]


def test_tags_are_changed_key_by_key_and_a_null_takes_one_out() -> None:
    kept = tagged(texts(a="x", b="y", c="z"), {"n": 1, "m": 2}, {"n": 1}, {"n": 1})
    patch = tagged(texts(a=None, b=None, c=None), {"n": 3, "m": None, "k": 4}, {}, {"n": 9})

    left = updated(kept, patch)

    assert list(left.values("tags")) == [{"n": 3, "k": 4}, {"n": 1}, {"n": 9}]
    assert list(left.values("text")) == ["x", "y", "z"]


def test_new_chunks_take_the_place_of_all_old_ones_and_no_chunks_of_none() -> None:
    kept = with_chunks(texts(a="x", b="y"), texts(a1="1", a2="2"), texts(b1="3"))
    patch = with_chunks(texts(a=None, b=None), texts(n1="new"), DocumentBatch([]))

    a, b = updated(kept, patch).values("chunks")

    assert (list(a.ids), list(b.ids)) == (["n1"], ["b1"])


def test_the_hash_of_what_it_was_is_not_that_of_what_it_is() -> None:
    kept = texts(a="x").with_columns(content_hash=TextColumn(["h"]))

    assert "content_hash" not in updated(kept, texts(a="y")).columns


def test_a_document_that_comes_twice_is_changed_twice() -> None:
    kept = rows({"id": "a", "text": "old", "uri": "u"})

    left = updated(kept, rows({"id": "a", "text": "new"}, {"id": "a", "mime_type": "m"}))

    (row,) = to_rows(left)
    assert row == {"id": "a", "text": "new", "uri": "u", "mime_type": "m"}


@pytest.mark.parametrize("cls", [TextIndexer, VectorIndexer, HybridIndexer, KeyValueIndexer])
def test_any_indexer_keeps_what_an_update_does_not_bring(shelf: Shelf, cls: Any) -> None:
    indexer = shelf(cls)
    index(indexer, tagged(vectors(a=[1, 0]).with_texts(["boat"]), {"price": 1, "lang": "en"}))

    update(indexer, tagged(DocumentBatch(["a"]), {"price": 2}))

    found = indexer.get(["a"])
    assert (found.values("text")[0], found.values("tags")[0]) == (
        "boat",
        {"price": 2, "lang": "en"},
    )
    assert found.tensor("embedding").tolist() == [[1, 0]]
    assert indexer.count(filter="price = 2 and lang = 'en'") == 1


def test_a_new_document_needs_what_is_searched(shelf: Shelf) -> None:
    indexer = shelf(TextIndexer)

    with pytest.raises(MissingField, match=r"^document 'new' has no 'title or text'$"):
        update(indexer, tagged(DocumentBatch(["new"]), {"price": 2}))
    update(indexer, texts(new="words"))

    assert indexer.count() == 1


def test_an_update_sees_what_was_queued_before_it(shelf: Shelf) -> None:
    indexer = shelf(TextIndexer)

    async def all_at_once() -> None:
        changes = []
        for n in range(20):
            changes.append(indexer.index(tagged(texts(a=f"word{n}"), {"n": n})))
            changes.append(indexer.update(tagged(DocumentBatch(["a"]), {"m": n})))
        await asyncio.gather(*changes)

    asyncio.run(all_at_once())

    found = indexer.get(["a"])
    assert (found.values("text")[0], found.values("tags")[0]) == ("word19", {"n": 19, "m": 19})
