"""Parameters of a request: which of them are for one Pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RESULTS = "__results__"
"""Where the dicts that Executors returned are, by name of their Pea."""

_FOR_ONE = "__"


def parameters_for(pod: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a Pod sees.

    `pod__key` reaches that Pod alone, as `key`; `{pod: {…}}` is laid over the others there.
    """
    own: dict[str, Any] = {}
    named: dict[str, Any] = {}
    for key, value in parameters.items():
        name, separator, rest = key.partition(_FOR_ONE)
        if not separator or not name or not rest:
            own[key] = value
        elif name == pod:
            named[rest] = value
    for_pod = own.pop(pod, None) if isinstance(own.get(pod), Mapping) else None
    return {**own, **(for_pod or {}), **named}


def with_results(
    parameters: Mapping[str, Any], pea: str, results: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return `parameters` with what a Pea's Executor returned besides documents."""
    if not results:
        return parameters
    return {**parameters, RESULTS: {**(parameters.get(RESULTS) or {}), pea: dict(results)}}


def merge_results(parameters: Mapping[str, Any], others: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return `parameters` with the results that several answers hold."""
    merged = dict(parameters)
    results: dict[str, Any] = {}
    for other in [parameters, *others]:
        results.update(other.get(RESULTS) or {})
    if results:
        merged[RESULTS] = results
    return merged
