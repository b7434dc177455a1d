"""Queries asked of a Flow, and what it found for each."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jina_cli.client.client import Question
from jina_cli.client.halving import Asks, Halved, Part, ask_by_halves
from jina_cli.client.pump import Pump
from jina_cli.client.window import Window
from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.readers.batches import ReadBatch
from jina_cli.documents.readers.row import Items, Row, RowError
from jina_cli.documents.rows import to_rows

_NUMBERS = ("tensor", "embedding", "blob")
_NOT_SHOWN = (*_NUMBERS, "matches", "chunks")
_OF_A_MATCH = ("matches", "ref_id", "adjacency")
"""What every match has alike, and nobody reads."""

_SAID_OF_QUERIES = ("tags", "evaluations")
"""Where Classifiers and Evaluators put what they say of a query."""

_FIRST_KEYS = ("id", "score", "text", "uri", "tags")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found for one query.

    Attributes:
        query: `id`, `text`… as an object for JSON; with the `tags` and `evaluations` that the
            Flow gave it, if it did.
        matches: Best first, each with `id`, `score` and whatever the Flow keeps. Under
            `chunks` stand the parts of it that fitted the query, where the Flow tells.
    """

    query: Mapping[str, Any]
    matches: Sequence[Mapping[str, Any]]

    @property
    def id(self) -> str:
        return str(self.query["id"])


def rows_of_texts(texts: Iterable[str]) -> Iterator[Row]:
    """Yield one query for each text."""
    for text in texts:
        raw = os.fsencode(text)  # arguments may have any bytes in them
        fields = {"text": raw.decode("utf-8", "replace")}
        yield Row(source="argument", line=0, fields=fields, raw=raw)


def numbered(items: Items) -> Items:
    """Give queries that have no id their number among all, from 1, as id."""
    number = 0
    for item in items:
        if isinstance(item, Row):
            number += 1
            if item.fields.get("id") in (None, ""):
                yield replace(item, fields={**item.fields, "id": str(number)})
                continue
        yield item


async def search(
    client: Asks, batches: Iterable[ReadBatch], *, question: Question, window: int
) -> AsyncGenerator[Found | RowError, None]:
    """Ask all queries, and yield in their order what was found, and which could not be asked.

    A batch that the Flow refuses is halved until the queries are found that it refuses; the
    others are answered all the same. A Flow that answers no query of its first batch, or of a
    later one of several queries, is broken: that is not the fault of queries.

    Raises:
        JinaError: As `AsyncClient.ask`.
    """

    async def ask(batch: ReadBatch) -> Halved:
        return await ask_by_halves(client, question, batch.docs, batch.rows)

    has_found = False
    running = Window(ask, window).run(Pump(batches).run())
    try:
        async for batch, asked in running:
            for error in batch.errors:
                yield error
            if asked.failure is not None and not (has_found and len(batch.rows) == 1):
                raise asked.failure
            has_found = has_found or (asked.failure is None and bool(asked.parts))
            for result in _results(asked.parts):
                yield result
    finally:
        await running.aclose()


def _results(parts: Iterable[Part]) -> Iterator[Found | RowError]:
    for part in parts:
        if isinstance(part.said, RowError):
            yield part.said
        else:
            yield from found_in(part.docs, part.said.docs)


def found_in(queries: DocumentBatch, answer: DocumentBatch) -> Iterator[Found]:
    """Yield what an answer has for each query, in the order of the queries.

    A query that is not in the answer has found nothing.
    """
    column = answer.docs("matches")
    places = {id_: place for place, id_ in enumerate(answer.ids)}
    said = to_rows(answer.only(*_SAID_OF_QUERIES))
    for row in to_rows(queries.without(*_NOT_SHOWN)):
        place = places.get(row["id"])
        matches: Sequence[Mapping[str, Any]] = ()
        if place is not None:
            row = {**row, **said[place]}  # noqa: PLW2901
        if column is not None and place is not None:
            start, end = int(column.offsets[place]), int(column.offsets[place + 1])
            found = without_numbers(column.docs.slice(start, end)).without(*_OF_A_MATCH)
            matches = [_ordered(match) for match in to_rows(found)]
        yield Found(query=row, matches=matches)


def without_numbers(docs: DocumentBatch) -> DocumentBatch:
    """Return documents without what is only for machines; their chunks and matches, too."""
    docs = docs.without(*_NUMBERS)
    inner = {name: docs.docs(name) for name in ("chunks", "matches")}
    return docs.with_columns(
        **{
            name: replace(column, docs=without_numbers(column.docs))
            for name, column in inner.items()
            if column is not None
        }
    )


def _ordered(row: Mapping[str, Any]) -> dict[str, Any]:
    first = {key: row[key] for key in _FIRST_KEYS if key in row}
    return {**first, **row}
