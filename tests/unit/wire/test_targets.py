"""Parameters and targets of a request, by Pod."""

from __future__ import annotations

from typing import Any

import pytest

from jina_cli.wire.messages import Status
from jina_cli.wire.targets import parameters_among, parameters_of, target_of

PODS = frozenset({"craft", "encode"})
PARAMETERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain ones go to all": ({"top_k": 3}, {"top_k": 3}),
    "its own come without the prefix": ({"encode__dim": 8}, {"dim": 8}),
    "those of others do not come": ({"craft__size": 3, "top_k": 2}, {"top_k": 2}),
    "a prefix that is no Pod is part of the name": ({"my__key": 1}, {"my__key": 1}),
    "a dict under its name is merged": ({"encode": {"dim": 8}, "k": 1}, {"dim": 8, "k": 1}),
    "a dict under another's name does not come": ({"craft": {"size": 3}}, {}),
    "a value under a Pod's name is a value": ({"encode": 5}, {"encode": 5}),
    "the more special wins": (
        {"encode__dim": 3, "encode": {"dim": 2, "k": 9}, "dim": 1},
        {"dim": 3, "k": 9},
    ),
    "empty results are left out": ({"__results__": {}}, {}),
    "results of earlier Pods stay": ({"__results__": {"a": 1}}, {"__results__": {"a": 1}}),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_of_the_parameters(name: str) -> None:
    sent, meant = PARAMETERS[name]

    assert parameters_of("encode", sent, PODS) == meant


def test_an_empty_target_matches_every_pod() -> None:
    matches = target_of("")

    assert not isinstance(matches, Status)
    assert matches("anything")


AMONG: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain ones": ({"k": 1, "my__key": 2, "craft__": 3}, {"k": 1, "my__key": 2, "craft__": 3}),
    "its own": ({"encode__dim": 8, "encode": {"k": 1}}, {"encode__dim": 8, "encode": {"k": 1}}),
    "those of others": ({"craft__size": 3, "craft": {"size": 3}, "k": 1}, {"k": 1}),
    "results": ({"__results__": {"a": 1}}, {"__results__": {"a": 1}}),
}


@pytest.mark.parametrize("name", AMONG)
def test_pods_of_one_process_are_given_what_is_for_them_or_for_all(name: str) -> None:
    sent, kept = AMONG[name]

    assert parameters_among(("encode",), sent, PODS) == kept
    meant = parameters_of("encode", sent, PODS)
    assert parameters_of("encode", kept, ("encode",)) == meant
