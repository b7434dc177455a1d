"""Merging several answers to one request."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, TensorColumn, TextColumn, ValuesColumn
from jina_cli.runtime.gather import (
    in_order,
    merge_pages,
    merge_top_k,
    put_back,
    shard_of,
    split,
    union,
)


def docs(**texts: str | None) -> DocumentBatch:
    return DocumentBatch(list(texts), {"text": TextColumn(list(texts.values()))})


def found(**queries: dict[str, float]) -> DocumentBatch:
    """An answer of one shard: for each query the score of each match."""
    ids = [id_ for matches in queries.values() for id_ in matches]
    scores = [score for matches in queries.values() for score in matches.values()]
    offsets = np.cumsum([0, *(len(matches) for matches in queries.values())])
    inner = DocumentBatch(ids, {"score": ValuesColumn(scores)})
    return DocumentBatch(list(queries), {"matches": DocsColumn(offsets, inner)})


def matches_of(merged: DocumentBatch) -> dict[str, list[tuple[str, float]]]:
    rows = merged.values("matches")
    return {
        id_: list(zip(row.ids, row.values("score"), strict=True))
        for id_, row in zip(merged.ids, rows, strict=True)
    }


def test_a_document_always_belongs_to_the_same_shard() -> None:
    # Written down: another answer would lose track of what is on disk.
    assert [shard_of(id_, 4) for id_ in ("a", "b", "c", "ü", "")] == [0, 0, 3, 1, 0]


@given(st.lists(st.text(max_size=4), max_size=30), st.integers(1, 5))
def test_what_is_split_can_be_put_back(ids: list[str], shards: int) -> None:
    batch = DocumentBatch(ids, {"n": ValuesColumn(list(range(len(ids))))})

    parts = split(batch, shards)

    assert all(
        shard_of(id_, shards) == shard for shard, part in enumerate(parts) for id_ in part.ids
    )
    merged = put_back(ids, parts)
    by_place = sorted(range(len(ids)), key=lambda i: ids.index(ids[i]))
    assert list(merged.values("n")) == by_place


def test_documents_that_were_not_asked_for_come_last() -> None:
    merged = put_back(["b", "a"], [docs(x="1", a="2"), docs(b="3", y="4")])

    assert list(merged.ids) == ["b", "a", "x", "y"]


def test_a_join_keeps_the_order_of_first_sight_and_the_later_field() -> None:
    left = docs(a="1", b="2").with_columns(only=ValuesColumn([7, None]))
    right = docs(c="3", b="4", a=None)

    merged = union([left, right])

    assert list(merged.ids) == ["a", "b", "c"]
    assert merged.values("text") == ["1", "4", "3"]
    assert merged.values("only") == [7, None, None]


def test_a_join_of_tensors_stays_an_array_where_shapes_agree() -> None:
    left = DocumentBatch(["a", "b"], {"embedding": TensorColumn(np.zeros((2, 3)))})
    right = DocumentBatch(["b", "c"], {"embedding": TensorColumn(np.ones((2, 3)))})

    merged = union([left, right])

    assert merged.tensor("embedding")[:, 0].tolist() == [0, 1, 1]


def test_a_join_merges_chunks_by_their_ids() -> None:
    left = DocumentBatch(["a"], {"chunks": DocsColumn(np.array([0, 2]), docs(p="1", q="2"))})
    right = DocumentBatch(["a"], {"chunks": DocsColumn(np.array([0, 2]), docs(q="3", r="4"))})

    chunks = union([left, right]).docs("chunks")

    assert chunks is not None
    assert list(chunks.docs.ids) == ["p", "q", "r"]
    assert chunks.docs.values("text") == ["1", "3", "4"]


def test_a_field_that_nobody_has_stays_absent() -> None:
    absent = TensorColumn(np.zeros((1, 2)), np.array([False]))
    left = DocumentBatch(["a"], {"tensor": absent})

    merged = union([left, DocumentBatch(["b"], {"tensor": absent})])

    assert merged.values("tensor") == [None, None]


def test_one_answer_is_given_back_as_it_is() -> None:
    one = docs(a="1")

    assert union([one]) is one
    assert union([one, DocumentBatch([])]) is one
    assert len(union([])) == 0


def test_the_best_of_all_shards_are_kept_whichever_answered_first() -> None:
    left = found(q1={"a": 0.9, "b": 0.1}, q2={"c": 0.5})
    right = found(q1={"d": 0.5}, q2={"e": 0.7, "f": 0.6})

    for parts in ([left, right], [right, left]):
        assert matches_of(merge_top_k(parts, 2)) == {
            "q1": [("a", 0.9), ("d", 0.5)],
            "q2": [("e", 0.7), ("f", 0.6)],
        }


def test_equal_scores_are_ordered_by_id() -> None:
    left, right = found(q={"b": 0.5}), found(q={"a": 0.5, "c": 0.5})

    for parts in ([left, right], [right, left]):
        assert [id_ for id_, _ in matches_of(merge_top_k(parts, 3))["q"]] == ["a", "b", "c"]


def test_a_match_that_two_shards_found_is_kept_once() -> None:
    merged = merge_top_k([found(q={"a": 0.5, "b": 0.4}), found(q={"a": 0.5})], 2)

    assert matches_of(merged) == {"q": [("a", 0.5), ("b", 0.4)]}


def test_without_top_k_the_longest_list_says_how_many() -> None:
    merged = merge_top_k([found(q={"a": 0.1, "b": 0.05}), found(q={"c": 0.9, "d": 0.8})])

    assert [id_ for id_, _ in matches_of(merged)["q"]] == ["c", "d"]


def test_matches_without_a_score_come_last() -> None:
    nothing = found(q={"a": 0.0})
    column = nothing.docs("matches")
    assert column is not None
    unscored = nothing.with_columns(
        matches=DocsColumn(column.offsets, column.docs.without("score"))
    )

    merged = merge_top_k([unscored, found(q={"b": -5.0, "c": float("nan")})], 3)

    assert [id_ for id_, _ in matches_of(merged)["q"]] == ["b", "a", "c"]


def test_answers_without_matches_are_merged_like_any() -> None:
    assert list(merge_top_k([docs(a="1"), docs(b="2")], 3).ids) == ["a", "b"]
    assert len(merge_top_k([])) == 0


scores = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 3).map(float), max_size=6)


@given(st.lists(scores, min_size=1, max_size=4), st.integers(1, 5))
def test_merging_gives_the_top_k_of_the_union(shards: list[dict[str, float]], top_k: int) -> None:
    best: dict[str, float] = {}
    for shard in shards:
        for id_, score in shard.items():
            best[id_] = max(score, best.get(id_, score))
    expected = sorted(best.items(), key=lambda item: (-item[1], item[0]))[:top_k]

    merged = merge_top_k([found(q=shard) for shard in shards], top_k)

    assert matches_of(merged)["q"] == expected


def test_the_next_documents_of_all_shards_are_the_first_of_their_pages() -> None:
    pages = [docs(a="1", d="2"), docs(b="3", c="4")]

    assert list(merge_pages(pages, 3).ids) == ["a", "b", "c"]
    assert list(merge_pages(pages, 9).ids) == ["a", "b", "c", "d"]


def test_without_a_limit_no_document_behind_a_full_page_is_left_out() -> None:
    # Of the first shard only two were sent: c may be behind them, so d must wait.
    pages = [docs(a="1", b="2"), docs(d="3")]

    assert list(merge_pages(pages).ids) == ["a", "b"]


def test_documents_by_id_come_in_the_order_of_the_ids() -> None:
    parts = [docs(a="1", d="2"), docs(b="3")]

    merged = in_order(parts, ["d", "nobody", "b"])

    assert list(zip(merged.ids, merged.text(), strict=True)) == [("d", "2"), ("b", "3"), ("a", "1")]
