"""Drivers that find documents, order what was found, and judge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from jina_cli.documents.batch import DocumentBatch, MissingField
from jina_cli.documents.column import DocsColumn, ValuesColumn
from jina_cli.documents.traversal import Path
from jina_cli.drivers.base import (
    ROOT,
    BadResult,
    Done,
    MaybeAwaitable,
    Parameters,
    accepted,
    at_paths,
    settled,
    top_k_of,
)

DEFAULT_TOP_K = 10


class Searches(Protocol):
    def search(
        self, docs: DocumentBatch, *, top_k: int, **parameters: Any
    ) -> MaybeAwaitable[DocsColumn]: ...


class Ranks(Protocol):
    def rank(
        self, queries: DocumentBatch, matches: DocsColumn, *, top_k: int
    ) -> MaybeAwaitable[DocsColumn]: ...


class Evaluates(Protocol):
    def evaluate(self, actual: Sequence[str], desired: Sequence[str]) -> MaybeAwaitable[float]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchDriver:
    """Set the matches of each document to what an Executor finds for it, best first.

    Attributes:
        top_k: Matches of each, where the request does not say.
        traversal_paths: Documents that are looked for.
    """

    method: ClassVar[str] = "search"
    top_k: int = DEFAULT_TOP_K
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(
        self, executor: Searches, docs: DocumentBatch, parameters: Parameters
    ) -> Done:
        top_k = top_k_of(parameters, self.top_k)
        where = f"{type(executor).__name__}.search"

        async def step(found: DocumentBatch) -> DocumentBatch:
            asked = {**parameters, "top_k": top_k}
            matches = await settled(executor.search(found, **accepted(executor.search, asked)))
            return found.with_columns(matches=_matches(matches, len(found), where))

        return Done(docs=await at_paths(docs, self.traversal_paths, step))


@dataclass(frozen=True, slots=True, kw_only=True)
class RankDriver:
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
            ranked = await settled(executor.rank(found, matches, top_k=top_k))
            return found.with_columns(matches=_matches(ranked, len(found), where))

        return Done(docs=await at_paths(docs, self.traversal_paths, step))


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateDriver:
    """Compare the matches of each document with those it should have.

    What the Executor says goes to the document's `evaluations`, under its class name.

    Attributes:
        desired: Key of the document's `tags` with the list of ids it should have.
        traversal_paths: Documents that are judged.
    """

    method: ClassVar[str] = "evaluate"
    desired: str = "relevant"
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(
        self, executor: Evaluates, docs: DocumentBatch, parameters: Parameters
    ) -> Done:
        name = type(executor).__name__

        async def step(found: DocumentBatch) -> DocumentBatch:
            rows = zip(found.values("matches"), _desired(found, self.desired), strict=True)
            known = found.values("evaluations")
            said: list[dict[str, float]] = []
            for (matches, desired), before in zip(rows, known, strict=True):
                actual = list(matches.ids) if matches is not None else []
                value = await settled(executor.evaluate(actual, desired))
                said.append({**(before or {}), name: float(value)})
            return found.with_columns(evaluations=ValuesColumn(said))

        return Done(docs=await at_paths(docs, self.traversal_paths, step))


def _matches(matches: Any, count: int, where: str) -> DocsColumn:
    if not isinstance(matches, DocsColumn):
        what = type(matches).__name__
        raise BadResult(f"{where} returned {what}, and must return a DocsColumn")
    if len(matches) != count:
        raise BadResult(f"{where} returned matches of {len(matches)} for {count} documents")
    return matches


def _desired(docs: DocumentBatch, key: str) -> list[list[str]]:
    tags = docs.values("tags")
    lists = [tag.get(key) if isinstance(tag, dict) else None for tag in tags]
    missing = [id_ for id_, ids in zip(docs.ids, lists, strict=True) if not isinstance(ids, list)]
    if missing:
        raise MissingField(f"tags.{key}", missing)
    return [list(ids) for ids in lists if ids is not None]
