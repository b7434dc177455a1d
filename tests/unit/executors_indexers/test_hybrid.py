"""Words and vectors searched at once; expected ranks and scores were worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jina_cli.documents.batch import BadField, DocumentBatch, MissingField
from jina_cli.documents.column import TensorColumn, TextColumn, ValuesColumn
from jina_cli.drivers.base import BadParameter
from jina_cli.executors.indexers.hybrid import HybridIndexer
from jina_cli.executors.indexers.text import TextIndexer
from tests.unit.executors_indexers.making import (
    Shelf,
    delete,
    ids_of,
    index,
    tagged,
    texts,
    update,
    vectors,
    with_chunks,
)

NOTHING = DocumentBatch([])


def chunks(**by_id: tuple[str, list[float]]) -> DocumentBatch:
    docs = vectors(**{id_: vector for id_, (_, vector) in by_id.items()})
    places = [[0, len(text)] for text, _ in by_id.values()]
    return docs.with_texts([text for text, _ in by_id.values()]).with_columns(
        location=ValuesColumn(places)
    )


def boats() -> DocumentBatch:
    """Three documents: one with two chunks, one with one, one with neither chunk nor vector."""
    return with_chunks(
        tagged(
            texts(a="red cars", b="boats on a river", c="a boat, a boat"), {"n": 1}, {"n": 2}, {}
        ),
        chunks(a1=("red", [1, 0]), a2=("cars", [0, 1])),
        chunks(b1=("boats", [1, 1])),
        NOTHING,
    )


def question(text: str | None = None, vector: list[float] | None = None) -> DocumentBatch:
    return texts(q=text) if vector is None else vectors(q=vector).with_texts([text])


def ranked(indexer: HybridIndexer, docs: DocumentBatch, **asked: Any) -> list[str]:
    (ids,) = ids_of(indexer.search(docs, **{"top_k": 9, **asked}))
    return ids


def test_both_rankings_count(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, boats())

    matches = indexer.search(question("boat", [0, 1]), top_k=9)

    # By words c is first, b second; by vectors a (its second chunk), then b.
    assert ids_of(matches) == [["b", "a", "c"]]
    assert list(matches.docs.values("score")) == [2 / 62, 1 / 61, 1 / 61]


def test_the_chunk_that_won_comes_with_its_document(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, boats())

    matches = indexer.search(question("boat", [0, 2]), top_k=9).docs

    found = dict(zip(matches.ids, matches.values("chunks"), strict=True))
    assert (list(found["a"].ids), list(found["b"].ids), len(found["c"])) == (["a2"], ["b1"], 0)
    assert list(found["a"].text()) == ["cars"]
    assert list(found["a"].values("location")) == [[0, 4]]
    assert list(found["a"].values("score")) == [1.0]
    assert "embedding" not in found["a"].columns


def test_chunks_stay_away_if_other_fields_are_named(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, boats())

    matches = indexer.search(question("boat", [0, 1]), top_k=9, return_fields=["tags"]).docs
    named = indexer.search(question("boat", [0, 1]), top_k=9, return_fields=["chunks"]).docs

    assert sorted(matches.columns) == ["score", "tags"]
    assert sorted(named.columns) == ["chunks", "score"]


def test_a_match_explains_where_each_ranking_has_it(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, boats())

    matches = indexer.search(question("boat", [0, 1]), top_k=9, explain=True).docs

    reasons = dict(zip(matches.ids, matches.values("explain"), strict=True))
    assert reasons["a"] == {
        "lexical": None,
        "vector": {"rank": 1, "score": 1.0, "chunk": {"id": "a2", "text": "cars"}},
    }
    assert reasons["c"]["lexical"]["rank"] == 1
    assert reasons["c"]["vector"] is None
    assert (reasons["b"]["lexical"]["rank"], reasons["b"]["vector"]["rank"]) == (2, 2)


def test_a_vector_of_its_own_wins_without_a_chunk(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, vectors(own=[1, 0], none=None).with_texts(["x", "y"]))

    matches = indexer.search(question(None, [1, 0]), top_k=9, explain=True).docs

    assert list(matches.ids) == ["own"]
    assert "chunks" not in matches.columns
    (reason,) = matches.values("explain")
    assert reason == {"lexical": None, "vector": {"rank": 1, "score": 1.0, "chunk": None}}


def test_a_query_is_answered_by_what_it_has(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, boats())
    queries = vectors(both=[0, 1], words=None, vector=[1, 0]).with_texts(["boat", "boat", None])

    both, words, vector = ids_of(indexer.search(queries, top_k=9))

    assert (both, words, vector) == (["b", "a", "c"], ["c", "b"], ["a", "b"])


def test_an_index_without_vectors_is_searched_by_words(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, texts(a="red cars", b="boats"))

    assert ranked(indexer, question("boat", [1, 0])) == ["b"]
    assert ranked(indexer, question("boat")) == ["b"]


def test_an_index_of_a_text_indexer_is_opened_and_takes_vectors(shelf: Shelf) -> None:
    index(shelf(TextIndexer), texts(a="red cars", b="boats"))
    shelf.close()

    indexer = shelf(HybridIndexer)
    before = ranked(indexer, question("boat", [1, 0]))
    index(indexer, vectors(v=[1, 0]).with_texts(["other"]))

    assert (before, ranked(indexer, question("boat", [1, 0]))) == (["b"], ["b", "v"])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("lexical", ["c", "b"]), ("vector", ["a", "b"]), ("hybrid", ["b", "a", "c"])],
)
def test_a_request_chooses_what_finds(shelf: Shelf, mode: str, expected: list[str]) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, boats())

    assert ranked(indexer, question("boat", [0, 1]), mode=mode) == expected


@pytest.mark.parametrize(
    ("mode", "docs", "missing"),
    [
        ("auto", question(), "text or embedding"),
        ("hybrid", question("boat"), "embedding"),
        ("hybrid", question(None, [1, 0]), "text"),
        ("lexical", question(None, [1, 0]), "text"),
        ("vector", question("boat"), "embedding"),
    ],
)
def test_a_query_without_what_is_searched_is_refused(
    shelf: Shelf, mode: str, docs: DocumentBatch, missing: str
) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, boats())

    with pytest.raises(MissingField, match=f"^document 'q' has no '{missing}'$"):
        indexer.search(docs, top_k=1, mode=mode)


def test_only_documents_that_meet_the_filter_are_found_by_either(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, boats())

    assert ranked(indexer, question("boat", [0, 1]), filter="n >= 1") == ["b", "a"]
    assert ranked(indexer, question("boat", [0, 1]), filter={"tags__n": {"$eq": 2}}) == ["b"]
    with pytest.raises(BadParameter, match=r"^filter: "):
        ranked(indexer, question("boat"), filter="n >=")


def test_the_best_are_put_into_the_order_of_their_vectors(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, boats())

    matches = indexer.search(question("boat", [0, 1]), top_k=9, rerank=2)
    of_words = ranked(indexer, question("boat", [1, 1]), mode="lexical", rerank=9)

    assert ids_of(matches) == [["a", "b", "c"]]
    # Scores belong to places, so that they fall.
    assert list(matches.docs.values("score")) == [2 / 62, 1 / 61, 1 / 61]
    assert of_words == ["b", "c"]  # c has no vector


def test_more_are_fused_than_are_returned(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, boats())

    assert ranked(indexer, question("boat", [0, 1]), top_k=1) == ["b"]  # second in both
    assert ranked(indexer, question("boat", [0, 1]), top_k=1, depth=1) == ["a"]


def test_all_fields_come_back_by_id(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    given = boats().with_columns(odd=TensorColumn(np.arange(6).reshape(3, 2)))
    index(indexer, given)

    found = indexer.get(["c", "nobody", "a"])

    assert list(found.ids) == ["c", "a"]
    assert list(found.values("text")) == ["a boat, a boat", "red cars"]
    assert found.tensor("odd").tolist() == [[4, 5], [0, 1]]
    none, some = found.values("chunks")
    assert (len(none), list(some.ids), list(some.text())) == (0, ["a1", "a2"], ["red", "cars"])
    assert some.tensor("embedding").tolist() == [[1, 0], [0, 1]]
    assert list(some.values("location")) == [[0, 3], [0, 4]]


def test_chunks_that_hold_more_than_text_come_back_too(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    inner = vectors(x=[1, 0], y=None).with_texts(["one", "two"])
    inner = inner.with_columns(tensor=TensorColumn(np.arange(2.0).reshape(2, 1)))
    index(indexer, with_chunks(texts(a="words"), inner))

    (back,) = indexer.get(["a"]).values("chunks")
    found = indexer.search(question(None, [1, 0]), top_k=1).docs.values("chunks")

    assert (list(back.ids), list(back.text())) == (["x", "y"], ["one", "two"])
    assert back.tensor("tensor").tolist() == [[0.0], [1.0]]
    assert [None if v is None else v.tolist() for v in back.values("embedding")] == [[1, 0], None]
    assert (list(found[0].ids), list(found[0].text())) == (["x"], ["one"])


def test_a_dump_is_in_order_of_ids_with_vectors_if_asked_for(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, vectors(c=[1, 0], a=None, b=[0, 1]).with_texts(["x", "y", "z"]))

    first = indexer.dump(after="", limit=2, filter=None, vectors=False)
    rest = indexer.dump(after="b", limit=2, filter=None, vectors=True)
    chosen = indexer.dump(after="", limit=9, filter="text = 'y'", vectors=True)

    assert (list(first.ids), "embedding" in first.columns) == (["a", "b"], False)
    assert (list(rest.ids), rest.tensor("embedding").tolist()) == (["c"], [[1, 0]])
    assert list(chosen.ids) == ["a"]


def test_a_document_is_changed_and_deleted_with_its_chunks(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    index(indexer, boats())

    update(indexer, with_chunks(texts(a="blue planes"), chunks(new=("planes", [0, -1]))))
    (kept,) = indexer.get(["a"]).values("chunks")
    deleted = delete(indexer, "b", filter="text like '%boat%'")

    assert list(kept.ids) == ["new"]
    assert ranked(indexer, question("plane", [0, 1])) == ["a"]
    assert (deleted, indexer.count()) == (2, 1)


def test_a_document_that_nothing_finds_is_refused_with_its_batch(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer)
    nameless = DocumentBatch([""], {"embedding": TensorColumn(np.ones((1, 2), np.float32))})
    mixed = vectors(a=[1, 0], b=None).with_texts(["x", "y"])

    with pytest.raises(MissingField, match=r"^document 'b' has no 'title or text or embedding'$"):
        index(indexer, texts(a="words", b=None))
    with pytest.raises(BadField, match="a chunk has no id"):
        index(indexer, with_chunks(texts(a="words"), nameless))
    with pytest.raises(BadField, match=r"^vectors of documents have 2 dimensions, those of their"):
        index(indexer, with_chunks(mixed, vectors(c=[1, 0, 0]), NOTHING))

    assert indexer.count() == 0


def test_fields_are_searched_as_they_are_named(shelf: Shelf) -> None:
    indexer = shelf(HybridIndexer, fields=["title"], store_fields=["title"])
    docs = texts(a="the text").with_columns(title=TextColumn(["the title"]))
    index(indexer, with_chunks(docs, chunks(c=("secret", [1, 0]))))

    matches = indexer.search(question("title", [1, 0]), top_k=5)

    assert ids_of(matches) == [["a"]]
    assert ranked(indexer, question("text")) == []
    kept = indexer.get(["a"])
    assert sorted(kept.columns) == ["chunks", "title"]
    assert list(kept.values("chunks")[0].columns) == ["embedding"]
