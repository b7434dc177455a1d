"""Drivers of what an Indexer keeps: put in, take out, look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.merge import union
from jina_cli.documents.relatives import count_chunks
from jina_cli.documents.traversal import Path
from jina_cli.drivers.base import (
    ROOT,
    BadParameter,
    BadResult,
    Calling,
    Done,
    MaybeAwaitable,
    Parameters,
    accepted,
    at_paths,
    settled,
    whole_number,
)
from jina_cli.drivers.content import where_present

DEFAULT_LIMIT = 1000
"""Documents of one page of `/dump`, where the request does not say."""

MAX_LIMIT = 100_000


class Indexes(Protocol):
    def index(self, docs: DocumentBatch, **parameters: Any) -> MaybeAwaitable[None]: ...


class Deletes(Protocol):
    def delete(self, ids: Sequence[str]) -> MaybeAwaitable[int]: ...


class Gets(Protocol):
    def get(self, ids: Sequence[str]) -> MaybeAwaitable[DocumentBatch]: ...


class Counts(Protocol):
    def count(self) -> MaybeAwaitable[int]: ...


class Dumps(Protocol):
    def dump(
        self, *, after: str, limit: int, filter: Any, vectors: bool
    ) -> MaybeAwaitable[DocumentBatch]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDriver(Calling):
    """Let an Executor keep documents; the answer holds their ids alone.

    Says under `chunks` how many chunks those of the request had, if any.

    Attributes:
        traversal_paths: Documents that are kept.
        pass_on: Whether the documents go on as they are, for others that keep them too.
        only_with: Field without which documents are passed by; empty for all.
    """

    method: ClassVar[str] = "index"
    traversal_paths: tuple[Path, ...] = ROOT
    pass_on: bool = False
    only_with: str = ""

    async def __call__(
        self, executor: Indexes, docs: DocumentBatch, parameters: Parameters
    ) -> Done:
        keep = getattr(executor, self.method)

        async def step(found: DocumentBatch) -> DocumentBatch:
            await settled(keep(found, **accepted(keep, parameters)))
            return found

        await at_paths(docs, self.traversal_paths, where_present(self.only_with, step))
        chunks = count_chunks(docs)
        return Done(
            docs=docs if self.pass_on else docs.only(),
            results={"chunks": chunks} if chunks else {},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateDriver(IndexDriver):
    """Let an Executor change documents that it keeps; the answer holds their ids alone."""

    method: ClassVar[str] = "update"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDriver(Calling):
    """Let an Executor forget documents: those of the request, of its `ids` and of its `filter`.

    The answer holds the documents' ids, and says under `deleted` how many were there.
    """

    method: ClassVar[str] = "delete"

    async def __call__(
        self, executor: Deletes, docs: DocumentBatch, parameters: Parameters
    ) -> Done:
        ids = ids_of(docs, parameters)
        chosen = _filter(executor.delete, parameters, type(executor).__name__)
        deleted = await settled(executor.delete(ids, **chosen)) if ids or chosen else 0
        return Done(docs=docs.only(), results={"deleted": deleted})


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDriver(Calling):
    """Answer with the documents that an Executor keeps under the ids that are asked for.

    Ids are those of the request's documents and of its parameter `ids`. The answer has them in
    this order, each once; what is not there is left out.
    """

    method: ClassVar[str] = "get"

    async def __call__(self, executor: Gets, docs: DocumentBatch, parameters: Parameters) -> Done:
        ids = ids_of(docs, parameters)
        if not ids:
            return Done(docs=docs)
        found = await settled(executor.get(ids))
        return Done(docs=checked_documents(found, f"{type(executor).__name__}.get"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CountDriver(Calling):
    """Say under `count` how many documents an Executor keeps, or how many meet `filter`."""

    method: ClassVar[str] = "count"

    async def __call__(self, executor: Counts, docs: DocumentBatch, parameters: Parameters) -> Done:
        chosen = _filter(executor.count, parameters, type(executor).__name__)
        return Done(docs=docs, results={"count": await settled(executor.count(**chosen))})


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpDriver(Calling):
    """Answer with one page of the documents that an Executor keeps, in order of their ids.

    Where several Executors keep documents one behind the other, the answer has what each of them
    knows, and what the last one knows counts most.

    Parameters of the request: `after`, the last id of the page before; `limit`; `filter`, a
    condition; `vectors`, whether the documents come with them. An empty page is the end.

    Attributes:
        limit: Documents of a page, where the request does not say.
    """

    method: ClassVar[str] = "dump"
    limit: int = DEFAULT_LIMIT

    async def __call__(self, executor: Dumps, docs: DocumentBatch, parameters: Parameters) -> Done:
        after, vectors = parameters.get("after", ""), parameters.get("vectors", False)
        if not isinstance(after, str):
            raise BadParameter(f"after is {after!r}, and must be an id", "parameters.after")
        if not isinstance(vectors, bool):
            problem = f"vectors is {vectors!r}, and must be true or false"
            raise BadParameter(problem, "parameters.vectors")
        limit = whole_number(parameters, "limit", self.limit, most=MAX_LIMIT)
        page = await settled(
            executor.dump(
                after=after, limit=limit, filter=parameters.get("filter"), vectors=vectors
            )
        )
        page = checked_documents(page, f"{type(executor).__name__}.dump")
        return Done(docs=_first([docs, page], limit) if len(docs) else page)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDriver(Calling):
    """Say under `count` how many documents an Executor keeps."""

    method: ClassVar[str] = "count"

    async def __call__(self, executor: Counts, docs: DocumentBatch, parameters: Parameters) -> Done:
        return Done(docs=docs, results={"count": await settled(executor.count())})


def ids_of(docs: DocumentBatch, parameters: Parameters) -> list[str]:
    """Return the ids that a request is about, each once: of its documents, then of `ids`.

    Raises:
        BadParameter: `ids` is no list of strings.
    """
    named = parameters.get("ids", [])
    if not isinstance(named, list | tuple) or not all(isinstance(id_, str) for id_ in named):
        problem = f"ids is {named!r}, and must be a list of strings"
        raise BadParameter(problem, "parameters.ids")
    return list(dict.fromkeys([*docs.ids, *named]))


def _first(pages: Sequence[DocumentBatch], limit: int) -> DocumentBatch:
    """Return as one page several that begin behind the same id, each with `limit` if there are."""
    docs = union(pages)
    return docs.take(sorted(range(len(docs)), key=lambda place: docs.ids[place])[:limit])


def _filter(method: Callable[..., Any], parameters: Parameters, name: str) -> dict[str, Any]:
    """Return the request's condition as a keyword; nothing where there is none.

    Raises:
        BadParameter: The method takes none: to ignore it would delete, or count, too much.
    """
    given = parameters.get("filter")
    if given is None:
        return {}
    taken = accepted(method, {"filter": given})
    if not taken:
        raise BadParameter(f"{name} takes no filter for this", "parameters.filter")
    return taken


def checked_documents(found: Any, where: str) -> DocumentBatch:
    """Return the documents that an Executor returned.

    Raises:
        BadResult: It is something else. The message begins with `where`.
    """
    if not isinstance(found, DocumentBatch):
        what = type(found).__name__
        raise BadResult(f"{where} returned {what}, and must return a DocumentBatch")
    return found
