"""Which parameters a Pod sees."""

from __future__ import annotations

from typing import Any

import pytest

from jina_cli.runtime.parameters import merge_results, parameters_for, with_results

SEEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain ones reach everybody": ({"top_k": 3}, {"top_k": 3}),
    "those with its name reach it without the name": ({"index__top_k": 3}, {"top_k": 3}),
    "those with another name do not": ({"encode__top_k": 3}, {}),
    "its own word goes over the general one": ({"index__k": 3, "k": 1}, {"k": 3}),
    "a dict under its name is laid over": ({"index": {"k": 3}, "k": 1}, {"k": 3}),
    "a value under its name is a value": ({"index": 3}, {"index": 3}),
    "more underscores belong to the key": ({"index__a__b": 3}, {"a__b": 3}),
    "a leading pair is no name": ({"__results__": {}}, {"__results__": {}}),
}


@pytest.mark.parametrize("case", SEEN)
def test_a_pod_sees_that(case: str) -> None:
    given, seen = SEEN[case]

    assert parameters_for("index", given) == seen


def test_results_are_kept_by_pea() -> None:
    once = with_results({"k": 1}, "index/rep-0", {"count": 2})

    assert with_results(once, "rank/rep-0", {"x": 1}) == {
        "k": 1,
        "__results__": {"index/rep-0": {"count": 2}, "rank/rep-0": {"x": 1}},
    }
    assert with_results(once, "rank/rep-0", {}) is once


def test_results_of_several_answers_are_put_together() -> None:
    answers = [{"__results__": {"a": {"count": 1}}}, {}, {"__results__": {"b": {"count": 2}}}]

    assert merge_results({"k": 1}, answers) == {
        "k": 1,
        "__results__": {"a": {"count": 1}, "b": {"count": 2}},
    }
    assert merge_results({"k": 1}, []) == {"k": 1}
