"""Documents, and Indexers in a workspace, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, TensorColumn, TextColumn, ValuesColumn
from jina_cli.documents.rows import from_rows
from jina_cli.executors.families import Indexer

I_ = TypeVar("I_", bound=Indexer)


class Shelf:
    """Makes Indexers on one workspace, and closes them."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._open: list[Indexer] = []

    def __call__(self, cls: type[I_], *, replica: int = 0, **options: Any) -> I_:
        args = {"workspace": str(self._workspace), "name": "index", "replica_id": replica}
        indexer = cls(**options, metas={"name": "index"}, runtime_args=args)
        self._open.append(indexer)
        return indexer

    def close(self) -> None:
        while self._open:
            self._open.pop().close()


def texts(**by_id: str | None) -> DocumentBatch:
    return DocumentBatch(list(by_id), {"text": TextColumn(list(by_id.values()))})


def vectors(**by_id: list[float] | None) -> DocumentBatch:
    """Return documents with vectors; those of None have none."""
    known = [vector for vector in by_id.values() if vector is not None]
    rows = [[0.0] * len(known[0]) if vector is None else vector for vector in by_id.values()]
    present = np.array([vector is not None for vector in by_id.values()], np.bool_)
    column = TensorColumn(np.array(rows, np.float32), None if present.all() else present)
    return DocumentBatch(list(by_id), {"embedding": column})


def tagged(docs: DocumentBatch, *tags: Mapping[str, Any]) -> DocumentBatch:
    return docs.with_columns(tags=ValuesColumn(list(tags)))


def with_chunks(docs: DocumentBatch, *lists: DocumentBatch) -> DocumentBatch:
    return docs.with_columns(chunks=DocsColumn.of(lists))


def rows(*given: Mapping[str, Any]) -> DocumentBatch:
    return from_rows([dict(row) for row in given])


def index(indexer: Indexer, docs: DocumentBatch) -> None:
    asyncio.run(_done(indexer.index(docs)))


def update(indexer: Indexer, docs: DocumentBatch) -> None:
    asyncio.run(_done(indexer.update(docs)))


def delete(indexer: Indexer, *ids: str, filter: Any = None) -> int:
    deleted: int = asyncio.run(_done(indexer.delete(list(ids), filter=filter)))
    return deleted


def ids_of(matches: DocsColumn) -> list[list[str]]:
    ends = matches.offsets.tolist()
    return [list(matches.docs.ids[a:b]) for a, b in pairwise(ends)]


async def _done(awaitable: Any) -> Any:
    return await awaitable
