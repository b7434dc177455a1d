"""Documents in docarray's own format, `docarray.DocListProto`, read and written by hand.

docarray's reader makes an object of every document and every value; this one cuts the bytes
of a list into one list of nodes a field, and makes a column of each. What has no column stays
the node it is (`NodesColumn`), so that nothing is lost. Bytes that are laid out in a way that
protobuf permits and its writers do not use are first put into the usual layout by protobuf.

A tensor is read whatever its docarray type (torch, tensorflow, …) and written as `ndarray`,
which docarray turns into what the schema wants; text and bytes lose the name of their type in
the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch, new_id
from jina_cli.documents.column import (
    Array,
    BytesColumn,
    Column,
    DocsColumn,
    NodesColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
    column_of_arrays,
)
from jina_cli.documents.columns import Buffer
from jina_cli.documents.limits import MAX_DOCUMENTS, MAX_GAPS, MAX_LEVELS
from jina_cli.documents.nodes import (
    BLOB,
    BOOLEAN,
    DICT,
    DOC_ARRAY,
    FLOAT,
    ID_TYPE,
    INTEGER,
    LIST,
    NDARRAY,
    TEXT,
    BadNode,
    OverLimit,
    UnknownElements,
    array_layout,
    array_node,
    array_parts,
    content,
    messages,
    node_value,
    read_array,
    type_name,
    value_node,
)
from jina_cli.documents.varint import Malformed, read_varint, sized, varint

__all__ = ["BadStandard", "node_value", "scan", "write"]

_PLAIN = {TEXT, INTEGER, FLOAT, BOOLEAN, LIST, DICT}
_NULL = -1

Nodes = Sequence[bytes | None]


class BadStandard(ValueError):
    """Bytes are no DocListProto, or a field cannot be written as one."""


def scan(data: Buffer) -> DocumentBatch:
    """Return the documents of a serialised DocListProto.

    A document without an id gets one. Fields that only some documents have are None in the
    others, as fields that are null.

    Raises:
        BadStandard: These are not such bytes.
    """
    raw = bytes(data)
    try:
        return _scan(raw, MAX_LEVELS)
    except OverLimit as error:
        raise BadStandard(f"is too much: {error}") from None
    except (Malformed, IndexError, UnicodeDecodeError):
        pass
    usual = _usual_layout(raw)
    try:
        return _scan(usual, MAX_LEVELS)
    except (Malformed, IndexError, UnicodeDecodeError) as error:
        raise BadStandard(f"is no list of documents: {error}") from None


def write(batch: DocumentBatch) -> bytes:
    """Return the DocListProto of a batch; a None of a column is written as null.

    Raises:
        BadStandard: A field holds what the format has no place for.
    """
    try:
        return b"".join(_documents(batch))
    except BadNode as error:
        raise BadStandard(str(error)) from None


def _usual_layout(raw: bytes) -> bytes:
    """Let protobuf read the bytes and write them again."""
    from docarray.proto import DocListProto
    from google.protobuf.message import DecodeError

    message = DocListProto()
    try:
        message.ParseFromString(raw)
    except (DecodeError, RecursionError) as error:
        raise BadStandard(f"is no list of documents: {error}") from None
    message.DiscardUnknownFields()
    usual: bytes = message.SerializeToString(deterministic=True)
    return usual


def _scan(data: bytes, levels: int) -> DocumentBatch:
    if levels == 0:
        raise OverLimit(f"documents are nested deeper than {MAX_LEVELS}")
    if not data:
        return EMPTY_BATCH
    count, fields = _cut(data)
    id_nodes = fields.pop(b"id", None) or [None] * count
    columns: dict[str, Column] = {}
    for name, nodes in fields.items():
        if len(nodes) < count:
            nodes.extend([None] * (count - len(nodes)))
        columns[name.decode()] = _column(nodes, levels)
    ids = [_id(node) for node in id_nodes]
    ids.extend(new_id() for _ in range(count - len(ids)))
    return DocumentBatch(ids, columns)


def _cut(data: bytes) -> tuple[int, dict[bytes, list[bytes | None]]]:
    """Return the number of documents, and the node each has of each field.

    Lists end with the last document that has the field.
    """
    fields: dict[bytes, list[bytes | None]] = {}
    count = gaps = 0
    for start, end in messages(data):
        gaps += _cut_document(data, start, end, count, fields)
        count += 1
        if gaps > MAX_GAPS or count > MAX_DOCUMENTS:
            raise OverLimit(f"over {MAX_DOCUMENTS} documents, or too little in common")
    if sum(count - len(nodes) for nodes in fields.values()) > MAX_GAPS:
        raise OverLimit("the documents have too little in common")
    return count, fields


def _cut_document(
    data: bytes, place: int, end: int, count: int, fields: dict[bytes, list[bytes | None]]
) -> int:
    """Add the nodes of the document that `data[place:end]` is, after `count` others.

    What reading costs is this loop: it takes lengths of one byte without a call. Returns how
    many documents before it lacked one of its fields.
    """
    gaps = 0
    while place < end:
        if data[place] != 0x0A:
            raise BadNode("a document holds something else than fields")
        size = data[place + 1]
        place += 2
        if size > 127:
            size, place = read_varint(data, place - 1)
        field_end = place + size
        node = place + 2 + data[place + 1]
        if data[place] != 0x0A or data[node] != 0x12 or data[place + 1] > 127:
            raise BadNode("a field is not laid out as key and value")
        key = data[place + 2 : node]
        size = data[node + 1]
        node += 2
        if size > 127:
            size, node = read_varint(data, node - 1)
        if node + size != field_end or field_end > end:
            raise BadNode("a field is not of its own length")
        nodes = fields.get(key)
        if nodes is None:
            nodes = fields[key] = []
        if len(nodes) != count:
            # The last one counts where a document has a field twice.
            del nodes[count:]
            gaps += count - len(nodes)
            if gaps > MAX_GAPS:
                raise OverLimit("the documents have too little in common")
            nodes.extend([None] * (count - len(nodes)))
        nodes.append(data[node:field_end])
        place = field_end
    return gaps


def _id(node: bytes | None) -> str:
    if not node:
        return new_id()
    if node[0] == TEXT:
        text, _ = content(node)
        return text.decode() or new_id()
    value = node_value(node)
    if type(value) is not int:
        raise BadNode("an id is not a string")
    return str(value)


def _column(nodes: list[bytes | None], levels: int) -> Column:
    kinds = {node[0] if node else _NULL for node in nodes} - {_NULL}
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


def _tensors(nodes: list[bytes | None]) -> Column:
    try:
        return _dense(nodes) or column_of_arrays([_array(n) if n else None for n in nodes])
    except UnknownElements:
        return _kept(nodes)


def _dense(nodes: list[bytes | None]) -> TensorColumn | None:
    """Return the column of tensors that differ in nothing but their elements."""
    first = nodes[0]
    if not first or not all(nodes) or len(set(map(len, filter(None, nodes)))) > 1:
        return None
    payload, rest = content(first)
    type_name(rest)
    start, end, dtype, shape = array_layout(payload)
    offset = len(first) - len(rest) - len(payload)
    start, end = start + offset, end + offset
    before, behind = first[:start], first[end:]
    if any(n[:start] != before or n[end:] != behind for n in nodes if n):
        return None
    data = b"".join([n[start:end] for n in nodes if n])
    try:
        return TensorColumn(np.frombuffer(data, dtype).reshape(len(nodes), *shape))
    except ValueError as error:
        raise BadNode(f"a tensor has {end - start} bytes: {error}") from None


def _array(node: bytes) -> Array:
    return read_array(_payload(node))


def _lists(nodes: list[bytes | None], levels: int) -> DocsColumn:
    parts = [_payload(node) if node else b"" for node in nodes]
    offsets = np.zeros(len(parts) + 1, np.int64)
    offsets[1:] = np.cumsum([sum(1 for _ in messages(part)) for part in parts])
    present = np.array([bool(node) for node in nodes], np.bool_)
    # Lists of one field after the other are, in protobuf, one list.
    docs = _scan(b"".join(parts), levels - 1)
    return DocsColumn(offsets, docs, None if present.all() else present)


def _documents(batch: DocumentBatch) -> list[bytes]:
    """Return each document as one `docs` field of a DocListProto."""
    fields: list[Sequence[bytes]] = [_entries("id", [_id_node(id_) for id_ in batch.ids])]
    for name, column in batch.columns.items():
        try:
            fields.append(_entries(name, _nodes(column)))
        except BadNode as error:
            raise BadNode(f"{name!r}: {error}") from None
    return [sized(0x0A, b"".join(document)) for document in zip(*fields, strict=True)]


def _entries(name: str, nodes: Iterable[bytes]) -> list[bytes]:
    key = sized(0x0A, name.encode()) + b"\x12"
    entries: list[bytes] = []
    for node in nodes:
        value = key + varint(len(node)) + node
        entries.append(b"\x0a" + varint(len(value)) + value)
    return entries


def _id_node(id_: str) -> bytes:
    return _text_node(id_) + ID_TYPE


def _text_node(text: str) -> bytes:
    try:
        return sized(TEXT, text.encode())
    except UnicodeEncodeError:
        raise BadNode("text is not Unicode") from None


def _nodes(column: Column) -> Iterable[bytes]:
    match column:
        case TextColumn(values):
            return _each(values, _text_node)
        case ValuesColumn(values):
            return map(value_node, values)
        case BytesColumn(values):
            return _each(values, lambda value: sized(BLOB, value))
        case NodesColumn(values):
            return [value or b"" for value in values]
        case RaggedColumn(arrays):
            return _each(arrays, array_node)
        case TensorColumn():
            return _tensor_nodes(column)
        case DocsColumn(offsets, docs, present):
            documents = _documents(docs)
            places = pairwise(offsets.tolist())
            lists = [sized(DOC_ARRAY, b"".join(documents[a:b])) for a, b in places]
            if present is None:
                return lists
            return [n if there else b"" for n, there in zip(lists, present, strict=True)]


def _each(values: Sequence[Any], node_of: Callable[[Any], bytes]) -> list[bytes]:
    return [b"" if value is None else node_of(value) for value in values]


def _tensor_nodes(column: TensorColumn) -> list[bytes]:
    array, present = column.array, column.present
    if array_node(array[:0]) and array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    before, behind = array_parts(array.dtype, array.shape[1:])
    data = array.tobytes()
    size = len(data) // len(array) if len(array) else 0
    nodes = [before + data[i * size : (i + 1) * size] + behind for i in range(len(array))]
    if present is None:
        return nodes
    return [n if there else b"" for n, there in zip(nodes, present, strict=True)]
