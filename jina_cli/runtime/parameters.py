"""Parameters of an answer: with what Executors returned besides documents.

Which parameters a Pod sees is the Gateway's matter (`serve.router`): they come as they are meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jina_cli.vocabulary import RESULTS


def with_results(
    parameters: Mapping[str, Any], pea: str, results: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return `parameters` with what a Pea's Executor returned besides documents."""
    if not results:
        return parameters
    return {**parameters, RESULTS: {**(parameters.get(RESULTS) or {}), pea: dict(results)}}


def add_up(parameters: Mapping[str, Any], pod: str) -> dict[str, Any]:
    """Return `parameters` with what the shards of a Pod counted as one result, under its name.

    Where they say anything but whole numbers, it stays as it is.
    """
    results = parameters.get(RESULTS) or {}
    counted = {name: results[name] for name in results if name.startswith(f"{pod}/shard-")}
    sums: dict[str, int] = {}
    for name, value in (pair for result in counted.values() for pair in result.items()):
        if type(value) is not int:
            return dict(parameters)
        sums[name] = sums.get(name, 0) + value
    others = {name: result for name, result in results.items() if name not in counted}
    return {**parameters, RESULTS: {**others, pod: sums}} if sums else dict(parameters)


def merge_results(parameters: Mapping[str, Any], others: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return `parameters` with the results that several answers hold."""
    merged = dict(parameters)
    results: dict[str, Any] = {}
    for other in [parameters, *others]:
        results.update(other.get(RESULTS) or {})
    if results:
        merged[RESULTS] = results
    return merged
