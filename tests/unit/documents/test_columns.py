"""The columnar format: what goes in comes out, and nothing else gets in."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import (
    DocsColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
)
from jina_cli.documents.columns import ALIGNMENT, BadColumns, decode, encode
from jina_cli.documents.limits import MAX_LEVELS
from tests.testing.documents import batches, one_of_each, plainly, some_images, some_texts


def encoded(batch: DocumentBatch) -> bytes:
    return b"".join(encode(batch))


def written(head: Any, *buffers: bytes) -> bytes:
    """Return bytes with any head, as a peer with bad intentions might send them."""
    packed = head if isinstance(head, bytes) else orjson.dumps(head)
    packed += b" " * (-(8 + len(packed)) % ALIGNMENT)
    data = struct.pack("<2sBBI", b"JC", 1, 0, len(packed)) + packed
    for buffer in buffers:
        data += buffer + bytes(-len(buffer) % ALIGNMENT)
    return data


@given(batches())
def test_every_batch_comes_back_as_it_was(batch: DocumentBatch) -> None:
    back = decode(encoded(batch))

    assert plainly(back) == plainly(batch)
    assert {n: type(c) for n, c in back.columns.items()} == {
        n: type(c) for n, c in batch.columns.items()
    }


def test_every_kind_of_column_keeps_what_a_document_lacks() -> None:
    assert plainly(decode(encoded(one_of_each()))) == plainly(one_of_each())


def test_nothing_is_a_batch_too() -> None:
    assert plainly(decode(encoded(EMPTY_BATCH))) == []


def test_numbers_that_json_has_not_are_kept() -> None:
    columns = {
        "score": ValuesColumn([float("nan"), None]),
        "mixed": ValuesColumn([3, float("-inf")]),
    }

    back = decode(encoded(DocumentBatch(["a", "b"], columns)))

    assert np.isnan(back.values("score")[0])
    assert back.values("score")[1] is None
    assert back.values("mixed") == [3, float("-inf")]


def test_tensors_are_aligned_views_of_what_was_received() -> None:
    data = bytearray(encoded(some_images(3)))

    batch = decode(data)

    for name in ("tensor", "embedding"):
        array = batch.tensor(name)
        assert array.flags.aligned
        assert not array.flags.writeable
        assert np.shares_memory(array, np.frombuffer(data, np.uint8))


def test_big_endian_and_strided_tensors_are_written_as_little_endian() -> None:
    array = np.arange(12, dtype=">f4").reshape(3, 4)[:, ::2]

    back = decode(encoded(DocumentBatch.of(3, {"x": TensorColumn(array)}))).tensor("x")

    assert back.dtype.str == "<f4"
    assert back.tolist() == array.tolist()


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (TensorColumn(np.array([object()])), "'x' has elements of type object"),
        (TensorColumn(np.array(["a"])), "'x' has elements of type <U1"),
        (RaggedColumn([np.array("2020-01-01", "M8[D]")]), "'x' has elements of type datetime64[D]"),
        (ValuesColumn([{1: 2}]), "'x' of document 'a' cannot be sent: Dict key must be str"),
        (ValuesColumn([{1, 2}]), "'x' of document 'a' cannot be sent: "),
        (ValuesColumn([2**64]), "'x' of document 'a' cannot be sent: Integer exceeds 64-bit"),
        (TextColumn(["\ud800"]), "'x' of document 'a' cannot be sent: "),
        (TextColumn(["a", "b"]), "'x' has 2 entries for 1 documents"),
    ],
)
def test_what_cannot_travel_is_refused_with_its_name(column: Any, problem: str) -> None:
    with pytest.raises(BadColumns) as caught:
        encode(DocumentBatch(["a"], {"x": column}))

    assert str(caught.value).startswith(problem)


HEADS: dict[str, tuple[Any, Sequence[bytes]]] = {
    "not JSON": (b"{", ()),
    "not a pair": ([1], ()),
    "ids that are numbers": ([[1], {}], ()),
    "ids that are no list": (["ab", {}], ()),
    "columns that are a list": ([["a"], []], ()),
    "a column of an unknown kind": ([["a"], {"x": ["?", []]}], ()),
    "a column that is a string": ([["a"], {"x": "t"}], ()),
    "a column of no parts": ([["a"], {"x": []}], ()),
    "text that is too short": ([["a"], {"x": ["t", []]}], ()),
    "text that is numbers": ([["a"], {"x": ["t", [1]]}], ()),
    "text that is a string": ([["a"], {"x": ["t", "b"]}], ()),
    "values that are an object": ([["a"], {"x": ["v", {"b": 1}, []]}], ()),
    "a repair far out": ([["a"], {"x": ["v", [1], [[7, "nan"]]]}], ()),
    "a repair of no number": ([["a"], {"x": ["v", [1], [[0, "x"]]]}], ()),
    "repairs that are a number": ([["a"], {"x": ["v", [1], 3]}], ()),
    "a repair that is a list": ([["a"], {"x": ["v", [1], [[0, []]]]}], ()),
    "a float that is not there": ([["a"], {"x": ["f", []]}], ()),
    "a None far out": ([["a"], {"x": ["f", [7]]}], (bytes(8),)),
    "a None below zero": ([["a"], {"x": ["f", [-1]]}], (bytes(8),)),
    "bytes that are not there": ([["a"], {"x": ["b", [10**15]]}], ()),
    "bytes of a length below zero": ([["a"], {"x": ["b", [-9]]}], ()),
    "bytes of a length that is true": ([["a"], {"x": ["b", [True]]}], (bytes(1),)),
    "a tensor that is not there": ([["a"], {"x": ["a", "<f4", [1, 10**15], 0]}], ()),
    "a tensor of no shape": ([["a"], {"x": ["a", "<f4", [], 0]}], (bytes(4),)),
    "a tensor of a shape below zero": ([["a"], {"x": ["a", "<f4", [1, -1], 0]}], ()),
    "a tensor of half a row": ([["a"], {"x": ["a", "<f4", [1, 1.5], 0]}], ()),
    "a tensor of too many rows": ([["a"], {"x": ["a", "<f4", [2], 0]}], (bytes(8),)),
    "a tensor of a huge nothing": ([["a"], {"x": ["a", "<f4", [1, 0, 2**62, 2**62], 0]}], ()),
    "a tensor of 40 dimensions": ([["a"], {"x": ["a", "<f4", [1] * 40, 0]}], (bytes(4),)),
    "a tensor of objects": ([["a"], {"x": ["a", "|O", [1], 0]}], (bytes(8),)),
    "a tensor of text": ([["a"], {"x": ["a", "<U1", [1], 0]}], (bytes(4),)),
    "a tensor of a type that is a list": ([["a"], {"x": ["a", [], [1], 0]}], (bytes(4),)),
    "a mask that is not there": ([["a"], {"x": ["a", "|u1", [1], 1]}], (bytes(1),)),
    "ragged tensors that are a number": ([["a"], {"x": ["r", 1]}], ()),
    "ragged tensors that are numbers": ([["a"], {"x": ["r", [1]]}], ()),
    "lists that overlap": (
        [["a", "b"], {"x": ["d", 0, [["c"], {}]]}],
        (np.array([0, 1, 0], "<i8").tobytes(),),
    ),
    "lists that begin late": (
        [["a"], {"x": ["d", 0, [["c"], {}]]}],
        (np.array([1, 1], "<i8").tobytes(),),
    ),
    "lists that end far out": (
        [["a"], {"x": ["d", 0, [["c"], {}]]}],
        (np.array([0, 9], "<i8").tobytes(),),
    ),
}


@pytest.mark.parametrize("what", HEADS)
def test_a_head_is_refused_that_has(what: str) -> None:
    head, buffers = HEADS[what]

    with pytest.raises(BadColumns):
        decode(written(head, *buffers))


@pytest.mark.parametrize(
    "data", [b"", b"JC", b"XX\x01\0\0\0\0\0", b"JC\x02\0\0\0\0\0", b"JC\x01\0\xff\0\0\0"]
)
def test_bytes_that_do_not_begin_as_a_batch_are_refused(data: bytes) -> None:
    with pytest.raises(BadColumns):
        decode(data)


def test_documents_nested_too_deep_are_refused() -> None:
    batch = some_texts(1)
    for _ in range(MAX_LEVELS):
        batch = DocumentBatch(["a"], {"chunks": DocsColumn.of([batch])})

    with pytest.raises(BadColumns, match="nested deeper"):
        encode(batch)


def test_bytes_of_documents_nested_too_deep_are_refused() -> None:
    head: Any = [["a"], {}]
    for _ in range(MAX_LEVELS):
        head = [["a"], {"x": ["d", 0, head]}]
    offsets = np.array([0, 1], "<i8").tobytes()

    with pytest.raises(BadColumns, match="nested deeper"):
        decode(written(head, *[offsets] * MAX_LEVELS))


@settings(max_examples=300)
@given(st.data())
def test_damaged_bytes_are_refused_or_read_but_never_crash(data: st.DataObject) -> None:
    raw = bytearray(encoded(one_of_each()))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))

    for damaged in (raw, raw[:cut]):
        try:
            plainly(decode(damaged))
        except BadColumns:
            pass
