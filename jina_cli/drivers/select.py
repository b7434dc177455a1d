"""The query language: Drivers that choose documents and fields, and call no Executor.

Lists are those that the last letter of a traversal path names, one for each parent: `@m` are
the matches of each document, `@r` all documents of the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from jina_cli.documents.batch import BadField, DocumentBatch
from jina_cli.documents.column import DocsColumn
from jina_cli.documents.condition import BadQuery, Condition, condition_of
from jina_cli.documents.query import matches
from jina_cli.documents.traversal import Path
from jina_cli.drivers.base import (
    ROOT,
    BadParameter,
    Done,
    Ordered,
    Parameters,
    at_paths,
    top_k_of,
)
from jina_cli.drivers.lists import chosen, each_list, owners_of, places_of, reordered
from jina_cli.drivers.lookups import condition_of_lookups
from jina_cli.drivers.values import values_at


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterDriver(Ordered):
    """Leave out documents that do not meet a condition.

    Attributes:
        filter: In any form that `documents.condition` reads. Where neither it nor `lookups` is
            given, the `filter` of the request counts.
        lookups: The same as Jina 0.9 has it: `{tags__price__gte: 5, mime_type: image/png}`.
        traversal_paths: Lists they are left out of.
    """

    method: ClassVar[str] = ""
    filter: Any = None
    lookups: Any = None
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(self, executor: Any, docs: DocumentBatch, parameters: Parameters) -> Done:
        condition = self._condition(parameters)
        if condition is None:
            return Done(docs=docs)

        def step(lists: DocsColumn) -> DocsColumn:
            return chosen(lists, matches(condition, lists.docs))

        return Done(docs=each_list(docs, self.traversal_paths, step))

    def _condition(self, parameters: Parameters) -> Condition | None:
        if self.lookups:
            return condition_of_lookups(self.lookups)
        if self.filter is not None:
            return condition_of(self.filter)
        try:
            return condition_of(parameters.get("filter"))
        except BadQuery as error:
            raise BadParameter(f"filter: {error}", "parameters.filter") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceDriver(Ordered):
    """Keep a stretch of each list.

    A `top_k` of the request is the end of lists of matches.

    Attributes:
        start: First place that is kept, from 0; below 0 it counts from the end.
        end: Place before which it ends, as `start`; null for the end of the list.
        traversal_paths: Lists that are cut.
    """

    method: ClassVar[str] = ""
    start: int = 0
    end: int | None = None
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(self, executor: Any, docs: DocumentBatch, parameters: Parameters) -> Done:
        for path in self.traversal_paths:
            end = self.end
            # As in 0.9, where a request's `top_k` is a queryset of priority 1.
            if path[-1:] == ("matches",) and "top_k" in parameters and self.priority < 1:
                end = top_k_of(parameters, 1)
            docs = each_list(docs, (path,), lambda lists, end=end: self._cut(lists, end))  # type: ignore[misc]
        return Done(docs=docs)

    def _cut(self, lists: DocsColumn, end: int | None) -> DocsColumn:
        lengths = np.diff(lists.offsets)
        last = lengths if end is None else np.full_like(lengths, end)
        starts = np.full_like(lengths, self.start)
        starts = np.where(starts < 0, starts + lengths, starts)
        last = np.where(last < 0, last + lengths, last)
        owners, places = owners_of(lists), places_of(lists)
        return chosen(lists, (places >= starts[owners]) & (places < last[owners]))


@dataclass(frozen=True, slots=True, kw_only=True)
class SortDriver(Ordered):
    """Order each list by a field; equal ones stay as they are, those without it go last.

    Attributes:
        field: `score`, `weight`, `tags__price`.
        reverse: Whether the largest comes first.
        traversal_paths: Lists that are ordered.
    """

    method: ClassVar[str] = ""
    field: str = "score"
    reverse: bool = False
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(self, executor: Any, docs: DocumentBatch, parameters: Parameters) -> Done:
        def step(lists: DocsColumn) -> DocsColumn:
            keys = _keys(values_at(lists.docs, self.field), self.field)
            falling = np.where(np.isnan(keys), np.inf, -keys if self.reverse else keys)
            return reordered(lists, np.lexsort((falling, owners_of(lists))))

        return Done(docs=each_list(docs, self.traversal_paths, step))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseDriver(Ordered):
    """Turn each list round.

    Attributes:
        traversal_paths: Lists that are turned.
    """

    method: ClassVar[str] = ""
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(self, executor: Any, docs: DocumentBatch, parameters: Parameters) -> Done:
        def step(lists: DocsColumn) -> DocsColumn:
            return reordered(lists, np.lexsort((-places_of(lists), owners_of(lists))))

        return Done(docs=each_list(docs, self.traversal_paths, step))


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectDriver(Ordered):
    """Keep no other fields of documents than these, and their ids.

    Attributes:
        fields: Their names.
        traversal_paths: Documents that lose the others.
    """

    method: ClassVar[str] = ""
    fields: tuple[str, ...] = ()
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(self, executor: Any, docs: DocumentBatch, parameters: Parameters) -> Done:
        async def step(found: DocumentBatch) -> DocumentBatch:
            return found.only(*self.fields)

        return Done(docs=await at_paths(docs, self.traversal_paths, step))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludeDriver(Ordered):
    """Leave out fields of documents.

    Attributes:
        fields: Their names.
        traversal_paths: Documents that lose them.
    """

    method: ClassVar[str] = ""
    fields: tuple[str, ...] = ()
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(self, executor: Any, docs: DocumentBatch, parameters: Parameters) -> Done:
        async def step(found: DocumentBatch) -> DocumentBatch:
            return found.without(*self.fields)

        return Done(docs=await at_paths(docs, self.traversal_paths, step))


def _keys(values: Sequence[Any], field: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return numbers in the order of values, nan for None, shape `(values,)`.

    Raises:
        BadField: They are of kinds that have no order among them.
    """
    known = [value for value in values if value is not None]
    if all(isinstance(value, int | float) for value in known):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    try:
        places = {value: place for place, value in enumerate(sorted(set(known)))}
    except TypeError:
        kinds = " and ".join(sorted({type(value).__name__ for value in known}))
        raise BadField(f"cannot order documents by {field!r}, which holds {kinds}") from None
    return np.array([np.nan if v is None else places[v] for v in values], np.float64)
