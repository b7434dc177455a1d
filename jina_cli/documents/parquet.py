"""Documents as Parquet tables: one row a document, chunks and matches as nested columns.

What stands in a column is said in the schema's metadata, under `jina.documents`, so that documents
come back the same. Tools that do not know it see plain columns:

    text, int, float, bool, bytes       the column of that type of Parquet
    {"tensor": [dtype, shape]}          list of numbers; tensors of more dimensions are flattened
    ragged                              struct of dtype, shape and bytes: tensors of many shapes
    {"docs": {name: kind}}              list of structs: documents, with their own fields
    json                                text: a value as `jsonlines` writes it
    node                                bytes: a value as docarray writes it

Tables without that metadata are read too: rows as `rows` takes them. Needs pyarrow, of the extra
`parquet`.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias

import numpy as np
import orjson

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
from jina_cli.documents.jsonlines import column_of_unmarked, marked_values, unmarked
from jina_cli.documents.rows import from_rows, to_numpy_rows
from jina_cli.extras import need

if TYPE_CHECKING:
    import pyarrow as pa

Kind: TypeAlias = str | dict[str, Any]
Kinds: TypeAlias = Mapping[str, Kind]
"""What each field is, by its name; `id` is not among them."""

METADATA: Final = b"jina.documents"
VERSION: Final = 1
ROWS: Final = 1024
"""Documents that are read at a time."""

_SCALARS: Final = {"text": "string", "json": "string", "bool": "bool_", "int": "int64"} | {
    "float": "float64",
    "bytes": "binary",
    "node": "binary",
}
_COMPLEX: Final = "c"


class BadTable(ValueError):
    """A file is no Parquet table, or not of documents."""


def kinds_of(batch: DocumentBatch) -> Kinds:
    """Return what the fields of documents are; fields that no document has are left out."""
    kinds = {name: _kind_of(column) for name, column in batch.columns.items() if name != "id"}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def kinds_of_both(some: Kinds, others: Kinds) -> Kinds:
    """Return what the fields have to be so that the documents of both fit into one table."""
    merged = dict(some)
    for name, kind in others.items():
        merged[name] = _kind_of_both(merged[name], kind) if name in merged else kind
    return merged


def schema_of(kinds: Kinds) -> pa.Schema:
    """Return the schema of a table.

    Raises:
        MissingExtra: The extra `parquet` is not installed.
    """
    pa = _pyarrow()
    told = orjson.dumps({"version": VERSION, "columns": kinds})
    return pa.schema(_fields(kinds), metadata={METADATA: told})


def to_table(batch: DocumentBatch, kinds: Kinds | None = None) -> pa.Table:
    """Return documents as a table.

    Args:
        kinds: Of `kinds_of`, or of several batches that are to be one file.

    Raises:
        MissingExtra: The extra `parquet` is not installed.
        ValueError: A document has text that is not Unicode, or a number beyond 64 bits.
    """
    kinds = kinds_of(batch) if kinds is None else kinds
    return _pyarrow().Table.from_arrays(_arrays(batch, kinds), schema=schema_of(kinds))


def from_table(table: pa.Table) -> DocumentBatch:
    """Return the documents of a table, in order.

    Raises:
        BadTable: Its metadata and its columns do not fit.
        BadRow: It is no table of ours, and one of its rows is no document.
    """
    told = _told(table)
    if told is None:
        return from_rows([_foreign(row) for row in table.to_pylist()])
    try:
        described = orjson.loads(told)
        if described["version"] != VERSION:
            raise BadTable(f"has version {described['version']}, and this release reads {VERSION}")
        columns = {name: table.column(name).combine_chunks() for name in table.column_names}
        return _batch(columns, described["columns"])
    except BadTable:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise BadTable(f"is no table of documents: {error}") from error


def write_parquet(file: BinaryIO, batches: Iterable[DocumentBatch], kinds: Kinds) -> None:
    """Write batches of documents as one file, each as a row group.

    Args:
        kinds: Of all of them, see `kinds_of_both`.

    Raises:
        MissingExtra: The extra `parquet` is not installed.
        OSError: It cannot be written.
    """
    parquet = need("pyarrow.parquet", "parquet", what="Parquet")
    with parquet.ParquetWriter(file, schema_of(kinds), compression="zstd") as writer:
        for batch in batches:
            writer.write_table(to_table(batch, kinds))


def rows_of_table(table: pa.Table) -> list[dict[str, Any]]:
    """Return a table as rows with numpy arrays: those of others as they are, ours as `rows` has it.

    Bytes are base64, as in JSON.

    Raises:
        BadTable: Its metadata and its columns do not fit.
    """
    if _told(table) is not None:
        return to_numpy_rows(from_table(table))
    return [
        {name: _in_json(_foreign(value)) for name, value in row.items() if value is not None}
        for row in table.to_pylist()
    ]


def read_tables(path: Path | IO[bytes], rows: int = ROWS) -> Iterator[pa.Table]:
    """Yield a file as tables of at most so many rows. Raises as `read_parquet`."""
    pa, parquet = _pyarrow(), need("pyarrow.parquet", "parquet", what="Parquet")
    try:
        with parquet.ParquetFile(path) as file:
            metadata = file.schema_arrow.metadata
            for part in file.iter_batches(rows):
                yield pa.Table.from_batches([part]).replace_schema_metadata(metadata)
    except pa.ArrowInvalid as error:
        raise BadTable(f"is no Parquet file that can be read: {error}") from error


def read_parquet(path: Path | IO[bytes], rows: int = ROWS) -> Iterator[DocumentBatch]:
    """Yield the documents of a file, at most `rows` at a time.

    Raises:
        MissingExtra: The extra `parquet` is not installed.
        BadTable: It is no Parquet file, or not of documents.
        OSError: It cannot be read.
    """
    for table in read_tables(path, rows):
        yield from_table(table)


def _told(table: pa.Table) -> bytes | None:
    """Return what the metadata says of the columns; None for a table that is not ours."""
    told: bytes | None = (table.schema.metadata or {}).get(METADATA)
    return told


def _pyarrow() -> Any:
    return need("pyarrow", "parquet", what="Parquet")


def _kind_of(column: Column) -> Kind | None:
    if is_absent(column):
        return None
    match column:
        case TextColumn():
            return "text"
        case BytesColumn():
            return "bytes"
        case NodesColumn():
            return "node"
        case TensorColumn(array):
            dtype = array.dtype.newbyteorder("<")
            is_list = array.ndim > 1 and prod(array.shape[1:]) and dtype.kind != _COMPLEX
            return {"tensor": [dtype.str, list(array.shape[1:])]} if is_list else "ragged"
        case RaggedColumn():
            return "ragged"
        case DocsColumn(docs=docs):
            return {"docs": dict(kinds_of(docs))}
        case ValuesColumn(values):
            return _kind_of_values(set(map(type, values)) - {type(None)}, values)


def _kind_of_values(types: set[type], values: Sequence[Any]) -> Kind:
    if types == {str}:
        return "text"
    if types == {bool}:
        return "bool"
    if types == {float}:
        return "float"
    if types == {int} and all(v is None or -(2**63) <= v < 2**63 for v in values):
        return "int"
    return "json"


def _kind_of_both(one: Kind, other: Kind) -> Kind:
    if one == other:
        return one
    tensors = [kind for kind in (one, other) if kind == "ragged" or _has(kind, "tensor")]
    if len(tensors) == 2:
        return "ragged"
    if isinstance(one, dict) and isinstance(other, dict) and "docs" in one and "docs" in other:
        return {"docs": dict(kinds_of_both(one["docs"], other["docs"]))}
    return "json"


def _has(kind: Kind, name: str) -> bool:
    return isinstance(kind, dict) and name in kind


def _fields(kinds: Kinds) -> list[Any]:
    pa = _pyarrow()
    fields = [pa.field("id", pa.string(), nullable=False)]
    return fields + [pa.field(name, _type(kind)) for name, kind in kinds.items()]


def _type(kind: Kind) -> Any:
    pa = _pyarrow()
    if isinstance(kind, str):
        return _ragged_type() if kind == "ragged" else getattr(pa, _SCALARS[kind])()
    if "docs" in kind:
        return pa.list_(pa.struct(_fields(kind["docs"])))
    dtype = np.dtype(kind["tensor"][0])
    return pa.list_(pa.from_numpy_dtype(dtype))


def _ragged_type() -> Any:
    pa = _pyarrow()
    return pa.struct(
        [("dtype", pa.string()), ("shape", pa.list_(pa.int64())), ("data", pa.binary())]
    )


def _arrays(batch: DocumentBatch, kinds: Kinds) -> list[Any]:
    pa = _pyarrow()
    arrays = [pa.array(batch.ids, pa.string())]
    for name, kind in kinds.items():
        column = batch.columns.get(name)
        if column is None or is_absent(column):
            arrays.append(pa.nulls(len(batch), _type(kind)))
        else:
            arrays.append(_array(name, column, kind))
    return arrays


def _array(name: str, column: Column, kind: Kind) -> Any:
    pa = _pyarrow()
    if isinstance(kind, dict) and "docs" in kind and isinstance(column, DocsColumn):
        fields = _fields(kind["docs"])
        structs = pa.StructArray.from_arrays(_arrays(column.docs, kind["docs"]), fields=fields)
        return _lists(column.offsets, structs, presence_of(column))
    if _has(kind, "tensor") and isinstance(column, TensorColumn):
        there = presence_of(column)
        dense = np.ascontiguousarray(column.array[there], column.array.dtype.newbyteorder("<"))
        lengths = np.where(there, prod(column.array.shape[1:]), 0)
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return _lists(offsets, pa.array(dense.reshape(-1)), there)
    if kind == "ragged":
        return pa.array(
            [None if row is None else _described(row) for row in rows_of(column)], _ragged_type()
        )
    if kind == "json":
        return pa.array(_as_json(name, column), pa.string())
    return pa.array(rows_of(column), _type(kind))


def _lists(offsets: Any, values: Any, there: Any) -> Any:
    pa = _pyarrow()
    mask = None if there.all() else pa.array(~there)
    bounds = pa.array(np.asarray(offsets, np.int32))
    return pa.ListArray.from_arrays(bounds, values, mask=mask)


def _described(array: Any) -> dict[str, Any]:
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    return {"dtype": little.dtype.str, "shape": list(array.shape), "data": little.tobytes()}


def _as_json(name: str, column: Column) -> list[str | None]:
    options = orjson.OPT_SERIALIZE_NUMPY
    return [
        None if value is None else orjson.dumps(value, option=options).decode()
        for value in marked_values(name, column)
    ]


def _batch(columns: Mapping[str, Any], kinds: Kinds) -> DocumentBatch:
    ids = columns["id"].to_pylist()
    return DocumentBatch(
        ids, {name: _column(name, columns[name], kind) for name, kind in kinds.items()}
    )


def _column(name: str, array: Any, kind: Kind) -> Column:
    if isinstance(kind, dict):
        return _docs(array, kind["docs"]) if "docs" in kind else _tensor(array, *kind["tensor"])
    values = array.to_pylist()
    match kind:
        case "text":
            return TextColumn(values)
        case "bytes":
            return BytesColumn(values)
        case "node":
            return NodesColumn(values)
        case "ragged":
            return RaggedColumn([None if value is None else _ragged(**value) for value in values])
        case "json":
            cells = [
                None if value is None else unmarked(name, orjson.loads(value)) for value in values
            ]
            return column_of_unmarked(name, cells)
        case _:
            return ValuesColumn(values)


def _tensor(array: Any, dtype_name: str, shape: Sequence[int]) -> TensorColumn:
    there = np.asarray(array.is_valid().to_numpy(zero_copy_only=False), np.bool_)
    flat = array.flatten().to_numpy(zero_copy_only=False)
    dense = np.zeros((len(array), *shape), DTYPES[dtype_name])
    dense[there] = flat.reshape(-1, *shape)
    return TensorColumn(dense, None if there.all() else there)


def _ragged(dtype: str, shape: Sequence[int], data: bytes) -> Any:
    return np.frombuffer(data, DTYPES[dtype]).reshape(shape)


def _docs(array: Any, kinds: Kinds) -> DocsColumn:
    there = np.asarray(array.is_valid().to_numpy(zero_copy_only=False), np.bool_)
    lengths = np.nan_to_num(array.value_lengths().to_numpy(zero_copy_only=False))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths).astype(np.int64)])
    structs = array.flatten()
    names = [field.name for field in structs.type]
    docs = _batch(dict(zip(names, structs.flatten(), strict=True)), kinds)
    return DocsColumn(offsets, docs, None if there.all() else there)


def _in_json(value: Any) -> Any:
    """Return a value with the bytes in it as base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {key: _in_json(item) for key, item in value.items()}
    return [_in_json(item) for item in value] if isinstance(value, list) else value


def _foreign(value: Any) -> Any:
    """Return a value of a table that is not ours as one of a row: times and decimals as text."""
    if isinstance(value, dict):
        return {key: _foreign(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_foreign(item) for item in value]
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta | decimal.Decimal | uuid.UUID):
        return str(value)
    return value
