"""What a Flow keeps, as `get`, `count` and `delete` ask for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jina_cli.cli.session import Place, connected
from jina_cli.cli.settings import Settings
from jina_cli.errors import JinaError
from jina_cli.vocabulary import RESULTS

if TYPE_CHECKING:
    from jina_cli.client.client import AsyncClient
    from jina_cli.documents.batch import DocumentBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Which documents are meant, and where.

    Attributes:
        parameters: Of every request.
        target: Regular expression of Pod names; empty for all.
        timeout_s: For each request.
    """

    place: Place
    settings: Settings
    parameters: Mapping[str, Any]
    target: str
    timeout_s: float

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Index]:
        """Give the index of the Flow, started for as long as the block if need be.

        Raises:
            JinaError: The Flow cannot be read, started or reached.
        """
        async with connected(self.place, self.settings, must_exist=True) as client:
            yield Index(client, self)


class Index:
    """The Indexers of a Flow."""

    def __init__(self, client: AsyncClient, kept: Kept) -> None:
        self._client = client
        self._kept = kept

    async def counts(self) -> dict[str, int]:
        """Return how many documents each Pod has, by its name.

        Raises:
            JinaError: None of them counts.
        """
        return await self._numbers("/count", "count", {})

    async def delete(self, ids: Sequence[str]) -> int:
        """Delete documents, those of the parameters and of `ids`; return how many there were.

        Where several Pods keep documents, it is the number of the one that had most.

        Raises:
            JinaError: No Pod deletes.
        """
        named = {"ids": list(ids)} if ids else {}
        return max((await self._numbers("/delete", "deleted", named)).values())

    async def get(self, ids: Sequence[str]) -> DocumentBatch:
        """Return those of the documents that are there, in the order of `ids`."""
        _, docs = await self._ask("/get", {"ids": list(ids)})
        return docs

    async def _numbers(
        self, endpoint: str, name: str, parameters: Mapping[str, Any]
    ) -> dict[str, int]:
        results, _ = await self._ask(endpoint, parameters)
        found = {
            _pod(pea): int(result[name])
            for pea, result in results.items()
            if isinstance(result, Mapping) and name in result
        }
        if not found:
            raise JinaError(f"no Pod of the Flow answers {endpoint}", hint="has it an Indexer?")
        return found

    async def _ask(
        self, endpoint: str, parameters: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], DocumentBatch]:
        from jina_cli.client.client import Question

        answer = await self._client.ask(
            Question(
                endpoint=endpoint,
                parameters={**self._kept.parameters, **parameters},
                target=self._kept.target,
                timeout_s=self._kept.timeout_s,
            )
        )
        return answer.parameters.get(RESULTS) or {}, answer.docs


def _pod(pea: str) -> str:
    return pea.partition("/")[0]
