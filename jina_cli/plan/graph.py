"""Which Pod waits for which: the steps of a Flow as a graph, in an order that can be run.

Nothing here knows YAML, processes or addresses. A Pod without `needs` waits for the one before
it that is not floating; `gateway` stands for the request itself. All that is wrong with a graph
is found in one go.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

GATEWAY = "gateway"
"""In `needs`: the request as it came in."""

JOINER = "joiner"
"""Name of the Pod that is added where a Flow would end in several, or in none."""


class Method(enum.Enum):
    """How a Pod is put into the Flow."""

    ADD = "add"
    NEEDS = "needs"  # a join of those it names, at least two
    NEEDS_ALL = "needs_all"  # a join of all that nobody waits for so far
    INSPECT = "inspect"  # looks at the Pod before it; the next one passes it by
    GATHER_INSPECT = "gather_inspect"  # joins the Pod before it and all that inspect


class Inspect(enum.Enum):
    """What becomes of the Pods that inspect."""

    COLLECT = "COLLECT"  # what they say is part of the answer
    HANG = "HANG"  # they run, and nobody waits
    REMOVE = "REMOVE"  # they are left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A Pod as it is written down. `needs` is None where nothing is said."""

    name: str
    needs: tuple[str, ...] | None = None
    method: Method = Method.ADD
    floating: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Pod in its place.

    Attributes:
        needs: Pods whose answers it gets, each once; none means the request alone. `gateway`
            stands among them only beside others.
        floating: Whether nobody waits for it.
        index: Its place among the steps; -1 for the one that was added.
    """

    name: str
    needs: tuple[str, ...]
    floating: bool = False
    index: int = -1


class Trouble(enum.Enum):
    """What can be wrong with a graph."""

    DUPLICATE = "duplicate"  # two Pods of one name
    UNKNOWN = "unknown"  # needs a Pod that is not there
    ITSELF = "itself"  # needs itself
    FLOATING = "floating"  # is waited for, and needs one nobody waits for
    TOO_FEW = "too few"  # a join of less than two
    CYCLE = "cycle"  # needs what needs it


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        index: Place of the step it is about.
        names: The needs it is about; for a cycle all Pods of it, each needing the next, the
            first again at the end; for a duplicate its name.
    """

    trouble: Trouble
    index: int
    names: tuple[str, ...] = ()


class BadGraph(ValueError):
    """The steps make no graph.

    Attributes:
        problems: All of them, in the order of the steps.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        text = "; ".join(f"{p.trouble.value}: {', '.join(p.names)}" for p in self.problems)
        super().__init__(text)


def arrange(steps: Sequence[Step], inspect: Inspect = Inspect.COLLECT) -> tuple[Node, ...]:
    """Return the Pods in an order in which needs come first, otherwise as they are written.

    Exactly one that is not floating has nobody that needs it: where the steps end in several,
    or in none, a Pod `joiner` is added at the end.

    Raises:
        BadGraph: With everything that is wrong.
    """
    nodes = _resolved(steps, inspect)
    problems = [*_local_problems(steps, nodes)]
    if not any(p.trouble is Trouble.DUPLICATE for p in problems):
        problems += _cycles(nodes)
    if problems:
        raise BadGraph(sorted(problems, key=lambda p: p.index))
    return _with_one_end(_in_order(nodes))


def ends(nodes: Sequence[Node]) -> tuple[str, ...]:
    """Return the Pods that are waited for by nobody but the client, in their order."""
    needed = {name for node in nodes if not node.floating for name in node.needs}
    return tuple(n.name for n in nodes if not n.floating and n.name not in needed)


def _resolved(steps: Sequence[Step], inspect: Inspect) -> list[Node]:
    """Return the steps with their needs filled in, in the order they are written."""
    nodes: list[Node] = []
    inspectors: list[str] = []
    last = GATEWAY
    for index, step in enumerate(steps):
        floating = step.floating
        if step.method is Method.INSPECT:
            if inspect is Inspect.REMOVE:
                continue
            floating = floating or inspect is Inspect.HANG
        needs = _needs_of(step, last, nodes, inspectors)
        nodes.append(Node(name=step.name, needs=needs, floating=floating, index=index))
        if step.method is Method.INSPECT and not floating:
            inspectors.append(step.name)
        elif step.method is not Method.INSPECT and not floating:
            last = step.name
    return nodes


def _needs_of(
    step: Step, last: str, before: Sequence[Node], inspectors: Sequence[str]
) -> tuple[str, ...]:
    if step.needs is not None:
        needs = step.needs
    elif step.method is Method.NEEDS_ALL:
        needs = ends(before)
    elif step.method is Method.GATHER_INSPECT:
        needs = (*inspectors, last)
    else:
        needs = (last,)
    once = tuple(dict.fromkeys(needs))
    return () if once == (GATEWAY,) else once


def _local_problems(steps: Sequence[Step], nodes: Sequence[Node]) -> Iterator[Problem]:
    """Find what can be seen at one step alone."""
    floating = {node.name: node.floating for node in nodes}
    seen: set[str] = set()
    for node in nodes:
        index = node.index
        if node.name in seen:
            yield Problem(trouble=Trouble.DUPLICATE, index=index, names=(node.name,))
            continue  # what it needs may well be its namesake
        seen.add(node.name)
        for need in node.needs:
            if need == node.name:
                yield Problem(trouble=Trouble.ITSELF, index=index, names=(need,))
            elif need != GATEWAY and need not in floating:
                yield Problem(trouble=Trouble.UNKNOWN, index=index, names=(need,))
            elif floating.get(need) and not node.floating:
                yield Problem(trouble=Trouble.FLOATING, index=index, names=(need,))
        if steps[index].method is Method.NEEDS and len(steps[index].needs or ()) < 2:
            yield Problem(trouble=Trouble.TOO_FEW, index=index, names=steps[index].needs or ())


def _cycles(nodes: Sequence[Node]) -> Iterator[Problem]:
    """Find each knot of Pods that wait for each other, once, told from its first Pod."""
    by_name = {node.name: node for node in nodes}
    reported: set[str] = set()
    for node in nodes:
        if node.name in reported:
            continue
        path = _way_back(node.name, by_name)
        if path and not reported & set(path):
            yield Problem(trouble=Trouble.CYCLE, index=node.index, names=path)
        reported.update(path)


def _way_back(start: str, by_name: Mapping[str, Node]) -> tuple[str, ...]:
    """Return the shortest way from `start` along needs to itself; empty if there is none."""
    came_from: dict[str, str] = {}
    frontier = [start]
    while frontier:
        following: list[str] = []
        for name in frontier:
            for need in by_name[name].needs:
                if need == start and name != start:
                    return _path_to(name, start, came_from)
                if need in by_name and need != start and need not in came_from:
                    came_from[need] = name
                    following.append(need)
        frontier = following
    return ()


def _path_to(name: str, start: str, came_from: Mapping[str, str]) -> tuple[str, ...]:
    path = [start, name]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return tuple(reversed(path))


def _in_order(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Return the nodes so that needs come first; of those that could be next the first one."""
    waiting = list(nodes)
    placed: dict[str, Node] = {}
    while waiting:
        ready = next(n for n in waiting if all(x in placed or x == GATEWAY for x in n.needs))
        placed[ready.name] = ready
        waiting.remove(ready)
    return tuple(placed.values())


def _with_one_end(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    last = ends(nodes)
    if len(last) == 1:
        return nodes
    taken = {node.name for node in nodes}
    name = next(n for n in _numbered(JOINER) if n not in taken)
    return (*nodes, Node(name=name, needs=last))


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    number = 1
    while True:
        yield f"{stem}{number}"
        number += 1
