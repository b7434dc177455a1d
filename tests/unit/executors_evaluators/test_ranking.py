"""Evaluators, worked out by hand, and what they write into a query."""

from __future__ import annotations

import asyncio
import math

import numpy as np
import pytest

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, ValuesColumn
from jina_cli.drivers.base import Done
from jina_cli.executors.evaluators.ranking import (
    AveragePrecisionEvaluator,
    F1Evaluator,
    NdcgEvaluator,
    PrecisionEvaluator,
    RankingEvaluator,
    RecallEvaluator,
    ReciprocalRankEvaluator,
)

FOUND = ["x", "a", "b", "a", "y"]
DESIRED = ["a", "b", "c"]

# Without the second a: x a b y.
VALUES = [
    (PrecisionEvaluator, None, 2 / 4),
    (PrecisionEvaluator, 2, 1 / 2),
    (PrecisionEvaluator, 10, 2 / 10),
    (RecallEvaluator, None, 2 / 3),
    (RecallEvaluator, 2, 1 / 3),
    (F1Evaluator, None, 4 / 7),
    (F1Evaluator, 2, 2 / 5),
    (ReciprocalRankEvaluator, None, 1 / 2),
    (ReciprocalRankEvaluator, 1, 0),
    (AveragePrecisionEvaluator, None, (1 / 2 + 2 / 3) / 3),
    (AveragePrecisionEvaluator, 2, (1 / 2) / 3),
]


@pytest.mark.parametrize(("cls", "eval_at", "value"), VALUES)
def test_a_value_is_as_it_is_defined(
    cls: type[RankingEvaluator], eval_at: int | None, value: float
) -> None:
    assert cls(eval_at=eval_at).evaluate(FOUND, DESIRED) == pytest.approx(value)


def test_gain_goes_by_grades() -> None:
    judged = {"a": 2, "b": 1, "x": -1}

    value = NdcgEvaluator(eval_at=2).evaluate(FOUND, judged)

    assert value == pytest.approx((2 / math.log2(3)) / (2 + 1 / math.log2(3)))


@pytest.mark.parametrize("cls", [cls for cls, eval_at, _ in VALUES if eval_at is None])
def test_nothing_found_and_nothing_desired_are_worth_nothing(cls: type[RankingEvaluator]) -> None:
    assert cls().evaluate([], DESIRED) == 0
    assert cls().evaluate(FOUND, []) == 0


def test_values_go_into_the_query_beside_those_of_others() -> None:
    matches = DocsColumn(np.array([0, 2]), DocumentBatch(["a", "x"]))
    columns = {"matches": matches, "tags": ValuesColumn([{"gold": {"a": 3, "x": 0}}])}
    docs = DocumentBatch(["q"], columns)

    async def run() -> Done:
        done = Done(docs=docs)
        for evaluator in (
            NdcgEvaluator(desired="gold"),
            PrecisionEvaluator(eval_at=1, desired="gold"),
        ):
            (driver,) = evaluator.default_drivers()["/search"]
            done = await driver(evaluator, done.docs, {})
        return done

    said = asyncio.run(run()).docs.values("evaluations")

    assert said == [{"NdcgEvaluator": 1.0, "PrecisionEvaluator@1": 1.0}]
