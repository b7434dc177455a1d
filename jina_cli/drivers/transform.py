"""Drivers that give documents new content: craft, encode, segment, train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import (
    Array,
    DocsColumn,
    TensorColumn,
    concat_columns,
)
from jina_cli.documents.relatives import as_chunks
from jina_cli.documents.traversal import Path
from jina_cli.drivers.base import (
    ROOT,
    BadResult,
    Calling,
    Done,
    MaybeAwaitable,
    Parameters,
    accepted,
    at_paths,
    field_of,
    is_prepared,
    settled,
)
from jina_cli.drivers.content import (
    column_from,
    column_of_rows,
    content_of,
    in_parts,
    places_with,
    where_present,
)
from jina_cli.drivers.values import values_at


class Crafts(Protocol):
    def craft(self, content: Any) -> MaybeAwaitable[Any]: ...


class Encodes(Protocol):
    def encode(self, content: Any) -> MaybeAwaitable[Array]: ...


class Segments(Protocol):
    def segment(self, content: Any, **others: Any) -> MaybeAwaitable[Sequence[Sequence[Any]]]: ...


class Trains(Protocol):
    def train(self, content: Any, **parameters: Any) -> MaybeAwaitable[None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CraftDriver(Calling):
    """Replace a field by what `craft` makes of it.

    Attributes:
        field: What `craft` gets; empty for the Executor's own, else `tensor`.
        into: Field for what it returns; empty for the Executor's own, else the same.
        batch_size: Documents `craft` gets at most at a time; 0 for all.
        is_optional: Whether a document without the field stays as it is; else it is an error.
        traversal_paths: Documents it is done for.
    """

    method: ClassVar[str] = "craft"
    field: str = ""
    into: str = ""
    batch_size: int = 0
    is_optional: bool = False
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(self, executor: Crafts, docs: DocumentBatch, parameters: Parameters) -> Done:
        if is_prepared(parameters):
            return Done(docs=docs)
        where = f"{type(executor).__name__}.craft"
        field = field_of(self.field, executor, "tensor")
        into = field_of(self.into, executor, field, attribute="into")

        async def step(found: DocumentBatch) -> DocumentBatch:
            columns = [
                column_from(await settled(executor.craft(part)), len(part), where)
                for part in in_parts(content_of(found, field), self.batch_size)
            ]
            return found.with_columns(**{into: concat_columns(columns)})

        steps = where_present(field if self.is_optional else "", step)
        return Done(docs=await at_paths(docs, self.traversal_paths, steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeDriver(Calling):
    """Set the embedding of each document to what `encode` makes of its content.

    Attributes:
        field: What `encode` gets; empty for the Executor's own, else `tensor`.
        into: Field for the vectors, float32; empty for the Executor's own, else `embedding`.
        batch_size: Documents `encode` gets at most at a time; 0 for all.
        is_optional: Whether a document without the field stays as it is; else it is an error.
        as_query: Whether what is encoded are queries: Executors to which that makes a
            difference have `encode_query` for them.
        traversal_paths: Documents it is done for.
    """

    method: ClassVar[str] = "encode"
    field: str = ""
    into: str = ""
    batch_size: int = 0
    is_optional: bool = False
    as_query: bool = False
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(
        self, executor: Encodes, docs: DocumentBatch, parameters: Parameters
    ) -> Done:
        if is_prepared(parameters):
            return Done(docs=docs)
        name = type(executor).__name__
        field = field_of(self.field, executor, "tensor")
        into = field_of(self.into, executor, "embedding", attribute="into")
        encode = getattr(executor, "encode_query" if self.as_query else "", executor.encode)

        async def step(found: DocumentBatch) -> DocumentBatch:
            parts = [
                _vectors(await settled(encode(part)), len(part), name)
                for part in in_parts(content_of(found, field), self.batch_size)
            ]
            widths = sorted({part.shape[1] for part in parts})
            if len(widths) > 1:
                raise BadResult(f"{name}.encode returned vectors of {widths[0]} and {widths[1]}")
            array = parts[0] if len(parts) == 1 else np.concatenate(parts)
            return found.with_columns(**{into: TensorColumn(array)})

        steps = where_present(field if self.is_optional else "", step)
        return Done(docs=await at_paths(docs, self.traversal_paths, steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentDriver(Calling):
    """Set the chunks of each document to what `segment` splits its content into.

    A chunk is a value for `into`, or a dict of fields. It gets the id `parent#place`, so
    that the same document splits into the same ids again.

    Attributes:
        field: What `segment` gets; empty for the Executor's own, else `text`.
        into: Field of the chunk for its content; empty for the same.
        context: A field or a key of `tags` that `segment` gets too, as a list by this name:
            None where a document has none. Empty for nothing.
        is_optional: Whether a document without the field has no chunks; else it is an error.
        traversal_paths: Documents it is done for.
    """

    method: ClassVar[str] = "segment"
    field: str = ""
    into: str = ""
    context: str = ""
    is_optional: bool = False
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(
        self, executor: Segments, docs: DocumentBatch, parameters: Parameters
    ) -> Done:
        if is_prepared(parameters):
            return Done(docs=docs)
        where = f"{type(executor).__name__}.segment"
        field = field_of(self.field, executor, "text")

        async def step(found: DocumentBatch) -> DocumentBatch:
            lists: list[Sequence[Any]] = [()] * len(found)
            places = places_with(found, field) if self.is_optional else range(len(found))
            if len(places):
                part = found if len(places) == len(found) else found.take(places)
                for place, row in zip(places, await split(part), strict=True):
                    lists[place] = row
            chunks = _chunks(found, lists, self.into or field, where)
            return found.with_columns(chunks=chunks)

        async def split(found: DocumentBatch) -> Sequence[Sequence[Any]]:
            others = {"context": values_at(found, self.context)} if self.context else {}
            lists = await settled(executor.segment(content_of(found, field), **others))
            if len(lists) != len(found):
                raise BadResult(f"{where} returned {len(lists)} lists for {len(found)} documents")
            return lists

        return Done(docs=await at_paths(docs, self.traversal_paths, step))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainDriver(Calling):
    """Let an Executor learn from the content of documents, and pass them on as they are.

    Attributes:
        field: What `train` gets; empty for the Executor's own, else `tensor`.
        label: Key of the `tags` whose values it gets as `labels`, None where a document has
            none; empty for no labels.
        traversal_paths: Documents it learns from, one path after another.
    """

    method: ClassVar[str] = "train"
    field: str = ""
    label: str = ""
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(self, executor: Trains, docs: DocumentBatch, parameters: Parameters) -> Done:
        field = field_of(self.field, executor, "tensor")

        async def step(found: DocumentBatch) -> DocumentBatch:
            content = content_of(found, field)
            given = dict(parameters)
            if self.label:
                given["labels"] = list(values_at(found, f"tags__{self.label}"))
            await settled(executor.train(content, **accepted(executor.train, given)))
            return found

        await at_paths(docs, self.traversal_paths, step)
        return Done(docs=docs)


def _vectors(vectors: Any, count: int, name: str) -> Array:
    if not isinstance(vectors, np.ndarray):
        what = type(vectors).__name__
        raise BadResult(f"{name}.encode returned {what}, and must return an array ({count}, dim)")
    if vectors.ndim != 2 or vectors.shape[0] != count:
        raise BadResult(
            f"{name}.encode returned an array of shape {vectors.shape} for {count} documents,"
            f" and must return ({count}, dim)"
        )
    if vectors.dtype.kind not in "fiu":
        raise BadResult(f"{name}.encode returned {vectors.dtype}, and must return float32")
    return np.ascontiguousarray(vectors, np.float32)


def _chunks(
    docs: DocumentBatch, lists: Sequence[Sequence[Any]], into: str, where: str
) -> DocsColumn:
    items = [item if isinstance(item, dict) else {into: item} for row in lists for item in row]
    lengths = np.array([len(row) for row in lists], np.int64)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    owned = zip(docs.ids, lengths.tolist(), strict=True)
    ids = [f"{parent}#{place}" for parent, count in owned for place in range(count)]
    names = dict.fromkeys(name for item in items for name in item if name != "id")
    columns = {name: column_of_rows([item.get(name) for item in items], where) for name in names}
    return as_chunks(docs, DocsColumn(offsets, DocumentBatch(ids, columns)))
