"""YAML text → nodes with places. YAML is data here: nothing is ever constructed.

Scalars follow YAML 1.2's core schema, so `no`, `on` and `12:30:45` are strings and `010` is
ten. A local tag (`!Flow`) is read as a key `jtype`; all others are refused. Whatever could
make reading expensive is bounded: size, depth, and what aliases expand to.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from jina_cli.diagnostics import Diagnostic, Span
from jina_cli.spec.nodes import Entry, ListNode, MapNode, Node, Scalar, ScalarNode
from jina_cli.spec.reading import MAX_BYTES, read_start
from jina_cli.spec.syntax import syntax_problem

MAX_DEPTH = 100
MAX_NODES = 100_000
"""Keys and values of one file, all together."""

MAX_ALIASED = 100_000
"""Nodes that aliases may repeat in one file, all together."""

# With libyaml reading is about ten times faster; both give the same events.
_Loader: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

_NOT_DATA = "a spec names data files, it does not hold them"

_CORE = "tag:yaml.org,2002:"
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,300}")
_OCTAL = re.compile(r"0o[0-7]{1,300}")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_CLASS_TAG = re.compile(r"![A-Za-z_][\w.]*")


_CORE_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (type(None),),
}


class Unreadable(Exception):
    """The text cannot be read any further; carries the one reason."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message)


def lines_of(text: str) -> list[str]:
    """Return the lines of `text` as YAML counts them, without line ends."""
    return _LINE_END.split(text)


def decode(data: bytes, path: str) -> str:
    """Return the text of a YAML file.

    Raises:
        Unreadable: It is too large, not UTF-8, or holds characters that YAML forbids.
    """
    start = Span(path, 1, 1, 2)
    if len(data) > MAX_BYTES:
        size = "the file has more than 16 MiB, and no more are read"
        raise _unreadable("JNA406", size, start, _NOT_DATA)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _unreadable("JNA407", "the file is UTF-16, not UTF-8", start, "save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = _place_of(data[: error.start].decode("utf-8", "replace"), path)
        byte = data[error.start]
        raise _unreadable(
            "JNA407", f"byte 0x{byte:02x} is not UTF-8", at, "save the file as UTF-8"
        ) from None
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        name = f"U+{ord(forbidden.group()):04X}"
        at = _place_of(text[: forbidden.start()], path)
        raise _unreadable("JNA407", f"character {name} is not allowed in YAML", at, "remove it")
    return text


def parse(text: str, path: str) -> tuple[Node | None, list[Diagnostic]]:
    """Return the one document in `text` as nodes, and all problems found on the way.

    The node is None where the text is empty or so broken that nothing can be said about the
    rest; then there is at least one problem.
    """
    composer = _Composer(text, path)
    try:
        root = composer.document()
    except Unreadable as error:
        return None, [*composer.problems, error.diagnostic]
    except yaml.YAMLError as error:
        return None, [*composer.problems, syntax_problem(error, path, lines_of(text))]
    return root, composer.problems


def load(path: Path, shown: str) -> tuple[Node | None, list[Diagnostic]]:
    """Read and parse a file; in messages it is called `shown`.

    Raises:
        OSError: It cannot be read.
    """
    return load_bytes(read_start(path), shown)


def load_bytes(data: bytes, shown: str) -> tuple[Node | None, list[Diagnostic]]:
    """Parse what was read of a file; in messages it is called `shown`."""
    try:
        text = decode(data, shown)
    except Unreadable as error:
        return None, [error.diagnostic]
    return parse(text, shown)


def core_scalar(text: str) -> Scalar:
    """Return what a plain scalar means under YAML 1.2's core schema."""
    # Most scalars are words; the first character rules the expensive patterns out.
    if text and text[0] not in "~nNtTfF+-.0123456789":
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text[0] in "tT"
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text) or _HEX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        # What no float can hold is no number of anybody's; it stays as it was written.
        return text if math.isinf(float(text)) else float(text)
    if _SPECIAL_FLOAT.fullmatch(text):
        return float(text.replace(".", ""))
    return text


class _Composer:
    """Makes nodes of libyaml's events, one at a time, so that every bound holds early."""

    def __init__(self, text: str, path: str) -> None:
        self._events = _Loader(text)
        self._path = path
        self._anchors: dict[str, tuple[Node, int, int]] = {}  # node, nodes in it, height
        self._open: set[str] = set()
        self._aliased = 0
        self._nodes = 0
        self.problems: list[Diagnostic] = []

    def document(self) -> Node | None:
        """Return the root.

        Raises:
            Unreadable: The rest cannot be read.
            yaml.YAMLError: The text is not YAML.
        """
        self._next()  # the start of the stream
        if isinstance(self._next(), yaml.StreamEndEvent):
            raise _unreadable("JNA409", "the file is empty", Span(self._path, 1, 1, 2))
        event = self._next()
        root, _, _ = self._node(event, 1)
        self._next()  # the end of the document
        more = self._next()
        if not isinstance(more, yaml.StreamEndEvent):
            self._report(
                "JNA408",
                "a second document begins here",
                _span(more, self._path),
                "write one Flow to a file; '---' separates documents",
            )
        if isinstance(root, ScalarNode) and root.value is None:
            raise _unreadable("JNA409", "the file is empty", root.span)
        return root

    def _next(self) -> Any:
        return self._events.get_event()

    def _node(self, event: Any, depth: int) -> tuple[Node, int, int]:
        """Return a node, how many nodes it holds in all, and how deep it is."""
        span = _span(event, self._path)
        if depth > MAX_DEPTH:
            raise _unreadable("JNA405", f"nested deeper than {MAX_DEPTH} levels", span)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            what = f"the file has more than {MAX_NODES} keys and values, and no more are read"
            raise _unreadable("JNA411", what, span, _NOT_DATA)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(event.anchor), span, depth)
        anchor: str | None = event.anchor
        if anchor is not None:
            self._open.add(anchor)
        if isinstance(event, yaml.ScalarEvent):
            made = (self._scalar(event, span), 1, 1)
        elif isinstance(event, yaml.SequenceStartEvent):
            made = self._list(event, span, depth)
        else:
            made = self._map(event, span, depth)
        if anchor is not None:
            self._open.discard(anchor)
            self._anchors[anchor] = made
        return made

    def _alias(self, anchor: str, span: Span, depth: int) -> tuple[Node, int, int]:
        if anchor in self._open:
            raise _unreadable("JNA404", f"'*{anchor}' stands inside of what it repeats", span)
        if anchor not in self._anchors:
            hint = f"write '&{anchor}' before what it repeats, or quote the value"
            self._report("JNA410", f"nothing is called '&{anchor}'", span, hint)
            return ScalarNode(None, span), 1, 1
        node, size, height = self._anchors[anchor]
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            what = f"the aliases of this file repeat more than {MAX_ALIASED} values"
            raise _unreadable("JNA404", what, span, "write out what is needed, or split the file")
        if depth + height - 1 > MAX_DEPTH:
            raise _unreadable("JNA405", f"nested deeper than {MAX_DEPTH} levels", span)
        return replace(node, span=span), size, height

    def _scalar(self, event: Any, span: Span) -> Node:
        text, tag = event.value, event.tag
        plain = not event.style and tag is None
        if tag is None or tag == "!":
            return ScalarNode(core_scalar(text) if plain else text, span, text, plain)
        if tag.startswith(_CORE):
            return self._core_tagged(tag, text, span)
        name = self._class_name(tag, span)
        if name and not text:
            return _tagged(MapNode({}, span), name, span)
        return ScalarNode(text, span, text, plain=False, unknown=not name)

    def _core_tagged(self, tag: str, text: str, span: Span) -> ScalarNode:
        kind = tag.removeprefix(_CORE)
        if kind not in _CORE_TYPES:
            self._refuse_tag(tag, span)
            return ScalarNode(text, span, unknown=True)
        value = text if kind == "str" else core_scalar(text)
        if not isinstance(value, _CORE_TYPES[kind]) or (kind == "int" and isinstance(value, bool)):
            self._report("JNA403", f"'{text}' is no {kind}", span, "correct the value or the tag")
        value = float(value) if kind == "float" and isinstance(value, int) else value
        return ScalarNode(value, span, text, plain=False)

    def _list(self, event: Any, span: Span, depth: int) -> tuple[Node, int, int]:
        tag = event.tag
        items, size, height = [], 1, 0
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            item, count, below = self._node(event, depth + 1)
            items.append(item)
            size, height = size + count, max(height, below)
        if tag not in (None, "!", f"{_CORE}seq"):
            self._refuse_tag(tag, span)
            return ScalarNode(None, span, unknown=True), 1, 1
        return ListNode(tuple(items), span), size, height + 1

    def _map(self, event: Any, span: Span, depth: int) -> tuple[Node, int, int]:
        tag = event.tag
        entries: dict[str, Entry] = {}
        merged: list[MapNode] = []
        size, height = 1, 0
        while not isinstance(key_event := self._next(), yaml.MappingEndEvent):
            key, _, _ = self._node(key_event, depth + 1)
            value, count, below = self._node(self._next(), depth + 1)
            size, height = size + count, max(height, below)
            if isinstance(key, ScalarNode) and key.plain and key.text == "<<":
                merged.extend(self._merge_sources(value, key.span))
                continue
            for name, at in self._keys(key):
                self._add(entries, name, Entry(at, value))
        for source in merged:
            for name, entry in source.entries.items():
                entries.setdefault(name, entry)
        node = MapNode(entries, span)
        if tag not in (None, "!", f"{_CORE}map"):
            name = self._class_name(tag, span)
            if not name:
                return ScalarNode(None, span, unknown=True), 1, 1
            node = _tagged(node, name, span)
        return node, size, height + 1

    def _keys(self, key: Node) -> list[tuple[str, Span]]:
        """Return the names of one key; Jina 0.9 has `[IndexRequest, SearchRequest]: …`."""
        if isinstance(key, ScalarNode) and key.value is not None:
            return [(key.text, key.span)]
        if isinstance(key, ListNode) and key.items:
            return [name for item in key.items for name in self._keys(item)]
        self._report("JNA410", "a key has to be a word or a number", key.span)
        return []

    def _add(self, entries: dict[str, Entry], name: str, entry: Entry) -> None:
        if name in entries:
            first = entries[name].span
            self._report(
                "JNA402",
                f"'{name}' stands twice in this mapping",
                entry.span,
                f"it is already at line {first.line}; remove one of them",
            )
            return
        entries[name] = entry

    def _merge_sources(self, value: Node, span: Span) -> list[MapNode]:
        sources = value.items if isinstance(value, ListNode) else (value,)
        maps = [source for source in sources if isinstance(source, MapNode)]
        if len(maps) != len(sources):
            self._report("JNA410", "'<<' takes a mapping or a list of mappings", span)
        return maps

    def _class_name(self, tag: str, span: Span) -> str:
        if _CLASS_TAG.fullmatch(tag):
            return tag[1:]
        self._refuse_tag(tag, span)
        return ""

    def _refuse_tag(self, tag: str, span: Span) -> None:
        shown = f"!!{tag.removeprefix(_CORE)}" if tag.startswith(_CORE) else tag
        hint = "YAML is only data here; name a class with 'uses' or 'jtype'"
        self._report("JNA403", f"the tag '{shown}' is refused", span, hint)

    def _report(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        self.problems.append(Diagnostic(code=code, message=message, span=span, hint=hint))


def _tagged(node: MapNode, name: str, span: Span) -> MapNode:
    at = Span(span.path, span.line, span.column, span.column + len(name) + 1)
    jtype = Entry(at, ScalarNode(name, at, name, plain=False))
    return node.with_entries({"jtype": jtype, **node.entries})


def _span(event: Any, path: str) -> Span:
    start, end = event.start_mark, event.end_mark
    # A block spans many lines; only its first is worth underlining.
    end_column = end.column if end.line == start.line else start.column + 1
    return Span(path, start.line + 1, start.column + 1, max(end_column, start.column) + 1)


def _place_of(before: str, path: str) -> Span:
    lines = lines_of(before)
    return Span(path, len(lines), len(lines[-1]) + 1, len(lines[-1]) + 2)


def _unreadable(code: str, message: str, span: Span, hint: str | None = None) -> Unreadable:
    return Unreadable(Diagnostic(code=code, message=message, span=span, hint=hint))
