"""The Driver of Crafters that look at documents as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.traversal import Path
from jina_cli.drivers.base import (
    ROOT,
    BadResult,
    Calling,
    Done,
    MaybeAwaitable,
    Parameters,
    at_paths,
    is_prepared,
    settled,
)


class CraftsDocuments(Protocol):
    def craft_documents(self, docs: DocumentBatch) -> MaybeAwaitable[DocumentBatch]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CraftDocumentsDriver(Calling):
    """Replace documents by what `craft_documents` makes of all their fields.

    Attributes:
        traversal_paths: Documents it is done for.
    """

    method: ClassVar[str] = "craft_documents"
    traversal_paths: tuple[Path, ...] = ROOT

    async def __call__(
        self, executor: CraftsDocuments, docs: DocumentBatch, parameters: Parameters
    ) -> Done:
        if is_prepared(parameters):
            return Done(docs=docs)
        where = f"{type(executor).__name__}.craft_documents"

        async def step(found: DocumentBatch) -> DocumentBatch:
            made: Any = await settled(executor.craft_documents(found))
            if not isinstance(made, DocumentBatch) or len(made) != len(found):
                raise BadResult(f"{where} must return as many documents as it gets: {len(found)}")
            return made

        return Done(docs=await at_paths(docs, self.traversal_paths, step))
