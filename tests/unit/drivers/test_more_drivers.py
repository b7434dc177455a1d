"""Drivers of labels, judgements, conversions and pages, and what a request may ask of any."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina_cli.documents.batch import BadField, DocumentBatch, MissingField
from jina_cli.documents.column import BytesColumn, DocsColumn, TextColumn, ValuesColumn
from jina_cli.documents.condition import BadQuery
from jina_cli.drivers.base import BadParameter, BadResult, Done, Driver
from jina_cli.drivers.convert import ConvertDriver
from jina_cli.drivers.judge import EvaluateDriver
from jina_cli.drivers.keep import CountDriver, DeleteDriver, DumpDriver, GetDriver, IndexDriver
from jina_cli.drivers.lookups import condition_of_lookups
from jina_cli.drivers.predict import PredictDriver
from jina_cli.drivers.rank import ChunkRankDriver
from jina_cli.drivers.select import FilterDriver, SliceDriver, SortDriver
from jina_cli.drivers.table import BadDriver, build_driver, overridden
from jina_cli.drivers.transform import CraftDriver, EncodeDriver, TrainDriver
from tests.testing.trees import docs_of, text_of


def run(driver: Driver, executor: Any, docs: DocumentBatch, **parameters: Any) -> Done:
    async def call() -> Done:
        return await driver(executor, docs, parameters)

    return asyncio.run(call())


class Kept:
    """Keeps ids alone, and what it was asked."""

    def __init__(self) -> None:
        self.ids = ["a", "b", "c"]
        self.asked: list[Any] = []

    def get(self, ids: Sequence[str]) -> DocumentBatch:
        return DocumentBatch([id_ for id_ in ids if id_ in self.ids])

    def count(self, *, filter: Any = None) -> int:
        return len(self.ids) if filter is None else 1

    def delete(self, ids: Sequence[str], *, filter: Any = None) -> int:
        self.asked.append((list(ids), filter))
        return len(ids)

    def dump(self, **asked: Any) -> DocumentBatch:
        self.asked.append(asked)
        return DocumentBatch(self.ids)

    def index(self, docs: DocumentBatch) -> None:
        self.asked.append(list(docs.ids))


class Simple:
    def delete(self, ids: Sequence[str]) -> int:
        return len(ids)

    def count(self) -> int:
        return 3

    def get(self, ids: Sequence[str]) -> Any:
        return None


def test_documents_are_got_by_the_ids_of_documents_and_of_the_parameter() -> None:
    done = run(GetDriver(), Kept(), docs_of("c x"), ids=["a", "c"])

    assert done.docs.ids == ["c", "a"]
    assert run(GetDriver(), Kept(), DocumentBatch([])).docs.ids == []


def test_what_is_no_batch_of_documents_is_refused() -> None:
    with pytest.raises(BadResult, match=r"^Simple.get returned NoneType, and must return"):
        run(GetDriver(), Simple(), docs_of("a"))


def test_counting_and_deleting_take_a_filter() -> None:
    kept = Kept()

    assert run(CountDriver(), kept, docs_of("q")).results == {"count": 3}
    assert run(CountDriver(), kept, docs_of("q"), filter="price < 3").results == {"count": 1}
    assert run(DeleteDriver(), kept, DocumentBatch([]), filter="x = 1").results == {"deleted": 0}
    assert kept.asked == [([], "x = 1")]
    assert run(DeleteDriver(), kept, DocumentBatch([])).results == {"deleted": 0}
    assert len(kept.asked) == 1


@pytest.mark.parametrize("driver", [DeleteDriver(), CountDriver()])
def test_a_filter_is_never_ignored(driver: Driver) -> None:
    with pytest.raises(BadParameter) as refused:
        run(driver, Simple(), docs_of("a"), filter="x = 1")

    assert str(refused.value) == "Simple takes no filter for this"
    assert refused.value.args[1] == "parameters.filter"


def test_a_page_is_asked_for_with_all_that_the_request_says() -> None:
    kept = Kept()

    docs = run(DumpDriver(limit=5), kept, DocumentBatch([])).docs
    run(DumpDriver(), kept, DocumentBatch([]), after="b", limit=2.0, filter="x", vectors=True)

    assert docs.ids == ["a", "b", "c"]
    assert kept.asked == [
        {"after": "", "limit": 5, "filter": None, "vectors": False},
        {"after": "b", "limit": 2, "filter": "x", "vectors": True},
    ]


def test_a_page_has_what_executors_before_this_one_know_of_its_documents() -> None:
    before = DocumentBatch(["b", "d"], {"text": TextColumn(["beta", "delta"])})

    docs = run(DumpDriver(), Kept(), before).docs

    assert docs.ids == ["a", "b", "c", "d"]
    assert docs.values("text") == [None, "beta", None, "delta"]
    assert run(DumpDriver(), Kept(), before, limit=2).docs.ids == ["a", "b"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"after": 3}, "after is 3, and must be an id"),
        ({"vectors": 1}, "vectors is 1, and must be true or false"),
        ({"limit": 0}, "limit is 0, and must be a number from 1 to 100000"),
    ],
)
def test_a_page_that_makes_no_sense_is_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadParameter) as refused:
        run(DumpDriver(), Kept(), DocumentBatch([]), **given)

    assert str(refused.value) == problem


def test_documents_without_a_field_may_be_passed_by_when_indexing() -> None:
    docs = docs_of("a b c").with_columns(title=TextColumn(["x", None, "y"]))
    kept = Kept()

    done = run(IndexDriver(only_with="title", pass_on=True), kept, docs)

    assert kept.asked == [["a", "c"]]
    assert done.docs.columns.keys() == {"text", "title"}


class Label:
    """Says whatever it is made with."""

    field = "text"
    into = "kind"

    def __init__(self, said: Any) -> None:
        self.said = said
        self.sizes: list[int] = []

    def predict(self, content: Sequence[str], *, lang: str = "") -> Any:
        self.sizes.append(len(content))
        return self.said(content) if callable(self.said) else self.said


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["x", "y"], "a{kind=x} b{n=1,kind=y}"),
        ([None, "y"], "a b{n=1,kind=y}"),
        ([{"x": 0.25, "y": 0.75}, {}], "a{kind=y,kind_score=0.75} b{n=1}"),
        # Of equal ones the first by name.
        ([{"y": 1, "x": 1}, None], "a{kind=x,kind_score=1.0} b{n=1}"),
        (np.array(["x", "y"]), "a{kind=x} b{n=1,kind=y}"),
    ],
)
def test_labels_go_into_the_tags(said: Any, expected: str) -> None:
    assert text_of(run(PredictDriver(), Label(said), docs_of("a b{n=1}")).docs) == expected


@pytest.mark.parametrize(
    ("said", "labels", "multiple", "expected"),
    [
        (np.array([0, 1]), ("no", "yes"), False, "a{kind=no} b{kind=yes}"),
        (np.array([[0.0], [0.5]]), ("no", "yes"), False, "a{kind=no} b{kind=yes}"),
        (np.array([[0, 1, 0], [0.2, 0.1, 0.7]]), ("p", "q", "r"), False, "a{kind=q} b{kind=r}"),
        (np.array([[0, 1, 1], [0, 0, 0]]), ("p", "q", "r"), True, "a{kind=['q', 'r']} b{kind=[]}"),
    ],
)
def test_numbers_get_the_names_of_their_labels(
    said: Any, labels: tuple[str, ...], multiple: bool, expected: str
) -> None:
    driver = PredictDriver(labels=labels, multiple=multiple)

    assert text_of(run(driver, Label(said), docs_of("a b")).docs) == expected


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (["x"], "Label.predict returned 1 labels for 2 documents"),
        ("xy", "Label.predict returned str, and must return one label each"),
        (
            np.zeros((2, 3)),
            "Label.predict returned numbers of shape (2, 3) for the labels []; give 3 as 'labels'",
        ),
    ],
)
def test_labels_that_do_not_fit_are_refused(said: Any, problem: str) -> None:
    with pytest.raises(BadResult) as refused:
        run(PredictDriver(), Label(said), docs_of("a b"))

    assert str(refused.value) == problem


def test_a_classifier_gets_at_most_a_batch_and_may_pass_documents_by() -> None:
    docs = docs_of("a b c d").with_columns(text=TextColumn(["a", None, "c", "d"]))
    label = Label(lambda content: [f"{text}{len(content)}" for text in content])

    done = run(PredictDriver(batch_size=2, is_optional=True), label, docs)

    tags = [{"kind": "a2"}, None, {"kind": "c2"}, {"kind": "d1"}]
    assert done.docs.values("tags") == tags
    assert label.sizes == [2, 1]
    with pytest.raises(MissingField):
        run(PredictDriver(), label, docs)


def test_matches_are_given_to_a_classifier_as_a_column() -> None:
    seen: list[Any] = []

    def said(content: DocsColumn) -> list[str]:
        seen.append((type(content), content.offsets.tolist(), list(content.docs.ids)))
        return ["x"] * len(content)

    run(PredictDriver(field="matches", batch_size=1), Label(said), docs_of("p[a b] q[c]"))

    assert seen == [(DocsColumn, [0, 2], ["a", "b"]), (DocsColumn, [0, 1], ["c"])]


def test_training_is_given_the_labels_of_documents() -> None:
    seen: list[Any] = []

    class Learns:
        field = "text"

        def train(self, content: Sequence[str], *, labels: Sequence[Any], rate: int) -> None:
            seen.append((list(content), list(labels), rate))

    docs = docs_of("a{kind=x} b")
    run(TrainDriver(label="kind"), Learns(), docs, rate=2, labels="of the request")

    assert seen == [(["a", "b"], ["x", None], 2)]


class Upper:
    field = "text"

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def craft(self, content: Sequence[str]) -> list[str]:
        self.calls.append(list(content))
        return [text.upper() for text in content]

    def encode(self, content: Sequence[str]) -> Any:
        return np.array([[len(text)] for text in content], np.float32)


def test_crafting_in_batches_is_the_same() -> None:
    upper = Upper()

    done = run(CraftDriver(batch_size=2), upper, docs_of("a b c"))

    assert list(done.docs.text()) == ["A", "B", "C"]
    assert upper.calls == [["a", "b"], ["c"]]


def test_documents_without_the_field_stay_as_they_are_where_it_is_optional() -> None:
    docs = docs_of("a b c").with_columns(text=TextColumn(["a", None, "ccc"]))

    made = run(EncodeDriver(is_optional=True), Upper(), docs).docs

    assert [None if v is None else v.tolist() for v in made.values("embedding")] == [[1], None, [3]]
    nothing = docs.with_columns(text=TextColumn([None] * 3))
    assert run(EncodeDriver(is_optional=True), Upper(), nothing).docs is nothing


class Share:
    """The share of what is desired that is among the first `eval_at`."""

    desired = "relevant"

    def __init__(self, eval_at: int | None = None, graded: bool = False) -> None:
        self.eval_at, self.graded = eval_at, graded
        self.seen: list[Any] = []

    def evaluate(self, actual: Sequence[str], desired: Any) -> float:
        self.seen.append(desired)
        return sum(one in desired for one in actual[: self.eval_at]) / len(desired)


def test_several_evaluators_say_what_they_say_side_by_side() -> None:
    docs = docs_of('q{relevant=["a"]}[b a]')

    for judge in (Share(), Share(eval_at=1), Share(eval_at=2)):
        docs = run(EvaluateDriver(), judge, docs).docs

    assert docs.values("evaluations") == [{"Share": 1.0, "Share@1": 0.0, "Share@2": 1.0}]


@pytest.mark.parametrize(
    ("graded", "desired", "given"),
    [
        (False, ["a"], ["a"]),
        (True, ["a"], {"a": 1.0}),
        (False, {"a": 2, "b": 0}, ["a"]),
        (True, {"a": 2, "b": 0}, {"a": 2, "b": 0}),
    ],
)
def test_grades_are_for_those_that_ask_for_them(graded: bool, desired: Any, given: Any) -> None:
    docs = docs_of("q[a]").with_columns(tags=ValuesColumn([{"relevant": desired}]))
    judge = Share(graded=graded)

    run(EvaluateDriver(), judge, docs)

    assert judge.seen == [given]


def test_chunks_of_a_ranker_that_returns_something_else_are_refused() -> None:
    class Wrong:
        def aggregate(self, scores: Any, offsets: Any) -> Any:
            return scores

    docs = docs_of("q[a:1 b:2]")
    matches = docs.docs("matches")
    assert matches is not None
    same = matches.docs.with_columns(parent_id=ValuesColumn(["p", "p"]))
    docs = docs.with_columns(matches=DocsColumn(matches.offsets, same))

    with pytest.raises(BadResult, match=r"shape \(2,\), and must return \(1,\) numbers"):
        run(ChunkRankDriver(), Wrong(), docs)


def test_a_match_made_of_chunks_knows_its_levels_and_its_best_chunk() -> None:
    class Most:
        def aggregate(self, scores: Any, offsets: Any) -> Any:
            return np.maximum.reduceat(scores, offsets[:-1])

    docs = docs_of("q[a#0:1 a#1:2 b:1.5]")
    matches = docs.docs("matches")
    assert matches is not None
    found = matches.docs.with_columns(parent_id=ValuesColumn(["a", "a", None]))
    docs = docs.with_columns(matches=DocsColumn(matches.offsets, found))

    made = run(ChunkRankDriver(), Most(), docs).docs

    # A match without a parent stands for itself.
    assert text_of(made) == "q[a:2(a#1:2) b:1.5(b:1.5)]"
    column = made.docs("matches")
    assert column is not None
    assert list(column.docs.values("adjacency")) == [1, 1]
    chunks = column.docs.docs("chunks")
    assert chunks is not None
    assert list(chunks.docs.values("parent_id")) == ["a", "b"]


def test_contents_are_converted_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    data = "data:text/plain;base64," + base64.b64encode(b"x").decode()
    docs = DocumentBatch(
        ["f", "d", "n"], {"uri": TextColumn([str(tmp_path / "a.txt"), data, None])}
    )

    made = run(ConvertDriver(files=True), None, docs).docs

    assert isinstance(made.columns["blob"], BytesColumn)
    assert list(made.values("blob")) == [b"hello", b"x", None]
    assert list(made.values("mime_type")) == ["text/plain", "text/plain", None]


def test_files_are_read_only_where_the_flow_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("secret")
    docs = DocumentBatch(["f"], {"uri": TextColumn([str(tmp_path / "a.txt")])})

    with pytest.raises(BadField, match="'uri' of document 'f'"):
        run(ConvertDriver(), None, docs)
    with pytest.raises(BadField, match="there is no way from 'text' to 'text'"):
        run(ConvertDriver(source="text", target="text"), None, docs)


def test_values_without_an_order_are_named() -> None:
    docs = docs_of("a{n=1} b{n=x}")

    with pytest.raises(BadField) as refused:
        run(SortDriver(field="tags__n"), None, docs)

    assert str(refused.value) == "cannot order documents by 'tags__n', which holds int and str"


@pytest.mark.parametrize(
    ("queryset", "problem"),
    [
        ("SliceQL", "queryset must be a list of {name, parameters}"),
        ([{"parameters": {}}], "{'parameters': {}} names no Driver"),
        ([{"name": "SliceQl"}], "there is no Driver 'SliceQl'; did you mean 'SliceQL'?"),
        (
            [{"name": "SliceQL", "parameters": {"ende": 1}, "priority": 1}],
            "SliceDriver has no option 'ende'; did you mean 'end'?",
        ),
        (
            [{"name": "SliceQL", "parameters": {"end": "x"}, "priority": 1}],
            "SliceDriver: end is 'x', and must be a whole number or nothing",
        ),
        (
            [{"name": "SliceQL", "parameters": {"priority": 3}, "priority": 1}],
            "'priority' of a Driver cannot be set by a request",
        ),
        (
            [{"name": "ConvertDriver", "parameters": {"files": True}, "priority": 1}],
            "'files' of a Driver cannot be set by a request",
        ),
    ],
)
def test_a_queryset_that_makes_no_sense_is_refused(queryset: Any, problem: str) -> None:
    with pytest.raises(BadParameter) as refused:
        overridden(SliceDriver(), {"queryset": queryset})

    assert str(refused.value) == problem


def test_numbers_of_a_queryset_may_be_whole_floats() -> None:
    asked: Mapping[str, Any] = {"name": "SliceQL", "parameters": {"end": 2.0}, "priority": 1.0}

    assert overridden(SliceDriver(), {"queryset": [asked]}) == SliceDriver(end=2)


@pytest.mark.parametrize(
    ("with_", "problem"),
    [
        (
            {"keep": "some"},
            "ChunkRankDriver: keep is 'some', and must be 'best' or 'all' or 'none'",
        ),
        ({"top_k": "5"}, "ChunkRankDriver: top_k is '5', and must be a whole number"),
        ({"executor": 5}, "ChunkRankDriver: executor is 5, and must be text"),
    ],
)
def test_a_value_that_makes_no_sense_is_said(with_: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadDriver) as refused:
        build_driver({"driver": "ChunkRankDriver", "with": with_})

    assert str(refused.value) == problem


@pytest.mark.parametrize(
    ("lookups", "problem"),
    [
        (5, "lookups: 5 is no object, as {tags__price__gte: 5}"),
        ({"a__": 1}, "lookups: 'a__' is no path of a field"),
        ({"a__in": "b"}, "a__in: 'b' is not a list"),
        ({"a__contains": 5}, "a__contains: 5 is not text"),
        ({"a__regex": "("}, "a__regex: '(' missing ), unterminated subpattern at position 0"),
    ],
)
def test_lookups_that_make_no_sense_are_said(lookups: Any, problem: str) -> None:
    with pytest.raises(BadQuery) as refused:
        condition_of_lookups(lookups)

    assert str(refused.value) == problem


def test_a_filter_of_a_request_that_says_nothing_is_the_fault_of_the_request() -> None:
    with pytest.raises(BadParameter, match=r"^filter: column 4: expected a value") as caught:
        run(FilterDriver(), None, DocumentBatch(["a"]), filter="a =")

    assert caught.value.args[1] == "parameters.filter"
