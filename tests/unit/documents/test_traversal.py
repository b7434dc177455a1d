"""Traversal paths: reading them, and putting results back where they came from."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import DocsColumn, TextColumn
from jina_cli.documents.traversal import (
    BadPath,
    Path,
    Places,
    documents_at,
    lists_at,
    parse_paths,
    put_at,
    put_lists_at,
)

PATHS = {
    "@r": ((),),
    "r": ((),),
    "@c": (("chunks",),),
    "@m": (("matches",),),
    "@cc": (("chunks", "chunks"),),
    "@cm": (("chunks", "matches"),),
    "@r,c": ((), ("chunks",)),
    "@rc": (("chunks",),),
    " @r , mc": ((), ("matches", "chunks")),
    "@r[:5]c[0]m[-3:]": ((Places(None, 5), "chunks", Places(0, 1), "matches", Places(-3)),),
    "c[-1], r[ 1 : -1 : 2 ]": (("chunks", Places(-1)), (Places(1, -1, 2),)),
    "m[::-1]": (("matches", Places(step=-1)),),
}


@pytest.mark.parametrize("text", PATHS)
def test_a_path_is_read_letter_by_letter(text: str) -> None:
    assert parse_paths(text.strip()) == PATHS[text]


def test_a_list_of_paths_is_several_paths() -> None:
    assert parse_paths(["c", "@m"]) == (("chunks",), ("matches",))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "column 1: it is made of r, c and m, as in '@c', and here is none"),
        ("@", "column 2: it is made of r, c and m, as in '@c', and here is none"),
        ("@x", "column 2: it is made of r, c and m, not of 'x'"),
        ("@c,", "column 4: it is made of r, c and m, as in '@c', and here is none"),
        ("@cr", "column 3: r stands only at its beginning"),
        ("chunks", "column 2: it is made of r, c and m, not of 'h'"),
        ("@[0]", "column 2: it is made of r, c and m, not of '['"),
        ("@c[x]", "column 4: expected a place such as [0] or [-3:]"),
        ("@c[]", "column 4: expected a place such as [0] or [-3:]"),
        ("@c[1", "column 5: expected a place such as [0] or [-3:]"),
        ("@c[::0]", "column 6: a step of 0 goes nowhere"),
    ],
)
def test_what_is_no_path_is_refused_at_its_column(text: str, problem: str) -> None:
    with pytest.raises(BadPath) as caught:
        parse_paths(text)

    assert str(caught.value) == f"{text!r} is no traversal path: {problem}"


def test_no_path_at_all_is_refused() -> None:
    with pytest.raises(BadPath):
        parse_paths([])


@st.composite
def trees(draw: st.DrawFn, depth: int = 2) -> DocumentBatch:
    """Batches with chunks and matches, `depth` deep."""
    count = draw(st.integers(0, 4))
    ids = [f"{depth}-{i}-{draw(st.integers(0, 99))}" for i in range(count)]
    docs = DocumentBatch(ids, {"text": TextColumn([id_.upper() for id_ in ids])})
    if depth == 0 or count == 0:
        return docs
    for field in ("chunks", "matches"):
        if not draw(st.booleans()):
            continue
        inner = draw(trees(depth - 1))
        cuts = sorted(
            draw(st.lists(st.integers(0, len(inner)), min_size=count - 1, max_size=count - 1))
        )
        offsets = np.array([0, *cuts, len(inner)], np.int64)
        docs = docs.with_columns(**{field: DocsColumn(offsets, inner)})
    return docs


bounds = st.none() | st.integers(-3, 3)
cuts = st.builds(Places, bounds, bounds, st.sampled_from([1, 1, 1, 2, -1, -2]))
places = st.lists(cuts, max_size=1)
letters = st.sampled_from(["chunks", "matches"])
steps = st.lists(st.tuples(letters, places), max_size=2)
paths: st.SearchStrategy[Path] = st.builds(
    lambda first, rest: (*first, *(part for field, cut in rest for part in (field, *cut))),
    places,
    steps,
)
plain_paths = st.lists(letters, max_size=2).map(tuple)


def shape(docs: DocumentBatch) -> object:
    """Everything that the documents hold, as plain values."""
    return [
        (
            docs.ids[i],
            {
                name: shape(docs.values(name)[i])
                if isinstance(column, DocsColumn)
                else docs.values(name)[i]
                for name, column in docs.columns.items()
            },
        )
        for i in range(len(docs))
    ]


@given(trees(), paths)
def test_putting_back_what_was_taken_changes_nothing(docs: DocumentBatch, path: Path) -> None:
    assert shape(put_at(docs, path, documents_at(docs, path))) == shape(docs)


@given(trees(), plain_paths)
def test_what_is_put_at_a_path_changes_the_documents_there_and_no_others(
    docs: DocumentBatch, path: Path
) -> None:
    found = documents_at(docs, path)

    after = put_at(docs, path, found.with_texts([id_ + "!" for id_ in found.ids]))

    assert list(documents_at(after, path).values("text")) == [id_ + "!" for id_ in found.ids]
    assert after.ids == docs.ids
    for other in {(), ("chunks",), ("matches",)} - {path}:
        before = documents_at(docs, other).values("text")
        assert list(documents_at(after, other).values("text")) == list(before)


def test_where_there_are_no_documents_nothing_is_put() -> None:
    docs = DocumentBatch(["a"])

    assert put_at(docs, ("chunks",), DocumentBatch([])) is docs


def test_documents_may_not_get_fewer_where_they_are_put_back() -> None:
    docs = DocumentBatch(["a", "b"])

    with pytest.raises(ValueError, match="1 documents cannot take the place of 2"):
        put_at(docs, (), docs.slice(0, 1))


class Node:
    """A document as an object, to say in the plainest way what a path means."""

    def __init__(self, id: str, **lists: list[Node]) -> None:
        self.id = id
        self.lists = lists

    def __repr__(self) -> str:
        return f"{self.id}{self.lists or ''}"


def nodes(docs: DocumentBatch) -> list[Node]:
    columns = {name: docs.docs(name) for name in ("chunks", "matches")}
    lists = {n: [nodes(b) for b in docs.values(n)] for n, c in columns.items() if c is not None}
    return [
        Node(id_, **{name: known[place] for name, known in lists.items()})
        for place, id_ in enumerate(docs.ids)
    ]


def lists_of(roots: list[Node], path: Path) -> list[list[Node]]:
    lists = [roots]
    for step in path:
        if isinstance(step, str):
            lists = [node.lists.get(step, []) for docs in lists for node in docs]
        else:
            lists = [docs[step.start : step.stop : step.step] for docs in lists]
    return lists


def ids_of(lists: DocsColumn) -> list[list[str]]:
    bounds = lists.offsets.tolist()
    return [list(lists.docs.ids[a:b]) for a, b in pairwise(bounds)]


@given(trees(), paths)
def test_the_documents_at_a_path_are_those_that_slices_of_lists_give(
    docs: DocumentBatch, path: Path
) -> None:
    expected = [[node.id for node in one] for one in lists_of(nodes(docs), path)]

    assert ids_of(lists_at(docs, path)) == expected
    assert list(documents_at(docs, path).ids) == [id_ for one in expected for id_ in one]


@given(trees(), paths)
def test_lists_that_are_put_back_change_nothing(docs: DocumentBatch, path: Path) -> None:
    assert shape(put_lists_at(docs, path, lists_at(docs, path))) == shape(docs)


@given(trees(), plain_paths, st.data())
def test_lists_may_get_shorter_and_longer_where_they_are_put_back(
    docs: DocumentBatch, path: Path, data: st.DataObject
) -> None:
    lists = lists_at(docs, path)
    places = [
        data.draw(st.lists(st.integers(a, b - 1), max_size=4)) if b > a else []
        for a, b in pairwise(lists.offsets.tolist())
    ]
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in places])]).astype(np.int64)
    taken = np.array([place for one in places for place in one], np.int64)
    changed = DocsColumn(offsets, lists.docs.take(taken))

    after = put_lists_at(docs, path, changed)

    assert ids_of(lists_at(after, path)) == ids_of(changed)
    if path:
        assert shape(after.without(path[0])) == shape(docs.without(path[0]))


@pytest.mark.parametrize(
    ("path", "lists", "expected"),
    [
        ("c[:2]", [["x"], []], [["x", "a2"], []]),
        ("c[-2:]", [["x", "y", "z"], ["w"]], [["a0", "x", "y", "z"], ["w"]]),
        ("c[1]", [[], []], [["a0", "a2"], ["b0"]]),
        ("c[5:]", [["x"], ["y"]], [["a0", "a1", "a2", "x"], ["b0", "y"]]),
        ("c[::2]", [["x"], ["y", "z"]], [["x", "a1"], ["y", "z"]]),
        ("r[1]c", [["x", "y"]], [["a0", "a1", "a2"], ["x", "y"]]),
    ],
)
def test_a_part_of_a_list_is_replaced_where_it_stood(
    path: str, lists: list[list[str]], expected: list[list[str]]
) -> None:
    chunks = DocsColumn.of([DocumentBatch(["a0", "a1", "a2"]), DocumentBatch(["b0"])])
    docs = DocumentBatch(["a", "b"], {"chunks": chunks})
    new = DocsColumn.of([DocumentBatch(ids) for ids in lists])

    after = put_lists_at(docs, parse_paths(path)[0], new)

    assert ids_of(lists_at(after, ("chunks",))) == expected


def test_a_document_with_new_documents_in_a_field_has_the_field() -> None:
    chunks = DocsColumn(np.zeros(3, np.int64), DocumentBatch([]), np.zeros(2, np.bool_))
    docs = DocumentBatch(["a", "b"], {"chunks": chunks})

    after = put_lists_at(docs, ("chunks",), DocsColumn.of([DocumentBatch(["x"]), EMPTY_BATCH]))

    column = after.docs("chunks")
    assert column is not None
    assert column.present is not None
    assert column.present.tolist() == [True, False]


def test_another_number_of_lists_is_refused() -> None:
    docs = DocumentBatch(["a"], {"chunks": DocsColumn.of([DocumentBatch(["x"])])})
    two = DocsColumn.of([DocumentBatch(["x"]), DocumentBatch(["y"])])

    with pytest.raises(ValueError, match="2 lists cannot take the place of 1"):
        put_lists_at(docs, ("chunks",), two)


@given(trees(), paths)
def test_documents_that_places_pass_by_stay_as_they_are(docs: DocumentBatch, path: Path) -> None:
    found = documents_at(docs, path)
    letters = tuple(step for step in path if isinstance(step, str))
    marked = found.with_columns(mark=TextColumn(["x"] * len(found)))

    after = documents_at(put_at(docs, path, marked), letters)

    expected = sorted(found.ids)
    there = zip(after.ids, after.values("mark"), strict=True)
    assert sorted(id_ for id_, mark in there if mark == "x") == expected
    assert list(after.ids) == list(documents_at(docs, letters).ids)
