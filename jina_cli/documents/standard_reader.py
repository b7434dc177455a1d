"""Reading documents in docarray's own format, see `standard`.

What it costs is a loop in Python over the fields of each document, so the loop is short: where
a field stands as the same field of the document before it stood, only its value differs.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch, new_id
from jina_cli.documents.column import (
    Array,
    BytesColumn,
    Column,
    DocsColumn,
    NodesColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
    column_of_arrays,
)
from jina_cli.documents.limits import MAX_DOCUMENTS, MAX_GAPS
from jina_cli.documents.nodes import (
    BLOB,
    BOOLEAN,
    DICT,
    DOC_ARRAY,
    ENTRY_KEY,
    ENTRY_VALUE,
    FLOAT,
    ID_TYPE,
    INTEGER,
    LIST,
    NDARRAY,
    REPEATED,
    TEXT,
    BadNode,
    OverLimit,
    UnknownElements,
    array_layout,
    content,
    messages,
    node_value,
    read_array,
    type_name,
)
from jina_cli.documents.varint import read_varint, varint

_PLAIN = {TEXT, INTEGER, FLOAT, BOOLEAN, LIST, DICT}
_NULL = -1
_LONGEST_KEPT = 100
"""Bytes behind a tensor's elements up to which what they say is kept for the next tensor."""

Nodes = list[bytes | None]


def read_documents(data: bytes, levels: int) -> DocumentBatch:
    """Return the documents of a DocListProto that is laid out as its writers do it.

    Raises:
        Malformed, IndexError, UnicodeDecodeError: It is not.
        OverLimit: It would become more than we take.
    """
    if levels == 0:
        raise OverLimit("documents are nested too deep")
    if not data:
        return EMPTY_BATCH
    count, fields = _cut(data)
    id_nodes = fields.pop(b"id", [])
    columns: dict[str, Column] = {}
    for name, nodes in fields.items():
        if len(nodes) < count:
            nodes.extend([None] * (count - len(nodes)))
        columns[name.decode()] = _column(nodes, levels)
    ids = [_id(node) for node in id_nodes]
    ids.extend(new_id() for _ in range(count - len(ids)))
    return DocumentBatch(ids, columns)


def _cut(data: bytes) -> tuple[int, dict[bytes, Nodes]]:
    """Return the number of documents, and the node each has of each field.

    Lists end with the last document that has the field.
    """
    cutter = _Cutter()
    place, end, count = 0, len(data), 0
    while place < end:
        if data[place] != REPEATED:
            raise BadNode(f"a field has tag {data[place]}, not {REPEATED}")
        size = data[place + 1]
        place += 2
        if size > 127:
            size, place = read_varint(data, place - 1)
        if place + size > end:
            raise BadNode("a document is longer than what it is in")
        cutter.cut(data, place, place + size, count)
        place += size
        count += 1
        if count > MAX_DOCUMENTS:
            raise OverLimit(f"there are over {MAX_DOCUMENTS} documents")
    if sum(count - len(nodes) for nodes in cutter.fields.values()) > MAX_GAPS:
        raise OverLimit("the documents have too little in common")
    return count, cutter.fields


class _Cutter:
    """Cuts documents into fields, and remembers how the last one was laid out.

    Attributes:
        fields: The node each document has of each field.
    """

    __slots__ = ("_gaps", "_layout", "fields")

    def __init__(self) -> None:
        self.fields: dict[bytes, Nodes] = {}
        self._layout: list[tuple[bytes, int, Nodes]] = []
        """What stood before the first, second, … node, the length of both, and its field."""
        self._gaps = 0

    def cut(self, data: bytes, place: int, end: int, count: int) -> None:
        """Add the nodes of the document that `data[place:end]` is, after `count` others."""
        layout = self._layout
        known, position = len(layout), 0
        while place < end:
            if position < known:
                before, size, nodes = layout[position]
                if len(nodes) == count and data.startswith(before, place):
                    position += 1
                    nodes.append(data[place + len(before) : place + size])
                    place += size
                    continue
            found = self._entry(data, place, count)
            if position < known:
                layout[position] = found
            else:
                layout.append(found)
                known += 1
            position += 1
            place += found[1]
        if place > end:
            raise BadNode("a field is longer than its document")

    def _entry(self, data: bytes, start: int, count: int) -> tuple[bytes, int, Nodes]:
        """Add the node of the entry that begins at `start`, and return how it is laid out."""
        if data[start] != REPEATED:
            raise BadNode("a document holds something else than fields")
        size, key = data[start + 1], start + 2
        if size > 127:
            size, key = read_varint(data, start + 1)
        end = key + size
        size = data[key + 1]
        node = key + 2 + size
        if data[key] != ENTRY_KEY or size > 127 or data[node] != ENTRY_VALUE:
            raise BadNode("a field is not laid out as key and value")
        name = data[key + 2 : node]
        size = data[node + 1]
        node += 2
        if size > 127:
            size, node = read_varint(data, node - 1)
        if node + size != end or end > len(data):
            raise BadNode("a field is not of its own length")
        nodes = self.fields.get(name)
        if nodes is None:
            nodes = self.fields[name] = []
        if len(nodes) != count:
            # The last one counts where a document has a field twice.
            del nodes[count:]
            self._fill(nodes, count)
        nodes.append(data[node:end])
        return data[start:node], end - start, nodes

    def _fill(self, nodes: Nodes, count: int) -> None:
        self._gaps += count - len(nodes)
        if self._gaps > MAX_GAPS:
            raise OverLimit("the documents have too little in common")
        nodes.extend([None] * (count - len(nodes)))


def _id(node: bytes | None) -> str:
    if not node:
        return new_id()
    if node[0] == TEXT:
        size = node[1]
        if size < 128 and node[size + 2 :] == ID_TYPE:
            return node[2 : size + 2].decode() or new_id()
        text, _ = content(node)
        return text.decode() or new_id()
    value = node_value(node)
    if type(value) is not int:
        raise BadNode("an id is not a string")
    return str(value)


def _column(nodes: Nodes, levels: int) -> Column:
    kinds = {node[0] if node else _NULL for node in nodes}
    kinds.discard(_NULL)
    if not kinds:
        return ValuesColumn([None] * len(nodes))
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind == TEXT:
        return TextColumn([_text(node) if node else None for node in nodes])
    if kind == NDARRAY:
        return _tensors(nodes)
    if kind == BLOB:
        return BytesColumn([_payload(node) if node else None for node in nodes])
    if kind == DOC_ARRAY:
        return _lists(nodes, levels)
    if kind in _PLAIN or (kind is None and kinds <= _PLAIN):
        values = [node_value(node) if node else None for node in nodes]
        if kind not in (LIST, DICT) and LIST not in kinds and DICT not in kinds:
            return ValuesColumn(values)
        if all(map(_is_json, values)):
            return ValuesColumn(values)
    return _kept(nodes)


def _kept(nodes: Nodes) -> NodesColumn:
    for node in nodes:
        if node:
            _check(node)
    return NodesColumn(nodes)


def _check(node: bytes) -> None:
    """See that a node can be read again, save that its tensors may be of types we do not take."""
    try:
        node_value(node)
    except UnknownElements:
        pass


def _is_json(value: Any) -> bool:
    kind = type(value)
    if kind is list:
        return all(map(_is_json, value))
    if kind is dict:
        return all(map(_is_json, value.values()))
    return kind in (str, int, float, bool, type(None))


def _text(node: bytes) -> str:
    size = node[1]
    if size < 128 and len(node) == size + 2:
        return node[2:].decode()
    return _payload(node).decode()


def _payload(node: bytes) -> bytes:
    payload, rest = content(node)
    type_name(rest)
    return payload


def _tensors(nodes: Nodes) -> Column:
    try:
        return _dense(nodes) or column_of_arrays([_array(n) if n else None for n in nodes])
    except UnknownElements:
        return _kept(nodes)


def _dense(nodes: Nodes) -> TensorColumn | None:
    """Return the column of tensors that differ in nothing but their elements."""
    first = nodes[0]
    if not first or not all(nodes):
        return None
    start, end, dtype, shape = _tensor_layout(first)
    if len(nodes) == 1:
        data = first[start:end]
    else:
        before, behind, size = first[:start], first[end:], len(first)
        for node in nodes:
            assert node is not None  # `all` said so
            if len(node) != size or not node.startswith(before) or not node.endswith(behind):
                return None
        data = b"".join([node[start:end] for node in nodes if node])
    try:
        return TensorColumn(np.frombuffer(data, dtype).reshape(len(nodes), *shape))
    except ValueError as error:
        raise BadNode(f"a tensor has {end - start} bytes: {error}") from None


def _tensor_layout(node: bytes) -> tuple[int, int, np.dtype[Any], tuple[int, ...]]:
    """Return start and end of a tensor's elements in its node, their dtype and shape."""
    outer_size, outer = read_varint(node, 1)
    dense_size, dense = read_varint(node, outer + 1)
    size, start = read_varint(node, dense + 1)
    end = start + size
    rest = node[end:]
    is_usual = node[outer] == node[dense] == 0x0A and len(rest) <= _LONGEST_KEPT
    if is_usual and dense + dense_size == outer + outer_size:
        known = _behind_elements(rest)
        if end + known[0] == outer + outer_size:
            return start, end, known[1], known[2]
    payload, rest = content(node)
    type_name(rest)
    start, end, dtype, shape = array_layout(payload)
    offset = len(node) - len(rest) - len(payload)
    return start + offset, end + offset, dtype, shape


@lru_cache(maxsize=1024)
def _behind_elements(rest: bytes) -> tuple[int, np.dtype[Any], tuple[int, ...]]:
    """Return the size of what stands behind a tensor's elements, without the name of a docarray
    type that may follow it, and the dtype and shape that it says.
    """
    place = 0
    for tag in (0x12, 0x1A):
        if rest[place : place + 1] == b"%c" % tag:
            size, begin = read_varint(rest, place + 1)
            place = begin + size
    dense = b"\x0a\x00" + rest[:place]
    _, _, dtype, shape = array_layout(b"\x0a" + varint(len(dense)) + dense)
    type_name(rest[place:])
    return place, dtype, shape


def _array(node: bytes) -> Array:
    return read_array(_payload(node))


def _lists(nodes: Nodes, levels: int) -> DocsColumn:
    parts = [_payload(node) if node else b"" for node in nodes]
    offsets = np.zeros(len(parts) + 1, np.int64)
    offsets[1:] = np.cumsum([sum(1 for _ in messages(part)) for part in parts])
    present = np.array([bool(node) for node in nodes], np.bool_)
    # Lists of one field after the other are, in protobuf, one list.
    docs = read_documents(b"".join(parts), levels - 1)
    return DocsColumn(offsets, docs, None if present.all() else present)
