"""docarray's format, read and written by hand: docarray itself is the judge."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from docarray import BaseDoc, DocList
from docarray.proto import DocListProto, DocProto, NodeProto
from docarray.typing import ID, ImageUrl, NdArray
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import (
    BytesColumn,
    DocsColumn,
    NodesColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
)
from jina_cli.documents.nodes import LIST, REPEATED, BadNode, node_value, value_node
from jina_cli.documents.rows import to_rows
from jina_cli.documents.standard import BadStandard, scan, write
from jina_cli.documents.varint import varint
from tests.testing.documents import (
    arrays,
    json_values,
    list_of,
    one_of_each,
    plainly,
    some_images,
    texts,
)
from tests.testing.oversized import nested


class Inner(BaseDoc):
    name: str
    vector: NdArray | None = None


Inners = list_of(Inner)


class Everything(BaseDoc):
    text: str | None = None
    number: int | None = None
    ratio: float | None = None
    flag: bool | None = None
    blob: bytes | None = None
    tensor: NdArray | None = None
    embedding: NdArray[3] | None = None  # type: ignore[type-arg]
    url: ImageUrl | None = None
    parent: ID | None = None
    inner: Inner | None = None
    inners: Inners | None = None
    some_list: list[Any] | None = None
    some_tuple: tuple[int, str] | None = None
    some_set: set[int] | None = None
    some_dict: dict[str, Any] | None = None


inner_docs = st.builds(Inner, name=texts, vector=st.none() | arrays().filter(lambda a: a.size > 0))
documents = st.builds(
    Everything,
    text=st.none() | texts,
    number=st.none() | st.integers(-(2**31), 2**31 - 1),
    ratio=st.none() | st.floats(allow_nan=False),
    flag=st.none() | st.booleans(),
    blob=st.none() | st.binary(max_size=200),
    # docarray forgets dtype and shape of empty tensors.
    tensor=st.none() | arrays().filter(lambda a: a.size > 0),
    embedding=st.none() | st.just(np.arange(3.0)),
    url=st.none() | st.just("http://x/y.png"),
    parent=st.none() | texts,
    inner=st.none() | inner_docs,
    inners=st.none() | st.lists(inner_docs, max_size=2).map(lambda docs: DocList[Inner](docs)),
    some_list=st.none() | st.lists(json_values, max_size=3),
    some_tuple=st.none() | st.tuples(st.integers(0, 9), texts),
    some_set=st.none() | st.sets(st.integers(0, 9)),
    some_dict=st.none() | st.dictionaries(texts, json_values, max_size=3),
)
lists = st.lists(documents, max_size=4).map(lambda docs: DocList[Everything](docs))


def as_docarray_writes(docs: DocList[Any]) -> bytes:
    return bytes(docs.to_protobuf().SerializeToString())


def as_docarray_reads(data: bytes) -> DocList[Everything]:
    return DocList[Everything].from_protobuf(DocListProto.FromString(data))


def compared(data: bytes) -> DocListProto:
    """Return documents as a message, which `==` compares, without the types we may lose."""
    message = DocListProto.FromString(data)
    for doc in message.docs:
        for name in ("url", "parent"):
            if name in doc.data:
                doc.data[name].ClearField("type")
    return message


@settings(max_examples=40, deadline=None)
@given(lists)
def test_what_docarray_writes_is_written_back_the_same(docs: DocList[Everything]) -> None:
    data = as_docarray_writes(docs)

    assert compared(write(scan(data))) == compared(data)


@settings(max_examples=25, deadline=None)
@given(lists)
def test_docarray_reads_what_we_write(docs: DocList[Everything]) -> None:
    back = as_docarray_reads(write(scan(as_docarray_writes(docs))))

    assert back.to_protobuf() == docs.to_protobuf()


def test_each_kind_of_value_has_its_kind_of_column() -> None:
    docs = DocList[Everything](
        Everything(
            text="é",
            number=-5,
            ratio=0.5,
            flag=True,
            blob=b"\xff",
            tensor=np.zeros((2, i + 1), np.uint8),
            embedding=np.ones(3),
            url="http://x",
            inner=Inner(name="x"),
            inners=[Inner(name="y")],
            some_list=[1, "a"],
            some_tuple=(1, "a"),
            some_set={1},
            some_dict={"a": {"b": None}},
        )
        for i in range(2)
    )

    kinds = {name: type(column) for name, column in scan(as_docarray_writes(docs)).columns.items()}

    kinds.pop("parent")
    assert kinds == {
        "text": TextColumn,
        "number": ValuesColumn,
        "ratio": ValuesColumn,
        "flag": ValuesColumn,
        "blob": BytesColumn,
        "tensor": RaggedColumn,
        "embedding": TensorColumn,
        "url": TextColumn,
        "inner": NodesColumn,
        "inners": DocsColumn,
        "some_list": ValuesColumn,
        "some_tuple": NodesColumn,
        "some_set": NodesColumn,
        "some_dict": ValuesColumn,
    }


@pytest.mark.parametrize("kind", ["torch_tensor", "ndarray_embedding", "image_ndarray"])
def test_tensors_of_other_libraries_are_read_as_arrays(kind: str) -> None:
    message = DocListProto()
    node = message.docs.add().data["x"]
    node.ndarray.dense.buffer = np.arange(6, dtype="<f4").tobytes()
    node.ndarray.dense.shape.extend([2, 3])
    node.ndarray.dense.dtype = "<f4"
    node.type = kind

    batch = scan(message.SerializeToString())

    assert batch.tensor("x").tolist() == [[[0, 1, 2], [3, 4, 5]]]
    assert DocListProto.FromString(write(batch)).docs[0].data["x"].type == "ndarray"


def test_ids_and_tensors_carry_the_type_without_which_docarray_cannot_read_them() -> None:
    doc = DocListProto.FromString(write(some_images(1))).docs[0]

    assert doc.data["id"].type == "id"
    assert doc.data["tensor"].type == "ndarray"


def test_a_document_without_an_id_gets_one() -> None:
    message = DocListProto()
    message.docs.add()
    message.docs.add().data["id"].text = ""
    message.docs.add().data["id"].integer = 7

    ids = scan(message.SerializeToString()).ids

    assert ids[2] == "7"
    assert len(set(ids)) == 3
    assert all(ids)


def test_fields_that_only_some_documents_have_are_none_in_the_others() -> None:
    message = DocListProto()
    for place in range(3):
        data = message.docs.add().data
        data["id"].text = str(place)
        if place == 1:
            data["text"].text = "here"

    assert scan(message.SerializeToString()).values("text") == [None, "here", None]


def test_fields_of_one_name_and_several_kinds_keep_their_nodes() -> None:
    message = DocListProto()
    message.docs.add().data["x"].text = "a"
    message.docs.add().data["x"].blob = b"b"
    data = message.SerializeToString()

    column = scan(data).columns["x"]

    assert isinstance(column, NodesColumn)
    assert [node_value(node) for node in column.values if node] == ["a", b"b"]


def test_tensors_of_elements_we_do_not_take_pass_through_as_they_are() -> None:
    message = DocListProto()
    node = message.docs.add().data["x"]
    node.ndarray.dense.buffer = b"abcd"
    node.ndarray.dense.shape.append(1)
    node.ndarray.dense.dtype = "<U1"
    node.type = "ndarray"

    batch = scan(message.SerializeToString())

    assert isinstance(batch.columns["x"], NodesColumn)
    assert DocListProto.FromString(write(batch)).docs[0].data["x"] == node


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (2**31, 2.0**31),
        (-(2**31) - 1, -(2.0**31) - 1),
        (2**53 + 1, str(2**53 + 1)),
        (10**400, "1" + "0" * 400),
        (-1, -1),
    ],
)
def test_whole_numbers_of_any_size_are_written_so_that_docarray_reads_them(
    value: int, read: Any
) -> None:
    class Numbered(BaseDoc):
        n: int | float | str

    data = write(DocumentBatch(["a"], {"n": ValuesColumn([value])}))

    (doc,) = DocList[Numbered].from_protobuf(DocListProto.FromString(data))
    assert doc.n == read


def test_all_kinds_of_columns_survive_the_way_there_and_back() -> None:
    batch = one_of_each().without("score")

    back = scan(write(batch))

    assert to_rows(back) == to_rows(batch)
    assert plainly(back.only("tensor", "embedding", "ragged")) == plainly(
        batch.only("tensor", "embedding", "ragged")
    )


def test_nothing_is_written_as_nothing() -> None:
    assert write(EMPTY_BATCH) == b""
    assert len(scan(b"")) == 0


def unusual_layouts() -> dict[str, bytes]:
    node = NodeProto(text="hello").SerializeToString()
    key, value = b"\x0a\x01x", b"\x12" + bytes([len(node)]) + node

    def listed(entry: bytes) -> bytes:
        doc = b"\x0a" + bytes([len(entry)]) + entry
        return b"\x0a" + bytes([len(doc)]) + doc

    usual = listed(key + value)
    return {
        "value before key": listed(value + key),
        "a length of two bytes for one": b"\x0a" + bytes([usual[1] | 128, 0]) + usual[2:],
        "an unknown field in the list": b"\x78\x01" + listed(key + value),
        "an unknown field in the node": listed(key + b"\x12\x09" + node + b"\x78\x01"),
        "two contents in a node, the last of which counts": listed(
            key + b"\x12\x09\x20\x01" + node
        ),
    }


@pytest.mark.parametrize("what", unusual_layouts())
def test_what_protobuf_permits_and_nobody_writes_is_read(what: str) -> None:
    data = unusual_layouts()[what]
    DocListProto.FromString(data)

    assert scan(data).values("x") == ["hello"]


sizes = st.sampled_from((0, 1, 5, 90, 110, 126, 127, 128, 300))
written = st.lists(
    st.lists(st.tuples(st.sampled_from(("a", "bb", "id", "x" * 90)), sizes), max_size=5),
    max_size=6,
)


@settings(max_examples=200)
@given(written)
def test_fields_in_any_order_and_of_any_size_are_those_that_protobuf_reads(
    docs: list[list[tuple[str, int]]],
) -> None:
    data = b"".join(
        b"\x0a"
        + bytes_of(
            b"".join(
                DocProto(data={name: NodeProto(text=str(place) * size)}).SerializeToString()
                for place, (name, size) in enumerate(doc)
            )
        )
        for doc in docs
    )

    batch = scan(data)

    message = DocListProto.FromString(data)
    assert len(batch) == len(message.docs)
    for place, doc in enumerate(message.docs):
        for name, node in doc.data.items():
            if name != "id" or node.text:
                found = batch.ids[place] if name == "id" else batch.values(name)[place]
                assert found == node.text
    again = {(place, name) for place, doc in enumerate(message.docs) for name in doc.data}
    there = {
        (place, name)
        for name in batch.columns
        for place, value in enumerate(batch.values(name))
        if value is not None
    }
    assert there == {(place, name) for place, name in again if name != "id"}
    assert DocListProto.FromString(write(batch)).docs[:] == [
        *DocListProto.FromString(write(scan(write(batch)))).docs
    ]


def test_a_field_that_stands_twice_has_its_last_value() -> None:
    entries = [DocProto(data={"x": NodeProto(text=t)}).SerializeToString() for t in ("a", "b")]
    doc = b"".join(entries)
    data = b"\x0a" + bytes([len(doc)]) + doc

    assert scan(data).values("x") == ["b"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a",
        b"\x0a\x05abc",
        b"not protobuf at all",
        b"\x0a\x04\x0a\x02\x0a\x05",
        b"\xff" * 20,
        DocListProto(docs=[DocProto(data={"x": NodeProto(text="é")})])
        .SerializeToString()
        .replace("é".encode(), b"\xff\xff"),
    ],
)
def test_bytes_that_are_no_documents_are_refused(data: bytes) -> None:
    with pytest.raises(BadStandard, match="is no list of documents"):
        scan(data)


def test_a_tensor_that_has_less_than_its_shape_is_refused() -> None:
    message = DocListProto()
    for _ in range(2):
        node = message.docs.add().data["x"]
        node.ndarray.dense.buffer = bytes(4)
        node.ndarray.dense.shape.append(2**31)
        node.ndarray.dense.dtype = "<f4"
        node.type = "ndarray"

    with pytest.raises(BadStandard, match="a tensor has 4 bytes"):
        scan(message.SerializeToString())


def test_a_field_nested_too_deep_is_refused_without_a_copy_for_each_level() -> None:
    node = nested(100_000, (LIST, REPEATED))
    tracemalloc.start()

    with pytest.raises(BadNode, match="nested deeper"):
        node_value(node)

    assert tracemalloc.get_traced_memory()[1] < 2 * len(node)
    tracemalloc.stop()


def test_documents_nested_too_deep_are_refused() -> None:
    node = b""
    for _ in range(40):
        doc = b"\x0a" + bytes_of(b"\x0a\x01x" + b"\x12" + bytes_of(node))
        node = b"\x42" + bytes_of(b"\x0a" + bytes_of(doc))
    data = b"\x0a" + bytes_of(b"\x0a" + bytes_of(b"\x0a\x01x\x12" + bytes_of(node)))

    with pytest.raises(BadStandard):
        scan(data)


def bytes_of(data: bytes) -> bytes:
    return varint(len(data)) + data


@settings(max_examples=300)
@given(st.data())
def test_damaged_documents_are_refused_or_read_but_never_crash(data: st.DataObject) -> None:
    raw = bytearray(write(one_of_each()))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))

    for damaged in (raw, raw[: data.draw(st.integers(0, len(raw)))]):
        try:
            batch = scan(damaged)
        except BadStandard:
            continue
        write(batch)
        to_rows(batch)


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_read_but_never_crash(data: bytes) -> None:
    try:
        to_rows(scan(data))
    except BadStandard:
        pass


@given(st.tuples(texts, st.binary(max_size=3), json_values))
def test_a_node_holds_any_collection(value: tuple[Any, ...]) -> None:
    assert node_value(value_node(value)) == value


def test_names_of_any_length_are_written_and_nothing_is_kept_of_long_ones() -> None:
    for size in (60, 100, 127, 128, 300):
        name = "n" * size
        batch = DocumentBatch(
            ["a", "b"],
            {
                name: TextColumn(["x", None]),
                name + "t": TensorColumn(np.ones((2, 2)), np.array([True, False])),
            },
        )

        docs = DocListProto.FromString(write(batch)).docs

        assert docs[0].data[name].text == "x"
        assert docs[0].data[name + "t"].ndarray.dense.shape == [2]
        assert docs[1].data[name].WhichOneof("content") is None
        assert docs[1].data[name + "t"].WhichOneof("content") is None


def test_documents_that_share_no_field_are_refused_before_they_fill_the_memory() -> None:
    message = DocListProto()
    for place in range(5000):
        message.docs.add().data[f"x{place}"].boolean = True
    early_and_late = DocListProto()
    for name in range(100):
        early_and_late.docs.add().data[f"x{name}"].boolean = True
    once = early_and_late.SerializeToString()

    for data in (message.SerializeToString(), once + b"\x0a\x00" * 200_000 + once):
        with pytest.raises(BadStandard, match="too little in common"):
            scan(data)


def test_more_documents_than_a_message_may_have_are_refused() -> None:
    with pytest.raises(BadStandard, match="over 1000000 documents"):
        scan(b"\x0a\x00" * 1_000_001)
