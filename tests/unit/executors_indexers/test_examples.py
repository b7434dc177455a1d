"""Search by examples; expected orders are worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from jina_cli.documents.batch import BadField, DocumentBatch, MissingField
from jina_cli.documents.column import ValuesColumn
from jina_cli.executors.indexers.examples import DISLIKED, LIKED, ExampleIndexer
from tests.unit.executors_indexers.making import Shelf, ids_of, index, tagged, vectors


def filled(shelf: Shelf) -> ExampleIndexer:
    indexer = shelf(ExampleIndexer)
    index(indexer, vectors(east=[1, 0], north=[0, 2], northeast=[1, 1], west=[-1, 0]))
    return indexer


def user(**tags: object) -> DocumentBatch:
    return DocumentBatch(["ann"], {"tags": ValuesColumn([tags])})


def test_what_is_liked_leads_to_what_is_near_and_is_not_found_itself(shelf: Shelf) -> None:
    matches = filled(shelf).search(user(likes=["east"]), top_k=2)

    assert ids_of(matches) == [["northeast", "north"]]
    assert list(matches.docs.values("score")) == pytest.approx([np.sqrt(0.5), 0.0], abs=1e-6)


def test_examples_count_alike_however_long_their_vectors_are(shelf: Shelf) -> None:
    matches = filled(shelf).search(user(likes=["east", "north"]), top_k=10)

    assert ids_of(matches) == [["northeast", "west"]]
    assert matches.docs.values("score")[0] == pytest.approx(1.0)


def test_what_is_disliked_turns_the_query_away_by_its_weight(shelf: Shelf) -> None:
    matches = filled(shelf).search(user(likes=["north"], dislikes=["east"]), top_k=10)

    query = np.array([-DISLIKED, LIKED]) / np.hypot(DISLIKED, LIKED)
    expected = {"northeast": query @ [np.sqrt(0.5), np.sqrt(0.5)], "west": query @ [-1, 0]}
    assert ids_of(matches) == [["northeast", "west"]]
    assert list(matches.docs.values("score")) == pytest.approx(list(expected.values()), abs=1e-6)


def test_a_vector_of_its_own_counts_whole(shelf: Shelf) -> None:
    query = tagged(vectors(ann=[-3, 0]), {"likes": ["north"]})

    matches = filled(shelf).search(query, top_k=1)

    assert ids_of(matches) == [["west"]]
    assert matches.docs.values("score")[0] == pytest.approx(1 / np.hypot(1, LIKED), abs=1e-6)


def test_examples_that_nobody_knows_find_nothing_and_others_are_answered(shelf: Shelf) -> None:
    both = DocumentBatch.concat([user(likes=["gone"]), user(likes=["gone", "east"])])

    assert ids_of(filled(shelf).search(both, top_k=1)) == [[], ["northeast"]]


def test_a_query_without_examples_and_vector_is_refused_by_name(shelf: Shelf) -> None:
    with pytest.raises(MissingField, match=r"'ann' has no 'tags\.likes'"):
        filled(shelf).search(user(age=5), top_k=1)


def test_examples_that_are_no_list_of_ids_are_refused_by_name(shelf: Shelf) -> None:
    with pytest.raises(BadField, match=r"tags\.likes of document 'ann' must be a list of ids"):
        filled(shelf).search(user(likes="east"), top_k=1)


@pytest.mark.parametrize("examples", [{"likes": ["east"]}, {"likes": [], "dislikes": ["east"]}])
def test_a_vector_of_another_length_than_those_of_the_examples_is_refused(
    shelf: Shelf, examples: dict[str, list[str]]
) -> None:
    query = tagged(vectors(ann=[1, 2, 3]), examples)

    with pytest.raises(BadField, match=r"^queries have 3 dimensions, the index has 2$"):
        filled(shelf).search(query, top_k=1)
