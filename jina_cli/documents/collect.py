"""Values of documents as a column: what kind of column holds them, and what cannot travel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from docarray import BaseDoc
from docarray.array.any_array import AnyDocArray
from docarray.typing.tensor.abstract_tensor import AbstractTensor

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import (
    Array,
    BytesColumn,
    Column,
    DocsColumn,
    NodesColumn,
    TextColumn,
    ValuesColumn,
    column_of_arrays,
)
from jina_cli.documents.nodes import BadNode, value_node

_NONE = type(None)
_PLAIN = {str, int, float, bool, _NONE}
_TEXT = {str, _NONE}


class DoesNotFit(ValueError):
    """A document is not what a class, or the wire, takes.

    Attributes:
        id: The document's.
        field: The field that is wrong; empty if it is none alone.
    """

    def __init__(self, id: str, field: str, problem: str) -> None:
        self.id = id
        self.field = field
        where = f"{field!r} of document {id!r}" if field else f"document {id!r}"
        super().__init__(f"{where}: {problem}")


def column_of(
    name: str, values: Sequence[Any], ids: Sequence[str], original: DocumentBatch | None = None
) -> Column:
    """Return the column of one field's values, one for each document.

    Args:
        name: Of the field, for what is raised.
        ids: Of the documents.
        original: Where the fields are that documents among the values do not declare.

    Raises:
        DoesNotFit: A value cannot travel.
    """
    kinds = set(map(type, values))
    if kinds <= _TEXT:
        return TextColumn(values)
    if kinds <= _PLAIN:
        return ValuesColumn(values)
    kinds.discard(_NONE)
    if all(issubclass(kind, np.ndarray | AbstractTensor) for kind in kinds):
        return _tensors(name, values, ids)
    if all(issubclass(kind, str) for kind in kinds):
        return TextColumn([None if value is None else str(value) for value in values])
    if all(issubclass(kind, bytes) for kind in kinds):
        return BytesColumn(values)
    if all(issubclass(kind, AnyDocArray) for kind in kinds):
        return _docs(values, original)
    if all(issubclass(kind, list) for kind in kinds):
        lists = [value or () for value in values]
        if any(lists) and all(isinstance(doc, BaseDoc) for docs in lists for doc in docs):
            return _docs(values, original)
    return _any(name, values, ids)


def _tensors(name: str, values: Sequence[Any], ids: Sequence[str]) -> Column:
    arrays: list[Array | None] = []
    for value in values:
        if isinstance(value, np.ndarray) or value is None:
            arrays.append(value)
        else:
            arrays.append(value.get_comp_backend().to_numpy(value))
    for place, array in enumerate(arrays):
        if array is not None and array.dtype.kind not in "biufc":
            raise DoesNotFit(ids[place], name, f"a tensor of {array.dtype} does not travel")
    return column_of_arrays(arrays)


def _docs(values: Sequence[Any], original: DocumentBatch | None) -> DocsColumn:
    from jina_cli.documents.convert import from_docs

    offsets = np.zeros(len(values) + 1, np.int64)
    offsets[1:] = np.cumsum([len(value or ()) for value in values])
    docs = from_docs(chain.from_iterable(v or () for v in values), original=original)
    present = np.array([value is not None for value in values], np.bool_)
    return DocsColumn(offsets, docs, None if present.all() else present)


def _any(name: str, values: Sequence[Any], ids: Sequence[str]) -> Column:
    try:
        return ValuesColumn([_json(value) for value in values])
    except _NotJson:
        pass
    nodes: list[bytes | None] = []
    for id_, value in zip(ids, values, strict=True):
        try:
            nodes.append(None if value is None else value_node(value))
        except (BadNode, ValueError) as error:
            raise DoesNotFit(id_, name, str(error)) from None
    return NodesColumn(nodes)


class _NotJson(Exception):
    """A value has no place among JSON values."""


def _json(value: Any) -> Any:
    """Return a value as JSON has it; numpy's numbers become Python's."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        if not all(isinstance(key, str) for key in value):
            raise _NotJson
        return {str(key): _json(item) for key, item in value.items()}
    if kind is list:
        return [_json(item) for item in value]
    if isinstance(value, np.generic):
        return _json(value.item())
    if isinstance(value, str):
        return str(value)
    raise _NotJson
