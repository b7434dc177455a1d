"""Columns to documents and back, for any docarray document class.

`to_docs` gives documents to an Executor that wants them, `from_docs` makes columns of what it
returns. A class need not know every field that documents have: what it does not declare stays
behind in `to_docs`, and `from_docs(docs, original=batch)` puts it back, document by document,
by id. So an Executor that only knows `text` loses nobody's embeddings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any, TypeGuard, TypeVar, cast

import numpy as np
from docarray import BaseDoc, DocList, DocVec
from pydantic import ValidationError

from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch, new_id
from jina_cli.documents.cells import is_nothing
from jina_cli.documents.collect import DoesNotFit, column_of
from jina_cli.documents.column import (
    Column,
    DocsColumn,
    NodesColumn,
    RaggedColumn,
    TensorColumn,
    absent_like,
    concat_columns,
    rows_of,
)
from jina_cli.documents.document import Document
from jina_cli.documents.fit import node_values
from jina_cli.documents.lazy import lazy_list, sheet_of
from jina_cli.documents.schema import DocSchema, schema_of
from jina_cli.documents.sheet import Sheet, fields_of

__all__ = ["DoesNotFit", "are_docs", "from_docs", "to_docs"]

T = TypeVar("T", bound=BaseDoc)


def to_docs(batch: DocumentBatch, doc_type: type[T]) -> DocList[T]:
    """Return the documents as a list of documents of a class, in order.

    The list is `lazy` wherever the columns show that they fit the class; else its documents
    are built, and checked by pydantic, at once. Tensors are copies, so that they may be written
    into; other values are shared with `batch`. A field that a document lacks gets the class's
    default.

    Raises:
        DoesNotFit: A document lacks a required field, or has a value of the wrong type.
    """
    sheet = Sheet.of(batch, schema_of(doc_type)) if len(batch) else None
    if sheet is None:
        docs = _checked(batch, schema_of(doc_type))
        return cast("DocList[T]", DocList[doc_type].construct(docs))  # type: ignore[valid-type]
    batch.sheets = (*batch.sheets[-1:], sheet)
    return lazy_list(sheet)


def from_docs(docs: Iterable[BaseDoc], *, original: DocumentBatch | None = None) -> DocumentBatch:
    """Return documents as columns, in order. They may be of several classes.

    A field that nobody set and that holds nothing has no column. With `original`, fields that
    the documents' classes do not declare are taken from the document there of the same id.
    Where the documents are those that `to_docs` made of `original`, columns that nobody changed
    are the same objects, and if none was, so is the batch.

    Raises:
        DoesNotFit: A field holds an object that cannot travel.
    """
    if original is not None and original.sheets:
        if not isinstance(docs, list | tuple):
            docs = list(docs)
        back = _unmoved(docs, original)
        if back is not None:
            return back
    docs = list(docs)
    if not docs:
        return EMPTY_BATCH
    dicts = [fields_of(doc) for doc in docs]
    ids = [str(fields.get("id") or new_id()) for fields in dicts]
    schemas = [schema_of(doc_type) for doc_type in {type(doc): None for doc in docs}]
    columns: dict[str, Column] = {}
    needed = _given_fields(docs, schemas)
    for name in dict.fromkeys(chain.from_iterable(schema.fields for schema in schemas)):
        values = [fields.get(name) for fields in dicts]
        if name in needed or not is_nothing(values):
            columns[name] = column_of(name, values, ids, _nested(original, name))
    columns.update(_extra_columns(docs, ids))
    if original is not None:
        columns.update(_left_behind(ids, schemas, original, columns))
    return DocumentBatch(ids, columns)


def are_docs(value: Any) -> TypeGuard[Sequence[BaseDoc]]:
    """Return whether a value is a list of documents, without building those of a lazy one."""
    if not isinstance(value, list | tuple | DocVec):
        return False
    return sheet_of(value) is not None or all(isinstance(doc, BaseDoc) for doc in value)


def _unmoved(
    docs: list[BaseDoc] | tuple[BaseDoc, ...], original: DocumentBatch
) -> DocumentBatch | None:
    """Return the columns of documents that are those of `original`, all and in order."""
    unbuilt = sheet_of(docs)
    for sheet in original.sheets:
        if sheet is unbuilt or (unbuilt is None and sheet.holds(docs)):
            return sheet.back(original)
    return None


def _checked(batch: DocumentBatch, schema: DocSchema) -> list[Any]:
    """Build objects by pydantic; a None where the class takes none is left to its default."""
    values: dict[str, Sequence[Any]] = {}
    keeps_none: set[str] = set()
    for name, field in schema.fields.items():
        if name in batch.columns:
            values[name] = _python_values(name, batch, field.list_of or Document)
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
        name: _python_values(name, batch, Document)
        for name in batch.columns
        if name not in schema.fields
    }


def _python_values(name: str, batch: DocumentBatch, list_of: type[BaseDoc]) -> Sequence[Any]:
    column = batch.columns[name]
    match column:
        case DocsColumn(present=present):
            docs = to_docs(column.docs, list_of)
            lists = [docs[start:end] for start, end in pairwise(column.offsets.tolist())]
            if present is None:
                return lists
            return [item if there else None for item, there in zip(lists, present, strict=True)]
        case NodesColumn():
            return node_values(name, column, batch.ids)
        case TensorColumn() | RaggedColumn():
            return [None if row is None else row.copy() for row in rows_of(column)]
        case _:
            return rows_of(column)


def _given_fields(docs: Sequence[BaseDoc], schemas: Sequence[DocSchema]) -> set[str]:
    """Return the fields that have a column even if they hold nothing."""
    given = set().union(*(doc.__pydantic_fields_set__ for doc in docs))
    return given.union(*(schema.required for schema in schemas))


def _extra_columns(docs: Sequence[BaseDoc], ids: Sequence[str]) -> dict[str, Column]:
    extras = [doc.__pydantic_extra__ or {} for doc in docs]
    names = dict.fromkeys(chain.from_iterable(extras))
    return {name: column_of(name, [e.get(name) for e in extras], ids) for name in names}


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
    return concat_columns([column, absent_like(column, 1)])


def _nested(original: DocumentBatch | None, name: str) -> DocumentBatch | None:
    column = original.docs(name) if original is not None else None
    return None if column is None else column.docs
