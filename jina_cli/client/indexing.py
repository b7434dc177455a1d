"""Batches of rows brought into a Flow, so that one bad row costs only itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from jina_cli.client.client import Question
from jina_cli.client.halving import Asks, Halved, ask_by_halves
from jina_cli.client.progress import Progress
from jina_cli.client.pump import Pump
from jina_cli.client.refused import Refused
from jina_cli.client.window import Window
from jina_cli.documents.readers.batches import ReadBatch
from jina_cli.documents.readers.row import RowError, Skipped
from jina_cli.vocabulary import RESULTS


@dataclass(slots=True)
class Indexed:
    """What was done.

    Attributes:
        documents: How many were taken.
        chunks: What they were split into, as far as the Flow says.
        unchanged: Of the documents, those that the index had already, as the Flow says.
        skipped: Files that were passed by, by the reason.
    """

    documents: int = 0
    chunks: int = 0
    unchanged: int = 0
    skipped: dict[str, Passed] = field(default_factory=dict)

    def take(self, outcome: Halved) -> int:
        """Count what came of a batch, and return how many of its documents were taken."""
        before = self.documents
        for part in outcome.parts:
            if not isinstance(part.said, RowError):
                self.documents += len(part.docs)
                self.chunks += counted(part.said.parameters, "chunks")
                self.unchanged += counted(part.said.parameters, "skipped")
        return self.documents - before

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

    async def ask(batch: ReadBatch) -> Halved:
        return await ask_by_halves(client, question, batch.docs, batch.rows)

    done = Indexed() if done is None else done
    running = Window(ask, window).run(Pump(batches).run())
    try:
        async for batch, outcome in running:
            lone = len(batch.rows) == 1 and done.documents > 0
            if outcome.failure is not None and not lone:
                raise outcome.failure
            progress.advance(done.take(outcome))
            for file in batch.skipped:
                done.skip(file)
            bad = [part.said for part in outcome.parts if isinstance(part.said, RowError)]
            for error in sorted((*batch.errors, *bad), key=lambda e: e.line):
                refused.add(error)
    finally:
        await running.aclose()
    return done


def counted(parameters: Mapping[str, Any], name: str) -> int:
    """Return what the Pods of a Flow count under a name, in the parameters of an answer.

    Peas of one Pod are added up. Of several Pods, the same documents went through each: the
    one that counted most is meant.
    """
    results = parameters.get(RESULTS) or {}
    pods: dict[str, int] = {}
    for pea, result in results.items():
        value = result.get(name) if isinstance(result, Mapping) else None
        if isinstance(value, int | float):
            pod = pea.partition("/")[0]
            pods[pod] = pods.get(pod, 0) + int(value)
    return max(pods.values(), default=0)
