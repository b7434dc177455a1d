"""Take out of the nodes what is wrong, so that the rest can be built and checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from jina_cli.diagnostics import Diagnostic, Severity
from jina_cli.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode
from jina_cli.spec.validate import LENIENT_CODES


def prune(node: MapNode, found: Iterable[Diagnostic]) -> MapNode:
    """Return `node` without the values that `found` is about, nor those of no known value.

    Where a list loses items, the others move up. The root itself stays.
    """
    wrong = {
        d.path
        for d in found
        if d.path and (d.severity is Severity.ERROR or d.code in LENIENT_CODES)
        # A bad name is still what others call the Pod.
        if d.code != "JNA205"
    }
    pruned = _pruned(node, "", wrong)
    return pruned if isinstance(pruned, MapNode) else node.with_entries({})


def _pruned(node: Node, path: str, wrong: set[str]) -> Node | None:
    if path in wrong:
        return None
    if isinstance(node, ScalarNode):
        return None if node.unknown else node
    if isinstance(node, ListNode):
        items = [_pruned(item, f"{path}[{n}]", wrong) for n, item in enumerate(node.items)]
        return replace(node, items=tuple(item for item in items if item is not None))
    entries: dict[str, Entry] = {}
    for key, entry in node.entries.items():
        value = _pruned(entry.value, f"{path}.{key}" if path else key, wrong)
        if value is not None:
            entries[key] = Entry(entry.span, value)
    return node.with_entries(entries)
