"""Requests that a Flow refuses, asked again by halves until it is known which rows it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from jina_cli.client.client import Answer, Question
from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.readers.row import Row, RowError
from jina_cli.errors import RequestFailed

FAULTS_OF_DATA = frozenset({"INVALID", "EXECUTOR", "TOO_LARGE"})
"""Statuses that a single document of a request may have caused."""


class Asks(Protocol):
    """What is needed of a client."""

    async def ask(self, question: Question) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Part:
    """Documents that were asked together, and what came of it: an answer, or the one bad row."""

    docs: DocumentBatch
    said: Answer | RowError


@dataclass(frozen=True, slots=True)
class Halved:
    """What one batch came to, in order.

    Attributes:
        failure: What the Flow said of the whole batch, when all of it was refused.
    """

    parts: tuple[Part, ...] = ()
    failure: RequestFailed | None = None


async def ask_by_halves(
    client: Asks, question: Question, docs: DocumentBatch, rows: Sequence[Row]
) -> Halved:
    """Ask for documents together, and by halves where the Flow refuses them.

    Args:
        rows: What the documents were made of, one for each.

    Raises:
        JinaError: As `AsyncClient.ask`, where it is not the documents' fault.
    """
    if not len(docs):
        return Halved()
    try:
        answer = await client.ask(replace(question, docs=docs))
    except RequestFailed as error:
        if error.status not in FAULTS_OF_DATA:
            raise
        if len(docs) == 1:
            row = rows[0]
            told = RowError(row.source, row.line, error.message, row.raw)
            return Halved((Part(docs, told),), error)
        middle = len(docs) // 2
        first = await ask_by_halves(client, question, docs.slice(0, middle), rows[:middle])
        second = await ask_by_halves(client, question, docs.slice(middle, len(docs)), rows[middle:])
        failure = error if first.failure and second.failure else None
        return Halved(first.parts + second.parts, failure)
    return Halved((Part(docs, answer),))
