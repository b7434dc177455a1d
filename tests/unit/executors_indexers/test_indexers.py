"""The built-in Indexers, called as their Drivers call them."""

import asyncio
import re
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina_cli.documents.batch import BadField, DocumentBatch, MissingField
from jina_cli.documents.column import (
    DocsColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
)
from jina_cli.executors.indexers.text import TextIndexer
from jina_cli.executors.indexers.vector import VectorIndexer

Indexer = TextIndexer | VectorIndexer


class Indexers:
    """Makes Indexers on one workspace, and closes them."""

    def __init__(self, workspace: Path) -> None:
        self._args = {"workspace": str(workspace), "name": "index"}
        self._open: list[Indexer] = []

    def text(self, **options: Any) -> TextIndexer:
        return self._opened(TextIndexer(**options, runtime_args=self._args))

    def vector(self, **options: Any) -> VectorIndexer:
        return self._opened(VectorIndexer(**options, runtime_args=self._args))

    def _opened(self, indexer: Any) -> Any:
        self._open.append(indexer)
        return indexer

    def close(self) -> None:
        while self._open:
            self._open.pop().close()


@pytest.fixture
def indexers(tmp_path: Path) -> Iterator[Indexers]:
    made = Indexers(tmp_path)
    yield made
    made.close()


def texts(**by_id: str | None) -> DocumentBatch:
    return DocumentBatch(list(by_id), {"text": TextColumn(list(by_id.values()))})


def vectors(**by_id: list[float]) -> DocumentBatch:
    array = np.array(list(by_id.values()), np.float32)
    return DocumentBatch(list(by_id), {"embedding": TensorColumn(array)})


def index(indexer: Indexer, docs: DocumentBatch) -> None:
    asyncio.run(indexer.index(docs))


def ids_of(matches: DocsColumn) -> list[list[str]]:
    ends = matches.offsets.tolist()
    return [list(matches.docs.ids[a:b]) for a, b in pairwise(ends)]


def test_words_find_whole_documents(indexers: Indexers) -> None:
    indexer = indexers.text()
    tags = ValuesColumn([{"n": 1}, {"n": 2}])
    index(indexer, texts(a="slow boats", b="red cars").with_columns(tags=tags))

    matches = indexer.search(texts(q="boat", r="blue", s="a car"), top_k=5)

    assert ids_of(matches) == [["a"], [], ["b"]]
    assert list(matches.docs.values("text")) == ["slow boats", "red cars"]
    assert list(matches.docs.values("tags")) == [{"n": 1}, {"n": 2}]
    assert all(type(score) is float and score > 0 for score in matches.docs.values("score"))


def test_a_title_is_searched_too_and_fields_come_back_as_they_were(indexers: Indexers) -> None:
    indexer = indexers.text()
    docs = DocumentBatch(
        ["both", "text", "title"],
        {
            "title": TextColumn(["boat", None, "boat"]),
            "text": TextColumn(["words", "a boat", None]),
        },
    )
    index(indexer, docs)

    matches = indexer.search(texts(q="boat"), top_k=5).docs

    rows = zip(matches.ids, matches.values("title"), matches.values("text"), strict=True)
    assert sorted(rows) == [
        ("both", "boat", "words"),
        ("text", None, "a boat"),
        ("title", "boat", None),
    ]


def test_only_titles_are_searched_where_only_titles_are_named(indexers: Indexers) -> None:
    indexer = indexers.text(fields=["title"])
    title = TextColumn(["the title"])
    index(indexer, texts(a="the text").with_columns(title=title))

    assert ids_of(indexer.search(texts(q="text", r="title"), top_k=5)) == [[], ["a"]]


def test_a_title_among_the_tags_is_searched(indexers: Indexers) -> None:
    indexer = indexers.text()
    tags = ValuesColumn([{"title": "boat"}, {"title": 3}, None])
    index(indexer, texts(a="x", b="y", c="z").with_columns(tags=tags))

    matches = indexer.search(texts(q="boats", r="z"), top_k=5)

    assert ids_of(matches) == [["a"], ["c"]]
    assert list(matches.docs.values("text")) == ["x", "z"]


def test_a_document_without_text_is_refused_with_its_batch(indexers: Indexers) -> None:
    indexer = indexers.text()

    with pytest.raises(MissingField, match=r"^document 'b' has no 'title or text'$"):
        index(indexer, texts(a="words", b=None))

    assert indexer.count() == 0


def test_vectors_find_documents_nearest_first(indexers: Indexers) -> None:
    indexer = indexers.vector(metric="l2")
    docs = vectors(far=[9, 9], near=[1, 0], same=[0, 0]).with_texts(["f", "n", "s"])
    index(indexer, docs)

    matches = indexer.search(vectors(q=[0, 0]), top_k=2)

    assert ids_of(matches) == [["same", "near"]]
    assert list(matches.docs.values("score")) == [0.0, -1.0]
    assert list(matches.docs.values("text")) == ["s", "n"]
    assert "embedding" not in matches.docs.columns


def test_vectors_come_back_if_asked_for(indexers: Indexers) -> None:
    indexer = indexers.vector(return_fields=["embedding"])
    index(indexer, vectors(a=[3, 4]).with_texts(["x"]))

    by_default = indexer.search(vectors(q=[1, 1]), top_k=1).docs
    asked = indexer.search(vectors(q=[1, 1]), top_k=1, return_fields=["text"]).docs

    assert by_default.tensor("embedding").tolist() == [[3, 4]]
    assert sorted(by_default.columns) == ["embedding", "score"]
    assert sorted(asked.columns) == ["score", "text"]


@pytest.mark.parametrize("kind", ["text", "vector"])
def test_an_index_outlives_its_indexer(indexers: Indexers, kind: str) -> None:
    docs = vectors(a=[1, 0], b=[0, 1]).with_texts(["red", "blue"])
    index(getattr(indexers, kind)(), docs)
    indexers.close()

    indexer = getattr(indexers, kind)()

    assert indexer.count() == 2
    assert ids_of(indexer.search(vectors(q=[0, 1]).with_texts(["blue"]), top_k=1)) == [["b"]]
    assert asyncio.run(indexer.delete(["b", "nobody"])) == 1
    assert ids_of(indexer.search(vectors(q=[0, 1]).with_texts(["blue"]), top_k=1)) in (
        [["a"]],
        [[]],
    )


def test_requests_at_the_same_time_share_transactions(indexers: Indexers) -> None:
    indexer = indexers.vector()

    async def index_all() -> None:
        batches = (vectors(**{f"d{i}": [i, 1.0]}) for i in range(300))
        await asyncio.gather(*(indexer.index(batch) for batch in batches))

    asyncio.run(index_all())

    assert indexer.count() == 300
    assert indexer._store.transactions < 300


class Watched(list[str]):
    """Texts that know who looked at them."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__(texts)
        self.looked: set[threading.Thread] = set()

    def __iter__(self) -> Iterator[str]:
        self.looked.add(threading.current_thread())
        return super().__iter__()


@pytest.mark.parametrize("kind", ["text", "vector"])
def test_records_are_not_made_in_the_event_loop(indexers: Indexers, kind: str) -> None:
    words = Watched(["red", "blue"])
    docs = vectors(a=[1, 0], b=[0, 1]).with_columns(text=TextColumn(words))

    index(getattr(indexers, kind)(), docs)

    assert words.looked
    assert threading.main_thread() not in words.looked


def test_changes_are_made_in_the_order_of_their_calls(indexers: Indexers) -> None:
    indexer = indexers.text()

    async def change() -> None:
        changes = []
        for number in range(50):
            changes.append(asyncio.create_task(indexer.index(texts(a=f"word {number}"))))
            changes.append(asyncio.create_task(indexer.delete(["a"])))
        changes.append(asyncio.create_task(indexer.index(texts(a="the last word"))))
        await asyncio.gather(*changes)

    asyncio.run(change())

    assert list(indexer.search(texts(q="word"), top_k=5).docs.values("text")) == ["the last word"]


def test_vectors_that_do_not_fit_are_refused(indexers: Indexers) -> None:
    indexer = indexers.vector()
    index(indexer, vectors(a=[1, 0]))

    with pytest.raises(BadField, match=r"^vectors have 3 dimensions, the index has 2, made by"):
        index(indexer, vectors(b=[1, 0, 0]))
    with pytest.raises(BadField, match=r"^queries have 1 dimensions, the index has 2, made by"):
        indexer.search(vectors(q=[1]), top_k=1)
    with pytest.raises(BadField, match=r"^'embedding' must be finite, row 0 has NaN"):
        index(indexer, vectors(b=[float("nan"), 0]))
    with pytest.raises(MissingField, match=r"^document 'c' has no 'embedding'$"):
        index(indexer, texts(c="x"))
    ragged = RaggedColumn([np.zeros(2), np.zeros(3)])
    with pytest.raises(BadField, match="'embedding' has tensors of shapes"):
        index(indexer, DocumentBatch(["d", "e"], {"embedding": ragged}))

    assert indexer.count() == 1


def test_an_unknown_metric_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must be one of cosine, inner_product, l2$") as caught:
        VectorIndexer(metric="cosin", runtime_args={"workspace": str(tmp_path)})

    assert str(caught.value).startswith("metric is 'cosin', and")


def test_fields_given_as_one_word_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^fields must be a list of names, not 'text'$"):
        TextIndexer(fields="text", runtime_args={"workspace": str(tmp_path)})


@pytest.mark.parametrize("kind", ["text", "vector"])
def test_only_fields_to_store_are_kept(indexers: Indexers, kind: str) -> None:
    indexer = getattr(indexers, kind)(store_fields=["tags"])
    images = TensorColumn(np.ones((1, 4, 4), np.uint8))
    tags = ValuesColumn([{"n": 1}])
    docs = vectors(a=[3, 4]).with_texts(["word"]).with_columns(tensor=images, tags=tags)
    index(indexer, docs)

    query = vectors(q=[1, 1]).with_texts(["word"])
    matches = indexer.search(query, top_k=1).docs
    asked = indexer.search(query, top_k=1, return_fields=["tensor", "text", "embedding"]).docs

    assert sorted(matches.columns) == ["score", "tags"]
    assert sorted(asked.columns) == (["embedding", "score"] if kind == "vector" else ["score"])


@pytest.mark.parametrize("given", ["text", 5, True, ["text", 5]])
@pytest.mark.parametrize("kind", ["text", "vector"])
def test_what_is_no_list_of_fields_is_refused(indexers: Indexers, kind: str, given: object) -> None:
    message = f"^return_fields must be a list of names, not {re.escape(repr(given))}$"
    with pytest.raises(BadField, match=message):
        getattr(indexers, kind)(return_fields=given)

    query = vectors(q=[1, 1]).with_texts(["word"])
    with pytest.raises(BadField, match=message):
        getattr(indexers, kind)().search(query, top_k=1, return_fields=given)


def test_deleted_documents_do_not_come_back_as_bare_ids(indexers: Indexers) -> None:
    indexer = indexers.vector(return_fields=[])
    index(indexer, vectors(a=[1, 0], b=[0, 1]))

    asyncio.run(indexer.delete(["a"]))

    assert ids_of(indexer.search(vectors(q=[1, 0]), top_k=5)) == [["b"]]
