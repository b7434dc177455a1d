"""Which Pods run in the process of the one before; what stands in the way is in fixtures/bad."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jina_cli.spec.fusing import hosts_of, obstacle
from jina_cli.spec.models import FlowSpec, PodSpec
from jina_cli.vocabulary import Runtime
from tests.testing.plans import a_flow, a_pod


def colocated(*pods: PodSpec) -> FlowSpec:
    return replace(a_flow(*pods), colocate=True)


def test_no_pod_shares_a_process_unasked() -> None:
    assert hosts_of(a_flow(a_pod("a"), a_pod("b"))) == {}


def test_a_pod_that_asks_for_it_runs_with_the_one_before() -> None:
    flow = a_flow(a_pod("a"), a_pod("b", runtime=Runtime.INPROCESS), a_pod("c"))

    assert hosts_of(flow) == {"b": "a"}


def test_a_whole_chain_runs_in_its_first_pod() -> None:
    assert hosts_of(colocated(a_pod("a"), a_pod("b"), a_pod("c"))) == {"b": "a", "c": "a"}


def test_a_pod_may_stay_by_itself() -> None:
    flow = colocated(a_pod("a"), a_pod("b", runtime=Runtime.PROCESS), a_pod("c"))

    assert hosts_of(flow) == {"c": "b"}


def test_the_order_of_the_yaml_does_not_matter() -> None:
    flow = colocated(a_pod("c", needs="b"), a_pod("b", needs="a"), a_pod("a", needs="gateway"))

    assert hosts_of(flow) == {"b": "a", "c": "a"}


def test_pods_beside_each_other_have_processes_of_their_own() -> None:
    flow = colocated(
        a_pod("a"),
        a_pod("left", needs="a"),
        a_pod("right", needs="a"),
        a_pod("right2", needs="right"),
        a_pod("join", needs=["left", "right2"]),
        a_pod("last"),
    )

    assert hosts_of(flow) == {"right2": "right", "last": "join"}


def test_what_nobody_waits_for_may_run_together() -> None:
    flow = colocated(
        a_pod("a"), a_pod("log", floating=True), a_pod("more", needs="log", floating=True)
    )

    assert hosts_of(flow) == {"more": "log"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("replicas", 2),
        ("env", {"A": "1"}),
        ("timeout_send", 5),
        ("max_queue", 3),
        ("idempotent", ("/embed",)),
        ("install_requirements", True),
        ("monitoring", True),
    ],
)
def test_pods_of_one_process_have_its_settings_alike(key: str, value: Any) -> None:
    before, pod = a_pod("a"), a_pod("b", needs="a")
    other, same = replace(pod, **{key: value}), replace(before, **{key: value})

    assert obstacle(other, {"a": before, "b": other}) == f"its {key!r} is not that of 'a'"
    assert obstacle(other, {"a": same, "b": other}) == ""


def test_what_is_a_pod_s_own_may_differ() -> None:
    own: dict[str, Any] = {
        "when": {"text": {"$exists": True}},
        "workspace": "/elsewhere",
        "allow_concurrent": True,
        "exit_on_exceptions": ("ValueError",),
    }
    pod = a_pod("b", needs="a", **own)

    assert obstacle(pod, {"a": a_pod("a"), "b": pod}) == ""


def test_a_pod_that_needs_what_is_not_there_has_no_pod_before_it() -> None:
    pod = PodSpec(name="b", needs=("nobody",))

    assert obstacle(pod, {"b": pod}) == "no Pod is before it"
    assert hosts_of(FlowSpec(executors=(pod,), colocate=True)) == {}
