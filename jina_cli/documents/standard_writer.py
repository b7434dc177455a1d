"""Writing documents in docarray's own format, see `standard`.

Most of what stands around a value is the same in each document: it is made once a field, and
kept from one batch to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import (
    BytesColumn,
    Column,
    DocsColumn,
    NodesColumn,
    RaggedColumn,
    TensorColumn,
    TextColumn,
    ValuesColumn,
    is_absent,
    presence_of,
    rows_of,
)
from jina_cli.documents.columns import DTYPES
from jina_cli.documents.nodes import (
    BLOB,
    DOC_ARRAY,
    ENTRY_KEY,
    ENTRY_VALUE,
    ID_TYPE,
    REPEATED,
    TEXT,
    BadNode,
    array_node,
    array_parts,
    little_endian,
    value_node,
)
from jina_cli.documents.varint import sized, varint

_LONGEST_KEPT = 100
"""Characters of a name above which nothing is kept of it: a name may be as long as a body."""


def documents(batch: DocumentBatch) -> list[bytes]:
    """Return each document as one `docs` field of a DocListProto.

    Raises:
        BadNode: A field holds what the format has no place for.
    """
    fields: list[Sequence[bytes]] = [_text_entries("id", batch.ids, ID_TYPE)]
    for name, column in batch.columns.items():
        try:
            fields.append(_entries(name, column))
        except BadNode as error:
            raise BadNode(f"{name!r}: {error}") from None
    return [sized(REPEATED, b"".join(document)) for document in zip(*fields, strict=True)]


def _entries(name: str, column: Column) -> list[bytes]:
    """Return one field of each document, as an entry of its map."""
    if isinstance(column, TextColumn):
        return _text_entries(name, column.values, b"")
    if isinstance(column, TensorColumn):
        return _tensor_entries(name, column)
    key = _key(name)
    if is_absent(column):
        return [_null(key)] * len(column)
    return [_entry(key, node) for node in _nodes(column)]


def _key(name: str) -> bytes:
    """Return what stands before the node's length in an entry of this name."""
    return _kept_key(name) if len(name) <= _LONGEST_KEPT else _made_key(name)


def _made_key(name: str) -> bytes:
    return sized(ENTRY_KEY, _utf8(name)) + b"%c" % ENTRY_VALUE


_kept_key = lru_cache(maxsize=512)(_made_key)


def _entry(key: bytes, node: bytes) -> bytes:
    return sized(REPEATED, key + varint(len(node)) + node)


def _null(key: bytes) -> bytes:
    return _kept_null(key) if len(key) <= _LONGEST_KEPT else _entry(key, b"")


@lru_cache(maxsize=512)
def _kept_null(key: bytes) -> bytes:
    return _entry(key, b"")


def _text_entries(name: str, texts: Sequence[str | None], behind: bytes) -> list[bytes]:
    key = _key(name)
    heads = _text_heads(key, len(behind)) if len(key) <= _LONGEST_KEPT else ()
    null, short = _null(key), len(heads)
    entries: list[bytes] = []
    for text in texts:
        if text is None:
            entries.append(null)
            continue
        data = _utf8(text)
        size = len(data)
        if size < short:
            entries.append(heads[size] + data + behind)
        else:
            entries.append(_entry(key, sized(TEXT, data) + behind))
    return entries


@lru_cache(maxsize=512)
def _text_heads(key: bytes, behind: int) -> Sequence[bytes]:
    """Return what stands before a text of 0, 1, 2, … bytes while all lengths are of one byte."""
    around = len(key) + 1 + 2 + behind
    return [
        b"%c%c%b%c%c%c" % (REPEATED, around + size, key, 2 + size + behind, TEXT, size)
        for size in range(128 - around)
    ]


def _tensor_entries(name: str, column: TensorColumn) -> list[bytes]:
    array, present = column.array, column.present
    if array.dtype.str not in DTYPES:
        array = little_endian(array)
    key = _key(name)
    frame = _kept_frame if len(key) <= _LONGEST_KEPT else _tensor_frame
    before, behind = frame(key, array.dtype, array.shape[1:])
    if len(array) == 1:
        entries = [b"".join((before, array.tobytes(), behind))]
    else:
        data = array.tobytes()
        size = len(data) // len(array) if len(array) else 0
        places = range(0, len(array) * size, size) if size else [0] * len(array)
        entries = [before + data[i : i + size] + behind for i in places]
    if present is None:
        return entries
    null = _null(key)
    return [e if there else null for e, there in zip(entries, present.tolist(), strict=True)]


def _tensor_frame(key: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> tuple[bytes, bytes]:
    """Return what stands before and behind the elements in an entry of such a tensor."""
    before, behind = array_parts(dtype, shape)
    node = len(before) + dtype.itemsize * prod(shape) + len(behind)
    inner = key + varint(node)
    return b"%c%b%b%b" % (REPEATED, varint(len(inner) + node), inner, before), behind


_kept_frame = lru_cache(maxsize=512)(_tensor_frame)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadNode("text is not Unicode") from None


def nodes_of(column: Column) -> Sequence[bytes | None]:
    """Return each value of a column as a serialised NodeProto; None where there is none.

    Raises:
        BadNode: A value has no place in the format.
    """
    if isinstance(column, NodesColumn):
        return column.values
    nodes = list(_nodes(column))
    there = presence_of(column).tolist()
    return [node if has_it else None for node, has_it in zip(nodes, there, strict=True)]


def _nodes(column: Column) -> Iterable[bytes]:
    """Return each value as a node, which holds nothing where there is no value."""
    match column:
        case TextColumn(values):
            return _each(values, lambda text: sized(TEXT, _utf8(text)))
        case ValuesColumn(values):
            return map(value_node, values)
        case BytesColumn(values):
            return _each(values, lambda value: sized(BLOB, value))
        case NodesColumn(values):
            return [value or b"" for value in values]
        case RaggedColumn(arrays):
            return _each(arrays, array_node)
        case TensorColumn():
            return _each(rows_of(column), array_node)
        case DocsColumn(offsets, docs, present):
            parts = documents(docs)
            places = pairwise(offsets.tolist())
            lists = [sized(DOC_ARRAY, b"".join(parts[a:b])) for a, b in places]
            if present is None:
                return lists
            return [n if there else b"" for n, there in zip(lists, present, strict=True)]


def _each(values: Sequence[Any], node_of: Callable[[Any], bytes]) -> list[bytes]:
    return [b"" if value is None else node_of(value) for value in values]
