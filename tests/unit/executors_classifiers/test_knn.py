"""The vote of the nearest, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, ValuesColumn
from jina_cli.executors.classifiers.knn import KnnClassifier

TAGS = [{"label": "cat"}, {"label": "dog"}, None, {"label": "cat"}, {"label": 7}, {"label": []}]
SCORES = [0.5, 0.75, 0.9, 0.25, -1.0, 0.5]


def matches() -> DocsColumn:
    docs = DocumentBatch(
        list("abcdef"), {"tags": ValuesColumn(TAGS), "score": ValuesColumn(SCORES)}
    )
    return DocsColumn(np.array([0, 4, 4, 6]), docs)


def test_each_match_with_a_label_has_a_vote() -> None:
    said = KnnClassifier().predict(matches())

    assert said == [{"cat": pytest.approx(2 / 3), "dog": pytest.approx(1 / 3)}, None, {"7": 1.0}]


def test_the_first_k_vote() -> None:
    assert KnnClassifier(k=1).predict(matches()) == [{"cat": 1.0}, None, {"7": 1.0}]


def test_a_vote_may_count_as_much_as_its_match_is_near() -> None:
    said = KnnClassifier(weight="score").predict(matches())

    assert said == [{"cat": pytest.approx(0.5), "dog": pytest.approx(0.5)}, None, None]


def test_another_key_may_hold_the_label() -> None:
    assert KnnClassifier(label="kind").predict(matches()) == [None, None, None]
