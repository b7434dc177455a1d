"""The Driver of a join of several searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import DocsColumn, Indices, ValuesColumn
from jina_cli.documents.merge import union
from jina_cli.drivers.base import (
    Calling,
    Done,
    Inputs,
    MaybeAwaitable,
    Parameters,
    accepted,
    settled,
    top_k_of,
)
from jina_cli.drivers.lists import best_first, ends_of, owners_of, places_of
from jina_cli.drivers.rank import Floats, checked_scores, scores_of
from jina_cli.drivers.retrieve import DEFAULT_TOP_K

_BY_PLACE = ("ranks", "scores", "offsets")


class Fuses(Protocol):
    def fuse(
        self, ranks: Floats, scores: Floats, offsets: Indices, **more: Any
    ) -> MaybeAwaitable[Floats]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FuseDriver(Calling):
    """Make one list of matches of those that several Pods found for the same documents.

    Documents and all else of them are merged by id; matches with one id become one, whose
    score an Executor makes of their ranks and scores. The best come first, of equal ones the
    smaller id. Where one Pod alone answered, all stays as it is.

    Attributes:
        top_k: Matches of each document, where the request does not say.
    """

    method: ClassVar[str] = "fuse"
    top_k: int = DEFAULT_TOP_K

    async def __call__(self, executor: Fuses, docs: DocumentBatch, parameters: Parameters) -> Done:
        return Done(docs=docs)

    async def join(self, executor: Fuses, inputs: Inputs, parameters: Parameters) -> Done:
        top_k = top_k_of(parameters, self.top_k)
        merged = union(inputs.parts)
        if len(inputs.parts) < 2 or merged.docs("matches") is None:
            return Done(docs=merged)
        table = _Table.of(inputs.parts, merged.ids)
        asked = accepted(executor.fuse, {**parameters, "inputs": inputs.names})
        for name in _BY_PLACE:
            asked.pop(name, None)
        where = f"{type(executor).__name__}.fuse"
        values = await settled(executor.fuse(table.ranks, table.scores, table.offsets, **asked))
        made = checked_scores(values, len(table.owners), where)
        kept = best_first(table.owners, made, np.arange(len(made)), top_k)
        matches = merged.docs("matches")
        assert matches is not None, "some part has matches"
        docs = matches.docs.take(table.places_in(matches)[kept])
        docs = docs.with_columns(score=ValuesColumn(made[kept].tolist()))
        lengths = np.bincount(table.owners[kept], minlength=len(merged))
        return Done(docs=merged.with_columns(matches=DocsColumn(ends_of(lengths), docs)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """What several Pods say of all pairs of a document and a match of it.

    Attributes:
        owners: Number of the document of each pair, rising, shape `(pairs,)`.
        names: Number of the match's id, rising as the ids do, shape `(pairs,)`.
        ranks: From 1; nan where a Pod did not find it, shape `(pods, pairs)`.
        scores: The same of its score.
        offsets: Where the pairs of each document begin and end, shape `(documents + 1,)`.
        numbers: Number of each id.
    """

    owners: Indices
    names: Indices
    ranks: Floats
    scores: Floats
    offsets: Indices
    numbers: dict[str, int]

    @classmethod
    def of(cls, parts: Sequence[DocumentBatch], ids: Sequence[str]) -> _Table:
        """Return the table of batches that are about the documents `ids`."""
        place_of = {id_: place for place, id_ in enumerate(ids)}
        lists = [part.docs("matches") for part in parts]
        found = sorted({id_ for each in lists if each is not None for id_ in each.docs.ids})
        numbers = {id_: number for number, id_ in enumerate(found)}
        keys = [_keys(part, place_of, numbers) for part in parts]
        pairs = np.unique(np.concatenate(keys))
        owners, names = pairs // max(len(found), 1), pairs % max(len(found), 1)
        ranks = np.full((len(parts), len(pairs)), np.nan)
        scores = np.full((len(parts), len(pairs)), np.nan)
        for row, (each, key) in enumerate(zip(lists, keys, strict=True)):
            if each is not None:
                # From behind, so that of a match that is there twice the better place counts.
                at = np.searchsorted(pairs, key)[::-1]
                ranks[row, at] = places_of(each)[::-1] + 1
                scores[row, at] = scores_of(each.docs)[::-1]
        offsets = ends_of(np.bincount(owners, minlength=len(ids)))
        return cls(
            owners=owners, names=names, ranks=ranks, scores=scores, offsets=offsets, numbers=numbers
        )

    def places_in(self, matches: DocsColumn) -> Indices:
        """Return where each pair stands among the matches of the merged documents."""
        width = max(len(self.numbers), 1)
        names = np.array([self.numbers[id_] for id_ in matches.docs.ids], np.int64)
        keys = owners_of(matches) * width + names
        order = np.argsort(keys, kind="stable")
        return order[np.searchsorted(keys[order], self.owners * width + self.names)]


def _keys(part: DocumentBatch, place_of: dict[str, int], numbers: dict[str, int]) -> Indices:
    """Return a number for each match of a batch: that of its document, and of its id."""
    matches = part.docs("matches")
    if matches is None:
        return np.zeros(0, np.int64)
    documents = np.array([place_of[id_] for id_ in part.ids], np.int64)
    names = np.array([numbers[id_] for id_ in matches.docs.ids], np.int64)
    return documents[owners_of(matches)] * max(len(numbers), 1) + names
