"""Documents by id, and what all Indexers answer about those they keep."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import BytesColumn, DocsColumn, ValuesColumn
from jina_cli.drivers.base import BadParameter
from jina_cli.errors import StorageFailed
from jina_cli.executors.indexers.hybrid import HybridIndexer
from jina_cli.executors.indexers.key_value import KeyValueIndexer
from jina_cli.executors.indexers.text import TextIndexer
from jina_cli.executors.indexers.vector import VectorIndexer
from tests.unit.executors_indexers.making import (
    Shelf,
    delete,
    ids_of,
    index,
    tagged,
    vectors,
)

ALL = [TextIndexer, VectorIndexer, HybridIndexer, KeyValueIndexer]


def goods() -> DocumentBatch:
    docs = vectors(a=[1, 0], b=[0, 1], c=[1, 1]).with_texts(["red boat", "blue boat", "boat"])
    return tagged(docs, {"price": 5, "lang": "en"}, {"price": 15, "lang": "fr"}, {"lang": "de"})


def test_documents_come_back_by_id_with_all_fields(shelf: Shelf) -> None:
    indexer = shelf(KeyValueIndexer)
    index(indexer, goods().with_columns(blob=BytesColumn([b"1", None, b"\0"])))

    found = indexer.get(["c", "nobody", "a"])

    assert list(found.ids) == ["c", "a"]
    assert list(found.values("blob")) == [b"\0", b"1"]
    assert list(found.values("tags")) == [{"lang": "de"}, {"price": 5, "lang": "en"}]
    assert found.tensor("embedding").tolist() == [[1, 1], [1, 0]]


def test_a_document_needs_nothing_to_be_kept_by_id(shelf: Shelf) -> None:
    indexer = shelf(KeyValueIndexer)
    index(indexer, DocumentBatch(["bare"]))

    assert list(indexer.get(["bare"]).ids) == ["bare"]
    assert (len(indexer.get(["nobody"])), indexer.count()) == (0, 1)


def test_matches_that_others_found_are_filled(shelf: Shelf) -> None:
    indexer = shelf(KeyValueIndexer, store_fields=["text"])
    index(indexer, goods())
    found = DocumentBatch(["b", "gone", "a"], {"score": ValuesColumn([0.9, 0.8, 0.7])})
    query = DocumentBatch(["q"], {"matches": DocsColumn(np.array([0, 3]), found)})
    (driver,) = indexer.default_drivers()["/search"]

    done = asyncio.run(driver(indexer, query, {}))  # type: ignore[arg-type]

    matches = done.docs.docs("matches")
    assert matches is not None
    rows = zip(matches.docs.ids, matches.docs.text(), matches.docs.values("score"), strict=True)
    assert list(rows) == [("b", "blue boat", 0.9), ("a", "red boat", 0.7)]


def test_a_search_driver_finds_the_document_of_the_same_id(shelf: Shelf) -> None:
    indexer = shelf(KeyValueIndexer)
    index(indexer, goods())

    matches = indexer.search(DocumentBatch(["a", "nobody", "b", "a"]), top_k=5)
    cheap = indexer.search(DocumentBatch(["a", "b"]), top_k=5, filter="price < 10")

    assert ids_of(matches) == [["a"], [], ["b"], ["a"]]
    assert ids_of(cheap) == [["a"], []]


@pytest.mark.parametrize("cls", ALL)
def test_a_filter_counts_dumps_and_deletes(shelf: Shelf, cls: Any) -> None:
    indexer = shelf(cls)
    index(indexer, goods())

    counts = [
        indexer.count(),
        indexer.count(filter="price < 10 and lang in ('en', 'fr')"),
        indexer.count(filter={"tags__price": {"$exists": False}}),
        indexer.count(filter='{"lang": {"$in": ["de", "fr"]}}'),
    ]
    page = indexer.dump(after="a", limit=9, filter={"lang": {"$neq": "de"}}, vectors=True)
    deleted = delete(indexer, "nobody", "c", filter="lang = 'fr'")

    assert counts == [3, 1, 1, 2]
    assert (list(page.ids), page.tensor("embedding").tolist()) == (["b"], [[0, 1]])
    assert (deleted, indexer.count(), list(indexer.get(["a", "b"]).ids)) == (2, 1, ["a"])


@pytest.mark.parametrize("cls", [TextIndexer, VectorIndexer, HybridIndexer])
def test_a_filter_chooses_what_is_found(shelf: Shelf, cls: Any) -> None:
    indexer = shelf(cls)
    index(indexer, goods())
    query = vectors(q=[1, 0]).with_texts(["boat"])

    (found,) = ids_of(indexer.search(query, top_k=9, filter={"price": {"$gt": 10}}))
    (none,) = ids_of(indexer.search(query, top_k=9, filter="price > 100"))

    assert (found, none) == (["b"], [])


@pytest.mark.parametrize("cls", ALL)
def test_what_is_no_condition_is_refused_with_its_place(shelf: Shelf, cls: Any) -> None:
    indexer = shelf(cls)
    index(indexer, goods())

    with pytest.raises(BadParameter, match=r"^filter: ") as caught:
        indexer.count(filter="price <")
    with pytest.raises(BadParameter, match=r"^filter: "):
        delete(indexer, "a", filter={"price": {"$less": 3}})

    assert caught.value.args[1] == "parameters.filter"
    assert indexer.count() == 3


@pytest.mark.parametrize("cls", ALL)
def test_a_filter_that_says_nothing_deletes_nothing(shelf: Shelf, cls: Any) -> None:
    indexer = shelf(cls)
    index(indexer, goods())

    assert delete(indexer, filter="") == 0
    assert delete(indexer, filter={}) == 0
    assert indexer.count(filter="") == 3


@pytest.mark.parametrize("cls", ALL)
def test_a_dump_without_vectors_has_all_else(shelf: Shelf, cls: Any) -> None:
    indexer = shelf(cls)
    index(indexer, goods())

    page = indexer.dump(after="", limit=9, filter=None, vectors=False)

    assert (list(page.ids), sorted(page.columns)) == (["a", "b", "c"], ["tags", "text"])


@pytest.mark.parametrize("cls", ALL)
def test_later_replicas_read_what_the_first_wrote(shelf: Shelf, cls: Any) -> None:
    reader = shelf(cls, replica=1)
    writer = shelf(cls)
    index(writer, goods())

    assert (reader.count(), list(reader.get(["b"]).values("text"))) == (3, ["blue boat"])
    delete(writer, "a")
    assert reader.count() == 2
    with pytest.raises(StorageFailed, match="was opened to read only"):
        index(reader, goods())


@pytest.mark.parametrize("cls", ALL)
def test_two_writers_are_refused(shelf: Shelf, cls: Any) -> None:
    shelf(cls)

    with pytest.raises(StorageFailed, match="is being written by process"):
        shelf(cls)
