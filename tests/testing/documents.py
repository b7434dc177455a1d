"""Documents for tests: a few of each kind, and Hypothesis strategies for all kinds."""

from __future__ import annotations

from typing import Any, get_origin

import numpy as np
from docarray import BaseDoc, DocList
from hypothesis import strategies as st

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import (
    BytesColumn,
    Column,
    DocsColumn,
    NodesColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
    rows_of,
)
from jina_cli.documents.nodes import value_node


def some_texts(count: int = 3, *, prefix: str = "d") -> DocumentBatch:
    """Return documents `d0`, `d1`, … with the text `text of d0`, …"""
    ids = [f"{prefix}{i}" for i in range(count)]
    return DocumentBatch(ids, {"text": TextColumn([f"text of {id_}" for id_ in ids])})


def some_vectors(count: int = 3, dim: int = 4, *, seed: int = 0) -> DocumentBatch:
    """Return documents `d0`, … with an `embedding` of random numbers, float32."""
    array = np.random.default_rng(seed).standard_normal((count, dim), np.float32)
    return DocumentBatch([f"d{i}" for i in range(count)], {"embedding": TensorColumn(array)})


def some_images(count: int = 100) -> DocumentBatch:
    """Return documents with a `tensor` of 28 × 28 and an `embedding` of 64, float32."""
    rng = np.random.default_rng(0)
    columns: dict[str, Column] = {
        "tensor": TensorColumn(rng.random((count, 28, 28), np.float32)),
        "embedding": TensorColumn(rng.random((count, 64), np.float32)),
    }
    return DocumentBatch([f"{i:032x}" for i in range(count)], columns)


def one_of_each() -> DocumentBatch:
    """Return three documents with a column of every kind, the middle one lacking all fields."""
    there = np.array([True, False, True])
    chunks = some_texts(3, prefix="c")
    columns: dict[str, Column] = {
        "text": TextColumn(["é", None, ""]),
        "tags": ValuesColumn([{"a": [1, None, "x"]}, None, {}]),
        "score": ValuesColumn([1.5, None, float("inf")]),
        "blob": BytesColumn([b"\x00\xff", None, b""]),
        "tensor": TensorColumn(
            np.arange(12, dtype=np.int16).reshape(3, 2, 2) * there[:, None, None], there
        ),
        "embedding": TensorColumn(np.eye(3, 4, dtype=np.float32)),
        "ragged": RaggedColumn([np.zeros((2, 3)), None, np.array(5, np.uint8)]),
        "chunks": DocsColumn(np.array([0, 2, 2, 3]), chunks, there),
        "other": NodesColumn([value_node((1, "a")), None, value_node({b"x"})]),
    }
    return DocumentBatch(["a", "b", "c"], columns)


def plainly(batch: DocumentBatch) -> list[dict[str, Any]]:
    """Return documents as dictionaries that `==` can compare, without the fields they lack."""
    rows: list[dict[str, Any]] = [{"id": id_} for id_ in batch.ids]
    for name, column in batch.columns.items():
        lists = isinstance(column, DocsColumn) and column.present is not None
        there = column.present if lists else [True] * len(rows)
        for row, value, has_it in zip(rows, rows_of(column), there, strict=True):
            if has_it and value is not None:
                row[name] = _comparable(value)
    return rows


def _comparable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, np.generic):
        return _comparable(np.asarray(value))
    if isinstance(value, DocumentBatch):
        return plainly(value)
    if isinstance(value, float):
        return np.float64(value).tobytes()
    return value


DTYPES = ("|b1", "|u1", "<i2", "<i4", "<i8", "<f2", "<f4", "<f8")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers(-(2**31), 2**31 - 1) | st.floats(allow_nan=False)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**31), 2**31 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    """Draw a small array of any type that travels, and any shape."""
    shape = tuple(draw(st.lists(st.integers(0, 3), max_size=3)))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    size = int(np.prod(shape)) * dtype.itemsize
    data = draw(st.binary(min_size=size, max_size=size))
    array = np.frombuffer(data, np.uint8 if dtype.kind == "b" else dtype)
    return (array % 2).astype(dtype).reshape(shape) if dtype.kind == "b" else array.reshape(shape)


@st.composite
def tensor_columns(draw: st.DrawFn, count: int) -> Column:
    """Draw a dense column."""
    one = draw(arrays())
    array = np.stack([one] * count) if count else np.zeros((0, *one.shape), one.dtype)
    if not draw(st.booleans()):
        return TensorColumn(array)
    mask = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)), np.bool_)
    array[~mask] = 0
    return TensorColumn(array, mask)


def _each(values: st.SearchStrategy[Any], count: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.none() | values, min_size=count, max_size=count)


def columns(count: int, levels: int = 2) -> st.SearchStrategy[Column]:
    """Return a strategy for any column of `count` entries."""
    kinds: list[st.SearchStrategy[Any]] = [
        _each(texts, count).map(TextColumn),
        _each(json_values, count).map(ValuesColumn),
        _each(numbers, count).map(ValuesColumn),
        _each(st.binary(max_size=8), count).map(BytesColumn),
        _each(arrays(), count).map(RaggedColumn),
        tensor_columns(count),
        _each(st.tuples(texts).map(value_node), count).map(NodesColumn),
    ]
    if levels:
        kinds.append(_docs_columns(count, levels))
    return st.one_of(kinds)


@st.composite
def _docs_columns(draw: st.DrawFn, count: int, levels: int) -> Column:
    lengths = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    offsets = np.cumsum([0, *lengths]).astype(np.int64)
    return DocsColumn(offsets, draw(batches(count=int(offsets[-1]), levels=levels - 1)))


@st.composite
def batches(draw: st.DrawFn, count: int | None = None, levels: int = 2) -> DocumentBatch:
    """Draw up to three documents with up to four fields of any kind."""
    if count is None:
        count = draw(st.integers(0, 3))
    ids = draw(st.lists(texts.filter(bool), min_size=count, max_size=count))
    names = draw(st.lists(texts.filter(lambda name: name != "id"), max_size=4, unique=True))
    return DocumentBatch(ids, {name: draw(columns(count, levels)) for name in names})


def list_of(doc_type: type[BaseDoc]) -> Any:
    """Return docarray's class for lists of `doc_type`, for a field of another document class.

    `DocList[doc_type]` is an alias of it, which pydantic cannot read on Python 3.13.
    """
    return get_origin(DocList[doc_type])  # type: ignore[valid-type]
