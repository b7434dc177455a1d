"""Documents come back from an index as they went in."""

import math

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.column import (
    BytesColumn,
    Column,
    DocsColumn,
    NodesColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
    is_absent,
)
from jina_cli.documents.columns import BadColumns, encode
from jina_cli.executors.indexers.bodies import (
    beside_of,
    column_of,
    names_of,
    records_of,
    rows_of_bodies,
)
from jina_cli.store.records import Brief, Records, Stored

INNER = DocumentBatch(
    ["c0", "c1", "c2"],
    {
        "text": TextColumn(["one", None, "three"]),
        "embedding": TensorColumn(np.arange(6, dtype=np.float16).reshape(3, 2)),
    },
)
COLUMNS: dict[str, Column] = {
    "text": TextColumn(["a", None]),
    "price": ValuesColumn([1.5, None]),
    "ratio": ValuesColumn([math.inf, -0.0]),
    "tags": ValuesColumn([{"deep": [1, {"x": "é"}]}, {}]),
    "blob": BytesColumn([b"\0\xff", None]),
    "tensor": TensorColumn(np.arange(4, dtype=np.int64).reshape(2, 2)),
    "big_endian": TensorColumn(np.arange(4, dtype=">i4").reshape(2, 2)),
    "sometimes": TensorColumn(np.eye(2), np.array([True, False])),
    "ragged": RaggedColumn([np.zeros((2, 3), np.uint8), None]),
    "chunks": DocsColumn(np.array([0, 2, 3]), INNER),
    "odd": NodesColumn([b"node", None]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_any_kind_comes_back(name: str) -> None:
    docs = DocumentBatch(["x", "y"], {name: COLUMNS[name]})

    for place, stored in enumerate(stored_as(records_of(docs))):
        assert as_bytes(document_of(stored)) == as_bytes(docs.slice(place, place + 1))


def test_all_kinds_of_columns_come_back_together() -> None:
    docs = DocumentBatch(["x", "y"], COLUMNS)

    for place, stored in enumerate(stored_as(records_of(docs))):
        assert as_bytes(document_of(stored)) == as_bytes(docs.slice(place, place + 1))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["<f4", "<f8", "|u1", "|b1", "<c8"]),
            st.lists(st.integers(0, 5), max_size=3),
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 4),
)
def test_tensors_of_any_shape_are_written_as_one_by_one(
    kinds: list[tuple[str, list[int]]], count: int
) -> None:
    rng = np.random.default_rng(count)
    columns = {
        f"t{i}": TensorColumn(rng.integers(0, 100, (count, *shape)).astype(dtype))
        for i, (dtype, shape) in enumerate(kinds)
    }
    docs = DocumentBatch([f"d{i}" for i in range(count)], columns)

    for place, stored in enumerate(stored_as(records_of(docs))):
        alone = DocumentBatch([""], docs.slice(place, place + 1).columns)
        assert stored.rest == b"".join(encode(alone))
        assert as_bytes(document_of(stored)) == as_bytes(docs.slice(place, place + 1))


def test_text_and_values_are_apart_from_all_else() -> None:
    records = records_of(DocumentBatch(["x", "y"], COLUMNS))

    assert [orjson.loads(body) for body in records.bodies] == [
        {
            "text": "a",
            "price": 1.5,
            "ratio": None,
            "tags": {"deep": [1, {"x": "é"}]},
            "odd": None,
        },
        {"ratio": None, "tags": {}},
    ]
    assert records.rests is not None
    assert records_of(DocumentBatch(["x"], {"text": TextColumn(["a"])})).rests is None


def test_a_text_that_is_searched_is_kept_once() -> None:
    docs = DocumentBatch(["same", "other", "none"], {"text": TextColumn(["a", "b", None])})

    records = records_of(docs, texts=["a", "title\nb", "title"])

    assert records.bodies == [b"", b'{"text":"b"}', b'{"text":null}']
    assert [list(document_of(s).values("text")) for s in stored_as(records)] == [
        ["a"],
        ["b"],
        [None],
    ]


def test_a_document_without_fields_takes_no_bytes() -> None:
    records = records_of(DocumentBatch(["a", "b"], {"score": ValuesColumn([1.0, 2.0])}))

    assert (records.bodies, records.rests) == ([b"", b""], None)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (TensorColumn(np.array([[object()]])), "'field' has elements of type object"),
        (ValuesColumn([{"a": 2**64}]), "'field' of document 'a' cannot be kept: "),
        (TextColumn(["\ud800"]), "'field' of document 'a' cannot be kept: "),
    ],
    ids=["objects", "number", "surrogate"],
)
def test_what_cannot_be_kept_is_refused_by_name(column: Column, message: str) -> None:
    with pytest.raises(BadColumns) as caught:
        records_of(DocumentBatch(["a"], {"good": TextColumn(["x"]), "field": column}))

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("given_", ["text", [1], ["a", None]])
def test_what_is_no_list_of_names_is_refused(given_: object) -> None:
    with pytest.raises(BadField, match=r"^some must be a list of names, not "):
        names_of(given_, what="some")  # type: ignore[arg-type]


def stored_as(records: Records) -> list[Stored]:
    count = len(records)
    rests = records.rests or [None] * count
    texts = records.texts or [None] * count
    rows = zip(records.ids, records.bodies, rests, texts, strict=True)
    return [
        Stored(id=id_, body=body, rest=rest, text=text, vector=None)
        for id_, body, rest, text in rows
    ]


def document_of(stored: Stored) -> DocumentBatch:
    (row,) = rows_of_bodies([Brief(stored.id, stored.body, stored.text, stored.rest is not None)])
    columns = {name: column_of([value]) for name, value in row.items() if value is not None}
    return DocumentBatch([stored.id], {**columns, **beside_of(stored)})


def as_bytes(document: DocumentBatch) -> bytes:
    there = {n: c for n, c in sorted(document.columns.items()) if not is_absent(c)}
    return b"".join(encode(DocumentBatch(document.ids, there)))
