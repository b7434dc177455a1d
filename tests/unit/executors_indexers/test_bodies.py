"""Documents come back from an index as they went in."""

from pathlib import Path

import numpy as np
import pytest

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
)
from jina_cli.documents.columns import BadColumns, encode
from jina_cli.executors.indexers.bodies import bodies_of, document_of, matches_of
from jina_cli.store.records import Found, Records, Stored
from jina_cli.store.store import Store

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
    "tags": ValuesColumn([{"deep": [1, {"x": "é"}]}, {}]),
    "blob": BytesColumn([b"\0\xff", None]),
    "tensor": TensorColumn(np.arange(4, dtype=np.int64).reshape(2, 2)),
    "sometimes": TensorColumn(np.eye(2), np.array([True, False])),
    "ragged": RaggedColumn([np.zeros((2, 3), np.uint8), None]),
    "chunks": DocsColumn(np.array([0, 2, 3]), INNER),
    "odd": NodesColumn([b"node", None]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_any_kind_comes_back(name: str) -> None:
    docs = DocumentBatch(["x", "y"], {name: COLUMNS[name]})

    bodies = bodies_of(docs)

    for place, body in enumerate(bodies):
        stored = _stored(docs.ids[place], body)
        expected = docs.slice(place, place + 1)
        assert b"".join(encode(document_of(stored))) == b"".join(encode(expected))


def test_a_document_without_fields_takes_no_bytes() -> None:
    assert bodies_of(DocumentBatch(["a", "b"], {"score": ValuesColumn([1.0, 2.0])})) == [b"", b""]


def test_what_cannot_be_kept_is_refused() -> None:
    docs = DocumentBatch(["a"], {"tensor": TensorColumn(np.array([[object()]]))})

    with pytest.raises(BadColumns):
        bodies_of(docs)


def test_matches_are_text_and_values_unless_fields_are_named(tmp_path: Path) -> None:
    docs = DocumentBatch(["x", "y"], COLUMNS)
    found = Found([["y", "x"], [], ["x"]], [np.array([2.0, 1.0]), np.array([]), np.array([0.5])])
    with Store.open(tmp_path) as store:
        store.upsert(Records(ids=docs.ids, bodies=bodies_of(docs)))

        plain = matches_of(store, found)
        named = matches_of(store, found, fields=["tensor", "nothing"])
        bare = matches_of(store, found, fields=[])

    assert sorted(plain.docs.columns) == ["odd", "price", "score", "tags", "text"]
    assert plain.offsets.tolist() == [0, 2, 2, 3]
    assert list(plain.docs.ids) == ["y", "x", "x"]
    assert list(plain.docs.values("score")) == [2.0, 1.0, 0.5]
    assert list(plain.docs.values("text")) == [None, "a", "a"]
    assert sorted(named.docs.columns) == ["score", "tensor"]
    assert named.docs.tensor().tolist() == [[2, 3], [0, 1], [0, 1]]
    assert sorted(bare.docs.columns) == ["score"]


def test_a_document_deleted_since_it_was_found_is_left_out(tmp_path: Path) -> None:
    found = Found([["gone", "x"]], [np.array([2.0, 1.0])])
    with Store.open(tmp_path) as store:
        store.upsert(Records(ids=["x"], bodies=[b""]))

        matches = matches_of(store, found)

    assert (list(matches.docs.ids), matches.offsets.tolist()) == (["x"], [0, 1])


def _stored(id_: str, body: bytes) -> Stored:
    return Stored(id=id_, body=body, text=None, vector=None)
