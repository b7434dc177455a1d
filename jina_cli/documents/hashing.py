"""The content hash: whether two documents say the same, whatever they are called.

In it is every field that a document has, by name, save those that say what it is to others or
what somebody found out about it: `UNHASHED`. So are the embedding, if it has one by then, and the
class's and the user's own fields. A field that is null, an empty list or an empty object is as
one that is not there; `1.0` in a JSON value is as `1`, since some protocols know no whole
numbers. A tensor is hashed with its dtype and shape.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import (
    Array,
    BytesColumn,
    Column,
    DocsColumn,
    NodesColumn,
    RaggedColumn,
    TensorColumn,
    rows_of,
)
from jina_cli.documents.nodes import UnknownElements, node_value
from jina_cli.documents.rows import plain_value

if TYPE_CHECKING:
    from docarray import BaseDoc

UNHASHED: Final = frozenset(
    {
        *("id", "parent_id", "ref_id", "chunks", "matches", "granularity", "adjacency"),
        *("score", "scores", "evaluations", "explain", "content_hash"),
    }
)
"""Fields that are no content."""

_BYTES: Final = 8


def content_hashes(batch: DocumentBatch) -> list[str]:
    """Return the content hash of each document: blake2b of 8 bytes, 16 hexadecimal digits.

    That of a document depends on nothing but itself.
    """
    hashes = [hashlib.blake2b(digest_size=_BYTES) for _ in range(len(batch))]
    for name in sorted(batch.columns.keys() - UNHASHED):
        said = _said(batch.columns[name])
        head = _sized(name.encode())
        for digest, payload in zip(hashes, said, strict=True):
            if payload is not None:
                digest.update(head + _sized(payload))
    return [digest.hexdigest() for digest in hashes]


def content_hash(doc: BaseDoc) -> str:
    """Return the content hash of one document, the same as among many and in columns."""
    # Whoever has columns alone does not need docarray.
    from jina_cli.documents.convert import from_docs

    return content_hashes(from_docs([doc]))[0]


def _sized(data: bytes) -> bytes:
    # With lengths in front no two lists of fields run together to the same bytes.
    return len(data).to_bytes(8, "little") + data


def _said(column: Column) -> Sequence[bytes | None]:
    """Return a field of each document as bytes that begin with their kind; None for nothing."""
    match column:
        case BytesColumn(values):
            return [None if value is None else b"b" + value for value in values]
        case TensorColumn() | RaggedColumn():
            return [None if row is None else _array(row) for row in rows_of(column)]
        case DocsColumn():
            hashes = content_hashes(column.docs)
            ends = column.offsets.tolist()
            return [
                b"d" + "".join(hashes[start:end]).encode() if end > start else None
                for start, end in pairwise(ends)
            ]
        case NodesColumn(values):
            return [None if value is None else _node(value) for value in values]
        case _:
            return [_value(value) for value in column.values]


def _array(array: Array) -> bytes:
    dtype = array.dtype.newbyteorder("<")
    head = f"a{dtype.str}{array.shape}".encode()
    return head + np.ascontiguousarray(array, dtype).tobytes()


def _node(node: bytes) -> bytes | None:
    try:
        return _value(plain_value(node_value(node)))
    except UnknownElements:
        return b"n" + node


def _value(value: Any) -> bytes | None:
    if type(value) is str:
        return b"t" + value.encode("utf-8", "surrogatepass")
    if value is None or (isinstance(value, list | dict) and not value):
        return None
    plain = _whole(plain_value(value))
    try:
        return b"v" + orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a number of more than 64 bits, or text that is not Unicode
        return b"r" + repr(plain).encode("utf-8", "surrogatepass")


def _whole(value: Any) -> Any:
    """Return a JSON value with whole numbers as such, however they were written."""
    kind = type(value)
    if kind is float:
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if kind is dict:
        return {key: _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if kind is list else value
