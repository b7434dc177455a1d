"""Precision and recall worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from jina_cli.hello.judge import judge

INDEX = np.array([0, 0, 0, 0, 1, 1], np.uint8)
QUERIES = np.array([0, 1], np.uint8)


def test_a_match_is_relevant_if_its_class_is_the_querys() -> None:
    verdict = judge([[0, 4, 1], [5, 4, 0]], QUERIES, INDEX, depths=[1, 3])

    assert verdict.precision_at == {1: 1.0, 3: pytest.approx((2 / 3 + 2 / 3) / 2)}
    assert verdict.recall_at == {1: pytest.approx((1 / 4 + 1 / 2) / 2), 3: pytest.approx(0.75)}


def test_matches_that_are_missing_count_as_wrong() -> None:
    verdict = judge([[0], []], QUERIES, INDEX, depths=[2])

    assert verdict.precision_at == {2: pytest.approx(0.25)}


def test_a_result_for_each_query_is_needed() -> None:
    with pytest.raises(ValueError, match="1 results for 2 queries"):
        judge([[0]], QUERIES, INDEX, depths=[1])


def test_the_class_of_most_matches_is_voted_for_and_ties_go_to_the_higher_ones() -> None:
    found = [[0, 4, 1], [0, 4], [4, 0], []]
    queries = np.array([0, 0, 0, 1], np.uint8)

    verdict = judge(found, queries, INDEX, depths=[1, 2, 3])

    assert verdict.accuracy_at == {1: 0.5, 2: 0.5, 3: 0.5}
    assert judge(found, np.array([0, 0, 1, 1], np.uint8), INDEX, depths=[2]).accuracy_at == {
        2: 0.75
    }
