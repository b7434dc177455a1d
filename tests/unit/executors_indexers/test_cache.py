"""What comes by a DocCache, and what does not."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jina_cli.documents.batch import DocumentBatch, MissingField
from jina_cli.documents.column import TextColumn
from jina_cli.documents.hashing import content_hashes
from jina_cli.documents.sharding import shard_of
from jina_cli.executors.indexers.cache import DocCache
from jina_cli.executors.indexers.hybrid import HybridIndexer
from jina_cli.executors.indexers.key_value import KeyValueIndexer
from jina_cli.executors.indexers.text import TextIndexer
from tests.unit.executors_indexers.making import delete, index, tagged, texts, update


class Chain:
    """A DocCache before an Indexer, in folders as a Flow gives them."""

    def __init__(self, root: Path, **options: Any) -> None:
        self._root = root
        self.indexer = self.made(TextIndexer, "index")
        self.cache = self.made(DocCache, "cache", **options)

    def made(self, cls: Any, pod: str, shard: int = 0, **options: Any) -> Any:
        args = {"workspace": str(self._root), "shard_id": shard, "name": pod}
        return cls(**options, metas={"name": pod}, runtime_args=args)

    def send(self, docs: DocumentBatch) -> list[str]:
        """Index documents, and return the ids of those that the Indexer got."""
        passed = self.cache.pass_on(docs)
        if len(passed):
            index(self.indexer, passed)
        return list(passed.ids)

    def close(self) -> None:
        self.cache.close()
        self.indexer.close()


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    made = Chain(tmp_path)
    yield made
    made.close()


def test_what_did_not_change_goes_no_further(chain: Chain) -> None:
    sent = [
        chain.send(texts(a="red", b="blue")),
        chain.send(texts(a="red", b="green", c="new")),
        chain.send(texts(a="red", b="green", c="new")),
    ]

    assert sent == [["a", "b"], ["b", "c"], []]
    assert list(chain.indexer.get(["a", "b", "c"]).values("text")) == ["red", "green", "new"]


def test_a_change_of_any_content_counts(chain: Chain) -> None:
    chain.send(tagged(texts(a="red"), {"price": 1}))

    assert chain.send(tagged(texts(a="red"), {"price": 1})) == []
    assert chain.send(tagged(texts(a="red"), {"price": 2})) == ["a"]


def test_what_the_indexer_did_not_keep_comes_by_again(chain: Chain) -> None:
    docs = texts(a="red", b="blue")
    passed = chain.cache.pass_on(docs)

    # The Pod behind fails: nothing was acknowledged, so nothing may be remembered.
    with pytest.raises(MissingField):
        index(chain.indexer, passed.without("text"))

    assert chain.send(docs) == ["a", "b"]


def test_what_was_deleted_or_changed_comes_by_again(chain: Chain) -> None:
    docs = texts(a="red", b="blue", c="green")
    chain.send(docs)
    delete(chain.indexer, "a")
    update(chain.indexer, tagged(DocumentBatch(["b"]), {"price": 1}))

    assert chain.send(docs) == ["a", "b"]


def test_the_hash_is_that_of_what_came_whatever_others_made_of_it(chain: Chain) -> None:
    docs = texts(a="  Red ")
    passed = chain.cache.pass_on(docs)
    index(chain.indexer, passed.with_columns(text=TextColumn(["red"])))

    assert list(passed.values("content_hash")) == content_hashes(docs)
    assert chain.send(docs) == []
    assert list(chain.indexer.get(["a"]).values("text")) == ["red"]


def test_of_an_id_that_comes_twice_the_last_one_wins(chain: Chain) -> None:
    chain.send(texts(a="red"))
    twice = DocumentBatch(["a", "a"], {"text": TextColumn(["blue", "red"])})

    assert chain.send(twice) == ["a", "a"]
    assert list(chain.indexer.get(["a"]).values("text")) == ["red"]


def test_ids_alone_may_be_compared(tmp_path: Path) -> None:
    chain = Chain(tmp_path, field="id")

    assert chain.send(texts(a="red")) == ["a"]
    assert chain.send(texts(a="blue", b="green")) == ["b"]
    chain.close()


def test_each_document_is_looked_for_in_its_shard(tmp_path: Path) -> None:
    chain = Chain(tmp_path, shards=2)
    other = chain.made(TextIndexer, "index", 1)
    here, there = "a", next(id_ for id_ in "bcdefgh" if shard_of(id_, 2) == 1)
    docs = texts(**{here: "red", there: "blue"})
    passed = chain.cache.pass_on(docs)
    # The first shard has both, as it would if there had been one shard once.
    index(chain.indexer, passed)

    after_one = list(chain.cache.pass_on(docs).ids)
    index(other, passed.take([1]))
    after_both = list(chain.cache.pass_on(docs).ids)

    assert (after_one, after_both) == ([there], [])
    other.close()
    chain.close()


def test_all_components_of_a_pod_must_have_it(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    folder = str(tmp_path / "both" / "0")
    first = KeyValueIndexer(metas={"name": "x"}, runtime_args={"workspace": folder})
    second = HybridIndexer(metas={"name": "y"}, runtime_args={"workspace": folder})
    cache = chain.made(DocCache, "cache", index="both")
    docs = texts(a="red")
    passed = cache.pass_on(docs)
    index(first, passed)

    with_one = list(cache.pass_on(docs).ids)
    index(second, passed)
    with_both = list(cache.pass_on(docs).ids)

    assert (with_one, with_both) == (["a"], [])
    for one in (cache, first, second, chain):
        one.close()


def test_without_an_index_everything_goes_on(tmp_path: Path) -> None:
    args = {"workspace": str(tmp_path), "shard_id": 0}
    cache = DocCache(index=str(tmp_path / "nowhere"), runtime_args=args)

    assert list(cache.pass_on(texts(a="red")).ids) == ["a"]
    assert not (tmp_path / "nowhere").exists()


def test_an_index_that_was_made_anew_is_not_taken_for_the_one_before(chain: Chain) -> None:
    docs = texts(a="red")
    chain.send(docs)
    assert chain.send(docs) == []
    chain.indexer.close()
    shutil.rmtree(chain.indexer.workspace)

    without = list(chain.cache.pass_on(docs).ids)
    chain.indexer = chain.made(TextIndexer, "index")

    assert (without, chain.send(docs), chain.send(docs)) == (["a"], ["a"], [])


def test_how_many_were_left_out_is_said(chain: Chain) -> None:
    chain.send(texts(a="red"))
    (driver,) = chain.cache.default_drivers()["/index"]

    done = asyncio.run(driver(chain.cache, texts(a="red", b="blue"), {}))
    none = asyncio.run(driver(chain.cache, DocumentBatch([]), {}))

    assert (list(done.docs.ids), done.results) == (["b"], {"skipped": 1})
    assert none.results == {}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"field": "text"}, "field is 'text', and must be one of content_hash, id"),
        ({"shards": 0}, "shards is 0, and must be at least 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    tmp_path: Path, options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        DocCache(**options, runtime_args={"workspace": str(tmp_path), "shard_id": 0})
