"""Which Pod waits for which."""

from __future__ import annotations

import pytest

from jina_cli.spec.topology import Flaw, Placed, Step, Trouble, flaws, place


def steps(*described: str) -> list[Step]:
    """Build steps of `name`, `name:need,need`, `~name` (floats) and `name!method`."""
    made = []
    for text in described:
        head, colon, needs = text.partition(":")
        name, _, method = head.partition("!")
        made.append(
            Step(
                name=name.lstrip("~"),
                needs=tuple(needs.split(",")) if colon else None,
                method=method or "add",
                floating=name.startswith("~"),
            )
        )
    return made


PLACES: dict[str, tuple[list[Step], list[tuple[str, ...]]]] = {
    "one after the other": (steps("a", "b"), [("gateway",), ("a",)]),
    "a floating Pod is passed by": (steps("a", "~log", "b"), [("gateway",), ("a",), ("a",)]),
    "two roots": (steps("a", "b:gateway"), [("gateway",), ("gateway",)]),
    "a join": (steps("a", "b:gateway", "j!needs:a,b"), [("gateway",), ("gateway",), ("a", "b")]),
    "a join of all": (
        steps("a", "b:gateway", "j!needs_all"),
        [("gateway",), ("gateway",), ("a", "b")],
    ),
    "a join of all of nothing": (steps("j!needs_all"), [("gateway",)]),
    "looking on": (
        steps("a", "look!inspect", "b", "all!gather_inspect"),
        [("gateway",), ("a",), ("a",), ("look", "b")],
    ),
    "one need named twice": (steps("a", "b:a,a"), [("gateway",), ("a",)]),
}


@pytest.mark.parametrize("case", PLACES)
def test_needs_are_worked_out_for(case: str) -> None:
    given, expected = PLACES[case]

    assert [pod.needs for pod in place(given)] == expected
    assert flaws(given, place(given)) == []


def test_pods_that_inspect_float_when_left_hanging() -> None:
    given = steps("a", "look!inspect", "b")

    assert place(given, "HANG")[1] == Placed(name="look", needs=("a",), floating=True)


FLAWS: dict[str, tuple[list[Step], list[Flaw]]] = {
    "an unknown need": (
        steps("a", "b:a,x"),
        [Flaw(trouble=Trouble.UNKNOWN, index=1, names=("x",), need=1)],
    ),
    "needing itself": (
        steps("a:a"),
        [Flaw(trouble=Trouble.ITSELF, index=0, names=("a",), need=0)],
    ),
    "a circle": (
        steps("a:c", "b:a", "c:b"),
        [Flaw(trouble=Trouble.CYCLE, index=0, names=("a", "c", "b", "a"))],
    ),
    "two circles": (
        steps("a:b", "b:a", "c:d", "d:c"),
        [
            Flaw(trouble=Trouble.CYCLE, index=0, names=("a", "b", "a")),
            Flaw(trouble=Trouble.CYCLE, index=2, names=("c", "d", "c")),
        ],
    ),
    "a circle behind a root": (
        steps("r", "a:r,c", "b:a", "c:b"),
        [Flaw(trouble=Trouble.CYCLE, index=1, names=("a", "c", "b", "a"))],
    ),
    "several things at once": (
        steps("a:b", "b:a", "c:nope,a", "d:d"),
        [
            Flaw(trouble=Trouble.CYCLE, index=0, names=("a", "b", "a")),
            Flaw(trouble=Trouble.UNKNOWN, index=2, names=("nope",), need=0),
            Flaw(trouble=Trouble.ITSELF, index=3, names=("d",), need=0),
        ],
    ),
    "two of a name": (
        steps("a", "a"),
        [Flaw(trouble=Trouble.DUPLICATE, index=1, names=("a",))],
    ),
    "the Gateway's name": (
        steps("gateway"),
        [Flaw(trouble=Trouble.RESERVED, index=0, names=("gateway",))],
    ),
    "a join of one": (
        steps("a", "j!needs:a,a"),
        [Flaw(trouble=Trouble.TOO_FEW, index=1)],
    ),
    "needing what floats": (
        steps("a", "~b", "c:b"),
        [Flaw(trouble=Trouble.FLOATING, index=2, names=("b",), need=0)],
    ),
}


@pytest.mark.parametrize("case", FLAWS)
def test_it_is_a_flaw_to_have(case: str) -> None:
    given, expected = FLAWS[case]

    assert flaws(given, place(given)) == expected


def test_a_pod_that_floats_may_need_one_that_does() -> None:
    given = steps("a", "~b", "~c:b")

    assert flaws(given, place(given)) == []
