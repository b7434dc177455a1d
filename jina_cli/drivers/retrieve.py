"""Drivers that find documents: by what they are like, or by their ids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import (
    Column,
    DocsColumn,
    Indices,
    absent_like,
    concat_columns,
    presence_of,
)
from jina_cli.documents.relatives import as_matches
from jina_cli.documents.traversal import Path, lists_at, put_lists_at
from jina_cli.drivers.base import (
    ROOT,
    BadResult,
    Calling,
    Done,
    MaybeAwaitable,
    Parameters,
    accepted,
    at_paths,
    settled,
    top_k_of,
)
from jina_cli.drivers.content import where_present
from jina_cli.drivers.keep import Gets, checked_documents
from jina_cli.drivers.lists import chosen

DEFAULT_TOP_K = 10

MATCHES: tuple[Path, ...] = (("matches",),)
"""The traversal path `@m`."""


class Searches(Protocol):
    def search(
        self, docs: DocumentBatch, *, top_k: int, **parameters: Any
    ) -> MaybeAwaitable[DocsColumn]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchDriver(Calling):
    """Set the matches of each document to what an Executor finds for it.

    Attributes:
        top_k: Matches for each, where the request does not say.
        only_with: Field without which documents are passed by; empty for all.
        traversal_paths: Documents that are looked for.
    """

    method: ClassVar[str] = "search"
    top_k: int = DEFAULT_TOP_K
    only_with: str = ""
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(
        self, executor: Searches, docs: DocumentBatch, parameters: Parameters
    ) -> Done:
        top_k = top_k_of(parameters, self.top_k)
        where = f"{type(executor).__name__}.search"

        async def step(found: DocumentBatch) -> DocumentBatch:
            asked = {**parameters, "top_k": top_k}
            matches = await settled(executor.search(found, **accepted(executor.search, asked)))
            matches = checked_matches(matches, len(found), where)
            return found.with_columns(matches=as_matches(found, matches))

        steps = where_present(self.only_with, step)
        return Done(docs=await at_paths(docs, self.traversal_paths, steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyValueSearchDriver(Calling):
    """Give documents the fields that an Executor keeps under their ids.

    Each id is asked for once. What is kept goes over a document's own fields.

    Attributes:
        traversal_paths: Documents that are filled; matches, if nothing else is said.
        merge: Whether a document keeps those fields of its own that are not kept, its score
            for one.
        drop_missing: Whether a document that is not kept leaves its list.
    """

    method: ClassVar[str] = "get"
    traversal_paths: tuple[Path, ...] = MATCHES
    merge: bool = True
    drop_missing: bool = True

    async def __call__(self, executor: Gets, docs: DocumentBatch, parameters: Parameters) -> Done:
        for path in self.traversal_paths:
            lists = lists_at(docs, path)
            if len(lists.docs):
                docs = put_lists_at(docs, path, await self._filled(executor, lists))
        return Done(docs=docs)

    async def _filled(self, executor: Gets, lists: DocsColumn) -> DocsColumn:
        own = lists.docs
        where = f"{type(executor).__name__}.get"
        kept = checked_documents(await settled(executor.get(list(dict.fromkeys(own.ids)))), where)
        place_of = {id_: place for place, id_ in enumerate(kept.ids)}
        places = np.array([place_of.get(id_, -1) for id_ in own.ids], np.int64)
        there = places >= 0
        if self.drop_missing:
            lists = chosen(lists, there)
            own, places, there = lists.docs, places[there], there[there]
        names = dict.fromkeys((*(own.columns if self.merge else ()), *kept.columns))
        columns = {
            name: _over(own.columns.get(name) if self.merge else None, kept, name, places)
            for name in names
        }
        return replace(lists, docs=DocumentBatch(own.ids, columns))


def _over(own: Column | None, kept: DocumentBatch, name: str, places: Indices) -> Column:
    """Return a field of documents: as it is kept, or else as it was.

    Args:
        own: What it was.
        places: Of each document among those that are kept; -1 if it is not.
    """
    column = kept.columns.get(name)
    if column is None:
        assert own is not None, "a name is of one of them"
        return own
    count = len(places)
    own = absent_like(column, count) if own is None else own
    has = np.zeros(count, np.bool_)
    has[places >= 0] = presence_of(column)[places[places >= 0]]
    if has.all():
        return column.take(places)
    joined = concat_columns([own, column])
    return joined.take(np.where(has, places + count, np.arange(count)))


def checked_matches(matches: Any, count: int, where: str) -> DocsColumn:
    """Return what an Executor says are the matches of `count` documents.

    Raises:
        BadResult: It is something else. The message begins with `where`.
    """
    if not isinstance(matches, DocsColumn):
        what = type(matches).__name__
        raise BadResult(f"{where} returned {what}, and must return a DocsColumn")
    if len(matches) != count:
        raise BadResult(f"{where} returned matches of {len(matches)} for {count} documents")
    return matches
