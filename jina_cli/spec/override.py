"""Values from elsewhere, laid over a Flow's nodes before anything is checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from jina_cli.diagnostics import Diagnostic, Span
from jina_cli.spec.nodes import Entry, ListNode, MapNode, Node, from_data, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One value that the command line gives.

    Attributes:
        key: Where it goes: `gateway.port`, or `executors.encode.replicas` by a Pod's name.
        value: Plain data.
        origin: What messages call its place, `--port`.
        yields: Whether it is laid under what is there, not over it.
    """

    key: str
    value: Any
    origin: str
    yields: bool = False


def lay_over(
    root: Node | None, over: Node | Setting | None, problems: list[Diagnostic]
) -> Node | None:
    """Return `root` with `over` on top: mappings are merged, Pods by name, the rest replaced.

    A setting that yields goes below.
    """
    if isinstance(over, Setting):
        node = _as_node(over, root, problems)
        if over.yields and root is not None and node is not None:
            root, node = node, root
        over = node
    if root is None or over is None:
        return root
    return _merged(root, over, "")


def _merged(node: Node, over: Node, key: str) -> Node:
    if isinstance(node, MapNode) and isinstance(over, MapNode):
        entries = dict(node.entries)
        for name, entry in over.entries.items():
            before = entries.get(name)
            value = entry.value if before is None else _merged(before.value, entry.value, name)
            entries[name] = Entry(entry.span, value)
        return node.with_entries(entries)
    pods = ("executors", "deployments", "pods")
    if key in pods and isinstance(node, ListNode) and isinstance(over, ListNode):
        return replace(node, items=_pods(node, over))
    return over


def _pods(node: ListNode, over: ListNode) -> tuple[Node, ...]:
    items = list(node.items)
    places = {_name(item): place for place, item in enumerate(items) if _name(item)}
    for item in over.items:
        place = places.get(_name(item))
        if place is None:
            items.append(item)
        else:
            items[place] = _merged(items[place], item, "")
    return tuple(items)


def _name(item: Node) -> str:
    return text_of(item.get("name")) if isinstance(item, MapNode) else ""


def _as_node(setting: Setting, root: Node | None, problems: list[Diagnostic]) -> Node | None:
    """Return a setting as a Flow that says this one thing."""
    span = Span(setting.origin, 1, 1, 2)
    node = from_data(setting.value, span)
    steps = setting.key.split(".")
    if steps[0] == "executors" and len(steps) > 2:
        known = _pod_names(root)
        if steps[1] not in known:
            message = f"there is no Pod {steps[1]!r}"
            hint = f"there are {', '.join(known)}" if known else None
            problems.append(Diagnostic(code="JNA201", message=message, span=span, hint=hint))
            return None
        for step in reversed(steps[2:]):
            node = MapNode({step: Entry(span, node)}, span)
        assert isinstance(node, MapNode)
        named = node.with_entries({"name": Entry(span, from_data(steps[1], span)), **node.entries})
        return MapNode({"executors": Entry(span, ListNode((named,), span))}, span)
    if isinstance(root, MapNode) and text_of(root.get("jtype")) in ("Deployment", "Pod"):
        # It says of its Pod and of its Gateway in one place.
        steps = ["with", *(steps[1:] if steps[0] in ("gateway", "with") else steps)]
    for step in reversed(steps):
        node = MapNode({step: Entry(span, node)}, span)
    return node


def _pod_names(root: Node | None) -> list[str]:
    pods = root.get("executors") if isinstance(root, MapNode) else None
    return [_name(item) for item in pods.items] if isinstance(pods, ListNode) else []
