"""The Driver that lets documents go no further that need not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from jina_cli.documents.batch import DocumentBatch
from jina_cli.drivers.base import Calling, Done, MaybeAwaitable, Parameters, settled
from jina_cli.drivers.keep import checked_documents


class PassesOn(Protocol):
    def pass_on(self, docs: DocumentBatch) -> MaybeAwaitable[DocumentBatch]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheDriver(Calling):
    """Let those documents go on that an Executor returns; the others leave the request.

    Says under `skipped` how many these are.
    """

    method: ClassVar[str] = "pass_on"

    async def __call__(
        self, executor: PassesOn, docs: DocumentBatch, parameters: Parameters
    ) -> Done:
        if not len(docs):
            return Done(docs=docs)
        found = await settled(executor.pass_on(docs))
        passed = checked_documents(found, f"{type(executor).__name__}.pass_on")
        return Done(docs=passed, results={"skipped": len(docs) - len(passed)})
