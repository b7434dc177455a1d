"""Lists that are columns until somebody touches a document: a plain DocList is the judge."""

from __future__ import annotations

import copy
import functools
import pickle
import random
from collections.abc import Callable
from typing import Any, get_origin

import numpy as np
import orjson
import pytest
from docarray import BaseDoc, DocList, DocVec
from docarray.index import InMemoryExactNNIndex
from docarray.typing import ID, NdArray
from docarray.utils.filter import filter_docs
from docarray.utils.find import find
from docarray.utils.map import map_docs
from docarray.utils.reduce import reduce
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import (
    Column,
    DocsColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
)
from jina_cli.documents.convert import are_docs, from_docs, to_docs
from jina_cli.documents.document import Document
from jina_cli.documents.lazy import sheet_of
from jina_cli.documents.rows import from_rows, to_rows
from tests.testing.documents import list_of, plainly, some_images, some_texts


class Part(BaseDoc):
    name: str = ""


Parts = list_of(Part)


class Item(BaseDoc):
    text: str = ""
    price: float | None = None
    tensor: NdArray | None = None
    tags: dict[str, Any] = Field(default_factory=dict)
    parts: Parts = Field(default_factory=Parts)


def a_batch(count: int = 4, *, undeclared: bool = True) -> DocumentBatch:
    """Return documents of which `Item` declares all fields but `other`."""
    parts = DocumentBatch(
        [f"p{i}" for i in range(count * 2)],
        {
            "name": TextColumn([f"part {i}" for i in range(count * 2)]),
            "more": ValuesColumn(list(range(count * 2))),
        },
    )
    columns: dict[str, Column] = {
        "text": TextColumn([f"text {i % 3}" for i in range(count)]),
        "price": ValuesColumn([None if i == 1 else i / 2 for i in range(count)]),
        "tensor": TensorColumn(np.arange(count * 2, dtype=np.float32).reshape(count, 2)),
        "tags": ValuesColumn([{"n": i} for i in range(count)]),
        "parts": DocsColumn(np.arange(0, count * 2 + 1, 2), parts),
    }
    if undeclared:
        columns["other"] = ValuesColumn([f"other {i}" for i in range(count)])
    return DocumentBatch([f"d{i}" for i in range(count)], columns)


def twins(count: int) -> tuple[DocList[Item], DocList[Item], DocumentBatch]:
    """Return the same documents as a lazy list and as a plain one, and what they are made of."""
    batch = a_batch(count)
    plain = DocList[Item].construct(list(to_docs(a_batch(count), Item)))
    return to_docs(batch, Item), plain, batch


def is_lazy(docs: Any) -> bool:
    return sheet_of(docs) is not None


def seen(value: Any) -> Any:
    """Return what `==` can compare of anything a list of documents gives."""
    if isinstance(value, BaseDoc):
        return {name: seen(item) for name, item in value.__dict__.items()}
    if isinstance(value, list | tuple):
        return [seen(item) for item in value]
    if isinstance(value, np.ndarray):
        return (type(value), value.dtype, value.tolist())
    return value


def new_item(number: int) -> Item:
    return Item(id=f"new {number}", text=f"new {number}", tensor=np.ones(2, np.float32))


Step = Callable[[DocList[Item]], Any]


def _each(docs: DocList[Item], change: Callable[[Item], None]) -> None:
    for doc in docs:
        change(doc)


def _write_tensors(doc: Item) -> None:
    if doc.tensor is not None:
        doc.tensor[:] = doc.tensor * 2


def _iadd(docs: DocList[Item], others: list[Item]) -> Any:
    docs += others
    return docs


def _imul(docs: DocList[Item], times: int) -> Any:
    docs *= times
    return docs


places = st.integers(-5, 5)
slices = st.builds(slice, st.none() | places, st.none() | places)
numbers = st.integers(0, 3)
WHOLE: dict[str, st.SearchStrategy[Step]] = {
    "len": st.just(len),
    "bool": st.just(bool),
    "texts": st.just(lambda docs: docs.text),
    "ids": st.just(lambda docs: docs.id),
    "prices": st.just(lambda docs: docs.price),
    "tensors": st.just(lambda docs: docs.tensor),
    "tags": st.just(lambda docs: docs.tags),
    "parts": st.just(lambda docs: docs.parts),
    "write texts": numbers.map(
        lambda n: lambda docs: setattr(docs, "text", [f"{n} {i}" for i in range(len(docs))])
    ),
    "write too few": st.just(lambda docs: setattr(docs, "text", ["only one"])),
    "write wrong": st.just(lambda docs: setattr(docs, "text", [5] * len(docs))),
    "write prices": st.just(
        lambda docs: setattr(docs, "price", [i / 4 if i else None for i in range(len(docs))])
    ),
    "write whole prices": st.just(lambda docs: setattr(docs, "price", range(len(docs)))),
    "write tensors": numbers.map(
        lambda n: lambda docs: setattr(docs, "tensor", np.full((len(docs), n), n, np.float64))
    ),
    "write a list of tensors": st.just(
        lambda docs: setattr(docs, "tensor", [np.ones(i + 1) for i in range(len(docs))])
    ),
    "write ids": st.just(lambda docs: setattr(docs, "id", [f"x{i}" for i in range(len(docs))])),
    "write into tensors": st.just(lambda docs: [t.fill(9) for t in docs.tensor if t is not None]),
    "write into tags": st.just(lambda docs: [tags.update(x=1) for tags in docs.tags]),
}
ONE_BY_ONE: dict[str, st.SearchStrategy[Step]] = {
    "at": places.map(lambda i: lambda docs: docs[i]),
    "slice": slices.map(lambda s: lambda docs: list(docs[s])),
    "indices": st.just(lambda docs: docs[[0, -1, 0]]),
    "mask": st.just(lambda docs: docs[[True, False]]),
    "put": places.map(lambda i: lambda docs: docs.__setitem__(i, new_item(0))),
    "put several": slices.map(lambda s: lambda docs: docs.__setitem__(s, [new_item(1)])),
    "del": places.map(lambda i: lambda docs: docs.__delitem__(i)),
    "del several": slices.map(lambda s: lambda docs: docs.__delitem__(s)),
    "append": numbers.map(lambda n: lambda docs: docs.append(new_item(n))),
    "append another": st.just(lambda docs: docs.append(Part())),
    "extend": numbers.map(lambda n: lambda docs: docs.extend(map(new_item, range(n)))),
    "extend by itself": st.just(lambda docs: docs.extend(docs)),
    "insert": places.map(lambda i: lambda docs: docs.insert(i, new_item(i))),
    "pop": places.map(lambda i: lambda docs: docs.pop(i)),
    "remove": places.map(lambda i: lambda docs: docs.remove(docs[i])),
    "clear": st.just(lambda docs: docs.clear()),
    "sort": st.just(lambda docs: docs.sort(key=lambda doc: doc.text, reverse=True)),
    "sorted": st.just(lambda docs: sorted(docs, key=lambda doc: doc.text)),
    "reverse": st.just(lambda docs: docs.reverse()),
    "reversed": st.just(lambda docs: list(reversed(docs))),
    "shuffle": st.just(lambda docs: random.Random(3).shuffle(docs)),
    "index": places.map(lambda i: lambda docs: docs.index(docs[i])),
    "index of none": st.just(lambda docs: docs.index(new_item(0))),
    "count": st.just(lambda docs: docs.count(new_item(0))),
    "in": st.just(lambda docs: new_item(0) in docs),
    "copy": st.just(lambda docs: docs.copy()),
    "copy.copy": st.just(copy.copy),
    "deepcopy": st.just(copy.deepcopy),
    "list": st.just(list),
    "tuple": st.just(tuple),
    "star": st.just(lambda docs: [*docs, 1]),
    "add": st.just(lambda docs: docs + [new_item(0)]),  # noqa: RUF005
    "add to a list": st.just(lambda docs: [new_item(0)] + docs),  # noqa: RUF005
    "add two": st.just(lambda docs: docs + docs),
    "iadd": numbers.map(lambda n: lambda docs: _iadd(docs, [new_item(n)])),
    "mul": st.just(lambda docs: docs * 2),
    "rmul": st.just(lambda docs: 2 * docs),
    "imul": st.integers(0, 2).map(lambda n: lambda docs: _imul(docs, n)),
    "eq": st.just(lambda docs: (docs == docs[:], docs == [], docs != [])),
    "set text": st.just(lambda docs: _each(docs, lambda d: setattr(d, "text", d.text + "."))),
    "set the same": st.just(lambda docs: _each(docs, lambda d: setattr(d, "text", d.text))),
    "set price": st.just(lambda docs: _each(docs, lambda d: setattr(d, "price", None))),
    "set tensor": st.just(lambda docs: _each(docs, lambda d: setattr(d, "tensor", np.ones(3)))),
    "set wrong": st.just(lambda docs: _each(docs, lambda d: setattr(d, "price", "x"))),
    "set id": st.just(lambda docs: setattr(docs[0], "id", "changed")),
    "write into arrays": st.just(lambda docs: _each(docs, _write_tensors)),
    "write a tag": st.just(lambda docs: _each(docs, lambda d: d.tags.update(y=2))),
    "add a part": st.just(lambda docs: docs[0].parts.append(Part(id="n", name="new"))),
    "change a part": st.just(lambda docs: setattr(docs[0].parts[0], "name", "changed")),
    "swap parts": st.just(lambda docs: docs[0].parts.reverse()),
    "drop parts": st.just(lambda docs: setattr(docs[0], "parts", DocList[Part]())),
    "find": st.just(lambda docs: find(docs, np.ones(2, np.float32), "tensor", "cosine_sim")),
    "filter": st.just(lambda docs: filter_docs(docs, {"text": {"$eq": "text 1"}})),
    "map": st.just(lambda docs: list(map_docs(docs, lambda doc: doc, backend="thread"))),
    "reduce": st.just(lambda docs: reduce(docs, DocList[Item]([new_item(1)]))),
    "traverse": st.just(lambda docs: docs.traverse_flat("parts__name")),
    "json": st.just(lambda docs: docs.to_json()),
    "protobuf": st.just(lambda docs: docs.to_protobuf().SerializeToString(deterministic=True)),
    "batches": st.just(lambda docs: [list(part) for part in docs._batch(2)]),
}
steps = st.sampled_from(sorted({**WHOLE, **ONE_BY_ONE})).flatmap(
    lambda name: st.tuples(st.just(name), {**WHOLE, **ONE_BY_ONE}[name])
)


def tried(step: Step, docs: DocList[Item]) -> Any:
    """Return what a step gives, or the kind of error it ends with."""
    try:
        return seen(step(docs))
    except Exception as error:
        return type(error)


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 4), st.lists(steps, max_size=5))
def test_whatever_is_done_to_a_lazy_list_does_what_it_does_to_a_plain_one(
    count: int, done: list[tuple[str, Step]]
) -> None:
    lazy, plain, batch = twins(count)

    for _, step in done:
        assert tried(step, lazy) == tried(step, plain)

    back, expected = from_docs(lazy, original=batch), from_docs(plain, original=batch)
    assert plainly(back) == plainly(expected)
    assert seen(list(lazy)) == seen(list(plain))
    assert type(lazy) is type(plain)


@pytest.mark.parametrize("name", sorted(WHOLE))
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_whole_columns_need_no_documents(name: str, data: st.DataObject) -> None:
    docs = to_docs(a_batch(), Item)

    tried(data.draw(WHOLE[name]), docs)

    left_to_pydantic = {"write too few", "write wrong", "write ids", "write whole prices"}
    assert is_lazy(docs) == (name not in left_to_pydantic)


class TestBack:
    """What `from_docs` makes of documents that come from a batch."""

    def test_a_list_that_was_only_looked_at_is_the_batch_that_it_was(self) -> None:
        batch = a_batch()
        docs = to_docs(batch, Item)

        assert docs.text == batch.text()
        assert docs.tensor[0].tolist() == [0, 1]
        assert from_docs(docs, original=batch) is batch

    @pytest.mark.parametrize("again", [list, tuple, iter, DocList[Item], lambda docs: docs])
    def test_documents_that_were_only_looked_at_are_the_batch_that_they_were(
        self, again: Callable[[Any], Any]
    ) -> None:
        batch = a_batch().without("tags")
        docs = to_docs(batch, Item)

        for doc in docs:
            assert doc.text
            assert doc.parts[0].name

        assert from_docs(again(docs), original=batch) is batch

    def test_columns_that_were_not_changed_are_sent_as_they_are(self) -> None:
        batch = a_batch()
        docs = to_docs(batch, Item)

        for doc in docs:
            doc.text = "new"
        back = from_docs(docs, original=batch)

        assert back.text() == ["new"] * 4
        for name in ("tensor", "price", "parts", "other"):
            assert back.columns[name] is batch.columns[name]
        assert list(back.columns) == list(batch.columns)

    def test_a_column_that_was_written_is_the_array_itself(self) -> None:
        batch = some_texts(3)
        docs = to_docs(batch, Document)
        array = np.ones((3, 2), np.float32)

        docs.embedding = array
        array[0] = 5  # as docarray has it, documents see that
        back = from_docs(docs, original=batch)

        assert back.tensor("embedding").tolist() == [[5, 5], [1, 1], [1, 1]]
        assert np.shares_memory(back.tensor("embedding"), array)
        assert back.columns["text"] is batch.columns["text"]

    def test_a_part_that_was_changed_changes_no_other_part(self) -> None:
        batch = a_batch()
        docs = to_docs(batch, Item)

        docs[1].parts[0].name = "changed"
        parts = from_docs(docs, original=batch).docs("parts")

        assert parts is not None
        assert parts.docs.text("name")[:4] == ["part 0", "part 1", "changed", "part 3"]
        assert parts.docs.values("more") == list(range(8))

    def test_writing_into_a_tensor_is_noticed_and_leaves_the_batch_alone(self) -> None:
        batch = some_images(3)
        before = batch.tensor("embedding").copy()
        docs = to_docs(batch, Document)

        docs.embedding[1][:] = 7
        docs[2].embedding[0] = 8
        back = from_docs(docs, original=batch)

        assert back.tensor("embedding")[1:, 0].tolist() == [7, 8]
        assert (batch.tensor("embedding") == before).all()
        assert back.columns["tensor"] is batch.columns["tensor"]

    def test_a_batch_may_be_given_as_two_classes_at_once(self) -> None:
        batch = some_texts(2)
        one, other = to_docs(batch, Item), to_docs(batch, Document)

        one[0].text = "one"
        other.text = ["a", "b"]

        assert from_docs(one, original=batch).text() == ["one", "text of d1"]
        assert from_docs(other, original=batch).text() == ["a", "b"]

    def test_a_list_of_another_batch_is_taken_for_what_it_is(self) -> None:
        batch, other = some_texts(2), some_texts(2, prefix="e")
        to_docs(batch, Item)

        assert from_docs(to_docs(other, Item), original=batch).ids == ["e0", "e1"]

    def test_defaults_that_say_something_go_along(self) -> None:
        class Said(BaseDoc):
            lang: str = "en"
            text: str | None = None

        batch = DocumentBatch(["a", "b"], {"text": TextColumn(["x", None])})
        docs = to_docs(batch, Said)

        assert is_lazy(docs)
        assert from_docs(docs, original=batch).values("lang") == ["en", "en"]

    def test_a_null_field_that_takes_no_null_has_its_default(self) -> None:
        batch = DocumentBatch(["a", "b"], {"text": TextColumn(["x", None])})
        docs = to_docs(batch, Item)

        assert docs.text == ["x", ""]
        assert from_docs(docs, original=batch).values("text") == ["x", ""]

    def test_fields_nobody_declared_may_be_changed_added_and_removed(self) -> None:
        batch = from_rows(
            [{"id": str(i), "price": i, "size": None, "note": "x", "t": {"a": i}} for i in (1, 2)]
        )
        docs = to_docs(batch, Document)

        for doc in docs:
            doc.price += 1
            doc.colour = "red"
            del doc.__pydantic_extra__["note"]
        back = from_docs(docs, original=batch)

        assert to_rows(back) == [
            {"id": "1", "price": 2, "t": {"a": 1}, "colour": "red"},
            {"id": "2", "price": 3, "t": {"a": 2}, "colour": "red"},
        ]
        assert back.columns["size"] is batch.columns["size"]

    def test_tensors_of_many_shapes_need_no_pydantic(self) -> None:
        batch = DocumentBatch(["a", "b"], {"tensor": RaggedColumn([np.ones(2), None])})
        docs = to_docs(batch, Item)

        assert is_lazy(docs)
        docs[0].tensor[0] = 3
        assert from_docs(docs, original=batch).values("tensor")[0].tolist() == [3, 1]
        assert batch.values("tensor")[0].tolist() == [1, 1]

    def test_nothing_is_remembered_of_no_documents(self) -> None:
        assert len(to_docs(EMPTY_BATCH, Item)) == 0
        assert EMPTY_BATCH.sheets == ()


def test_a_lazy_list_is_a_doclist_of_its_class() -> None:
    docs = to_docs(a_batch(), Item)
    plain = get_origin(DocList[Item]) or DocList[Item]

    assert isinstance(docs, DocList)
    assert isinstance(docs, plain)
    assert docs.doc_type is Item
    assert repr(docs) == repr(DocList[Item](list(docs)))
    assert type(docs) is plain
    assert vars(docs) == {}


def test_documents_of_a_list_are_built_once() -> None:
    docs = to_docs(a_batch(), Item)
    tensors = docs.tensor

    assert docs[0] is docs[0]
    assert docs[:2][0] is docs[0]
    assert all(doc.tensor is tensor for doc, tensor in zip(docs, tensors, strict=True))
    assert type(docs[0].id) is ID


def test_a_built_document_is_checked_when_it_is_written_to() -> None:
    (doc,) = to_docs(a_batch(1), Item)

    with pytest.raises(ValidationError):
        doc.price = "x"
    doc.price = 3
    assert type(doc.price) is float
    assert doc.__pydantic_fields_set__ == {"id", "text", "price", "tensor", "tags", "parts"}


def test_other_libraries_find_documents_in_it() -> None:
    class Holder(BaseDoc):
        items: list_of(Item)

    docs = [to_docs(a_batch(), Item) for _ in range(6)]

    index = InMemoryExactNNIndex[Item](docs[0])
    assert index.find(np.array([6, 7], np.float32), search_field="tensor", limit=1)[0][0].id == "d3"
    assert Holder(items=docs[1]).items[3].id == "d3"
    assert np.array(docs[2], object).shape == (4,)
    assert functools.reduce(lambda n, doc: n + len(doc.text), docs[3], 0) == 24
    assert [doc.id for doc in pickle.loads(pickle.dumps(list(docs[4])))] == ["d0", "d1", "d2", "d3"]
    assert DocList[Item].from_bytes(docs[5].to_bytes()).text == docs[4].text


def test_a_docvec_is_made_of_it_and_taken_back() -> None:
    # Of tensors docarray can make none where numpy is of version 2.
    batch = a_batch().without("tensor", "tags")
    vec = DocVec[Item](to_docs(batch, Item))

    vec.text = ["a", "b", "c", "d"]
    back = from_docs(vec, original=batch)

    assert back.text() == ["a", "b", "c", "d"]
    assert back.values("other") == batch.values("other")


def test_code_in_c_that_looks_past_us_stumbles_and_finds_no_empty_documents() -> None:
    class Model(BaseModel):
        docs: list[Item]

    docs = to_docs(a_batch(), Item)

    with pytest.raises(ValidationError, match="a document that was not"):
        Model(docs=docs)
    with pytest.raises(TypeError):
        orjson.dumps(docs)
    assert len(Model(docs=list(docs)).docs) == 4


def test_whether_something_is_documents_is_told_without_building_any() -> None:
    docs = to_docs(a_batch(), Item)

    assert are_docs(docs)
    assert is_lazy(docs)
    assert are_docs(list(docs))
    assert are_docs(DocVec[Part]([Part()]))
    assert not are_docs([Part(), 5])
    assert not are_docs({"a": 1})


def test_a_field_may_have_the_name_of_a_method_of_lists() -> None:
    class Odd(BaseDoc):
        index: int = 0
        copy: str = ""

    batch = DocumentBatch(["a"], {"index": ValuesColumn([3])})
    docs = to_docs(batch, Odd)

    assert docs.index == [3]
    docs.index = [4]
    assert from_docs(docs, original=batch).values("index") == [4]


def test_a_class_that_refuses_writes_refuses_whole_columns_too() -> None:
    class Frozen(BaseDoc):
        text: str = Field("", frozen=True)

    docs = to_docs(some_texts(2), Frozen)

    with pytest.raises(ValidationError, match="frozen"):
        docs.text = ["a", "b"]
