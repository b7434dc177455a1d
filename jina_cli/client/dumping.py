"""What a Flow keeps, asked for page by page; and brought back without being prepared again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Final

from jina_cli.client.halving import Asks
from jina_cli.client.question import Answer, Question
from jina_cli.documents.batch import DocumentBatch
from jina_cli.documents.columns import encode
from jina_cli.documents.dumps import have_vectors
from jina_cli.documents.readers.batches import ReadBatch
from jina_cli.errors import RequestFailed

FIRST_PAGE: Final = 64
LONGEST_PAGE: Final = 1024
PAGE_BYTES: Final = 8 * 2**20
"""Documents of a page, while they are shorter than this together."""


async def pages(client: Asks, question: Question) -> AsyncGenerator[DocumentBatch, None]:
    """Yield all documents that a Flow keeps, in order of their ids, none of them twice.

    Pages grow as long as documents are small, and shrink where the Flow says that an answer is
    too large. Documents that come or go meanwhile are there or not.

    Args:
        question: To `/dump`, with the parameters `filter` and `vectors` if they are wanted.

    Raises:
        JinaError: As `AsyncClient.ask`.
    """
    asking = asyncio.ensure_future(_page(client, question, "", FIRST_PAGE))
    try:
        while True:
            page, limit = await asking
            if not len(page):
                return
            # The next one is made while the caller is busy with this one.
            last, limit = page.ids[-1], _next_limit(page, limit)
            asking = asyncio.ensure_future(_page(client, question, last, limit))
            yield page
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def _page(
    client: Asks, question: Question, after: str, limit: int
) -> tuple[DocumentBatch, int]:
    """Return the documents behind an id, and how many were asked for at last."""
    while True:
        asked = {**question.parameters, "after": after, "limit": limit}
        try:
            answer = await client.ask(replace(question, parameters=asked))
        except RequestFailed as error:
            if error.status != "TOO_LARGE" or limit == 1:
                raise
            limit = max(1, limit // 4)
        else:
            return _first(answer.docs, after, limit), limit


def _first(docs: DocumentBatch, after: str, limit: int) -> DocumentBatch:
    """Return the next documents of those that several shards answered with.

    Each of them was asked for so many: what is behind the first `limit` may lack documents
    of a shard that had more.
    """
    order = sorted((id_, place) for place, id_ in enumerate(docs.ids) if id_ > after)
    places = list(dict(reversed(order)).values())[::-1]
    if places == list(range(len(docs))) and len(docs) <= limit:
        return docs
    return docs.take(places[:limit])


def _next_limit(page: DocumentBatch, limit: int) -> int:
    size = sum(len(part) for part in encode(page)) / len(page)
    fitting = max(1, int(PAGE_BYTES / max(size, 1)))
    return min(fitting, limit * 2, LONGEST_PAGE)


class Prepared:
    """A client that tells the Flow of documents with vectors that they are prepared.

    Crafters, Segmenters and Encoders pass them on as they are.
    """

    def __init__(self, client: Asks) -> None:
        self._client = client

    async def ask(self, question: Question) -> Answer:
        """Ask; all documents have vectors, or none, as `parted` gives them."""
        docs = question.docs
        if docs is not None and have_vectors(docs).any():
            question = replace(question, parameters={**question.parameters, "prepared": True})
        return await self._client.ask(question)


def parted(batch: ReadBatch) -> list[ReadBatch]:
    """Return the documents that have vectors, and those that have none, each as a batch."""
    mask = have_vectors(batch.docs)
    if mask.all() or not mask.any():
        return [batch]
    parts = []
    for chosen in (mask, ~mask):
        places = chosen.nonzero()[0]
        rows = [batch.rows[place] for place in places.tolist()]
        parts.append(ReadBatch(batch.docs.take(places), rows, ()))
    return [ReadBatch(parts[0].docs, parts[0].rows, batch.errors, batch.skipped), parts[1]]
