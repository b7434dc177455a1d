"""The graph of a Flow: orders, joins, and everything that can be wrong with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina_cli.plan.graph import (
    BadGraph,
    Inspect,
    Method,
    Node,
    Problem,
    Step,
    Trouble,
    arrange,
    ends,
)


def a(name: str, *needs: str, method: Method = Method.ADD, floating: bool = False) -> Step:
    return Step(name=name, needs=needs or None, method=method, floating=floating)


GRAPHS: dict[str, tuple[list[Step], list[tuple[str, tuple[str, ...]]]]] = {
    "a chain": (
        [a("x"), a("y"), a("z")],
        [("x", ()), ("y", ("x",)), ("z", ("y",))],
    ),
    "a fork and a join": (
        [a("x"), a("y"), a("z", "x"), a("end", "y", "z")],
        [("x", ()), ("y", ("x",)), ("z", ("x",)), ("end", ("y", "z"))],
    ),
    "several roots": (
        [a("x"), a("y", "gateway"), a("end", method=Method.NEEDS_ALL)],
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
        [a("x"), a("look", method=Method.INSPECT), a("z")],
        [("x", ()), ("look", ("x",)), ("z", ("x",)), ("joiner", ("look", "z"))],
    ),
    "gathering what inspects": (
        [a("x"), a("look", method=Method.INSPECT), a("g", method=Method.GATHER_INSPECT), a("z")],
        [("x", ()), ("look", ("x",)), ("g", ("look", "x")), ("z", ("g",))],
    ),
    "nothing at all": ([], [("joiner", ())]),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_needs_of(case: str) -> None:
    steps, expected = GRAPHS[case]

    assert [(node.name, node.needs) for node in arrange(steps)] == expected


BAD: dict[str, tuple[list[Step], list[Problem]]] = {
    "an unknown need": (
        [a("x"), a("y", "zzz")],
        [Problem(trouble=Trouble.UNKNOWN, index=1, names=("zzz",))],
    ),
    "itself": (
        [a("x", "x")],
        [Problem(trouble=Trouble.ITSELF, index=0, names=("x",))],
    ),
    "two that need each other": (
        [a("x", "y"), a("y", "x")],
        [Problem(trouble=Trouble.CYCLE, index=0, names=("x", "y", "x"))],
    ),
    "a longer cycle behind a root": (
        [a("r"), a("x", "r", "z"), a("y", "x"), a("z", "y")],
        [Problem(trouble=Trouble.CYCLE, index=1, names=("x", "z", "y", "x"))],
    ),
    "two cycles": (
        [a("x", "y"), a("y", "x"), a("v", "w"), a("w", "v")],
        [
            Problem(trouble=Trouble.CYCLE, index=0, names=("x", "y", "x")),
            Problem(trouble=Trouble.CYCLE, index=2, names=("v", "w", "v")),
        ],
    ),
    "two of one name": (
        [a("x"), a("x")],
        [Problem(trouble=Trouble.DUPLICATE, index=1, names=("x",))],
    ),
    "a join of one": (
        [a("x"), a("y", "x", method=Method.NEEDS)],
        [Problem(trouble=Trouble.TOO_FEW, index=1, names=("x",))],
    ),
    "waiting for a floating Pod": (
        [a("log", floating=True), a("y", "log")],
        [Problem(trouble=Trouble.FLOATING, index=1, names=("log",))],
    ),
    "several at once, in order": (
        [a("x", "y"), a("y", "x"), a("z", "nope", "x"), a("v", "v")],
        [
            Problem(trouble=Trouble.CYCLE, index=0, names=("x", "y", "x")),
            Problem(trouble=Trouble.UNKNOWN, index=2, names=("nope",)),
            Problem(trouble=Trouble.ITSELF, index=3, names=("v",)),
        ],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_is_refused(case: str) -> None:
    steps, expected = BAD[case]

    with pytest.raises(BadGraph) as caught:
        arrange(steps)

    assert list(caught.value.problems) == expected


def test_an_inspecting_pod_can_be_left_out_or_left_hanging() -> None:
    steps = [a("x"), a("look", method=Method.INSPECT), a("z")]

    assert [n.name for n in arrange(steps, Inspect.REMOVE)] == ["x", "z"]
    assert [n.name for n in arrange(steps, Inspect.HANG) if n.floating] == ["look"]


@st.composite
def some_steps(draw: st.DrawFn) -> list[Step]:
    """Steps without cycles: each needs some of those before it, or says nothing."""
    steps: list[Step] = []
    for number in range(draw(st.integers(0, 12))):
        before = [s.name for s in steps if not s.floating]
        named = draw(st.lists(st.sampled_from([*before, "gateway"]), max_size=3))
        method = draw(st.sampled_from([Method.ADD, Method.ADD, Method.NEEDS_ALL, Method.INSPECT]))
        floating = method is Method.ADD and draw(st.booleans())
        steps.append(a(f"p{number}", *named, method=method, floating=floating))
    return draw(st.permutations(steps)) if all(s.needs for s in steps) else steps


@given(some_steps())
def test_needs_come_first_and_one_pod_ends_the_flow(steps: list[Step]) -> None:
    nodes = arrange(steps)

    places = {node.name: place for place, node in enumerate(nodes)}
    assert len(places) == len(nodes)
    assert len(ends(nodes)) == 1
    for node in nodes:
        assert all(need == "gateway" or places[need] < places[node.name] for need in node.needs)


@given(some_steps())
def test_all_that_is_waited_for_leads_to_the_end(steps: list[Step]) -> None:
    nodes: dict[str, Node] = {node.name: node for node in arrange(steps)}

    reached: set[str] = set()
    frontier = list(ends(list(nodes.values())))
    while frontier:
        name = frontier.pop()
        reached.add(name)
        frontier += [n for n in nodes[name].needs if n != "gateway" and n not in reached]
    assert {name for name, node in nodes.items() if not node.floating} <= reached
