"""Which Pod waits for which, as far as the YAML can be wrong about it. Pure.

`needs` and `method` of each Pod are worked out to the names it waits for; whatever cannot be is
a `Flaw`. The order in which a Flow runs is the planner's matter.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jina_cli.spec.models import GATEWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A Pod as it is written down. `needs` is None where nothing is said."""

    name: str
    needs: tuple[str, ...] | None = None
    method: str = "add"
    floating: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A Pod's place in the Flow: what it waits for (never nothing), and whether it floats."""

    name: str
    needs: tuple[str, ...]
    floating: bool


class Trouble(enum.Enum):
    """What can be wrong with a Pod's place."""

    DUPLICATE = "JNA204"
    RESERVED = "JNA205"
    UNKNOWN = "JNA201"
    ITSELF = "JNA202"
    FLOATING = "JNA206"
    TOO_FEW = "JNA207"
    CYCLE = "JNA203"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing that is wrong.

    Attributes:
        index: Of the Pod it is about.
        need: Which of its needs, if it is about one.
        names: The name it is about; for a cycle all Pods of it, the first again at the end.
    """

    trouble: Trouble
    index: int
    names: tuple[str, ...] = ()
    need: int | None = None


def place(steps: Sequence[Step], inspect: str = "COLLECT") -> tuple[Placed, ...]:
    """Return the place of each step, in their order.

    Without `needs`, a Pod waits for the one before it that neither floats nor inspects.

    Args:
        inspect: `HANG` makes Pods that inspect float; `REMOVE` is for the caller.
    """
    placed: list[Placed] = []
    inspecting: list[str] = []
    last = GATEWAY
    for step in steps:
        looks_on = step.method == "inspect"
        floating = step.floating or (looks_on and inspect == "HANG")
        needs = _needs(step, last, placed, inspecting)
        placed.append(Placed(name=step.name, needs=needs, floating=floating))
        if looks_on and not floating:
            inspecting.append(step.name)
        elif not floating:
            last = step.name
    return tuple(placed)


def flaws(steps: Sequence[Step], placed: Sequence[Placed]) -> list[Flaw]:
    """Return all that is wrong, in the order of the Pods."""
    found = [*_name_flaws(steps), *_need_flaws(steps, placed)]
    if not any(flaw.trouble is Trouble.DUPLICATE for flaw in found):
        found += _cycles(placed)
    return sorted(found, key=lambda flaw: flaw.index)


def _needs(
    step: Step, last: str, before: Sequence[Placed], inspecting: Sequence[str]
) -> tuple[str, ...]:
    if step.needs is not None:
        return tuple(dict.fromkeys(step.needs))
    if step.method == "needs_all":
        return _ends(before) or (last,)
    if step.method == "gather_inspect":
        return tuple(dict.fromkeys((*inspecting, last)))
    return (last,)


def _ends(placed: Sequence[Placed]) -> tuple[str, ...]:
    needed = {name for pod in placed if not pod.floating for name in pod.needs}
    return tuple(p.name for p in placed if not p.floating and p.name not in needed)


def _name_flaws(steps: Sequence[Step]) -> Iterator[Flaw]:
    seen: set[str] = set()
    for index, step in enumerate(steps):
        if step.name == GATEWAY:
            yield Flaw(trouble=Trouble.RESERVED, index=index, names=(step.name,))
        elif step.name in seen:
            yield Flaw(trouble=Trouble.DUPLICATE, index=index, names=(step.name,))
        seen.add(step.name)


def _need_flaws(steps: Sequence[Step], placed: Sequence[Placed]) -> Iterator[Flaw]:
    floating = {pod.name: pod.floating for pod in placed}
    for index, (step, pod) in enumerate(zip(steps, placed, strict=True)):
        for number, need in enumerate(step.needs or ()):
            trouble = None
            if need == step.name:
                trouble = Trouble.ITSELF
            elif need != GATEWAY and need not in floating:
                trouble = Trouble.UNKNOWN
            elif floating.get(need) and not pod.floating:
                trouble = Trouble.FLOATING
            if trouble:
                yield Flaw(trouble=trouble, index=index, names=(need,), need=number)
        if step.method == "needs" and len(set(step.needs or ())) < 2:
            yield Flaw(trouble=Trouble.TOO_FEW, index=index)


def _cycles(placed: Sequence[Placed]) -> Iterator[Flaw]:
    """Find each knot of Pods that wait for each other, once, told from its first Pod."""
    needs = {pod.name: pod.needs for pod in placed}
    told: set[str] = set()
    for index, pod in enumerate(placed):
        way = _way_back(pod.name, needs) if pod.name != GATEWAY else ()
        # A Pod that needs itself is a flaw of its own.
        if len(way) > 2 and not told & set(way):
            yield Flaw(trouble=Trouble.CYCLE, index=index, names=way)
            told.update(way)


def _way_back(start: str, needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the shortest way along needs from `start` to itself; empty if there is none."""
    came_from: dict[str, str] = {}
    frontier = [start]
    while frontier:
        following: list[str] = []
        for name in frontier:
            for need in needs.get(name, ()):
                if need == start:
                    return (start, *_trail(name, start, came_from), start)
                if need not in came_from and need != GATEWAY:
                    came_from[need] = name
                    following.append(need)
        frontier = following
    return ()


def _trail(name: str, start: str, came_from: Mapping[str, str]) -> tuple[str, ...]:
    """Return the way from after `start` to `name`."""
    way: list[str] = []
    while name != start:
        way.insert(0, name)
        name = came_from[name]
    return tuple(way)
