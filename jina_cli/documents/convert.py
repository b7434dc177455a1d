"""Columns to documents and back, for any docarray document class.

`to_docs` builds objects for an Executor that wants them, `from_docs` makes columns of what it
returns. A class need not know every field that documents have: what it does not declare stays
behind in `to_docs`, and `from_docs(docs, original=batch)` puts it back, document by document,
by id. So an Executor that only knows `text` loses nobody's embeddings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any, TypeVar, cast

import numpy as np
from docarray import BaseDoc, DocList
from docarray.typing import ID
from docarray.typing.tensor.abstract_tensor import AbstractTensor
from pydantic import ValidationError

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
    absent_like,
    column_of_arrays,
    rows_of,
)
from jina_cli.documents.document import Document
from jina_cli.documents.nodes import BadNode, node_value, value_node
from jina_cli.documents.schema import DocField, DocSchema, schema_of

T = TypeVar("T", bound=BaseDoc)

_NONE = type(None)
_PLAIN = {str, int, float, bool, _NONE}


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


def to_docs(batch: DocumentBatch, doc_type: type[T]) -> DocList[T]:
    """Return the documents as objects of a class, in order.

    Tensors are copies, so that they may be written into. A field that a document lacks gets
    the class's default. Values are checked by pydantic only where a column does not show that
    they fit.

    Raises:
        DoesNotFit: A document lacks a required field, or has a value of the wrong type.
    """
    schema = schema_of(doc_type)
    columns = _columns_of(batch, schema) if schema.is_plain else None
    docs = _checked(batch, schema) if columns is None else _built(batch, schema, columns)
    return cast("DocList[T]", DocList[doc_type].construct(docs))  # type: ignore[valid-type]


def from_docs(docs: Iterable[BaseDoc], *, original: DocumentBatch | None = None) -> DocumentBatch:
    """Return documents as columns, in order. They may be of several classes.

    A field that nobody set and that holds nothing has no column. With `original`, fields that
    the documents' classes do not declare are taken from the document there of the same id.

    Raises:
        DoesNotFit: A field holds an object that cannot travel.
    """
    docs = list(docs)
    if not docs:
        return EMPTY_BATCH
    dicts = [_fields_of(doc) for doc in docs]
    ids = [str(fields.get("id") or new_id()) for fields in dicts]
    schemas = [schema_of(doc_type) for doc_type in {type(doc): None for doc in docs}]
    columns: dict[str, Column] = {}
    needed = _given_fields(docs, schemas)
    for name in dict.fromkeys(chain.from_iterable(schema.fields for schema in schemas)):
        values = [fields.get(name) for fields in dicts]
        if name in needed or not _is_empty(values):
            columns[name] = _column(name, values, ids, _nested(original, name))
    columns.update(_extra_columns(docs, ids))
    if original is not None:
        columns.update(_left_behind(ids, schemas, original, columns))
    return DocumentBatch(ids, columns)


def _columns_of(batch: DocumentBatch, schema: DocSchema) -> dict[str, Sequence[Any]] | None:
    """Return the values of each field of the class, or None if pydantic must look at them."""
    values: dict[str, Sequence[Any]] = {}
    for name, field in schema.fields.items():
        column = batch.columns.get(name)
        if column is None:
            if field.is_required:
                return None
            values[name] = field.defaults(len(batch))
            continue
        found = _lists(column, field) if isinstance(column, DocsColumn) else field.values(column)
        if found is None:
            return None
        if not field.takes_none and any(value is None for value in found):
            if field.is_required:
                return None
            defaults = iter(field.defaults(sum(value is None for value in found)))
            found = [next(defaults) if value is None else value for value in found]
        values[name] = found
    return values


def _lists(column: DocsColumn, field: DocField) -> Sequence[Any] | None:
    if field.list_of is None:
        return None
    docs = to_docs(column.docs, field.list_of)
    places = pairwise(column.offsets.tolist())
    flat = list(docs)
    construct = DocList[field.list_of].construct  # type: ignore[name-defined]
    lists = [construct(flat[start:end]) for start, end in places]
    if column.present is None or not field.takes_none:
        return lists
    return [item if there else None for item, there in zip(lists, column.present, strict=True)]


def _built(
    batch: DocumentBatch, schema: DocSchema, columns: Mapping[str, Sequence[Any]]
) -> list[Any]:
    """Build objects of values that fit, as pydantic would, without asking it."""
    new, put = schema.doc_type.__new__, object.__setattr__
    names = ("id", *columns)
    given = {"id", *(name for name in columns if name in batch.columns)}
    extra = _extra_values(batch, schema)
    given.update(extra)
    docs: list[Any] = []
    for row in zip(map(ID, batch.ids), *columns.values(), strict=True):
        doc = new(schema.doc_type)
        put(doc, "__dict__", dict(zip(names, row, strict=True)))
        put(doc, "__pydantic_fields_set__", given.copy())
        put(doc, "__pydantic_extra__", {} if schema.takes_any else None)
        put(doc, "__pydantic_private__", None)
        docs.append(doc)
    for name, values in extra.items():
        for doc, value in zip(docs, values, strict=True):
            if value is not None:
                doc.__pydantic_extra__[name] = value
    return docs


def _checked(batch: DocumentBatch, schema: DocSchema) -> list[Any]:
    """Build objects by pydantic; a None where the class takes none is left to its default."""
    values: dict[str, Sequence[Any]] = {}
    keeps_none: set[str] = set()
    for name, field in schema.fields.items():
        if name in batch.columns:
            values[name] = _python_values(batch.columns[name], field.list_of or Document)
            if field.takes_tensor:
                # docarray makes a tensor of that many elements of a number.
                values[name] = [_tensor_of_number(value) for value in values[name]]
            if field.takes_none:
                keeps_none.add(name)
    values.update(_extra_values(batch, schema))
    docs = []
    for place, id_ in enumerate(batch.ids):
        given = {
            name: column[place]
            for name, column in values.items()
            if column[place] is not None or name in keeps_none
        }
        try:
            docs.append(schema.doc_type(**{"id": id_, **given}))
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            at = ".".join(map(str, problem["loc"]))
            raise DoesNotFit(id_, at, problem["msg"]) from error
    return docs


def _tensor_of_number(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, int | float) else value


def _extra_values(batch: DocumentBatch, schema: DocSchema) -> dict[str, Sequence[Any]]:
    if not schema.takes_any:
        return {}
    return {
        name: _python_values(column, Document)
        for name, column in batch.columns.items()
        if name not in schema.fields
    }


def _python_values(column: Column, list_of: type[BaseDoc]) -> Sequence[Any]:
    match column:
        case DocsColumn(present=present):
            docs = to_docs(column.docs, list_of)
            lists = [docs[start:end] for start, end in pairwise(column.offsets.tolist())]
            if present is None:
                return lists
            return [item if there else None for item, there in zip(lists, present, strict=True)]
        case NodesColumn(values):
            return [None if node is None else node_value(node) for node in values]
        case TensorColumn() | RaggedColumn():
            return [None if row is None else row.copy() for row in rows_of(column)]
        case _:
            return rows_of(column)


def _fields_of(doc: BaseDoc) -> dict[str, Any]:
    fields = doc.__dict__
    # A document of a DocVec looks into its columns instead.
    return fields if type(fields) is dict else dict(fields.items())


def _given_fields(docs: Sequence[BaseDoc], schemas: Sequence[DocSchema]) -> set[str]:
    """Return the fields that have a column even if they hold nothing."""
    given = set().union(*(doc.__pydantic_fields_set__ for doc in docs))
    return given.union(*(schema.required for schema in schemas))


def _is_empty(values: Sequence[Any]) -> bool:
    return all(value is None or (isinstance(value, list | dict) and not value) for value in values)


def _extra_columns(docs: Sequence[BaseDoc], ids: Sequence[str]) -> dict[str, Column]:
    extras = [doc.__pydantic_extra__ or {} for doc in docs]
    names = dict.fromkeys(chain.from_iterable(extras))
    return {name: _column(name, [e.get(name) for e in extras], ids, None) for name in names}


def _left_behind(
    ids: Sequence[str],
    schemas: Sequence[DocSchema],
    original: DocumentBatch,
    known: Mapping[str, Column],
) -> dict[str, Column]:
    """Return the columns of `original` that no class of the documents declares."""
    if any(schema.takes_any for schema in schemas):
        return {}
    declared = set(known).union(*(schema.fields for schema in schemas))
    left = {name: col for name, col in original.columns.items() if name not in declared}
    if not left or list(ids) == list(original.ids):
        return left
    places = {id_: place for place, id_ in enumerate(original.ids)}
    found = np.array([places.get(id_, len(original)) for id_ in ids], np.int64)
    if (found == len(original)).all():
        return {}
    # One more document, that has nothing, stands for those that are new.
    return {name: _with_an_absent(column).take(found) for name, column in left.items()}


def _with_an_absent(column: Column) -> Column:
    from jina_cli.documents.column import concat_columns

    return concat_columns([column, absent_like(column, 1)])


def _nested(original: DocumentBatch | None, name: str) -> DocumentBatch | None:
    column = original.docs(name) if original is not None else None
    return None if column is None else column.docs


def _column(
    name: str, values: Sequence[Any], ids: Sequence[str], original: DocumentBatch | None
) -> Column:
    kinds = set(map(type, values))
    known = [kind for kind in kinds if kind is not _NONE]
    if kinds <= _PLAIN:
        return TextColumn(values) if kinds <= {str, _NONE} else ValuesColumn(values)
    if all(issubclass(kind, np.ndarray | AbstractTensor) for kind in known):
        return _tensors(name, values, ids)
    if all(issubclass(kind, str) for kind in known):
        return TextColumn([None if value is None else str(value) for value in values])
    if all(issubclass(kind, bytes) for kind in known):
        return BytesColumn(values)
    if all(issubclass(kind, list) for kind in known):
        lists = [value or () for value in values]
        if all(isinstance(doc, BaseDoc) for docs in lists for doc in docs) and (
            any(lists) or all(issubclass(kind, DocList) for kind in known)
        ):
            return _docs(values, original)
    return _any(name, values, ids)


def _tensors(name: str, values: Sequence[Any], ids: Sequence[str]) -> Column:
    arrays: list[Array | None] = []
    for value in values:
        if isinstance(value, AbstractTensor) and not isinstance(value, np.ndarray):
            arrays.append(value.get_comp_backend().to_numpy(value))
        else:
            arrays.append(None if value is None else np.asarray(value))
    for place, array in enumerate(arrays):
        if array is not None and array.dtype.kind not in "biufc":
            raise DoesNotFit(ids[place], name, f"a tensor of {array.dtype} does not travel")
    return column_of_arrays(arrays)


def _docs(values: Sequence[Any], original: DocumentBatch | None) -> DocsColumn:
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
