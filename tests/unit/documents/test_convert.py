"""Columns to documents of any class, and back."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from docarray import BaseDoc, DocList, DocVec
from docarray.documents import ImageDoc, TextDoc
from docarray.typing import AnyEmbedding, ImageUrl, NdArray
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, field_validator

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import (
    DocsColumn,
    NodesColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
)
from jina_cli.documents.convert import DoesNotFit, from_docs, to_docs
from jina_cli.documents.document import Document, Documents
from jina_cli.documents.rows import from_rows, to_rows
from jina_cli.documents.standard import scan
from tests.testing.documents import arrays, json_values, list_of, some_texts, some_vectors, texts


class Text(BaseDoc):
    text: str = ""


class Part(BaseDoc):
    name: str
    vector: NdArray | None = None


Parts = list_of(Part)


class Rich(BaseDoc):
    text: str | None = None
    number: int | None = None
    ratio: float | None = None
    flag: bool | None = None
    blob: bytes | None = None
    tensor: NdArray | None = None
    url: ImageUrl | None = None
    part: Part | None = None
    parts: Parts | None = None
    several: list[Any] | None = None
    pair: tuple[int, str] | None = None
    some: set[int] | None = None
    named: dict[str, Any] | None = None


parts = st.builds(Part, name=texts, vector=st.none() | arrays().filter(lambda a: a.size > 0))
rich = st.builds(
    Rich,
    text=st.none() | texts,
    number=st.none() | st.integers(-(2**31), 2**31 - 1),
    ratio=st.none() | st.floats(allow_nan=False),
    flag=st.none() | st.booleans(),
    blob=st.none() | st.binary(max_size=9),
    tensor=st.none() | arrays().filter(lambda a: a.size > 0),
    url=st.none() | st.just("http://x/y.png"),
    part=st.none() | parts,
    parts=st.none() | st.lists(parts, max_size=2).map(lambda docs: DocList[Part](docs)),
    several=st.none() | st.lists(json_values, max_size=2),
    pair=st.none() | st.tuples(st.integers(0, 9), texts),
    some=st.none() | st.sets(st.integers(0, 9)),
    named=st.none() | st.dictionaries(texts, json_values, max_size=2),
)


def compared(docs: DocList[Rich]) -> Any:
    """Return documents as a message, which `==` compares, with sets in order."""
    message = docs.to_protobuf()
    for doc in message.docs:
        items = sorted(node.integer for node in doc.data["some"].set.data)
        for node, item in zip(doc.data["some"].set.data, items, strict=True):
            node.integer = item
    return message


@settings(max_examples=40, deadline=None)
@given(st.lists(rich, max_size=3).map(lambda docs: DocList[Rich](docs)))
def test_documents_become_columns_and_are_the_same_again(docs: DocList[Rich]) -> None:
    back = to_docs(from_docs(docs), Rich)

    assert compared(back) == compared(docs)


@settings(max_examples=25, deadline=None)
@given(st.lists(rich, max_size=3).map(lambda docs: DocList[Rich](docs)))
def test_documents_off_the_wire_are_those_that_docarray_reads(docs: DocList[Rich]) -> None:
    ours = to_docs(scan(docs.to_protobuf().SerializeToString()), Rich)

    assert compared(ours) == compared(DocList[Rich].from_protobuf(docs.to_protobuf()))


def test_documents_built_without_pydantic_are_as_it_would_build_them() -> None:
    rows = [{"id": "1", "text": "a", "embedding": [1.0, 2.0]}, {"id": "2", "tags": {"x": 1}}]

    (first, second) = to_docs(from_rows(rows), Document)

    reference = Document(id="1", text="a", embedding=np.array([1, 2], np.float32))
    assert first == reference
    assert first.to_protobuf().data["id"].type == "id"
    assert type(first.embedding) is type(reference.embedding)
    assert list(first.__dict__) == ["id", *(n for n in Document.model_fields if n != "id")]
    assert second.tags == {"x": 1}
    assert second.text is None
    first.text = "changed"
    with pytest.raises(ValueError, match="valid string"):
        first.text = 5


def test_what_documents_share_they_share_with_nobody_else() -> None:
    batch = some_vectors(2)

    docs = to_docs(batch, Document)
    docs[0].embedding[:] = 7
    docs[0].tags["a"] = 1
    docs[0].matches.append(Document())

    assert not (batch.tensor("embedding") == 7).any()
    assert docs[1].tags == {}
    assert len(docs[1].matches) == 0


def test_fields_nobody_declared_are_attributes_of_a_document() -> None:
    (doc,) = to_docs(from_rows([{"id": "1", "price": 3, "size": None}]), Document)

    assert doc.price == 3
    doc.colour = "red"
    assert to_rows(from_docs([doc])) == [{"id": "1", "price": 3, "colour": "red"}]


def test_documents_in_documents_are_of_the_class_declared() -> None:
    batch = from_rows([{"id": "1", "matches": [{"id": "m", "score": 1}]}, {"id": "2"}])

    docs = to_docs(batch, Document)

    assert isinstance(docs, DocList)
    assert docs.matches[0].score == [1.0]
    assert [len(matches) for matches in docs.matches] == [1, 0]
    assert to_rows(from_docs(docs))[0]["matches"] == [{"id": "m", "score": 1.0}]


def test_a_class_of_ones_own_gets_what_it_declares() -> None:
    batch = some_texts(2).with_tensor(np.ones((2, 3), np.float32))

    docs = to_docs(batch, Text)

    assert docs.text == ["text of d0", "text of d1"]
    assert list(docs[0].__dict__) == ["id", "text"]


@pytest.mark.parametrize("doc_type", [TextDoc, ImageDoc])
def test_docarrays_own_classes_work(doc_type: type[BaseDoc]) -> None:
    batch = some_texts(2).with_tensor(np.ones((2, 3), np.float32))

    docs = to_docs(batch, doc_type)

    assert [doc.embedding.tolist() for doc in docs] == [[1, 1, 1]] * 2
    assert type(docs[0].embedding) is type(doc_type(embedding=np.ones(3)).embedding)


def test_a_tensor_that_fits_is_not_checked_and_one_that_does_not_is_refused() -> None:
    class Sized(BaseDoc):
        embedding: NdArray[3]  # type: ignore[type-arg]

    fits = DocumentBatch(["a"], {"embedding": TensorColumn(np.ones((1, 3)))})
    does_not = DocumentBatch(["a"], {"embedding": TensorColumn(np.ones((1, 4)))})

    assert to_docs(fits, Sized)[0].embedding.shape == (3,)
    with pytest.raises(DoesNotFit) as caught:
        to_docs(does_not, Sized)
    assert (caught.value.id, caught.value.field) == ("a", "embedding")


def test_tensors_of_many_shapes_go_to_their_documents() -> None:
    batch = DocumentBatch(["a", "b"], {"tensor": RaggedColumn([np.ones(2), None])})

    first, second = to_docs(batch, Document)

    assert first.tensor.tolist() == [1, 1]
    assert second.tensor is None


def test_a_number_is_a_tensor_of_one_and_not_of_so_many_elements() -> None:
    batch = DocumentBatch(["a"], {"name": TextColumn(["x"]), "vector": ValuesColumn([10**15])})

    assert to_docs(batch, Part)[0].vector.tolist() == 10**15


def test_a_document_that_lacks_a_field_has_the_default_of_its_class() -> None:
    batch = DocumentBatch(["a", "b"], {"text": TextColumn(["x", None])})

    assert to_docs(batch, Text).text == ["x", ""]
    assert to_docs(some_vectors(1), Text).text == [""]


class Checked(BaseDoc):
    text: str
    seen: list[str] = Field(default_factory=list)

    @field_validator("text")
    @classmethod
    def lower(cls, text: str) -> str:
        return text.lower()


class Bounded(BaseDoc):
    number: int = Field(gt=3)


class Posted(BaseDoc):
    text: str
    length: int = 0

    def model_post_init(self, context: Any) -> None:
        self.__dict__["length"] = len(self.text)


class Constructed(BaseDoc):
    text: str

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "text": kwargs["text"] + "!"})


def test_what_a_class_checks_by_itself_is_checked() -> None:
    batch = DocumentBatch(["a"], {"text": TextColumn(["ABC"]), "number": ValuesColumn([4])})

    assert to_docs(batch, Checked)[0].text == "abc"
    assert to_docs(batch, Bounded)[0].number == 4
    assert to_docs(batch, Posted)[0].length == 3
    assert to_docs(batch, Constructed)[0].text == "ABC!"
    with pytest.raises(DoesNotFit, match="greater than 3"):
        to_docs(DocumentBatch(["a"], {"number": ValuesColumn([1])}), Bounded)


def test_values_of_a_kind_the_class_can_turn_into_its_own_are_turned() -> None:
    class Typed(BaseDoc):
        number: int
        ratio: float
        names: list[str]
        scores: dict[str, float]
        vector: AnyEmbedding

    batch = DocumentBatch(
        ["a"],
        {
            "number": ValuesColumn([3.0]),
            "ratio": ValuesColumn([1]),
            "names": ValuesColumn([["x"]]),
            "scores": ValuesColumn([{"a": 1}]),
            "vector": ValuesColumn([[1.0, 2.0]]),
        },
    )

    (doc,) = to_docs(batch, Typed)

    assert (doc.number, doc.ratio, doc.names, doc.scores) == (3, 1.0, ["x"], {"a": 1.0})
    assert type(doc.ratio) is float
    assert doc.vector.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({}, "'name' of document 'a': Field required"),
        ({"name": ValuesColumn([5])}, "'name' of document 'a': Input should be a valid string"),
        ({"name": TextColumn([None])}, "'name' of document 'a': Field required"),
    ],
)
def test_a_document_that_does_not_fit_is_named(columns: Mapping[str, Any], problem: str) -> None:
    with pytest.raises(DoesNotFit) as caught:
        to_docs(DocumentBatch(["a"], columns), Part)

    assert str(caught.value) == problem


def test_a_field_that_nobody_set_has_no_column() -> None:
    batch = from_docs([Document(id="1"), Document(id="2", text="a", matches=Documents())])

    assert set(batch.columns) == {"text", "matches"}
    assert to_rows(batch) == [{"id": "1", "matches": []}, {"id": "2", "text": "a", "matches": []}]


def test_a_required_field_has_a_column_even_if_it_is_nothing() -> None:
    class Asks(BaseDoc):
        text: str | None

    assert from_docs([Asks(text=None)]).values("text") == [None]


def test_documents_of_several_classes_stand_in_one_batch() -> None:
    batch = from_docs([Text(id="1", text="a"), Part(id="2", name="b")])

    assert to_rows(batch) == [{"id": "1", "text": "a"}, {"id": "2", "name": "b"}]


def test_a_docvec_is_taken_too() -> None:
    docs = DocVec[Text]([Text(id="1", text="a"), Text(id="2", text="b")])

    assert to_rows(from_docs(docs)) == [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}]


def test_nothing_is_no_documents() -> None:
    assert len(to_docs(EMPTY_BATCH, Document)) == 0
    assert len(from_docs([])) == 0


def test_a_nested_document_is_kept_as_it_is() -> None:
    batch = from_docs([Rich(part=Part(id="p", name="x", vector=np.ones(2)))])

    assert isinstance(batch.columns["part"], NodesColumn)
    (doc,) = to_docs(batch, Rich)
    assert (doc.part.id, doc.part.name, doc.part.vector.tolist()) == ("p", "x", [1, 1])


def test_values_with_numbers_of_numpy_are_plain_again() -> None:
    doc = Document(tags={"a": np.float32(0.5), "b": [np.int64(3)]})

    (tags,) = from_docs([doc]).values("tags")

    assert tags == {"a": 0.5, "b": [3]}
    assert type(tags["a"]) is float


def test_an_object_that_cannot_travel_is_named() -> None:
    with pytest.raises(DoesNotFit) as caught:
        from_docs([Document(id="a"), Document(id="b", tags={"when": datetime(2020, 1, 1)})])

    assert str(caught.value) == "'tags' of document 'b': a datetime does not travel"


class TestOriginal:
    """Fields that a class does not declare come back from the documents as they were."""

    original = some_texts(3).with_tensor(np.eye(3, dtype=np.float32))

    def test_they_are_not_lost_by_a_class_that_does_not_know_them(self) -> None:
        docs = to_docs(self.original, Text)
        docs[0].text = "changed"

        back = from_docs(docs, original=self.original)

        assert back.text()[0] == "changed"
        assert back.columns["embedding"] is self.original.columns["embedding"]

    def test_they_follow_the_ids_where_documents_were_moved_or_dropped_or_added(self) -> None:
        first, _, last = to_docs(self.original, Text)

        back = from_docs([last, Text(id="new"), first], original=self.original)

        assert [row if row is None else row.tolist() for row in back.values("embedding")] == [
            [0, 0, 1],
            None,
            [1, 0, 0],
        ]

    def test_they_stay_away_from_documents_that_are_all_new(self) -> None:
        assert set(from_docs([Text(text="x")], original=self.original).columns) == {"text"}

    def test_a_declared_field_that_was_removed_stays_removed(self) -> None:
        docs = to_docs(self.original, Document)
        for doc in docs:
            doc.embedding = None

        assert from_docs(docs, original=self.original).values("embedding") == [None] * 3

    def test_they_are_kept_in_documents_of_documents_too(self) -> None:
        class Split(BaseDoc):
            chunks: list_of(Text)

        batch = DocumentBatch(["a"], {"chunks": DocsColumn.of([self.original])})

        back = from_docs(to_docs(batch, Split), original=batch).docs("chunks")

        assert back is not None
        assert back.docs.tensor("embedding").tolist() == np.eye(3).tolist()


class Bare(BaseDoc):
    """As documents are often written: lists and dicts of anything."""

    tags: typing.Dict = Field(default_factory=dict)  # noqa: UP006
    words: typing.List = Field(default_factory=list)  # noqa: UP006


def test_dicts_and_lists_that_do_not_say_of_what_hold_anything() -> None:
    given = Bare(tags={"a": 1, "b": {"c": None}}, words=["x", 2])

    (back,) = to_docs(from_docs([given]), Bare)

    assert (back.tags, back.words) == (given.tags, given.words)


class Started(BaseDoc):
    """A default that nobody made a tensor of the class's own."""

    vector: NdArray[2] = np.zeros(2)  # type: ignore[type-arg, assignment]


def test_a_default_may_be_an_array() -> None:
    (back, other) = to_docs(from_docs([Started(), Started(vector=np.ones(2))]), Started)

    assert (list(back.vector), list(other.vector)) == ([0, 0], [1, 1])
