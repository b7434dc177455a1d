"""The order of a Flow's Pods, and the one end that it has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.plan.graph import Node, arrange, ends
from jina_cli.spec.models import PodSpec
from tests.testing.plans import a_pod, in_place


def a(name: str, *needs: str, method: str = "add", floating: bool = False) -> PodSpec:
    return a_pod(name, needs=needs, method=method, floating=floating)


GRAPHS: dict[str, tuple[list[PodSpec], list[tuple[str, tuple[str, ...]]]]] = {
    "a chain": (
        [a("x"), a("y"), a("z")],
        [("x", ()), ("y", ("x",)), ("z", ("y",))],
    ),
    "a fork and a join": (
        [a("x"), a("y"), a("z", "x"), a("end", "y", "z")],
        [("x", ()), ("y", ("x",)), ("z", ("x",)), ("end", ("y", "z"))],
    ),
    "several roots": (
        [a("x"), a("y", "gateway"), a("end", method="needs_all")],
        [("x", ()), ("y", ()), ("end", ("x", "y"))],
    ),
    "several ends get a joiner": (
        [a("x"), a("y"), a("z", "x")],
        [("x", ()), ("y", ("x",)), ("z", ("x",)), ("joiner", ("y", "z"))],
    ),
    "a joiner beside one of that name": (
        [a("joiner"), a("y", "gateway")],
        [("joiner", ()), ("y", ()), ("joiner1", ("joiner", "y"))],
    ),
    "needs of a later Pod": (
        [a("x", "z"), a("z", "gateway")],
        [("z", ()), ("x", ("z",))],
    ),
    "the request beside a Pod": (
        [a("x"), a("y", "gateway", "x")],
        [("x", ()), ("y", ("gateway", "x"))],
    ),
    "a Pod named twice in needs": (
        [a("x"), a("y", "x", "x")],
        [("x", ()), ("y", ("x",))],
    ),
    "a floating Pod is passed by": (
        [a("x"), a("log", floating=True), a("z")],
        [("x", ()), ("log", ("x",)), ("z", ("x",))],
    ),
    "only floating Pods": (
        [a("log", floating=True)],
        [("log", ()), ("joiner", ())],
    ),
    "a floating Pod behind a floating one": (
        [a("log", floating=True), a("more", "log", floating=True), a("z")],
        [("log", ()), ("more", ("log",)), ("z", ())],
    ),
    "an inspecting Pod is passed by and its answer collected": (
        [a("x"), a("look", method="inspect"), a("z")],
        [("x", ()), ("look", ("x",)), ("z", ("x",)), ("joiner", ("look", "z"))],
    ),
    "gathering what inspects": (
        [a("x"), a("look", method="inspect"), a("g", method="gather_inspect"), a("z")],
        [("x", ()), ("look", ("x",)), ("g", ("look", "x")), ("z", ("g",))],
    ),
    "nothing at all": ([], [("joiner", ())]),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_pods_are_put_in_order_for(case: str) -> None:
    steps, expected = GRAPHS[case]

    assert [(node.name, node.needs) for node in arrange(in_place(steps))] == expected


@st.composite
def some_steps(draw: st.DrawFn) -> list[PodSpec]:
    """Steps without cycles: each needs some of those before it, or says nothing."""
    steps: list[PodSpec] = []
    for number in range(draw(st.integers(0, 12))):
        before = [s.name for s in steps if not s.floating]
        named = draw(st.lists(st.sampled_from([*before, "gateway"]), max_size=3))
        method = draw(st.sampled_from(["add", "add", "needs_all", "inspect"]))
        floating = method == "add" and draw(st.booleans())
        steps.append(a(f"p{number}", *named, method=method, floating=floating))
    return draw(st.permutations(steps)) if all(s.needs for s in steps) else steps


@given(some_steps())
def test_needs_come_first_and_one_pod_ends_the_flow(steps: list[PodSpec]) -> None:
    nodes = arrange(in_place(steps))

    places = {node.name: place for place, node in enumerate(nodes)}
    assert len(places) == len(nodes)
    assert len(ends(nodes)) == 1
    for node in nodes:
        assert all(need == "gateway" or places[need] < places[node.name] for need in node.needs)


@given(some_steps())
def test_all_that_is_waited_for_leads_to_the_end(steps: list[PodSpec]) -> None:
    nodes: dict[str, Node] = {node.name: node for node in arrange(in_place(steps))}

    reached: set[str] = set()
    frontier = list(ends(list(nodes.values())))
    while frontier:
        name = frontier.pop()
        reached.add(name)
        frontier += [n for n in nodes[name].needs if n != "gateway" and n not in reached]
    assert {name for name, node in nodes.items() if not node.floating} <= reached
