"""Measures by name, and runs of many queries, against trec_eval itself."""

from __future__ import annotations

import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from jina_cli.errors import UsageError
from jina_cli.evaluate.evaluation import evaluated, ranked
from jina_cli.evaluate.metrics import DEFAULT, Metric, metric_of, metrics_of

QUERIES = st.sampled_from(["q1", "q2", "q3", "q10"])
DOCUMENTS = st.sampled_from([f"d{i}" for i in range(12)] + ["é", "\U00010000", "\uffff", "D"])
# Few of them, so that there are ties; two that are one in single precision, and two that are not.
SCORES = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.0 + 1e-9, 1.0 + 1e-6, 16777216.0, 16777217.0])
RUNS = st.dictionaries(QUERIES, st.dictionaries(DOCUMENTS, SCORES), max_size=4)
# Grades below -1, or none that is above it, make trec_eval read what is not its own.
GRADES = st.dictionaries(DOCUMENTS, st.integers(-1, 4), min_size=1).filter(
    lambda grades: max(grades.values()) >= 0
)
QRELS = st.dictionaries(QUERIES, GRADES, min_size=1, max_size=4)
THEIRS = {
    "ndcg": "ndcg",
    "ndcg@3": "ndcg_cut_3",
    "ndcg@10": "ndcg_cut_10",
    "recall@5": "recall_5",
    "recall": "set_recall",
    "map": "map",
    "map@5": "map_cut_5",
    "mrr": "recip_rank",
    "p@1": "P_1",
    "p@10": "P_10",
    "p": "set_P",
    "f1": "set_F",
}
ASKED = {"ndcg", "ndcg_cut.3,10", "recall.5", "set_recall", "map", "map_cut.5", "recip_rank"} | {
    "P.1,10",
    "set_P",
    "set_F",
}


@settings(max_examples=300, deadline=None)
@given(run=RUNS, qrels=QRELS)
def test_each_value_is_that_of_trec_eval(
    run: dict[str, dict[str, float]], qrels: dict[str, dict[str, int]]
) -> None:
    theirs = pytrec_eval.RelevanceEvaluator(qrels, ASKED).evaluate(run)
    metrics = metrics_of(THEIRS)

    ours = evaluated(run, qrels, metrics)

    assert list(ours.per_query) == list(qrels)
    for query, values in ours.per_query.items():
        expected = theirs.get(query, {})
        for metric, value in zip(metrics, values, strict=True):
            # Sums of at most 16 doubles near 1, added in another order.
            assert value == pytest.approx(expected.get(THEIRS[str(metric)], 0.0), abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(run=RUNS, qrels=QRELS)
def test_means_are_over_judged_queries_with_or_without_those_that_found_nothing(
    run: dict[str, dict[str, float]], qrels: dict[str, dict[str, int]]
) -> None:
    metrics = metrics_of(["ndcg@3"])

    complete = evaluated(run, qrels, metrics)
    skipping = evaluated(run, qrels, metrics, skip_missing=True)

    answered = [query for query in qrels if run.get(query)]
    total = sum(complete.per_query[query][0] for query in answered)
    assert complete.means == (pytest.approx(total / len(qrels)),)
    assert skipping.means == (pytest.approx(total / max(1, len(answered))),)
    assert list(complete.missing) == [query for query in qrels if query not in answered]
    assert list(complete.unjudged) == [query for query in run if query not in qrels]


def test_ties_are_broken_as_trec_eval_does() -> None:
    scores = {"a": 1.0, "b": 1.0 + 1e-9, "c": 1.0 - 1e-9, "d": 2.0, "e": 1e39, "f": -1e39}

    assert ranked(scores) == ["e", "d", "c", "b", "a", "f"]


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("ndcg@10", Metric("ndcg", 10)),
        (" NDCG@5 ", Metric("ndcg", 5)),
        ("precision@10", Metric("p", 10)),
        ("RR", Metric("mrr")),
        ("map", Metric("map")),
    ],
)
def test_a_metric_is_known_by_several_names(text: str, metric: Metric) -> None:
    assert metric_of(text) == metric


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ndgc@10", "there is no metric 'ndgc@10': did you mean 'ndcg'?"),
        ("speed", "there is no metric 'speed': there are ndcg, recall, map, mrr, p, f1"),
        ("ndcg@0", "'ndcg@0' is no metric: write it as ndcg@10"),
        ("p@-1", "'p@-1' is no metric: write it as p@10"),
        ("p@", "'p@' is no metric: write it as p@10"),
        (" , ", f"no metric is named: as {DEFAULT}"),
    ],
)
def test_what_is_no_metric_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        metrics_of([text])

    assert str(refused.value) == said


def test_metrics_are_named_at_once_or_one_by_one_and_counted_once() -> None:
    assert [*map(str, metrics_of(["p@1,mrr", "rr", "f1@3"]))] == ["p@1", "mrr", "f1@3"]


def test_f1_is_between_precision_and_recall_at_the_same_depth() -> None:
    # 2 of the first 4 are relevant, of 3 in all: precision 1/2, recall 2/3, F1 4/7.
    judged = {"a": 1, "b": 2, "z": 1, "x": 0}

    assert metric_of("f1@4").of(["a", "x", "b", "y"], judged) == pytest.approx(4 / 7)
