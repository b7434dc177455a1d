"""Drivers that order what was found: matches, and matched chunks as their documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.column import Column, DocsColumn, Indices, ValuesColumn
from jina_cli.documents.relatives import as_matches
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
    settled,
    top_k_of,
)
from jina_cli.drivers.lists import best_first, ends_of, numbered, owners_of
from jina_cli.drivers.retrieve import DEFAULT_TOP_K, checked_matches

Floats = NDArray[np.float64]


class Ranks(Protocol):
    def rank(
        self, queries: DocumentBatch, matches: DocsColumn, *, top_k: int
    ) -> MaybeAwaitable[DocsColumn]: ...


class Aggregates(Protocol):
    def aggregate(self, scores: Floats, offsets: Indices) -> MaybeAwaitable[Floats]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RankDriver(Calling):
    """Put the matches of each document into the order an Executor gives them.

    Attributes:
        top_k: Matches of each that are kept, where the request does not say.
        traversal_paths: Documents whose matches are ordered.
    """

    method: ClassVar[str] = "rank"
    top_k: int = DEFAULT_TOP_K
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(self, executor: Ranks, docs: DocumentBatch, parameters: Parameters) -> Done:
        top_k = top_k_of(parameters, self.top_k)
        where = f"{type(executor).__name__}.rank"

        async def step(found: DocumentBatch) -> DocumentBatch:
            matches = found.docs("matches")
            if matches is None:
                return found
            asked = {**parameters, "top_k": top_k}
            ranked = await settled(executor.rank(found, matches, **accepted(executor.rank, asked)))
            return found.with_columns(matches=checked_matches(ranked, len(found), where))

        return Done(docs=await at_paths(docs, self.traversal_paths, step))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRankDriver(Calling):
    """Make of matched chunks matches of the documents that they are chunks of.

    Chunks with one `parent_id` become one match of that id, whose score an Executor makes of
    theirs; a match without a parent stands for itself. The best come first, of equal ones the
    smaller id.

    Attributes:
        top_k: Matches of each document, where the request does not say.
        source: Where the matched chunks are: in the matches of the document's own chunks
            (`chunks`), or in its matches (`matches`); `auto` takes the first that has any.
        keep: Which matched chunks a match has as its `chunks`: the `best`, `all`, or `none`.
        traversal_paths: Documents that get matches.
    """

    method: ClassVar[str] = "aggregate"
    top_k: int = DEFAULT_TOP_K
    source: Literal["auto", "chunks", "matches"] = "auto"
    keep: Literal["best", "all", "none"] = "best"
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(
        self, executor: Aggregates, docs: DocumentBatch, parameters: Parameters
    ) -> Done:
        top_k = top_k_of(parameters, self.top_k)

        async def step(found: DocumentBatch) -> DocumentBatch:
            lists = _matched_chunks(found, self.source)
            if lists is None:
                return found
            matches = await self._aggregated(executor, lists, top_k)
            return found.with_columns(matches=as_matches(found, matches))

        return Done(docs=await at_paths(docs, self.traversal_paths, step))

    async def _aggregated(self, executor: Aggregates, lists: DocsColumn, top_k: int) -> DocsColumn:
        chunks, owners, scores = lists.docs, owners_of(lists), scores_of(lists.docs)
        parents = [
            parent or id_
            for parent, id_ in zip(chunks.values("parent_id"), chunks.ids, strict=True)
        ]
        names, parent = numbered(parents)
        # Chunks of one query and one parent follow each other, the best first.
        order = np.lexsort((numbered(chunks.ids)[1], -scores, parent, owners))
        owners, parent = owners[order], parent[order]
        is_first = np.ones(len(order), np.bool_)
        is_first[1:] = (np.diff(owners) != 0) | (np.diff(parent) != 0)
        starts = np.flatnonzero(is_first)
        offsets = np.append(starts, len(order)).astype(np.int64)
        where = f"{type(executor).__name__}.aggregate"
        values = await settled(executor.aggregate(scores[order], offsets))
        made = checked_scores(values, len(starts), where)
        kept = best_first(owners[starts], made, parent[starts], top_k)
        columns: dict[str, Column] = {"score": ValuesColumn(made[kept].tolist())}
        if self.keep == "best":
            own = chunks.take(order[offsets[kept]])
            columns["chunks"] = DocsColumn(np.arange(len(own) + 1), own)
        elif self.keep == "all":
            columns["chunks"] = DocsColumn(offsets, chunks.take(order)).take(kept)
        ids = [names[at] for at in parent[starts][kept].tolist()]
        lengths = np.bincount(owners[starts][kept], minlength=len(lists))
        return DocsColumn(ends_of(lengths), DocumentBatch(ids, columns))


def scores_of(docs: DocumentBatch) -> Floats:
    """Return the `score` of each document, shape `(documents,)`; 0 where there is none."""
    values = docs.values("score")
    return np.array([0.0 if value is None else value for value in values], np.float64)


def checked_scores(values: Any, count: int, where: str) -> Floats:
    """Return what an Executor says are `count` scores.

    Raises:
        BadResult: It is something else. The message begins with `where`.
    """
    scores = np.asarray(values)
    if scores.shape != (count,) or scores.dtype.kind not in "fiu":
        raise BadResult(
            f"{where} returned an array of {scores.dtype}, shape {scores.shape},"
            f" and must return ({count},) numbers"
        )
    return scores.astype(np.float64, copy=False)


def _matched_chunks(docs: DocumentBatch, source: str) -> DocsColumn | None:
    """Return the chunks that were found for each document; None where there are no lists."""
    matches, chunks = docs.docs("matches"), docs.docs("chunks")
    below = None if chunks is None else chunks.docs.docs("matches")
    if chunks is None or below is None or source == "matches":
        return None if source == "chunks" else matches
    if source == "auto" and not len(below.docs):
        return matches
    return DocsColumn(below.offsets[chunks.offsets], below.docs)
