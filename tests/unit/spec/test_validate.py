"""Nodes × schema → diagnostics; most of what it says is in tests/fixtures/bad."""

from __future__ import annotations

import pytest

from jina_cli.diagnostics import Severity
from jina_cli.spec.nodes import MapNode
from jina_cli.spec.schemas import rules
from jina_cli.spec.source import parse
from jina_cli.spec.substitute import substitute
from jina_cli.spec.validate import check


def found(text: str, kind: str = "pod", **env: str) -> list[tuple[str, str]]:
    node, problems = parse(text, "a.yml")
    assert node is not None
    assert problems == []
    node, problems = substitute(node, env=env)
    return [(each.code, each.path) for each in [*problems, *check(node, kind)]]


@pytest.mark.parametrize(
    "text",
    [
        "{name: a, needs: b, replicas: 2}",
        "{needs: [a, b], polling: {/search: all}}",
        "{uses: {jtype: A, requests: {/a: b, /c: [{driver: D}]}}}",
        "{shards: 2.0}",
        "{env: {A: 1, B: true, C: 2.5, D: x}}",
        "{uses_with: , name: , needs: , timeout_send: }",
        "{monitoring: false, provider: NONE, stateful: false}",
        "{port: 80, host: [a, b]}",
    ],
)
def test_nothing_is_wrong_with(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        ("{replicas: true}", "JNA102", "replicas"),
        ("{name: 5}", "JNA102", "name"),
        ("{env: {A: [1]}}", "JNA102", "env.A"),
        ("{needs: [a, 5]}", "JNA102", "needs[1]"),
        ("{uses: [a]}", "JNA102", "uses"),
        ("{polling: {/search: SOME}}", "JNA103", "polling./search"),
        ("{uses: {jtype: A, requests: {/a: [{with: {}}]}}}", "JNA105", "uses.requests./a[0]"),
        ("{uses_metas: {nam: x}}", "JNA101", "uses_metas.nam"),
        (
            "{uses_dynamic_batching: {/a: {timeout: -1}}}",
            "JNA104",
            "uses_dynamic_batching./a.timeout",
        ),
        ("{raft_configuration: {}}", "JNA108", "raft_configuration"),
        ("{gpus: all}", "JNA109", "gpus"),
        ("{uses_with: {deep: [{a: yes}]}}", "JNA114", "uses_with.deep[0].a"),
        ("{uses_with: {a: 007}}", "JNA114", "uses_with.a"),
    ],
)
def test_a_value_that_is_wrong_is_found_by_code_and_path(text: str, code: str, path: str) -> None:
    assert found(text) == [(code, path)]


def test_what_a_variable_puts_in_may_be_text_or_the_number_it_looks_like() -> None:
    assert found("{name: $A, replicas: $N, workspace: $N}", A="abc", N="5") == []
    assert found("{replicas: $A}", A="abc") == [("JNA102", "replicas")]


def test_nothing_is_said_of_a_value_that_is_not_known() -> None:
    assert found("{replicas: $MISSING}") == [("JNA301", "")]


def test_lenient_softens_unknown_keys_and_nothing_else() -> None:
    node, _ = parse("{replica: 1, parallel: 2, prefetch: 3, replicas: x, stateful: true}", "a.yml")
    assert isinstance(node, MapNode)

    softened = {
        each.path for each in check(node, "pod", lenient=True) if each.severity is Severity.WARNING
    }

    assert softened == {"replica", "parallel", "prefetch"}


def test_every_live_key_has_a_rule_that_takes_its_default() -> None:
    for kind in ("flow", "pod", "gateway", "executor"):
        for name, rule in rules()[kind].properties.items():
            if rule.is_live and rule.default is not None and rule.enum:
                assert rule.default in rule.enum, (kind, name)
