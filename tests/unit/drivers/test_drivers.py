"""Drivers: what an Executor's array function gets, and where its result goes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from jina_cli.documents.batch import BadField, DocumentBatch, MissingField
from jina_cli.documents.column import (
    BytesColumn,
    DocsColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
)
from jina_cli.drivers.base import BadParameter, BadResult, Done, Driver
from jina_cli.drivers.judge import EvaluateDriver
from jina_cli.drivers.keep import (
    DeleteDriver,
    IndexDriver,
    StatusDriver,
)
from jina_cli.drivers.rank import RankDriver
from jina_cli.drivers.retrieve import SearchDriver
from jina_cli.drivers.table import DRIVERS, BadDriver, build_driver
from jina_cli.drivers.transform import CraftDriver, EncodeDriver, SegmentDriver, TrainDriver
from jina_cli.drivers.whole import CraftDocumentsDriver

CHUNKS = (("chunks",),)


def run(driver: Driver, executor: Any, docs: DocumentBatch, **parameters: Any) -> Done:
    return asyncio.run(_call(driver, executor, docs, parameters))


async def _call(driver: Driver, executor: Any, docs: DocumentBatch, parameters: Any) -> Done:
    return await driver(executor, docs, parameters)


def texts(*values: str) -> DocumentBatch:
    return DocumentBatch([f"d{i}" for i in range(len(values))], {"text": TextColumn(values)})


def images(count: int) -> DocumentBatch:
    ids = [f"d{i}" for i in range(count)]
    return DocumentBatch(ids, {"tensor": TensorColumn(np.arange(count * 4).reshape(count, 2, 2))})


class Lengths:
    """Encodes text as its length, and keeps what it was called with."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def encode(self, content: Any) -> Any:
        self.calls.append(content)
        return np.array([[len(text), 0] for text in content])


class SlowLengths(Lengths):
    async def encode(self, content: Any) -> Any:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().encode(content)


@pytest.mark.parametrize("cls", [Lengths, SlowLengths])
def test_encode_sets_the_embedding_as_float32(cls: type[Lengths]) -> None:
    done = run(EncodeDriver(field="text"), cls(), texts("a", "bcd"))

    embedding = done.docs.tensor("embedding")
    assert embedding.dtype == np.float32
    assert embedding.tolist() == [[1, 0], [3, 0]]


def test_encode_gives_at_most_a_batch_at_a_time() -> None:
    executor = Lengths()

    done = run(EncodeDriver(field="text", batch_size=2), executor, texts("a", "bb", "ccc"))

    assert executor.calls == [["a", "bb"], ["ccc"]]
    assert done.docs.tensor("embedding")[:, 0].tolist() == [1, 2, 3]


def test_an_executor_is_not_called_for_no_documents() -> None:
    executor = Lengths()

    done = run(EncodeDriver(field="text"), executor, DocumentBatch([]))

    assert (len(done.docs), executor.calls) == (0, [])


def test_chunks_are_encoded_where_the_path_says_so() -> None:
    inner = texts("a", "bb", "ccc")
    docs = texts("x", "y").with_columns(chunks=DocsColumn(np.array([0, 1, 3]), inner))

    done = run(EncodeDriver(field="text", traversal_paths=CHUNKS), Lengths(), docs)

    chunks = done.docs.docs("chunks")
    assert chunks is not None
    assert chunks.offsets.tolist() == [0, 1, 3]
    assert chunks.docs.tensor("embedding")[:, 0].tolist() == [1, 2, 3]
    assert "embedding" not in done.docs.columns


class Returns:
    """Returns what it is given, from every method."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def encode(self, content: Any) -> Any:
        return self.value

    craft = segment = encode

    def search(self, docs: DocumentBatch, *, top_k: int) -> Any:
        return self.value


WRONG_VECTORS = {
    "Returns.encode returned an array of shape (3, 4) for 2 documents, and must return (2, dim)": (
        np.zeros((3, 4))
    ),
    "Returns.encode returned an array of shape (2,) for 2 documents, and must return (2, dim)": (
        np.zeros(2)
    ),
    "Returns.encode returned list, and must return an array (2, dim)": [[1, 2], [3, 4]],
    "Returns.encode returned <U1, and must return float32": np.array([["a"], ["b"]]),
}


@pytest.mark.parametrize("message", WRONG_VECTORS)
def test_wrong_vectors_name_class_and_shapes(message: str) -> None:
    with pytest.raises(BadResult) as caught:
        run(EncodeDriver(field="text"), Returns(WRONG_VECTORS[message]), texts("a", "b"))

    assert str(caught.value) == message


def test_documents_without_the_field_are_named() -> None:
    docs = texts("a", "b").with_columns(text=TextColumn(["a", None]))

    with pytest.raises(MissingField, match="document 'd1' has no 'text'"):
        run(EncodeDriver(field="text"), Lengths(), docs)


def test_a_tensor_that_some_documents_lack_is_missed() -> None:
    docs = images(2).with_columns(tensor=TensorColumn(np.zeros((2, 2)), np.array([True, False])))

    with pytest.raises(MissingField, match="document 'd1' has no 'tensor'"):
        run(CraftDriver(), Returns(np.zeros((2, 2))), docs)


CRAFTED = {
    "an array": (np.ones((2, 3)), TensorColumn),
    "strings": (["a", "b"], TextColumn),
    "bytes": ([b"a", b"b"], BytesColumn),
    "arrays of one shape": ([np.ones(2), np.ones(2)], TensorColumn),
    "arrays of two shapes": ([np.ones(2), np.ones(3)], RaggedColumn),
    "values": ([1, {"a": 2}], ValuesColumn),
}


@pytest.mark.parametrize("what", CRAFTED)
def test_what_is_crafted_finds_its_column(what: str) -> None:
    value, kind = CRAFTED[what]

    done = run(CraftDriver(into="made"), Returns(value), images(2))

    assert isinstance(done.docs.columns["made"], kind)
    assert done.docs.columns["tensor"] is not None


WRONG_CONTENT = {
    "Returns.craft returned 1 values for 2 documents": ["a"],
    "Returns.craft returned an array of shape (3,) for 2 documents": np.zeros(3),
    "Returns.craft returned str, and must return one value for each document": "ab",
    "Returns.craft returned bytes and ndarray for documents of one request": [b"a", np.ones(1)],
}


@pytest.mark.parametrize("message", WRONG_CONTENT)
def test_wrong_content_is_told_apart(message: str) -> None:
    with pytest.raises(BadResult) as caught:
        run(CraftDriver(), Returns(WRONG_CONTENT[message]), images(2))

    assert str(caught.value) == message


class Words:
    def segment(self, content: Sequence[str]) -> list[list[Any]]:
        return [text.split() for text in content]


def test_chunks_know_their_parent_and_keep_their_ids() -> None:
    first = run(SegmentDriver(), Words(), texts("a b", "", "c"))
    again = run(SegmentDriver(), Words(), texts("a b", "", "c"))

    chunks = first.docs.docs("chunks")
    assert chunks is not None
    assert chunks.offsets.tolist() == [0, 2, 2, 3]
    assert list(chunks.docs.ids) == ["d0#0", "d0#1", "d2#0"]
    assert chunks.docs.text() == ["a", "b", "c"]
    assert chunks.docs.values("parent_id") == ["d0", "d0", "d2"]
    assert chunks.docs.values("granularity") == [1, 1, 1]
    assert again.docs.docs("chunks").docs.ids == chunks.docs.ids


def test_a_chunk_may_be_a_dict_of_fields() -> None:
    lists = [[{"text": "a", "weight": 2}], [{"text": "b"}]]

    chunks = run(SegmentDriver(), Returns(lists), texts("x", "y")).docs.docs("chunks")

    assert chunks is not None
    assert chunks.docs.values("weight") == [2, None]


class Shelf:
    """Keeps ids, and finds all of them."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.asked: dict[str, Any] = {}

    def index(self, docs: DocumentBatch, *, lang: str = "") -> None:
        self.asked = {"lang": lang}
        self.ids += docs.ids

    async def search(self, docs: DocumentBatch, *, top_k: int, **parameters: Any) -> DocsColumn:
        self.asked = {"top_k": top_k, **parameters}
        found = DocumentBatch(self.ids[:top_k] * len(docs))
        return DocsColumn(np.arange(len(docs) + 1) * min(top_k, len(self.ids)), found)

    def delete(self, ids: Sequence[str]) -> int:
        gone = [id_ for id_ in ids if id_ in self.ids]
        self.ids = [id_ for id_ in self.ids if id_ not in gone]
        return len(gone)

    def count(self) -> int:
        return len(self.ids)

    def rank(self, queries: DocumentBatch, matches: DocsColumn, *, top_k: int) -> DocsColumn:
        self.asked = {"top_k": top_k}
        return matches.take(np.arange(len(queries))[::-1])

    def evaluate(self, actual: Sequence[str], desired: Sequence[str]) -> float:
        return len(set(actual) & set(desired)) / len(actual)


def test_an_index_answer_holds_ids_alone_and_methods_get_what_they_name() -> None:
    shelf = Shelf()

    done = run(IndexDriver(), shelf, texts("a", "b"), lang="en", top_k=3)

    assert (shelf.ids, shelf.asked) == (["d0", "d1"], {"lang": "en"})
    assert (list(done.docs.ids), dict(done.docs.columns)) == (["d0", "d1"], {})


def test_search_sets_the_matches_and_passes_on_parameters() -> None:
    shelf = Shelf()
    shelf.ids = ["x", "y", "z"]

    done = run(SearchDriver(), shelf, texts("a", "b"), top_k=2.0, lang="en")

    assert shelf.asked == {"top_k": 2, "lang": "en"}
    assert [list(found.ids) for found in done.docs.values("matches")] == [["x", "y"]] * 2
    assert done.docs.text() == ("a", "b")


@pytest.mark.parametrize("top_k", [0, -1, "ten", True, 1.5, None])
def test_a_top_k_that_makes_no_sense_is_the_requests_fault(top_k: Any) -> None:
    with pytest.raises(BadParameter, match="top_k is"):
        run(SearchDriver(), Shelf(), texts("a"), top_k=top_k)


def test_matches_of_another_number_of_documents_are_refused() -> None:
    one = DocsColumn(np.array([0, 0]), DocumentBatch([]))

    with pytest.raises(BadResult, match=r"Returns.search returned matches of 1 for 2 documents"):
        run(SearchDriver(), Returns(one), texts("a", "b"))


def test_deleting_takes_ids_of_documents_and_of_the_parameter() -> None:
    shelf = Shelf()
    shelf.ids = ["d0", "x", "y"]

    done = run(DeleteDriver(), shelf, texts("a", "b"), ids=["x", "d0"])

    assert shelf.ids == ["y"]
    assert done.results == {"deleted": 2}


@pytest.mark.parametrize("ids", ["abc", [1], None])
def test_ids_to_delete_must_be_strings(ids: Any) -> None:
    with pytest.raises(BadParameter, match="must be a list of strings"):
        run(DeleteDriver(), Shelf(), texts("a"), ids=ids)


def test_status_counts() -> None:
    shelf = Shelf()
    shelf.ids = ["a"]

    assert run(StatusDriver(), shelf, DocumentBatch([])).results == {"count": 1}


def with_matches(docs: DocumentBatch, *ids: Sequence[str]) -> DocumentBatch:
    offsets = np.cumsum([0, *map(len, ids)])
    flat = [id_ for some in ids for id_ in some]
    return docs.with_columns(matches=DocsColumn(offsets, DocumentBatch(flat)))


def test_a_ranker_orders_the_matches_that_are_there() -> None:
    shelf = Shelf()

    done = run(RankDriver(top_k=5), shelf, with_matches(texts("a", "b"), ["x"], ["y", "z"]))

    assert shelf.asked == {"top_k": 5}
    assert [list(found.ids) for found in done.docs.values("matches")] == [["y", "z"], ["x"]]
    assert run(RankDriver(), shelf, texts("a")).docs.docs("matches") is None


def test_an_evaluator_judges_matches_by_the_tags() -> None:
    docs = with_matches(texts("a", "b"), ["x", "y"], ["z"])
    docs = docs.with_columns(tags=ValuesColumn([{"relevant": ["x"]}, {"relevant": ["z"]}]))

    done = run(EvaluateDriver(), Shelf(), docs)

    assert done.docs.values("evaluations") == [{"Shelf": 0.5}, {"Shelf": 1.0}]


@pytest.mark.parametrize("relevant", [{"x": "high"}, {"x": None}, [["x"]]])
def test_an_evaluator_says_where_there_is_nothing_that_could_be_found(relevant: Any) -> None:
    docs = with_matches(texts("a"), ["x"]).with_columns(tags=ValuesColumn([{"relevant": relevant}]))

    with pytest.raises(BadField, match=r"'tags\.relevant' of document 'd0' must be a list of ids"):
        run(EvaluateDriver(), Shelf(), docs)


def test_an_evaluator_misses_what_should_be_found() -> None:
    with pytest.raises(MissingField, match=r"no 'tags.relevant'"):
        run(EvaluateDriver(), Shelf(), with_matches(texts("a"), ["x"]))


class Learner:
    def __init__(self) -> None:
        self.seen: Any = None

    def train(self, content: Any, *, epochs: int = 1) -> None:
        self.seen = content, epochs


def test_training_sees_content_and_leaves_documents_as_they_are() -> None:
    learner, docs = Learner(), texts("a", "b")

    done = run(TrainDriver(field="text"), learner, docs, epochs=3, other=4)

    assert learner.seen == (["a", "b"], 3)
    assert done.docs is docs


def test_a_driver_is_built_from_yaml() -> None:
    item = {"driver": "EncodeDriver", "with": {"field": "text", "traversal_paths": "@c,r"}}

    assert build_driver(item) == EncodeDriver(field="text", traversal_paths=(("chunks",), ()))
    assert build_driver("StatusDriver") == StatusDriver()


BAD_DRIVERS = {
    "there is no Driver 'EncodDriver'; did you mean 'EncodeDriver'?": "EncodDriver",
    "EncodeDriver has no option 'feild'; did you mean 'field'?": {
        "driver": "EncodeDriver",
        "with": {"feild": "text"},
    },
    "EncodeDriver: 'x' is no traversal path: column 1: it is made of r, c and m, not of 'x'": {
        "driver": "EncodeDriver",
        "with": {"traversal_paths": ["x"]},
    },
    "3 names no Driver; use {driver: EncodeDriver, with: {}}": 3,
}


@pytest.mark.parametrize("message", BAD_DRIVERS)
def test_a_driver_that_cannot_be_built_is_explained(message: str) -> None:
    with pytest.raises(BadDriver) as caught:
        build_driver(BAD_DRIVERS[message])

    assert str(caught.value) == message


@pytest.mark.parametrize("name", DRIVERS)
def test_every_driver_can_be_built_without_options(name: str) -> None:
    assert type(build_driver(name)).__name__ == name


class Unasked:
    """An Executor that must not be asked."""

    def craft(self, content: Any) -> Any:
        raise AssertionError("asked")

    encode = segment = craft_documents = craft


@pytest.mark.parametrize(
    "driver", [CraftDriver(), CraftDocumentsDriver(), EncodeDriver(), SegmentDriver()]
)
def test_documents_of_a_dump_are_not_prepared_again(driver: Any) -> None:
    docs = DocumentBatch(["a"])

    done = run(driver, Unasked(), docs, prepared=True)

    assert done.docs is docs


def test_matches_say_what_they_are_a_match_of() -> None:
    class Finds:
        def search(self, docs: DocumentBatch, *, top_k: int) -> DocsColumn:
            return DocsColumn.of([DocumentBatch(["m"]) for _ in docs.ids])

    done = run(SearchDriver(), Finds(), DocumentBatch(["a", "b"]))

    matches = done.docs.docs("matches")
    assert matches is not None
    assert matches.docs.values("ref_id") == ["a", "b"]
    assert matches.docs.values("adjacency") == [1, 1]


def test_what_is_encoded_may_be_a_key_of_the_tags_and_a_field_may_have_any_name() -> None:
    docs = DocumentBatch(
        ["a"], {"tags": ValuesColumn([{"head": {"line": "abc"}}]), "x__y": TextColumn(["ab"])}
    )

    for field, length in (("head__line", 3), ("tags__head__line", 3), ("x__y", 2), ("id", 1)):
        done = run(EncodeDriver(field=field), Lengths(), docs)
        assert done.docs.tensor("embedding")[:, 0].tolist() == [length], field
