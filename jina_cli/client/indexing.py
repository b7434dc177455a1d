"""Batches of rows brought into a Flow, so that one bad row costs only itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar, Protocol

from jina_cli.client.client import Answer, Question
from jina_cli.client.progress import Progress
from jina_cli.client.pump import Pump
from jina_cli.client.refused import Refused
from jina_cli.client.window import Window
from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.readers.batches import ReadBatch
from jina_cli.documents.readers.row import Row, RowError, Skipped
from jina_cli.errors import RequestFailed

FAULTS_OF_DATA = frozenset({"INVALID", "EXECUTOR", "TOO_LARGE"})
"""Statuses that a single document of a request may have caused."""


class Asks(Protocol):
    """What is needed of a client."""

    async def ask(self, question: Question) -> Answer: ...


@dataclass(slots=True)
class Indexed:
    """What was done.

    Attributes:
        documents: How many were taken.
        chunks: How many they came back with.
        skipped: Files that were passed by, by the reason.
    """

    documents: int = 0
    chunks: int = 0
    skipped: dict[str, Passed] = field(default_factory=dict)

    def skip(self, file: Skipped) -> None:
        """Note a file that was passed by."""
        passed = self.skipped.setdefault(file.reason, Passed())
        passed.count += 1
        if len(passed.names) < Passed.NAMED:
            passed.names.append(file.source)


@dataclass(slots=True)
class Passed:
    """Files that were passed by: how many, and the first few of them."""

    NAMED: ClassVar[int] = 3

    count: int = 0
    names: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        more = self.count - len(self.names)
        return ", ".join(self.names) + (f" and {more:,} more" if more else "")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one batch came to. `failure` is what the Flow said when all of it was refused."""

    documents: int
    chunks: int
    refused: tuple[RowError, ...] = ()
    failure: RequestFailed | None = None


async def index(
    client: Asks,
    batches: Iterable[ReadBatch],
    *,
    question: Question,
    window: int,
    refused: Refused,
    progress: Progress,
    done: Indexed | None = None,
) -> Indexed:
    """Send all batches, at most `window` at a time, and return what became of them.

    A batch that the Flow refuses is halved until the rows are found that it refuses; the
    others are sent again without them. A Flow that takes no row of its first batch, or of a
    later one of several rows, is broken: that is not the fault of rows.

    Args:
        batches: Read in a thread of its own.
        question: What is sent, but for its documents.
        done: What is counted up and returned; whoever holds it knows it after an error too.

    Raises:
        JinaError: As `AsyncClient.ask` and `Refused.add`. What was taken stays taken.
    """

    async def ask(batch: ReadBatch) -> _Outcome:
        if not len(batch.docs):
            return _Outcome(0, 0)
        return await _send(client, question, batch.docs, batch.rows)

    done = Indexed() if done is None else done
    running = Window(ask, window).run(Pump(batches).run())
    try:
        async for batch, outcome in running:
            lone = len(batch.rows) == 1 and done.documents > 0
            if outcome.failure is not None and not lone:
                raise outcome.failure
            done.documents += outcome.documents
            done.chunks += outcome.chunks
            progress.advance(outcome.documents)
            for file in batch.skipped:
                done.skip(file)
            for error in sorted((*batch.errors, *outcome.refused), key=lambda e: e.line):
                refused.add(error)
    finally:
        await running.aclose()
    return done


async def _send(
    client: Asks, question: Question, docs: DocumentBatch, rows: Iterable[Row]
) -> _Outcome:
    places = list(rows)
    try:
        answer = await client.ask(replace(question, docs=docs))
    except RequestFailed as error:
        if error.status not in FAULTS_OF_DATA:
            raise
        if len(docs) == 1:
            row = places[0]
            told = RowError(row.source, row.line, error.message, row.raw)
            return _Outcome(0, 0, (told,), error)
        middle = len(docs) // 2
        first = await _send(client, question, docs.slice(0, middle), places[:middle])
        second = await _send(client, question, docs.slice(middle, len(docs)), places[middle:])
        return _Outcome(
            first.documents + second.documents,
            first.chunks + second.chunks,
            first.refused + second.refused,
            error if first.failure and second.failure else None,
        )
    return _Outcome(len(docs), count_chunks(answer.docs))


def count_chunks(docs: DocumentBatch) -> int:
    """Return how many chunks documents have, those of chunks included."""
    column = docs.docs("chunks")
    return 0 if column is None else len(column.docs) + count_chunks(column.docs)
