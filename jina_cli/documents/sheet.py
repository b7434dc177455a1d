"""Documents of one class that are columns, until somebody looks at one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from docarray import BaseDoc
from docarray.typing import ID

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.cells import Absent, Cell, are_same
from jina_cli.documents.collect import column_of
from jina_cli.documents.column import Column
from jina_cli.documents.fit import cell_of, extra_cell, fits_as_it_is, written_cell
from jina_cli.documents.schema import DocSchema


class Sheet:
    """The documents of a batch as documents of a class that they are known to fit.

    Args:
        batch: The documents.
        cells: Fields that the class declares, as far as a look at the column did not tell that
            it is what documents have. The others follow when somebody asks for them.
        extras: Fields that it does not declare and keeps none the less.
    """

    __slots__ = (
        "_cells",
        "_columns",
        "_docs",
        "_extras",
        "_id_values",
        "_ids",
        "_schema",
        "_written",
    )

    def __init__(
        self,
        schema: DocSchema,
        batch: DocumentBatch,
        cells: dict[str, Cell],
        extras: Mapping[str, Cell],
    ) -> None:
        self._schema = schema
        self._ids = batch.ids
        self._columns = batch.columns
        self._cells = cells
        self._extras = extras
        self._id_values: list[ID] | None = None
        self._docs: list[BaseDoc] | None = None
        self._written: tuple[str, ...] = ()

    @classmethod
    def of(cls, batch: DocumentBatch, schema: DocSchema) -> Sheet | None:
        """Return the documents as of a class, or None if pydantic must look at each of them.

        Raises:
            DoesNotFit: A document in a document is not what its class takes.
        """
        if not schema.is_plain:
            return None
        cells: dict[str, Cell] = {}
        extras: dict[str, Cell] = {}
        columns = batch.columns
        for name, column in columns.items():
            field = schema.fields.get(name)
            if field is None:
                if schema.takes_any:
                    extras[name] = extra_cell(name, column, batch.ids)
            elif not fits_as_it_is(field, column):
                cell = cell_of(field, column)
                if cell is None:
                    return None
                cells[name] = cell
        for name in schema.said:
            if name not in columns:
                field = schema.fields[name]
                if field.is_required:
                    return None
                cells[name] = Absent(name, None, field.defaults(len(batch)))
        return cls(schema, batch, cells, extras)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def doc_type(self) -> type[BaseDoc]:
        return self._schema.doc_type

    def values(self, name: str) -> Sequence[Any]:
        """Return the values of one field, the same objects that the documents have."""
        if name == "id":
            if self._id_values is None:
                self._id_values = list(map(ID, self._ids))
            return self._id_values
        cell = self._cells.get(name)
        if cell is None:
            cell = self._cells[name] = self._cell(name)
        return cell.values()

    def _cell(self, name: str) -> Cell:
        field, column = self._schema.fields[name], self._columns.get(name)
        cell = None if column is None else cell_of(field, column)
        return Absent(name, None, field.defaults(len(self))) if cell is None else cell

    def write(self, name: str, values: Any) -> bool:
        """Replace a whole field, if pydantic would take these values as they are.

        What it would turn into something else, or refuse, is left to it: then False is
        returned and nothing is changed.
        """
        field = self._schema.fields.get(name)
        if self._docs is not None or field is None:
            return False
        if not isinstance(values, list | tuple | np.ndarray) or len(values) != len(self):
            return False
        cell = written_cell(field, values)
        if cell is None:
            return False
        self._cells[name] = cell
        self._written += (name,)
        return True

    def docs(self) -> list[BaseDoc]:
        """Return the documents as objects, built as pydantic would, without asking it."""
        if self._docs is None:
            self._docs = self._built()
        return self._docs

    def _built(self) -> list[BaseDoc]:
        schema, doc_type = self._schema, self._schema.doc_type
        names = ("id", *schema.fields)
        declared = (name for name in self._columns if name in schema.fields)
        given = {"id", *declared, *self._extras, *self._written}
        new, put = doc_type.__new__, object.__setattr__
        takes_any = schema.takes_any
        docs: list[BaseDoc] = []
        for row in zip(*map(self.values, names), strict=True):
            doc = new(doc_type)
            put(doc, "__dict__", dict(zip(names, row, strict=True)))
            put(doc, "__pydantic_fields_set__", given.copy())
            put(doc, "__pydantic_extra__", {} if takes_any else None)
            put(doc, "__pydantic_private__", None)
            docs.append(doc)
        for name, cell in self._extras.items():
            for doc, value in zip(docs, cell.values(), strict=True):
                if value is not None:
                    doc.__pydantic_extra__[name] = value  # type: ignore[index]
        return docs

    def holds(self, docs: Sequence[BaseDoc]) -> bool:
        """Return whether these are the documents that were built here, all and in order."""
        return self._docs is not None and are_same(docs, self._docs)

    def back(self, batch: DocumentBatch) -> DocumentBatch | None:
        """Return the documents as columns as they are now; `batch` itself if nothing changed.

        None says that documents have other ids by now, and that they have to be looked at
        one by one.

        Args:
            batch: What they were made of.

        Raises:
            DoesNotFit: A field holds an object that cannot travel.
        """
        columns: dict[str, Column | None] = {}
        if self._docs is None:
            for name, cell in self._cells.items():
                columns[name] = cell.back(None, batch.ids)
        else:
            dicts = [fields_of(doc) for doc in self._docs]
            if not are_same([fields.get("id") for fields in dicts], self._id_values or ()):
                return None
            for name, cell in self._cells.items():
                columns[name] = cell.back([fields.get(name) for fields in dicts], batch.ids)
            if self._schema.takes_any:
                columns.update(self._extra_columns(self._docs, batch))
        changed = {n: c for n, c in columns.items() if c is not batch.columns.get(n)}
        if not changed:
            return batch
        merged = {**batch.columns, **changed}
        return DocumentBatch(batch.ids, {n: c for n, c in merged.items() if c is not None})

    def _extra_columns(
        self, docs: Sequence[BaseDoc], batch: DocumentBatch
    ) -> dict[str, Column | None]:
        extras = [doc.__pydantic_extra__ or {} for doc in docs]
        names = dict.fromkeys(name for extra in extras for name in extra)
        columns: dict[str, Column | None] = {}
        for name in {**self._extras, **names}:
            now = [extra.get(name) for extra in extras]
            cell = self._extras.get(name)
            if cell is None:
                columns[name] = column_of(name, now, batch.ids)
            elif name in names or not all(value is None for value in cell.values()):
                columns[name] = cell.back(now, batch.ids) if name in names else None
        return columns


def fields_of(doc: BaseDoc) -> Mapping[str, Any]:
    """Return the declared fields of a document by name."""
    fields = doc.__dict__
    # A document of a DocVec looks into its columns instead.
    return fields if type(fields) is dict else dict(fields.items())
