"""What Executors returned besides documents, on its way back."""

from __future__ import annotations

from jina_cli.runtime.parameters import merge_results, with_results


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
