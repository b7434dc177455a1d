"""Conditions mean in a store what they mean of documents."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import Column, TensorColumn, TextColumn, ValuesColumn
from jina_cli.documents.condition import All, AnyOf, Compare, Condition, Not, Op, Own, condition_of
from jina_cli.documents.query import matches
from jina_cli.executors.indexers.bodies import records_of
from jina_cli.store.records import Records
from jina_cli.store.store import Store

NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, -0.0, 2.0, 1e300, 2**53 + 1, -(2**63)])
STRINGS = st.sampled_from(
    ["", "a", "B", "b", "é", "É", "10", "a%b", "x_y", "\0", "\U0001f6a4", "\uffff"]
)
PLAIN = st.none() | st.booleans() | NUMBERS | STRINGS
VALUES = PLAIN | st.lists(PLAIN, max_size=2) | st.dictionaries(STRINGS, PLAIN, max_size=2)
NAMES = st.sampled_from(["price", "lang", "0", "a"])
TAGS = st.none() | st.dictionaries(NAMES, VALUES, max_size=3)
DOCUMENTS = st.lists(
    st.tuples(TAGS, st.none() | STRINGS, VALUES, st.booleans(), st.floats(width=32)), max_size=6
)
PATHS = st.sampled_from(
    [
        ("id",), ("text",), ("tags",), ("tensor",), ("embedding",), ("uri",), ("odd",),
        ("price",), ("lang",), ("tags", "price"), ("tags", "0"), ("price", "0"), ("lang", "a"),
        ("tags", "price", "-1"), ("text", "0"), ("tensor", "0"), ("price", "a"), ("0",),
    ]
)  # fmt: skip
OPERANDS = {
    Op.IN: st.lists(VALUES, max_size=3).map(tuple),
    Op.NIN: st.lists(VALUES, max_size=3).map(tuple),
    Op.REGEX: st.sampled_from(["a", "^b$", "", r"\d"]),
    Op.LIKE: st.sampled_from(["a", "%", "_", "a%", "%b", "x\\_y", "%%", "é"]),
    Op.SIZE: st.integers(0, 2),
    Op.EXISTS: st.booleans(),
}
MAY_BE_OWN = (Op.EQ, Op.NEQ, Op.GT, Op.GTE, Op.LT, Op.LTE)


def a_compare(op: Op) -> st.SearchStrategy[Condition]:
    operands = OPERANDS.get(op, VALUES)
    if op in MAY_BE_OWN:
        operands |= st.builds(Own, PATHS)
    return st.builds(Compare, PATHS, st.just(op), operands)


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.sampled_from(list(Op)).flatmap(a_compare),
    lambda some: (
        st.builds(Not, some)
        | st.lists(some, max_size=3).map(lambda of: All(tuple(of)))
        | st.lists(some, max_size=3).map(lambda of: AnyOf(tuple(of)))
    ),
    max_leaves=4,
)


def batch_of(rows: list) -> DocumentBatch:
    columns: dict[str, Column] = {
        "tags": ValuesColumn([row[0] for row in rows]),
        "text": TextColumn([row[1] for row in rows]),
        "price": ValuesColumn([row[2] for row in rows]),
    }
    if rows and all(row[3] for row in rows):
        columns["tensor"] = TensorColumn(np.array([[row[4]] for row in rows], np.float32))
        columns["odd"] = ValuesColumn([row[4] for row in rows])
    return DocumentBatch([f"d{i}" for i in range(len(rows))], columns)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder, Store.open(folder) as store:
        yield store


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@settings(max_examples=100, deadline=None)
@given(first=DOCUMENTS, second=DOCUMENTS, conditions=st.lists(CONDITIONS, min_size=1, max_size=4))
def test_a_store_finds_what_matches(
    store: Store, first: list, second: list, conditions: list[Condition]
) -> None:
    store.delete([stored.id for stored in store])
    # A second time with the same conditions, when only what changed is looked at again.
    for batch in (batch_of(first), batch_of(second), DocumentBatch.concat([])):
        if len(batch):
            texts = batch.values("text")
            vectors = np.ones((len(batch), 2), np.float32)
            store.upsert(records_of(batch, texts=texts, vectors=vectors))
            now = batch.with_columns(embedding=TensorColumn(vectors))
            beyond = [stored.id for stored in store if stored.id not in batch.ids]
            store.delete(beyond)
            for condition in conditions:
                mask = matches(condition, now)
                expected = sorted(id_ for id_, is_it in zip(now.ids, mask, strict=True) if is_it)

                assert store.count(condition) == len(expected)
                assert [s.id for s in store.page(where=condition)] == expected
                (found,) = store.search_vectors(np.ones((1, 2)), 99, where=condition).ids
                assert found == expected


def some(store: Store, *names: str) -> None:
    rows = DocumentBatch(names, {"tags": ValuesColumn([{"n": int(name[1:])} for name in names])})
    vectors = np.array([[int(name[1:]) + 1, 1] for name in names], np.float32)
    store.upsert(records_of(rows, texts=["word"] * len(names), vectors=vectors))


@pytest.fixture
def ten(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as store:
        some(store, *(f"d{i}" for i in range(10)))
        yield store


def where(given: str) -> Condition:
    condition = condition_of(given)
    assert condition is not None
    return condition


def test_a_filter_holds_for_text_vectors_pages_and_counts(ten: Store) -> None:
    condition = where("n >= 3 and n < 6")

    assert ten.count(condition) == 3
    assert ten.search_text(["word"], 9, where=condition).ids == [["d3", "d4", "d5"]]
    assert ten.search_vectors(np.array([[1, 0]]), 2, where=condition).ids == [["d5", "d4"]]
    assert [s.id for s in ten.page("d3", 1, condition)] == ["d4"]
    assert ten.search_text(["word"], 9, where=where("n = 77")).ids == [[]]
    assert ten.search_vectors(np.array([[1, 0]]), 2, where=where("n = 77")).ids == [[]]


def test_pages_end_where_the_next_begins(ten: Store) -> None:
    pages, after = [], None
    while page := ten.page(after, 4):
        after = page[-1].id
        pages.append([stored.id for stored in page])

    assert pages == [["d0", "d1", "d2", "d3"], ["d4", "d5", "d6", "d7"], ["d8", "d9"]]


def test_what_is_deleted_by_a_condition_is_what_fits_when_its_turn_comes(ten: Store) -> None:
    more = DocumentBatch(["late"], {"tags": ValuesColumn([{"n": 5}])})
    futures = [ten.submit(records_of(more)), ten.submit_delete_where(where("n = 5"))]

    assert [future.result(10) for future in futures] == [1, 2]
    assert ten.count() == 9
    assert ten.delete_where(where("n < 100")) == 9
    assert ten.delete_where(where("n < 100")) == 0
    ten.verify()


def test_a_filter_sees_each_change(ten: Store) -> None:
    condition = where("n in (1, 2)")
    seen = [ten.count(condition)]

    ten.delete(["d1"])
    seen.append(ten.count(condition))
    some(ten, "d1", "d2")
    seen.append(ten.count(condition))
    ten.upsert(Records(ids=["d2"], bodies=[b""]))
    seen.append(ten.count(condition))
    ten.delete([f"d{i}" for i in range(10)])
    seen.append(ten.count(condition))

    assert seen == [2, 1, 2, 1, 0]


def test_a_condition_that_sql_does_not_take_is_answered_all_the_same(ten: Store) -> None:
    many = AnyOf(tuple(Compare(("tags", "n"), Op.EQ, n) for n in range(5, 5000)))

    assert ten.count(many) == 5
