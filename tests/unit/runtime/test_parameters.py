"""What Executors returned besides documents, on its way back."""

from __future__ import annotations

from jina_cli.runtime.parameters import add_up, merge_results, with_results


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


def test_what_the_shards_of_a_pod_counted_is_added_up_under_its_name() -> None:
    results = {
        "other/rep-0": {"count": 9},
        "index/shard-0/rep-0": {"count": 1},
        "index/shard-1/rep-1": {"count": 2},
    }

    summed = add_up({"k": 1, "__results__": results}, "index")

    assert summed == {"k": 1, "__results__": {"other/rep-0": {"count": 9}, "index": {"count": 3}}}


def test_what_is_no_number_is_not_added_up() -> None:
    parameters = {"__results__": {"index/shard-0/rep-0": {"count": "many"}}}

    assert add_up(parameters, "index") == parameters
    assert add_up({"k": 1}, "index") == {"k": 1}
