"""All that a Flow keeps, page by page, and documents that are prepared already."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from jina_cli.client.dumping import FIRST_PAGE, LONGEST_PAGE, Prepared, pages, parted
from jina_cli.client.question import Answer, Question
from jina_cli.documents.batch import EMPTY_BATCH, DocumentBatch
from jina_cli.documents.column import BytesColumn, DocsColumn, TensorColumn
from jina_cli.documents.readers.batches import ReadBatch
from jina_cli.documents.readers.row import Row, RowError
from jina_cli.errors import RequestFailed


class Shards:
    """Answers with the next documents of each of several shards, as they come."""

    def __init__(self, *shards: Sequence[str], most: int = 10_000, size: int = 0) -> None:
        self._shards = [sorted(shard) for shard in shards]
        self._most = most
        self._size = size
        self.limits: list[int] = []
        self.asked: list[dict[str, Any]] = []

    async def ask(self, question: Question) -> Answer:
        self.asked.append(dict(question.parameters))
        after, limit = question.parameters["after"], question.parameters["limit"]
        self.limits.append(limit)
        if limit > self._most:
            raise RequestFailed("the answer is over the limit", status="TOO_LARGE")
        ids = [id_ for s in self._shards for id_ in [i for i in s if i > after][:limit]]
        blobs = BytesColumn([bytes(self._size)] * len(ids))
        return Answer(docs=DocumentBatch(ids, {"blob": blobs}), parameters={}, seconds=0.0)


def ids_of(client: Any, **parameters: Any) -> list[list[str]]:
    async def all_pages() -> list[list[str]]:
        question = Question(endpoint="/dump", parameters=parameters)
        return [list(page.ids) async for page in pages(client, question)]

    return asyncio.run(all_pages())


NAMES = [f"{n:04}" for n in range(3000)]


@pytest.mark.parametrize("count", [1, 3])
def test_all_documents_come_once_and_in_order(count: int) -> None:
    found = ids_of(Shards(*(NAMES[start::count] for start in range(count))))

    assert [id_ for page in found for id_ in page] == NAMES


def test_a_document_that_two_shards_have_comes_once() -> None:
    assert ids_of(Shards(["a", "b"], ["b", "c"])) == [["a", "b", "c"]]


def test_shards_of_different_sizes_leave_nothing_out() -> None:
    found = ids_of(Shards(NAMES[:10], NAMES[10:]))

    assert [id_ for page in found for id_ in page] == NAMES


def test_pages_grow_while_documents_are_small() -> None:
    client = Shards(NAMES)

    ids_of(client)

    assert client.limits[:6] == [FIRST_PAGE, 128, 256, 512, LONGEST_PAGE, LONGEST_PAGE]


def test_pages_do_not_grow_where_documents_are_large() -> None:
    client = Shards(NAMES[:80], size=2**18)

    ids_of(client)

    assert max(client.limits[1:]) <= 32


def test_a_page_that_is_too_large_is_asked_for_in_parts() -> None:
    client = Shards(NAMES[:20], most=4)

    assert [id_ for page in ids_of(client) for id_ in page] == NAMES[:20]
    assert client.limits[:3] == [64, 16, 4]


def test_one_document_that_is_too_large_is_an_error() -> None:
    with pytest.raises(RequestFailed, match="over the limit"):
        ids_of(Shards(NAMES[:2], most=0))


def test_what_is_wanted_is_asked_for_with_every_page() -> None:
    client = Shards(NAMES[:100])

    ids_of(client, filter="a = 1", vectors=False)

    assert {(a["filter"], a["vectors"]) for a in client.asked} == {("a = 1", False)}


def vectors(ids: Sequence[str]) -> DocumentBatch:
    return DocumentBatch(ids, {"embedding": TensorColumn(np.ones((len(ids), 2), np.float32))})


def test_documents_with_vectors_of_their_own_or_of_chunks_go_apart_from_the_others() -> None:
    there = np.array([True, False, False])
    embedding = TensorColumn(np.ones((3, 2), np.float32), there)
    chunks = DocsColumn.of([EMPTY_BATCH, vectors(["x"]), DocumentBatch(["y"])])
    docs = DocumentBatch(["a", "b", "c"], {"embedding": embedding, "chunks": chunks})
    rows = [Row(source="f", line=line, fields={}) for line in (1, 2, 3)]
    errors = [RowError("f", 4, "bad")]

    one, other = parted(ReadBatch(docs, rows, errors))

    assert (list(one.docs.ids), [row.line for row in one.rows]) == (["a", "b"], [1, 2])
    assert (list(other.docs.ids), [row.line for row in other.rows]) == (["c"], [3])
    assert (one.errors, other.errors) == (errors, ())


def test_documents_that_are_alike_stay_together() -> None:
    rows = [Row(source="f", line=1, fields={})]
    for docs in (vectors(["a"]), DocumentBatch(["a"])):
        batch = ReadBatch(docs, rows, ())
        assert parted(batch) == [batch]


def test_the_flow_is_told_which_documents_are_prepared() -> None:
    class Listens:
        asked: list[dict[str, Any]] = []  # noqa: RUF012

        async def ask(self, question: Question) -> Answer:
            self.asked.append(dict(question.parameters))
            return Answer(docs=EMPTY_BATCH, parameters={}, seconds=0.0)

    async def ask() -> None:
        for docs in (vectors(["a"]), DocumentBatch(["b"])):
            question = Question(endpoint="/index", docs=docs, parameters={"x": 1})
            await Prepared(Listens()).ask(question)

    asyncio.run(ask())

    assert Listens.asked == [{"x": 1, "prepared": True}, {"x": 1}]
