"""The Pods of a Flow in an order that can be run, with one end.

A spec has already worked out what each Pod needs, and found what is wrong with it: here nothing
can be. `gateway` stands for the request itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jina_cli.spec.models import GATEWAY, PodSpec

JOINER = "joiner"
"""Name of the Pod that is added where a Flow would end in several, or in none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Pod in its place.

    Attributes:
        spec: What the YAML says; of one that was added nothing but its name.
        needs: Pods whose answers it gets, each once; none means the request alone. `gateway`
            stands among them only beside others.
        fused: Pods that run in its processes after it, in order.
        inputs: What it joins, as the YAML has it: `needs` name the Pods whose processes they
            run in. None where it joins nothing.
    """

    spec: PodSpec
    needs: tuple[str, ...]
    fused: tuple[PodSpec, ...] = ()
    inputs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def floating(self) -> bool:
        """Whether nobody waits for it."""
        return self.spec.floating


def arrange(pods: Sequence[PodSpec]) -> tuple[Node, ...]:
    """Return the Pods in an order in which needs come first, otherwise as they are written.

    Exactly one that is not floating has nobody that needs it: where they end in several, or in
    none, a Pod `joiner` is added at the end, which passes documents on.

    Args:
        pods: With their needs worked out: each names Pods of these, and there is no circle.
    """
    nodes = _in_order([Node(spec=pod, needs=_needs_of(pod)) for pod in pods])
    last = ends(nodes)
    if len(last) == 1:
        return nodes
    taken = {node.name for node in nodes}
    numbered = (f"{JOINER}{number}" for number in itertools.count(1))
    name = next(each for each in itertools.chain([JOINER], numbered) if each not in taken)
    return (*nodes, Node(spec=PodSpec(name=name, needs=last or (GATEWAY,)), needs=last))


def fold(nodes: Sequence[Node], hosts: Mapping[str, str]) -> tuple[Node, ...]:
    """Return the nodes that have processes of their own, those of other Pods folded into them.

    Args:
        nodes: As `arrange` returns them.
        hosts: Pod → the Pod whose processes it runs in, as `spec.fusing.hosts_of` has it.
    """
    folded: dict[str, Node] = {}
    for node in nodes:
        host = hosts.get(node.name)
        if host is not None:
            folded[host] = replace(folded[host], fused=(*folded[host].fused, node.spec))
            continue
        folded[node.name] = replace(
            node,
            needs=tuple(hosts.get(need, need) for need in node.needs),
            inputs=node.needs if len(node.needs) > 1 else (),
        )
    return tuple(folded.values())


def ends(nodes: Sequence[Node]) -> tuple[str, ...]:
    """Return the Pods that are waited for by nobody but the client, in their order."""
    needed = {name for node in nodes if not node.floating for name in node.needs}
    return tuple(n.name for n in nodes if not n.floating and n.name not in needed)


def _needs_of(pod: PodSpec) -> tuple[str, ...]:
    return () if pod.needs == (GATEWAY,) else pod.needs


def _in_order(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Return the nodes so that needs come first; of those that could be next the first one."""
    waiting = list(nodes)
    placed = {GATEWAY}
    ordered: list[Node] = []
    while waiting:
        ready = next(node for node in waiting if placed.issuperset(node.needs))
        placed.add(ready.name)
        waiting.remove(ready)
        ordered.append(ready)
    return tuple(ordered)
