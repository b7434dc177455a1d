"""YAML as nodes: plain values that remember where they were written.

Nodes may be shared (aliases), so they are never changed in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jina_cli.diagnostics import Span

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A value that has no parts.

    Attributes:
        value: After the rules of YAML 1.2's core schema.
        span: Where it stands; of no width where nothing was written (`key:`).
        text: As written, without quotes.
        plain: Whether it was written without quotes.
        substituted: Whether a variable was put in; then `text` may stand for `value` where a
            string is wanted.
        unknown: Whether a variable in it stands for nothing, which was reported; so nothing
            else is said about it.
    """

    value: Scalar
    span: Span
    text: str = ""
    plain: bool = True
    substituted: bool = False
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class ListNode:
    """A sequence of nodes."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping, where it stands, and what it holds."""

    span: Span
    value: Node


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping with string keys, in the order written."""

    entries: Mapping[str, Entry]
    span: Span

    def get(self, key: str) -> Node | None:
        """Return what `key` holds, or None."""
        entry = self.entries.get(key)
        return None if entry is None else entry.value

    def with_entries(self, entries: Mapping[str, Entry]) -> MapNode:
        """Return the same mapping at the same place with other entries."""
        return replace(self, entries=entries)

    def without(self, *keys: str) -> MapNode:
        """Return the same mapping without some keys."""
        return self.with_entries({k: v for k, v in self.entries.items() if k not in keys})


Node = ScalarNode | ListNode | MapNode


def to_data(node: Node) -> Any:
    """Return `node` as strings, numbers, lists and dictionaries."""
    match node:
        case ScalarNode():
            return node.value
        case ListNode():
            return [to_data(item) for item in node.items]
        case MapNode():
            return {key: to_data(entry.value) for key, entry in node.entries.items()}


def from_data(value: Any, span: Span) -> Node:
    """Return plain data as nodes that all stand at `span`."""
    if isinstance(value, Mapping):
        entries = {str(k): Entry(span, from_data(v, span)) for k, v in value.items()}
        return MapNode(entries, span)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ListNode(tuple(from_data(item, span) for item in value), span)
    return ScalarNode(value, span, "" if value is None else str(value), plain=False)


def text_of(node: Node | None) -> str:
    """Return a scalar as text, and the empty string for anything else."""
    if not isinstance(node, ScalarNode) or node.value is None:
        return ""
    return node.text if isinstance(node.value, bool) or node.substituted else str(node.value)


def escape(key: str) -> str:
    """Return `key` as one step of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def spans_of(node: Node, pointer: str = "", span: Span | None = None) -> Iterator[tuple[str, Span]]:
    """Yield the JSON pointer of every key and item, with its place.

    A mapping entry is located at its key, since that is what a reader looks for, and a list
    item at its value.
    """
    yield pointer, span or node.span
    if isinstance(node, MapNode):
        for key, entry in node.entries.items():
            yield from spans_of(entry.value, f"{pointer}/{escape(key)}", entry.span)
    elif isinstance(node, ListNode):
        for place, item in enumerate(node.items):
            yield from spans_of(item, f"{pointer}/{place}")
